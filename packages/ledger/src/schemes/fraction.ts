import { PoolError } from '@headframe/primitives';

/**
 * An exact number: `numerator / denominator`. Not reduced, because numbers of one origin share their denominator and
 * then add up without any division; compare values with {@link compareFractions}, never field by field.
 */
export interface Fraction {
  readonly numerator: bigint;
  /** Positive. */
  readonly denominator: bigint;
}

/** Nothing. */
export const ZERO_FRACTION: Fraction = { numerator: 0n, denominator: 1n };

/**
 * A fraction of two integers.
 * @throws PoolError `invalid_argument` unless the denominator is positive.
 *
 * @example
 * fraction(1n, 3n); // a third
 */
export function fraction(numerator: bigint, denominator = 1n): Fraction {
  if (denominator <= 0n) throw new PoolError('invalid_argument', `a denominator is positive, not ${denominator}`);
  return { numerator, denominator };
}

/** Sum of two fractions. The denominator grows only when neither divides the other. */
export function addFractions(a: Fraction, b: Fraction): Fraction {
  if (a.denominator === b.denominator) return { ...a, numerator: a.numerator + b.numerator };
  if (a.denominator % b.denominator === 0n) return onto(a, b);
  if (b.denominator % a.denominator === 0n) return onto(b, a);
  return reduced({
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  });
}

function onto(wide: Fraction, narrow: Fraction): Fraction {
  const scale = wide.denominator / narrow.denominator;
  return { numerator: wide.numerator + narrow.numerator * scale, denominator: wide.denominator };
}

/** Order of two fractions: negative, zero or positive like `a - b`. */
export function compareFractions(a: Fraction, b: Fraction): number {
  const left = a.numerator * b.denominator;
  const right = b.numerator * a.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Splits a fraction that is not negative into its integer part and what is left, which is at least 0 and below 1. */
export function wholeAndRest(value: Fraction): { readonly whole: bigint; readonly rest: Fraction } {
  const { numerator, denominator } = value;
  return { whole: numerator / denominator, rest: { numerator: numerator % denominator, denominator } };
}

/** `numerator/denominator` in decimal digits: how a carry is stored. {@link parseFraction} reads it back. */
export function formatFraction(value: Fraction): string {
  return `${value.numerator}/${value.denominator}`;
}

const FRACTION = /^(-?[0-9]{1,2000})\/([0-9]{1,2000})$/;

/**
 * Reads what {@link formatFraction} wrote.
 * @throws PoolError `invalid_data` on anything else.
 */
export function parseFraction(text: string): Fraction {
  const match = FRACTION.exec(text);
  const denominator = BigInt(match?.[2] ?? '0');
  if (match === null || denominator === 0n) {
    throw new PoolError('invalid_data', `not a fraction: ${JSON.stringify(text.slice(0, 40))}`);
  }
  return { numerator: BigInt(match[1] ?? '0'), denominator };
}

function reduced({ numerator, denominator }: Fraction): Fraction {
  let a = numerator < 0n ? -numerator : numerator;
  let b = denominator;
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}
