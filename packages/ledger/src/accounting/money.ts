import { PoolError } from '@headframe/primitives';
import { bigintIn } from '../sql/row.js';
import type { SqlRow } from '../sql/types.js';

/** No amount and no balance passes it, either way; see the schema for why. */
export const MAX_MONEY: bigint = 2n ** 62n - 1n;

/** @throws PoolError `invalid_argument` on an amount that could not be stored */
export function checkMoney(amount: bigint, what: string): bigint {
  if (typeof amount !== 'bigint' || amount > MAX_MONEY || amount < -MAX_MONEY) {
    throw new PoolError('invalid_argument', `${what} is not within 2^62 base units: ${amount}`);
  }
  return amount;
}

/** Select list of columns as text, read by `bigintIn`: drivers give 64-bit integers as floats. */
export const moneyColumns = (...names: readonly string[]): string =>
  names.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(', ');

/** Half of 64 bits: sums of halves stay whole for any number of rows, where SQLite's sum of wholes would overflow. */
const HALF = 2n ** 32n;

/** Select list of an exact sum, read by {@link moneySumIn}. */
export const sumMoney = (expression: string, name: string): string =>
  `CAST(coalesce(sum((${expression}) / ${HALF}), 0) AS TEXT) AS ${name}_high,
   CAST(coalesce(sum((${expression}) % ${HALF}), 0) AS TEXT) AS ${name}_low`;

/** The sum of {@link sumMoney}. */
export function moneySumIn(row: SqlRow | undefined, name: string): bigint {
  return bigintIn(row, `${name}_high`) * HALF + bigintIn(row, `${name}_low`);
}
