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
export { claimFolder, type FolderClaim, type FolderClaimOptions } from './folder-claim.js';
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
export { createDaemonSupervisor, type SupervisorModules } from './supervisor.js';
export { type SupervisedCommand, supervisedCommand } from './supervisor-command.js';
export {
  DAEMON_PRESETS,
  type DaemonDefinition,
  type DaemonNetwork,
  type DaemonPresetName,
  type FullDaemonDefinition,
  type NotifyType,
  presetOfCoin,
} from './supervisor-definition.js';
export type { ProcessExit } from './supervisor-exit.js';
export {
  NOTIFY_TOKEN_VARIABLE,
  type RestartOptions,
  type SupervisorAuthentication,
  type SupervisorNotifyOptions,
  type SupervisorOptions,
  type SupervisorRpcOptions,
} from './supervisor-options.js';
export type { OutputStream } from './supervisor-output.js';
export type { DaemonProcess, SpawnDaemon, SpawnRequest } from './supervisor-process.js';
export { createDaemonRegistry, type DaemonRegistry } from './supervisor-registry.js';
export type {
  DaemonSupervisor,
  StopOutcome,
  SupervisorEvents,
  SupervisorExit,
  SupervisorState,
} from './supervisor-types.js';
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
export {
  subscribeZmq,
  type ZmqLoader,
  type ZmqSocket,
  type ZmqSubscriber,
  type ZmqSubscriberModules,
} from './zmq-subscriber.js';
