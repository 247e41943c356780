import { PoolError } from '@headframe/primitives';

/**
 * Work is the sum of share difficulties. It is kept as an integer, in units of 10^-15 difficulty: the lowest legal
 * difficulty (2^-32, six significant digits) still has all its digits, and adding a month of shares drifts by nothing.
 */
export const WORK_UNITS = 10n ** 15n;

const DECIMALS = 15;
/** Above this the whole part of a sum would not fit the 64-bit columns. About 2^59 times the hashes of any miner alive. */
const MAX_DIFFICULTY = 1e18;
const NUMBER = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/**
 * A difficulty as work units: exact for the decimal that prints it, digits beyond the 15th decimal cut off.
 * @throws PoolError `invalid_argument` unless `0 <= difficulty <= 10^18`
 */
export function workOfDifficulty(difficulty: number): bigint {
  const match = difficulty <= MAX_DIFFICULTY ? NUMBER.exec(String(difficulty)) : null;
  if (match === null) throw new PoolError('invalid_argument', `${difficulty} is no difficulty`);
  const [, whole = '0', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length + DECIMALS;
  return shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
}

/** Work units as a difficulty, for display and rates. */
export function workToNumber(work: bigint): number {
  return Number(work / WORK_UNITS) + Number(work % WORK_UNITS) / 1e15;
}

/** Work units as an exact decimal without exponent: `1.5`. */
export function workToDecimal(work: bigint): string {
  const fraction = (work % WORK_UNITS).toString().padStart(DECIMALS, '0').replace(/0+$/, '');
  return fraction === '' ? `${work / WORK_UNITS}` : `${work / WORK_UNITS}.${fraction}`;
}

/** Hashes per second that did `work` in `seconds`. @param hashesPerDifficulty 2^32 over the coin's difficulty factor */
export function hashrateOf(work: bigint, seconds: number, hashesPerDifficulty: number): number {
  return seconds > 0 ? (workToNumber(work) * hashesPerDifficulty) / seconds : 0;
}
