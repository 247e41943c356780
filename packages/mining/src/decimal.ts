import { PoolError } from '@headframe/primitives';

/** digits * 10^exponent, exactly. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** A double written out has up to 1,100 characters; nobody writes a difficulty that long. */
const MAX_TEXT = 400;
const MAX_EXPONENT = 400;

/** Reads a positive decimal; undefined when the text is none. No sign but `+`, exponent allowed. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const match = /^\+?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?$/.exec(text);
  if (!match) return undefined;
  const whole = match[1] ?? '';
  const fraction = match[2] ?? '';
  const exponent = Number(match[3] ?? '0') - fraction.length;
  const digits = `${whole}${fraction}`;
  if (digits === '' || Math.abs(exponent) > MAX_EXPONENT) return undefined;
  return { digits: BigInt(digits), exponent };
}

/** Rounds to `places` significant digits (half up, or always up) and drops trailing zeros. `digits` must be positive. */
export function roundDecimal(value: Decimal, places: number, mode: 'nearest' | 'up'): Decimal {
  let { digits, exponent } = value;
  const excess = digits.toString().length - places;
  if (excess > 0) {
    const unit = 10n ** BigInt(excess);
    digits = (digits + (mode === 'up' ? unit - 1n : unit / 2n)) / unit;
    exponent += excess;
  }
  while (digits % 10n === 0n) {
    digits /= 10n;
    exponent++;
  }
  return { digits, exponent };
}

/** Plain notation, never an exponent: `0.00015`, `1024`. */
export function formatDecimal({ digits, exponent }: Decimal): string {
  const text = digits.toString();
  if (exponent >= 0) return text + '0'.repeat(exponent);
  const point = text.length + exponent;
  return point > 0 ? `${text.slice(0, point)}.${text.slice(point)}` : `0.${'0'.repeat(-point)}${text}`;
}

/** Sign of a - b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.digits * pow10(a.exponent - exponent);
  const right = b.digits * pow10(b.exponent - exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** 10^n. @throws PoolError `invalid_argument` on a negative exponent. */
export function pow10(exponent: number): bigint {
  if (exponent < 0) throw new PoolError('invalid_argument', 'negative power of ten');
  return 10n ** BigInt(exponent);
}
