import { PoolError } from '@headframe/primitives';
import type { Amount } from './schemas/common.js';

/** Digits of a coin behind the point: every coin here counts in 10^-8. */
export const COIN_DECIMALS = 8;
const UNITS_PER_COIN = 10n ** BigInt(COIN_DECIMALS);

/** Base units as they stand in answers. */
export function amountOf(units: bigint): Amount {
  const absolute = units < 0n ? -units : units;
  const fraction = (absolute % UNITS_PER_COIN).toString().padStart(COIN_DECIMALS, '0');
  return { units: units.toString(), coins: `${units < 0n ? '-' : ''}${absolute / UNITS_PER_COIN}.${fraction}` };
}

/**
 * Base units of an amount written in coins.
 * @throws PoolError `invalid_argument` when it has more decimals than the coin
 */
export function unitsOfCoins(coins: string): bigint {
  const match = /^(\d{1,15})(?:\.(\d+))?$/.exec(coins);
  const fraction = (match?.[2] ?? '').replace(/0+$/, '');
  if (match === null || fraction.length > COIN_DECIMALS) {
    throw new PoolError(
      'invalid_argument',
      `not an amount of coins with at most ${COIN_DECIMALS} decimals: ${coins.slice(0, 40)}`,
    );
  }
  return BigInt(match[1] ?? '0') * UNITS_PER_COIN + BigInt(fraction.padEnd(COIN_DECIMALS, '0'));
}

const PPM_PER_PERCENT = 10_000;

/**
 * Parts per million of a percentage.
 * @throws PoolError `invalid_argument` when it has more than four decimals
 */
export function ppmOfPercent(percent: number): number {
  const ppm = Math.round(percent * PPM_PER_PERCENT);
  if (Math.abs(ppm - percent * PPM_PER_PERCENT) > 1e-6) {
    throw new PoolError('invalid_argument', `a percentage has at most four decimals, not ${percent}`);
  }
  return ppm;
}

export function percentOfPpm(ppm: number): number {
  return ppm / PPM_PER_PERCENT;
}
