import type { Ledger } from '@headframe/ledger';
import { createSplitPlanner, type SplitPlanner } from '@headframe/payouts';
import { asciiToBytes, type Clock, type Logger, PoolError } from '@headframe/primitives';
import type { PoolConfig } from './config/schema.js';
import type { CurrentSetup } from './setup.js';

interface SplitModules {
  readonly ledger: Ledger | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Plans the coinbases of a pool with scheme `coinbase-split`; undefined with any other.
 * @throws PoolError `invalid_config` without a ledger, which knows whose work counts.
 */
export function createPoolSplit(
  config: PoolConfig,
  setup: CurrentSetup,
  extranonceLengths: readonly number[],
  { ledger, clock, log }: SplitModules,
): SplitPlanner | undefined {
  if (config.payout.scheme !== 'coinbase-split') return undefined;
  if (ledger === undefined) throw new PoolError('invalid_config', 'payout.scheme: coinbase-split needs a ledger');
  const { coin, poolAccount, poolScript } = setup.current;
  return createSplitPlanner(
    {
      coin,
      poolAccount,
      poolScript,
      extranonceLengths,
      poolTag: asciiToBytes(config.poolTag),
      coinbase: { maxBytes: config.jobs.maxCoinbaseBytes },
      window: config.payout.window,
      // Read anew for each plan: a reload may change them.
      get fees() {
        return setup.current.fees;
      },
    },
    { ledger, accounting: ledger.accounting, clock, log },
  );
}
