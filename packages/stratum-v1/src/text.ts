/** Decimal numbers as miners write them: digits, an optional fraction, an optional small exponent. */
const DECIMAL = /^\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?$/;

/** A finite number above zero, given as number or decimal text; undefined for anything else. */
export function positiveNumber(value: unknown): number | undefined {
  let number: number;
  if (typeof value === 'number') number = value;
  else if (typeof value === 'string' && value.length <= 64 && DECIMAL.test(value.trim())) number = Number(value);
  else return undefined;
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

/** The text cut to `maxLength`, with everything but printable ASCII replaced, so that it may be logged and shown. */
export function printable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[^\x20-\x7e]/g, '?');
}
