export { addressKey } from './address.js';
export { AddressEntry, AddressTable } from './addresses.js';
export {
  BAN_SCOPES,
  type Ban,
  BanList,
  type BanOptions,
  type BanScope,
  type JudgedSession,
  type ListedScope,
} from './bans.js';
export { CallContext } from './call-context.js';
export type { CloseContext, ReplyContext, SessionEventSink, SessionEvents, SessionHooks } from './events.js';
export { type Hook, type HookErrorHandler, HookList, HookRegistry } from './hooks.js';
export { JsonRpcProtocol } from './jsonrpc-protocol.js';
export type { JsonRpcSettings } from './jsonrpc-settings.js';
export { LIMITS, type LimitInfo, type LimitName, type Limits, resolveLimits } from './limits.js';
export { MethodRegistry, type RegisteredMethod } from './methods.js';
export type { ListenerOptions, SessionServerModules, SessionServerOptions } from './options.js';
export { type Flushable, OutputScheduler } from './output.js';
export { createLoopDelayMonitor, type LoopDelayMonitor } from './overload.js';
export type { ProtocolDefinition, SessionProtocol } from './protocol.js';
export { ReplyQueue, type ReplySink } from './reply-queue.js';
export { createSessionHooks, hookErrorHandler } from './report.js';
export { describeIssues, validate } from './schema.js';
export type { Score } from './score.js';
export { type CloseOptions, createSessionServer, SessionServer, type SessionServerStats } from './server.js';
export { SessionCore } from './session.js';
export { type Broadcast, PAUSE, type PauseCause, type SessionHost } from './session-host.js';
export {
  type AdmitContext,
  type AdmitHandler,
  CLOSE_REASONS,
  type CloseReason,
  type ListenerInfo,
  type MethodContext,
  type MethodDefinition,
  type Phase,
  type Session,
  type SessionState,
} from './types.js';
