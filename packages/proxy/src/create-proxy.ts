import { AggregatedProxy, type ProxyModules } from './aggregated.js';
import { type ProxyOptions, parseProxyConfig } from './config.js';
import { RelayProxy } from './relay.js';

/** A proxy of either mode. */
export type AnyProxy = AggregatedProxy | RelayProxy;

/**
 * Makes a proxy. Nothing is opened before `listen()`.
 * @throws PoolError `invalid_config`; `details.problems` lists everything that is wrong
 * @example
 * const proxy = createProxy({
 *   upstreams: [{ url: 'stratum+tcp://pool.example:3333', user: 'account' }],
 *   listeners: [{ port: 3333 }],
 * });
 * proxy.on('verdict', ({ worker, accepted }) => console.log(worker, accepted));
 * await proxy.listen();
 */
export function createProxy(
  options: ProxyOptions & { readonly mode: 'one-to-one' },
  modules?: ProxyModules,
): RelayProxy;
export function createProxy(
  options: ProxyOptions & { readonly mode?: 'aggregated' },
  modules?: ProxyModules,
): AggregatedProxy;
export function createProxy(options: ProxyOptions, modules?: ProxyModules): AnyProxy;
export function createProxy(options: ProxyOptions, modules: ProxyModules = {}): AnyProxy {
  const config = parseProxyConfig(options);
  return config.mode === 'one-to-one' ? new RelayProxy(config, modules) : new AggregatedProxy(config, modules);
}
