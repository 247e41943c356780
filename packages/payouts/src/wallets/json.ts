import { PoolError } from '@headframe/primitives';

/** Readers of answers from outside: a value of the wrong kind is an error of the node, not ours. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw wrong(what);
}

export function stringOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw wrong(what);
}

export function numberOf(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(what);
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(what);
}

function wrong(what: string): PoolError {
  return new PoolError('rpc_http', `the node's answer has no ${what}`);
}

/** Coins as a decimal with 8 places. */
export function coinsOf(amount: bigint): string {
  const text = amount.toString().padStart(9, '0');
  return `${text.slice(0, -8)}.${text.slice(-8)}`;
}

/**
 * Base units of an amount in coins as a node writes it, a JSON number. Exact below 90 million coins; above, a double
 * has not enough digits and the last ones are rounded.
 */
export function unitsOf(coins: number): bigint {
  return BigInt(Math.round(coins * 1e8));
}
