import type { PayoutOutput } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';
import type { CoinbaseSizeClass } from './coinbase-size.js';
import { type CoinbaseSplit, type CoinbaseSplitOptions, splitCoinbase } from './coinbase-split.js';

/**
 * The outputs as `buildJob` and `buildCoinbase` take them. Parts are the amounts themselves, so a template of the same
 * reward is divided into exactly these amounts.
 * @throws PoolError `invalid_argument` when an amount is above 2^53 - 1.
 */
export function payoutOutputs(split: CoinbaseSplit): PayoutOutput[] {
  return split.outputs.map(({ account, script, amount }) => {
    if (amount > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new PoolError('invalid_argument', `the amount for ${account} is above 2^53 - 1: ${amount}`);
    }
    return { script, parts: Number(amount) };
  });
}

/** One set of outputs and the firmware it is for. */
export interface CoinbaseVariant {
  /** Name of the output set in the key of the job variant. */
  readonly name: string;
  readonly split: CoinbaseSplit;
}

export interface CoinbaseVariants {
  /** Different sets only, in the order of the classes. */
  readonly variants: readonly CoinbaseVariant[];
  /** Name of the variant by name of the size class. */
  readonly variantOf: ReadonlyMap<string, string>;
}

/**
 * Splits for several size classes. Classes that come to the same outputs share a variant, named after the first of
 * them: while everybody fits, there is one.
 * @throws PoolError as {@link splitCoinbase}.
 */
export function splitCoinbaseVariants(
  options: Omit<CoinbaseSplitOptions, 'maxBytes'>,
  classes: readonly CoinbaseSizeClass[],
): CoinbaseVariants {
  const variants: CoinbaseVariant[] = [];
  const variantOf = new Map<string, string>();
  for (const { name, maxBytes } of classes) {
    const split = splitCoinbase({ ...options, maxBytes });
    const same = variants.find((variant) => sameOutputs(variant.split, split));
    if (same === undefined) variants.push({ name, split });
    variantOf.set(name, same?.name ?? name);
  }
  return { variants, variantOf };
}

function sameOutputs(a: CoinbaseSplit, b: CoinbaseSplit): boolean {
  if (a.outputs.length !== b.outputs.length) return false;
  return a.outputs.every(({ account, amount }, i) => {
    const other = b.outputs[i];
    return other !== undefined && other.account === account && other.amount === amount;
  });
}
