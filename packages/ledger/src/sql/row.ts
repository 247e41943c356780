import { PoolError } from '@headframe/primitives';
import type { SqlRow } from './types.js';

function wrong(name: string, value: unknown): PoolError {
  return new PoolError('invalid_data', `database: ${name} is ${value === null ? 'null' : typeof value}`);
}

/** A number of a row. @throws PoolError `invalid_data` */
export function numberIn(row: SqlRow | undefined, name: string): number {
  const value = row?.[name];
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw wrong(name, value);
}

/** A number of a row, or undefined for NULL. */
export function optionalNumberIn(row: SqlRow, name: string): number | undefined {
  return row[name] === null ? undefined : numberIn(row, name);
}

/** A text of a row. @throws PoolError `invalid_data` */
export function textIn(row: SqlRow | undefined, name: string): string {
  const value = row?.[name];
  if (typeof value === 'string') return value;
  throw wrong(name, value);
}

/** A text of a row, or undefined for NULL. */
export function optionalTextIn(row: SqlRow, name: string): string | undefined {
  return row[name] === null ? undefined : textIn(row, name);
}

/** Bytes of a row. @throws PoolError `invalid_data` */
export function bytesIn(row: SqlRow | undefined, name: string): Uint8Array {
  const value = row?.[name];
  if (value instanceof Uint8Array) return value;
  // libsql
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw wrong(name, value);
}

/** An integer selected as text. @throws PoolError `invalid_data` */
export function bigintIn(row: SqlRow | undefined, name: string): bigint {
  return BigInt(textIn(row, name));
}
