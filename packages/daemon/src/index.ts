export type { TemplateTrigger } from '@headframe/mining';
export {
  type BlockJournal,
  type BlockJournalModules,
  type BlockJournalOptions,
  type JournalFile,
  openBlockJournal,
} from './block-journal.js';
export type { SubmissionStats } from './block-sender.js';
export {
  type BlockSubmitter,
  type BlockSubmitterModules,
  type BlockSubmitterOptions,
  type BlockSubmitterStats,
  createBlockSubmitter,
} from './block-submitter.js';
export {
  type ChainView,
  type ChainWatcher,
  type ChainWatcherModules,
  type ChainWatcherOptions,
  createChainWatcher,
  type WatchedBlock,
} from './chain-watcher.js';
export { checkProposal, type ProposalVerdict } from './check-proposal.js';
export type { JournalBlock, JournalEntry, JournalKept, JournalStatus } from './journal-entry.js';
export {
  type CoinNode,
  type DaemonOptions,
  isTransient,
  type NodeState,
  rpcCodeOf,
  type ZmqEndpoints,
} from './node.js';
export {
  createNodePool,
  type NodePool,
  type NodePoolEvents,
  type NodePoolModules,
  type NodePoolOptions,
} from './node-pool.js';
export type { RpcCredentials } from './rpc-auth.js';
export {
  createRpcClient,
  type RpcCallOptions,
  type RpcClient,
  type RpcClientOptions,
  type RpcOutcome,
  type RpcRequest,
} from './rpc-client.js';
export { RPC_CODE } from './rpc-response.js';
export {
  createTemplateFeed,
  type TemplateEvent,
  type TemplateFeed,
  type TemplateFeedEvents,
  type TemplateFeedModules,
  type TemplateFeedOptions,
  type TemplateFeedStats,
} from './template-feed.js';
export { templateRequest } from './template-request.js';
export type { ZmqLoader, ZmqSocket } from './zmq-subscriber.js';
