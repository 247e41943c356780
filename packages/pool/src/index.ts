export { isReject, PoolError, type Reject, type RejectCode, reject } from '@headframe/primitives';
export {
  type AdminConnection,
  type AdminReconnect,
  type AdminSettings,
  type AdminSettingsChange,
  type AdminTarget,
  PoolAdmin,
  toPlain,
} from './admin.js';
export { createPoolPayouts } from './books.js';
export { creditsAccounts, PAYOUT_SCHEMES, type PayoutScheme } from './config/payout.js';
export { type ConfigProblem, checkConfig, configError, parseConfig } from './config/problems.js';
export { type PoolConfig, type PoolConfigInput, poolConfigSchema } from './config/schema.js';
export {
  BUILTINS as CONTROL_METHODS,
  type Builtin as ControlMethodInfo,
  LOGIN as CONTROL_LOGIN,
} from './control/builtins.js';
export { PoolControl } from './control/control.js';
export { HttpWire } from './control/http-wire.js';
export { JsonWire } from './control/json-wire.js';
export { CONTROL_LIMITS } from './control/limits.js';
export type { ControlCall, ControlHandler, ControlSchema, ExposeOptions } from './control/methods.js';
export { NOTIFICATIONS, type Notification } from './control/notification.js';
export { hashPassword } from './control/password.js';
export { RPC_ERRORS, type RpcErrorName, readRequest } from './control/rpc.js';
export type { ControlWire, WireFailure, WireInterim, WireReply, WireRequest } from './control/wire.js';
export type { PoolCore } from './core.js';
export { createPool } from './create-pool.js';
export { DEBUG_PARTS, type DebugPart } from './debug.js';
export { type DeepPartial, defineDefaults } from './defaults.js';
export { applyEnvironment, ENV_PREFIX } from './env.js';
export type { PoolEvents } from './events.js';
export { inspectPool, type NodeReport, type PoolReport } from './inspect.js';
export type { PoolAddress, PoolHandlers, PoolModules, PoolOptions, PoolStatus } from './options.js';
export { Pool, type PoolPlugin } from './pool.js';
export { Readiness, type ReadinessEntry } from './readiness.js';
export type { ReloadResult } from './reload.js';
export { API_SERVICE, type PoolService } from './services.js';
export { type PoolSetup, setUp } from './setup.js';
export { decodeShareLogLine, openShareLog, type ShareLogOptions } from './share-log.js';
export { ledgerUrl, openPoolLedger, type StorageState } from './storage.js';
export type { TaskFunction, TaskOptions, TaskState } from './tasks.js';
