import { PoolError } from '@headframe/primitives';
import { type ConnectStratumOptions, type DialOptions, endpointOf } from './connect.js';
import type { WorkerCredentials } from './handshake.js';
import type { StratumEndpoint } from './url.js';

/** One pool of a list. */
export interface PoolEntry extends Pick<DialOptions, 'url' | 'connect' | 'tls'> {
  /** Names to authorize there. Default: those of the client. */
  readonly workers?: readonly [WorkerCredentials, ...WorkerCredentials[]];
}

/** A pool of the list, as the client keeps it. */
export interface KnownPool {
  /** Place in the list; 0 is the preferred one. */
  readonly index: number;
  readonly entry: PoolEntry;
  readonly endpoint: StratumEndpoint | undefined;
  /** Those of the options and those added later. */
  readonly workers: WorkerCredentials[];
}

/** A list so long is a mistake. */
const MAX_POOLS = 64;

/** @throws PoolError `invalid_argument` on a list without pools, or an address that is none */
export function knownPools(
  options: ConnectStratumOptions & { readonly pools?: readonly PoolEntry[] },
  workers: readonly WorkerCredentials[],
): readonly KnownPool[] {
  const { url, connect, tls } = options;
  const single: PoolEntry = {
    ...(url !== undefined && { url }),
    ...(connect !== undefined && { connect }),
    ...(tls !== undefined && { tls }),
  };
  const entries = options.pools ?? [single];
  if (entries.length === 0 || entries.length > MAX_POOLS) {
    throw new PoolError('invalid_argument', `give 1 to ${MAX_POOLS} pools, not ${entries.length}`);
  }
  if (options.pools !== undefined && url !== undefined) {
    throw new PoolError('invalid_argument', 'give a url or a list of pools, not both');
  }
  return entries.map((entry, index) => {
    const whole = { ...single, ...entry };
    return { index, entry: whole, endpoint: endpointOf(whole), workers: [...(entry.workers ?? workers)] };
  });
}
