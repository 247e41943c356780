export { isReject, PoolError, type Reject, type RejectCode, reject } from '@headframe/primitives';
export {
  type ConfigProblem,
  checkConfig,
  configError,
  type PoolConfig,
  type PoolConfigInput,
  parseConfig,
  poolConfigSchema,
} from './config.js';
export type { PoolCore } from './core.js';
export { applyEnvironment, ENV_PREFIX } from './env.js';
export { inspectPool, type NodeReport, type PoolReport } from './inspect.js';
export type { PoolAddress, PoolHandlers, PoolModules, PoolOptions, PoolStatus } from './options.js';
export { createPool, Pool, type PoolPlugin } from './pool.js';
export { type PoolSetup, setUp } from './setup.js';
export { decodeShareLogLine, openShareLog, type ShareLogOptions } from './share-log.js';
