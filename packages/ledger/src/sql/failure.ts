import { errorMessage, isPoolError, PoolError } from '@headframe/primitives';

/** Why storage failed, in its error's details. */
export type StorageFailure = 'full' | 'locked' | 'unavailable' | 'failed';

/** The code of a driver's or system's error; empty when it has none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // node:sqlite has one code for all and SQLite's own number beside it; the low byte is the primary code.
  if (typeof errcode === 'number') return `SQLITE#${errcode & 0xff}`;
  return typeof code === 'string' ? code : '';
}

function reasonOf(error: unknown): StorageFailure {
  const code = codeOf(error);
  const message = errorMessage(error);
  // 53100 disk_full; 13 is SQLITE_FULL.
  if (code === 'SQLITE_FULL' || code === 'SQLITE#13' || code === '53100' || message.includes('disk is full'))
    return 'full';
  // 5 and 6 are SQLITE_BUSY and SQLITE_LOCKED; 55P03 lock_not_available.
  if (/^SQLITE_(BUSY|LOCKED)/.test(code) || code === 'SQLITE#5' || code === 'SQLITE#6' || code === '55P03')
    return 'locked';
  if (message.includes('database is locked')) return 'locked';
  // Classes 08 (connection) and 57P (shutdown) of PostgreSQL, errors of sockets, and what pg says itself.
  if (/^(08|57P)/.test(code) || /^E[A-Z]+$/.test(code)) return 'unavailable';
  if (/Connection terminated|timeout exceeded|Client has encountered|not queryable|Query read timeout/i.test(message))
    return 'unavailable';
  return 'failed';
}

/** Any failure of a database as a PoolError `storage_failed`; a PoolError stays what it is. */
export function storageFailure(error: unknown): PoolError {
  if (isPoolError(error)) return error;
  return new PoolError('storage_failed', errorMessage(error), { cause: error, details: { reason: reasonOf(error) } });
}
