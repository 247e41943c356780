export type { ReconnectPolicy } from './backoff.js';
export { type ConnectStratumOptions, connectStratum, type DialOptions } from './connect.js';
export { CpuMiner, type CpuMinerEvents, type CpuMinerOptions, type CpuMinerStats } from './cpu-miner.js';
export type { HandshakeOptions, WorkerCredentials } from './handshake.js';
export { type HeaderChoice, jobHeader, jobMerkleRoot, type MinerJob, shareTarget } from './job.js';
export {
  MiningClient,
  type MiningClientEvents,
  type MiningClientOptions,
} from './mining-client.js';
export type { PushEvents } from './push-events.js';
export {
  defaultDifficultyFactor,
  type FoundShare,
  type SearchRequest,
  type SearchResult,
  type ShareSearchOptions,
  searchNonce,
  searchShare,
} from './search.js';
export { createInlineSearcher, type Searcher, ThreadSearcher } from './searcher.js';
export {
  type ServerRequestHandler,
  StratumClient,
  type StratumClientEvents,
  type StratumClientOptions,
} from './stratum-client.js';
export { isSameDomain, parseStratumUrl, type StratumEndpoint } from './url.js';
