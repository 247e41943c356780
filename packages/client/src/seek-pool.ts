import type { Clock } from '@headframe/primitives';
import type { PreferredPolicy } from './mining-options.js';
import type { PoolSession } from './pool-session.js';
import type { KnownPool } from './pools.js';
import { waitFor } from './wait.js';

export interface SeekOptions extends Required<PreferredPolicy> {
  /** In the order of preference. */
  readonly pools: readonly KnownPool[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Connects and introduces itself. */
  readonly open: (pool: KnownPool) => Promise<PoolSession>;
  readonly failed: (pool: KnownPool, error: unknown) => void;
}

/**
 * Tries pools until one has held a connection long enough, and gives that connection. When aborted it gives the
 * connection on trial, if that is ready: the pool in use was lost, and this one is here. Undefined otherwise.
 */
export async function seekPool(options: SeekOptions): Promise<PoolSession | undefined> {
  const { pools, clock, signal, checkEveryMs, stableMs } = options;
  for (;;) {
    await waitFor(clock, checkEveryMs, signal);
    for (const pool of pools) {
      if (signal.aborted) return undefined;
      try {
        const session = await options.open(pool);
        await Promise.race([session.ended, waitFor(clock, stableMs, signal)]);
        if (session.ready) return session;
      } catch (error) {
        options.failed(pool, error);
      }
    }
    if (signal.aborted) return undefined;
  }
}
