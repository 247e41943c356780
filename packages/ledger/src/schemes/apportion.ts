import { PoolError } from '@headframe/primitives';

/** Something that takes part in a division. */
export interface Weighted {
  /** Unique within one division. */
  readonly account: string;
  /** Not negative. */
  readonly weight: bigint;
}

/** Order of account names: by code units, the same on every machine (unlike a locale's order). */
export function compareAccounts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Part {
  readonly account: string;
  readonly remainder: bigint;
  amount: bigint;
}

/**
 * Divides `amount` in proportion to the weights, to the last unit (method of the largest remainder): everyone gets
 * floor(amount * weight / all weights); each unit that is left goes to the largest remainders, one apiece; equal
 * remainders go by account name. So nobody is a whole unit away from the exact quota, more weight never means less,
 * and the order of the list does not matter.
 *
 * @returns amounts by account, only those above zero, in account order.
 * @throws PoolError `invalid_argument` on a negative amount or weight, an account that stands twice, or an amount with
 *   nobody to take it.
 *
 * @example
 * apportion(10n, [{ account: 'a', weight: 1n }, { account: 'b', weight: 2n }]); // a: 3, b: 7
 */
export function apportion(amount: bigint, weights: Iterable<Weighted>): Map<string, bigint> {
  if (amount < 0n) throw new PoolError('invalid_argument', `cannot divide a negative amount: ${amount}`);
  const list = [...weights];
  let total = 0n;
  for (const { account, weight } of list) {
    if (weight < 0n) throw new PoolError('invalid_argument', `the weight of ${account} is negative`);
    total += weight;
  }
  if (total === 0n && amount > 0n) throw new PoolError('invalid_argument', `nobody to divide ${amount} among`);

  let left = amount;
  const parts = list.map(({ account, weight }): Part => {
    const product = amount * weight;
    const share = total === 0n ? 0n : product / total;
    left -= share;
    return { account, amount: share, remainder: total === 0n ? 0n : product % total };
  });
  if (left > 0n) {
    parts.sort(byRemainder);
    for (const part of parts) {
      if (left === 0n) break;
      part.amount++;
      left--;
    }
  }
  parts.sort((a, b) => compareAccounts(a.account, b.account));
  parts.forEach(({ account }, i) => {
    if (parts[i + 1]?.account === account) {
      throw new PoolError('invalid_argument', `account ${account} stands twice in a division`);
    }
  });
  return new Map(parts.filter((part) => part.amount > 0n).map((part) => [part.account, part.amount]));
}

function byRemainder(a: Part, b: Part): number {
  if (a.remainder !== b.remainder) return a.remainder > b.remainder ? -1 : 1;
  return compareAccounts(a.account, b.account);
}
