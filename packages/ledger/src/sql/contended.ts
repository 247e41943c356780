import { isPoolError } from '@headframe/primitives';
import { CONTENDED_TRIES } from '../limits.js';
import type { SqlDatabase, SqlSession } from './types.js';

/** PostgreSQL: deadlock_detected and serialization_failure. Nothing was changed, and the next try is likely to pass. */
const GAVE_UP = new Set(['40P01', '40001']);

function gaveUp(error: unknown): boolean {
  if (!isPoolError(error, 'storage_failed')) return false;
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'code' in cause && GAVE_UP.has(String(cause.code));
}

/** A transaction that is tried again, a few times, when the database gave it up in favour of another one. */
export async function contendedTransaction<T>(
  database: SqlDatabase,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (tries >= CONTENDED_TRIES || !gaveUp(error)) throw error;
    }
  }
}

/** What makes a SELECT hold its row until the end of the transaction. SQLite has one writer anyway. */
export const forUpdate = (session: SqlSession): string => (session.engine === 'postgres' ? 'FOR UPDATE' : '');
