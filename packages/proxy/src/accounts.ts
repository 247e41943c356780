import type { ProxyConfig } from './config.js';
import type { UpstreamLogin } from './upstream.js';

/** Who mines here. */
export interface ProxyAccount {
  /** The username of the miner, as it wrote it. */
  readonly id: string;
  /** What stands behind the first dot of it; empty when there is none. */
  readonly worker: string;
  /** Null when it gave none. Never log it. */
  readonly password: string | null;
}

/** Name and password that an upstream knows a miner by; `account` is undefined when the miner did not log in. */
export function upstreamLogin(
  config: ProxyConfig,
  upstream: ProxyConfig['upstreams'][number],
  account: ProxyAccount | undefined,
): UpstreamLogin {
  const { user, password } = upstream;
  const { mode, separator } = config.accounts;
  if (account === undefined || mode === 'fixed') return { username: user, password };
  if (mode === 'pass-through') return { username: account.id, password: account.password ?? password };
  const worker = account.worker === '' ? account.id : account.worker;
  return { username: `${user}${separator}${worker}`, password };
}
