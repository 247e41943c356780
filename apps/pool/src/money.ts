import { UsageError } from './args.js';

/** Digits after the point of every coin that Headframe knows. */
const DECIMALS = 8;
const UNITS = 10n ** BigInt(DECIMALS);

/** Base units as a decimal of coins, all eight digits: `-0.00000001`. */
export function coinText(baseUnits: bigint): string {
  const size = baseUnits < 0n ? -baseUnits : baseUnits;
  const fraction = String(size % UNITS).padStart(DECIMALS, '0');
  return `${baseUnits < 0n ? '-' : ''}${size / UNITS}.${fraction}`;
}

/** An amount in JSON: exact base units, and the same in coins for people. */
export interface AmountJson {
  readonly units: string;
  readonly coins: string;
}

/** An amount for JSON. */
export function amountJson(baseUnits: bigint): AmountJson {
  return { units: String(baseUnits), coins: coinText(baseUnits) };
}

/**
 * Coins as somebody types them, in base units.
 * @throws UsageError naming the option
 */
export function parseCoins(option: string, text: string): bigint {
  const match = /^(\d{1,9})(?:\.(\d{1,8}))?$/.exec(text);
  if (match === null)
    throw new UsageError(`--${option} must be an amount like 0.05, at most 8 decimals, not "${text}"`);
  const [, whole = '0', fraction = ''] = match;
  return BigInt(whole) * UNITS + BigInt(fraction.padEnd(DECIMALS, '0'));
}

/** Parts per million of a percentage; at most four decimals. @throws UsageError naming the option */
export function parsePercent(option: string, text: string): number {
  const match = /^(\d{1,3})(?:\.(\d{1,4}))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  const ppm = Number(whole) * 10_000 + Number(fraction.padEnd(4, '0'));
  if (match === null || ppm > 1_000_000) {
    throw new UsageError(`--${option} must be a percentage from 0 to 100, at most four decimals, not "${text}"`);
  }
  return ppm;
}

/** Parts per million as a percentage without useless zeros: `1.5 %`. */
export function percentText(ppm: number): string {
  return `${ppm / 10_000} %`;
}
