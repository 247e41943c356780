export { type ProxyAccount, upstreamLogin } from './accounts.js';
export { AggregatedProxy, type ProxyModules } from './aggregated.js';
export {
  type ProxyConfig,
  type ProxyConfigProblem,
  type ProxyOptions,
  parseProxyConfig,
  proxyConfigError,
  proxyConfigSchema,
} from './config.js';
export { type AnyProxy, createProxy } from './create-proxy.js';
export { applyProxyEnvironment } from './environment.js';
export type { ForwardedEvent, ProxyEvents, VerdictEvent } from './events.js';
export { type AnyProxyStats, renderMetrics } from './metrics.js';
export { type ProxiedJobOptions, proxiedJob, type UpstreamShare, upstreamShare } from './proxied-job.js';
export { RELAY_PROTOCOL, type RelayDecisions, RelayProxy } from './relay.js';
export { type ExtranonceSplit, type SplitWish, splitExtranonce } from './split.js';
export type { AggregatedStats, ProxyStats, RelayStats, UpstreamRow } from './stats.js';
export { renderStatusPage } from './status-page.js';
export { type StatusServer, startStatusServer } from './status-server.js';
export { Upstream, type UpstreamConnect, type UpstreamLogin, type UpstreamState } from './upstream.js';
export type { WorkerRow } from './worker-book.js';
