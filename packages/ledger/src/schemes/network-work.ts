import { PoolError } from '@headframe/primitives';
import { WORK_UNITS, workOfDifficulty } from '../work.js';
import type { Fraction } from './fraction.js';

/** Target of difficulty 1 where the factor is 1, as Stratum counts. */
const DIFF1 = 0xffffn << 208n;

/**
 * Work that one block takes on average: network difficulty in units of work, as the exact fraction
 * `10^15 * diff1 * factor / target`. The numerator depends on the coin alone.
 *
 * @param target network target as an integer (`uint256FromBytesLe(template.networkTarget)`)
 * @param factor the coin's difficulty factor: 1 for SHA-256d, 65536 for scrypt
 * @throws PoolError `invalid_argument` unless both are positive integers.
 */
export function networkWork(target: bigint, factor: number): Fraction {
  if (target <= 0n) throw new PoolError('invalid_argument', `a network target is positive, not ${target}`);
  if (!Number.isSafeInteger(factor) || factor < 1) {
    throw new PoolError('invalid_argument', `a difficulty factor is a positive integer, not ${factor}`);
  }
  return { numerator: WORK_UNITS * DIFF1 * BigInt(factor), denominator: target };
}

/**
 * Work in a window of `multiple` times the network difficulty, rounded up to the next unit (10^-15 of difficulty).
 *
 * @param multiple as it is written in decimal, so 0.1 is a tenth exactly; digits after the 15th decimal do not count
 * @throws PoolError `invalid_argument` when `multiple` is not positive or above 10^18.
 *
 * @example
 * windowWork(networkWork(target, 1), 2); // two blocks' worth of work
 */
export function windowWork(network: Fraction, multiple: number): bigint {
  const scaled = workOfDifficulty(multiple);
  if (scaled === 0n) {
    throw new PoolError('invalid_argument', `a window is a positive multiple of network difficulty, not ${multiple}`);
  }
  const divisor = network.denominator * WORK_UNITS;
  return (network.numerator * scaled + divisor - 1n) / divisor;
}
