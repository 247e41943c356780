export type { ReconnectPolicy } from './backoff.js';
export { type ConnectStratumOptions, connectStratum, type DialOptions } from './connect.js';
export { CpuMiner, type CpuMinerEvents, type CpuMinerOptions, type CpuMinerStats } from './cpu-miner.js';
export { isSameDomain, registrableDomain } from './domain.js';
export type { HandshakeOptions, WorkerCredentials } from './handshake.js';
export { type HeaderChoice, jobCoinbase, jobHeader, jobMerkleRoot, type MinerJob, shareTarget } from './job.js';
export { MiningClient } from './mining-client.js';
export type { MiningClientEvents, MiningClientOptions, PreferredPolicy, ReadyEvent } from './mining-options.js';
export type { Extranonce, JobStatus } from './mining-state.js';
export {
  decodeNotification,
  encodeStratumNotification,
  type MiningNotification,
  type NotificationEvents,
  notificationParams,
  type ReconnectNotification,
  type SetDifficultyNotification,
  type SetExtranonceNotification,
  type SetVersionMaskNotification,
  type ShowMessageNotification,
  type StratumNotification,
} from './notifications.js';
export type { PoolEntry } from './pools.js';
export { type ProbeOptions, probePool } from './probe/probe.js';
export {
  PROBE_CHECKS,
  type ProbeCheck,
  type ProbeFacts,
  type ProbeFinding,
  type ProbeReport,
  type ProbeStatus,
} from './probe/report.js';
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
export type { ServerRequestHandler } from './server-requests.js';
export {
  StratumClient,
  type StratumClientEvents,
  type StratumClientOptions,
  type UnsolicitedMessage,
} from './stratum-client.js';
export type { SubmitOutcome } from './submit.js';
export { parseStratumUrl, type StratumEndpoint } from './url.js';
