import { BoundedMap, MAX_UINT256, PoolError, uint256ToBytesLe } from '@headframe/primitives';
import { BigNumber } from 'bignumber.js';

/** A copy of our own: whoever embeds us may have configured the shared one. */
const Decimal = BigNumber.clone();
/** Target of difficulty 1 with factor 1 ("pdiff", what Stratum uses): 00000000ffff0000... */
const DIFF1 = new Decimal((0xffffn << 208n).toString());
/** 2^-32 = 5^32 * 10^-32, exactly. */
const TWO_TO_MINUS_32 = new Decimal(`${5n ** 32n}e-32`);
/** A double written out has up to 1,100 characters; nobody writes a difficulty that long. */
const MAX_TEXT = 400;
const DIFF1_FLOAT = 0xffff * 2 ** 208;
/** A miner parses the number as a double, some as a float: six digits survive both. */
const SIGNIFICANT_DIGITS = 6;
/** Vardiff, suggestions and passwords ask for the same few values again and again; 4,096 of them are about 1 MB. */
const CACHE_ENTRIES = 4096;

/**
 * A difficulty as it is written on the wire, with the exact target that follows from the text. Made by
 * {@link canonicalDifficulty}; instances are shared, so never change `target`.
 */
export interface Difficulty {
  /** At most 6 significant digits, no exponent. The same text goes into the JSON. */
  readonly text: string;
  /** `Number(text)`: for sums and comparison. */
  readonly value: number;
  /** 32 bytes, little-endian integer. A hash meets the difficulty when it is not above this. */
  readonly target: Uint8Array;
}

const cache = new BoundedMap<string, Difficulty>(CACHE_ENTRIES);

/**
 * The difficulty nearest to `value` that can be written with 6 significant digits, and its target, computed exactly
 * from that text. A value that rounding would take below the lowest legal difficulty becomes the lowest one.
 *
 * @param factor the coin's difficulty factor F: diff1 = (0xffff << 208) * F
 * @throws PoolError `invalid_difficulty` when the value is no positive number, below factor * 2^-32, or so high that
 *   no hash could meet it.
 */
export function canonicalDifficulty(value: number | string, factor: number): Difficulty {
  const input = typeof value === 'string' ? value.trim() : String(value);
  const key = `${factor}:${input}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = makeDifficulty(input, factor);
  cache.set(key, made);
  return made;
}

function makeDifficulty(input: string, factor: number): Difficulty {
  const decimal = parseDecimal(input);
  const lowest = lowestExact(factor);
  if (decimal.isLessThan(lowest)) {
    throw new PoolError(
      'invalid_difficulty',
      `difficulty ${input.slice(0, 40)} is below ${lowestDecimal(factor).toFixed()}, the lowest that a 256-bit target can express`,
    );
  }
  const rounded = decimal.precision(SIGNIFICANT_DIGITS, BigNumber.ROUND_HALF_UP);
  return fromDecimal(rounded.isLessThan(lowest) ? lowestDecimal(factor) : rounded, factor);
}

function fromDecimal(decimal: BigNumber, factor: number): Difficulty {
  const target = decimalTarget(decimal, factor);
  if (target === 0n) {
    throw new PoolError('invalid_difficulty', 'the difficulty is so high that no hash could meet it');
  }
  const text = decimal.toFixed();
  return { text, value: Number(text), target: uint256ToBytesLe(target) };
}

/**
 * Target of an exact decimal, of any number of digits: floor(diff1 * factor / difficulty), at most 2^256 - 1.
 * @throws PoolError `invalid_difficulty` when the text is no positive decimal.
 */
export function difficultyTarget(text: string, factor: number): bigint {
  return decimalTarget(parseDecimal(text), factor);
}

function decimalTarget(decimal: BigNumber, factor: number): bigint {
  checkFactor(factor);
  // idiv is exact: both are decimals and only the integer part is kept.
  const target = BigInt(DIFF1.times(factor).idiv(decimal).toFixed());
  return target > MAX_UINT256 ? MAX_UINT256 : target;
}

/** What a miner, a password or a config file may write: no sign but `+`, an exponent is fine. */
const DECIMAL = /^\+?((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)$/;

function parseDecimal(text: string): BigNumber {
  const match = text.length <= MAX_TEXT ? DECIMAL.exec(text) : null;
  const decimal = new Decimal(match?.[1] ?? Number.NaN);
  if (!decimal.isGreaterThan(0)) {
    throw new PoolError(
      'invalid_difficulty',
      `a difficulty is a positive number, not ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return decimal;
}

/** The lowest legal difficulty of an algorithm: factor * 2^-32, rounded up to 6 digits. */
export function lowestDifficulty(factor: number): Difficulty {
  return fromDecimal(lowestDecimal(factor), factor);
}

function lowestExact(factor: number): BigNumber {
  checkFactor(factor);
  return TWO_TO_MINUS_32.times(factor);
}

function lowestDecimal(factor: number): BigNumber {
  return lowestExact(factor).precision(SIGNIFICANT_DIGITS, BigNumber.ROUND_UP);
}

/** Order of two difficulties of one factor: negative, zero or positive like `a - b`. Six digits compare exactly. */
export function compareDifficulty(a: Difficulty, b: Difficulty): number {
  return a.value - b.value;
}

/**
 * Difficulty that a hash reached: diff1 * factor / hash, good to about 15 digits. For statistics; verdicts compare
 * bytes. `hash` is a 32-byte little-endian integer at `offset` of the array.
 */
export function hashToDifficulty(hash: Uint8Array, factor: number, offset = 0): number {
  let value = 0;
  for (let i = offset + 28; i >= offset; i -= 4) {
    const word =
      (hash[i] ?? 0) + (hash[i + 1] ?? 0) * 0x100 + (hash[i + 2] ?? 0) * 0x10000 + (hash[i + 3] ?? 0) * 0x1000000;
    value = value * 0x100000000 + word;
  }
  return (DIFF1_FLOAT * factor) / Math.max(1, value);
}

/** Network difficulty in units of share difficulty. `networkTarget`: 32 bytes, little-endian integer. */
export function networkDifficulty(networkTarget: Uint8Array, factor: number): number {
  return hashToDifficulty(networkTarget, factor);
}

function checkFactor(factor: number): void {
  if (!Number.isSafeInteger(factor) || factor < 1) {
    throw new PoolError('invalid_argument', `a difficulty factor is a positive integer, not ${factor}`);
  }
}
