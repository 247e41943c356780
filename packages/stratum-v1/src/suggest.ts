import { hexToBytes, type Reject, reject } from '@headframe/primitives';
import { positiveNumber } from './text.js';

/**
 * Splits a method name that carries its argument, as some firmware sends it: `mining.suggest_difficulty(512)` (also
 * without the closing parenthesis). Names without one come back as they are.
 */
export function splitMethodArgument(method: string): {
  readonly method: string;
  readonly argument: string | undefined;
} {
  const open = method.indexOf('(');
  if (open < 1) return { method, argument: undefined };
  const close = method.indexOf(')', open);
  return { method: method.slice(0, open), argument: method.slice(open + 1, close < 0 ? undefined : close).trim() };
}

/**
 * Difficulty of `mining.suggest_difficulty`: `[512]`, `[0.00015]`, `["512.000000"]`, or the argument out of the method
 * name when there are no params. The caller clamps it to its range.
 */
export function parseSuggestDifficulty(params: unknown, argument?: string): number | Reject {
  const [first]: readonly unknown[] = Array.isArray(params) ? params : [];
  const difficulty = positiveNumber(first ?? argument);
  return difficulty ?? reject('invalid-params', 'Difficulty must be a positive number');
}

/** Target of `mining.suggest_target`, `["<64 hex>"]` most significant byte first; as 32 little-endian bytes. Never zero. */
export function parseSuggestTarget(params: unknown): Uint8Array | Reject {
  const [first]: readonly unknown[] = Array.isArray(params) ? params : [];
  if (typeof first !== 'string' || !/^[0-9a-fA-F]{1,64}$/.test(first)) {
    return reject('invalid-params', 'Target must be 64 hex digits');
  }
  const target = hexToBytes(first.padStart(64, '0')).reverse();
  return target.some((byte) => byte !== 0) ? target : reject('invalid-params', 'Target must not be zero');
}
