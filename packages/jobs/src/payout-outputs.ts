import { type Coin, decodeAddress } from '@headframe/coins';
import type { PayoutOutput } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';

/** One receiver of the block reward. */
export interface Payee {
  readonly address: string;
  /** Positive integer; the reward is divided in proportion. Default 1. */
  readonly parts?: number;
}

/**
 * Coinbase outputs for addresses, the main one first: it also gets what rounding leaves over.
 *
 * @throws PoolError `invalid_address`, `wrong_network`, or `invalid_argument` without payees or with bad parts.
 * @example
 * const outputs = payoutOutputs(coin, [{ address: pool, parts: 99 }, { address: donation, parts: 1 }]);
 */
export function payoutOutputs(coin: Coin, payees: readonly Payee[]): PayoutOutput[] {
  if (payees.length === 0) throw new PoolError('invalid_argument', 'at least one payout address is needed');
  return payees.map(({ address, parts = 1 }) => {
    if (!Number.isSafeInteger(parts) || parts < 1) {
      throw new PoolError('invalid_argument', `parts of ${address} must be a positive integer, not ${parts}`);
    }
    return { script: decodeAddress(coin, address).script, parts };
  });
}
