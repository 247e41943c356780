import { UNKNOWN } from './number.js';

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Coins as the API writes them, with groups and without needless zeros: `1234.50000000` is `1,234.5`. All digits stay:
 * the text is never turned into a number.
 */
export function coins(decimal: string | null | undefined): string {
  if (decimal === null || decimal === undefined) return UNKNOWN;
  const match = DECIMAL.exec(decimal);
  if (match === null) return decimal;
  const [, sign = '', whole = '0', part = ''] = match;
  const digits = part.replace(/0+$/, '');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}${groups}${digits === '' ? '' : `.${digits}`}`;
}

/** True for `0`, `-0.000` and what is not a number. */
export function isZero(decimal: string): boolean {
  return !/[1-9]/.test(decimal);
}
