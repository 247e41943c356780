import { PoolError } from '@headframe/primitives';
import type { CoinbaseOutput, PayoutOutput } from './coinbase.js';
import type { BlockTemplate } from './types.js';

/**
 * Divides what the template leaves to the miner. Each output gets floor(reward * parts / all parts); the few base
 * units that flooring leaves over go to the first output. An output that would get nothing is left out, but the
 * first one always stands, because a coinbase needs an output.
 *
 * @throws PoolError `invalid_template` when the prescribed outputs exceed the block's value, `invalid_argument`
 *   without outputs or with parts that are no positive integers.
 */
export function splitReward(
  template: BlockTemplate,
  outputs: readonly PayoutOutput[],
): { readonly payouts: readonly CoinbaseOutput[]; readonly reward: bigint } {
  let required = 0n;
  for (const { amount } of template.requiredOutputs) required += amount;
  const reward = template.coinbaseValue - required;
  if (reward < 0n) {
    throw new PoolError(
      'invalid_template',
      `the template prescribes outputs of ${required}, but the block is worth ${template.coinbaseValue}`,
    );
  }
  if (outputs.length === 0) throw new PoolError('invalid_argument', 'a coinbase needs a payout output');
  let total = 0n;
  for (const { parts = 1 } of outputs) {
    if (!Number.isSafeInteger(parts) || parts < 1) {
      throw new PoolError('invalid_argument', `parts of a payout are a positive integer, not ${parts}`);
    }
    total += BigInt(parts);
  }
  const amounts = outputs.map(({ parts = 1 }) => (reward * BigInt(parts)) / total);
  let left = reward;
  for (const amount of amounts) left -= amount;
  const payouts = outputs.map(({ script }, i) => ({ script, amount: (amounts[i] ?? 0n) + (i === 0 ? left : 0n) }));
  return { payouts: payouts.filter(({ amount }, i) => i === 0 || amount > 0n), reward };
}
