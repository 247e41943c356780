export type {
  CheckpointProof,
  IndexCallName,
  IndexCalls,
  IndexStats,
  IndexTip,
  ScriptStatus,
} from './chain/calls.js';
export {
  type ChainIndex,
  type ChainIndexModules,
  type ChainIndexOptions,
  openChainIndex,
} from './chain/chain-index.js';
export type { IndexNews } from './chain/index-core.js';
export {
  type IndexedBlock,
  type IndexedOutput,
  type IndexedTransaction,
  parseRawBlock,
  parseRawTransaction,
  type SpentOutpoint,
} from './chain/parse-block.js';
export { type ElectrumConfig, type ElectrumConfigInput, electrumConfigSchema } from './config.js';
export {
  createElectrumServer,
  ElectrumServer,
  type ElectrumServerEvents,
  type ElectrumServerModules,
  parseElectrumConfig,
} from './electrum-server.js';
export { type HttpPolling, type HttpPollingOptions, listenHttpPolling, type PollTarget } from './http/polling.js';
export { ElectrumContext, type ElectrumProtocol } from './sessions/context.js';
export { ELECTRUM_ERROR, type ElectrumFailure, electrumError, isElectrumFailure } from './sessions/errors.js';
export {
  createElectrumFramework,
  ElectrumFramework,
  type ElectrumFrameworkModules,
  type ElectrumFrameworkOptions,
  type ElectrumHandler,
  type OldElectrumHandler,
} from './sessions/framework.js';
export { ELECTRUM_LIMITS, type ElectrumLimitInfo, type ElectrumLimits } from './sessions/limits.js';
