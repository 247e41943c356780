import { PoolError } from '@headframe/primitives';
import { apportion } from './apportion.js';

/** Parts in a whole: fees and donations are integers of 0 to a million. 10,000 is 1 %. */
export const PPM = 1_000_000n;

/** Who gets a part of every reward. */
export interface FeeRecipient {
  readonly account: string;
  /** Parts per million of the whole reward. */
  readonly ppm: number;
}

/** What an account gives away of its own reward. */
export interface Donation {
  readonly from: string;
  readonly to: string;
  /** Parts per million of what is left to the account after fees. */
  readonly ppm: number;
}

/** Who takes off what. The pool fee is the sum of its recipients. */
export interface FeePolicy {
  readonly recipients?: readonly FeeRecipient[];
  /** Taken of rewards for work only, never of fees or of donations received. */
  readonly donations?: readonly Donation[];
}

/** The pool fee in parts per million: all recipients together. */
export function poolFeePpm(fees: FeePolicy): number {
  return (fees.recipients ?? []).reduce((sum, { ppm }) => sum + ppm, 0);
}

/**
 * Checks that no more than the whole is taken off.
 * @throws PoolError `invalid_argument` on parts that are no integer from 0 to a million, recipients that take more than
 *   a million together, an account that gives away more than a million together.
 */
export function checkFeePolicy(fees: FeePolicy): void {
  for (const { account, ppm } of fees.recipients ?? []) checkPpm(ppm, `the fee for ${account}`);
  checkPpm(poolFeePpm(fees), 'the fee of all recipients together');
  const given = new Map<string, number>();
  for (const { from, to, ppm } of fees.donations ?? []) {
    checkPpm(ppm, `the donation from ${from} to ${to}`);
    const sum = (given.get(from) ?? 0) + ppm;
    checkPpm(sum, `what ${from} gives away together`);
    given.set(from, sum);
  }
}

function checkPpm(ppm: number, what: string): void {
  if (Number.isInteger(ppm) && ppm >= 0 && ppm <= Number(PPM)) return;
  throw new PoolError('invalid_argument', `${what} is an integer from 0 to ${PPM} parts per million, not ${ppm}`);
}

/** Cuts all parts off an amount at once: floor(amount * all parts / a million), divided among the receivers by parts. */
export function cutParts(amount: bigint, parts: readonly FeeRecipient[]): ReadonlyMap<string, bigint> {
  const weights = new Map<string, bigint>();
  let all = 0n;
  for (const { account, ppm } of parts) {
    weights.set(account, (weights.get(account) ?? 0n) + BigInt(ppm));
    all += BigInt(ppm);
  }
  return apportion(
    (amount * all) / PPM,
    [...weights].map(([account, weight]) => ({ account, weight })),
  );
}

/** What each account gives away, by giver. */
export function donationsByAccount(fees: FeePolicy): Map<string, FeeRecipient[]> {
  const result = new Map<string, FeeRecipient[]>();
  for (const { from, to, ppm } of fees.donations ?? []) {
    const list = result.get(from) ?? [];
    list.push({ account: to, ppm });
    result.set(from, list);
  }
  return result;
}
