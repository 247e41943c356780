/** What stands where nothing is known: an en dash. */
export const UNKNOWN = '\u2013';

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'] as const;

/** A number with its unit, apart so that the unit can be set smaller. */
export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

/** At most four significant digits, trailing zeros gone: 1.234, 12.34, 123.4, 1234. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.001) return value.toPrecision(3).replace(/\.?0+(e|$)/, '$1');
  const decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  const text = value.toFixed(decimals);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** A number from 1 to 999.9 with a prefix of a thousand: `12.3`, `T`. Below 1 there is no prefix. */
export function scaled(value: number): Quantity {
  if (!Number.isFinite(value)) return { value: UNKNOWN, unit: '' };
  let size = value;
  let step = 0;
  // 999.95 would be written as 1000.
  while (Math.abs(size) >= 999.95 && step < PREFIXES.length - 1) {
    size /= 1000;
    step++;
  }
  return { value: short(size), unit: PREFIXES[step] ?? '' };
}

/** Hashes per second: `1.21`, `TH/s`. */
export function hashrate(hashesPerSecond: number | null | undefined): Quantity {
  if (hashesPerSecond === null || hashesPerSecond === undefined) return { value: UNKNOWN, unit: '' };
  const { value, unit } = scaled(hashesPerSecond);
  return { value, unit: `${unit}H/s` };
}

/** `1.21 TH/s` */
export function hashrateText(hashesPerSecond: number | null | undefined): string {
  return text(hashrate(hashesPerSecond));
}

/** Difficulties and counts: `4.2 M`. */
export function scaledText(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : text(scaled(value));
}

/** A difficulty: whole up to 99,999, then with a prefix: `1,024`, `0.001`, `126.3 T`. */
export function difficultyText(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return Number.isInteger(value) && value < 100_000 ? count(value) : scaledText(value);
}

export function text({ value, unit }: Quantity): string {
  return unit === '' ? value : `${value} ${unit}`;
}

/** Whole numbers with thin groups: `1,234,567`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? UNKNOWN
    : Math.round(value).toLocaleString('en-US');
}

/** A ratio as a percentage: 0.123 is `12.3 %`. */
export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return UNKNOWN;
  const value = ratio * 100;
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const digits = value.toFixed(decimals);
  if (Number(digits) === 0 && value !== 0) return value > 0 ? '< 0.01 %' : '> -0.01 %';
  return `${digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits} %`;
}
