import { PoolError } from '@headframe/primitives';
import { pageLimit } from '../core/paging.js';
import { parseFraction } from '../schemes/fraction.js';
import type { PpsCarry } from '../schemes/pps.js';
import { numberIn, optionalTextIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import type { Page, PageRequest } from '../types.js';
import { entryIn, stateIn, storedKey } from './bookings.js';
import { ENTRY_KINDS, oneOf, type StoredCarry } from './checks.js';
import type { BookingEntry, BookingRecord, EntryKind } from './types.js';
import { type BookingWork, readWork } from './work-codec.js';

const RECORD = 'id, key, state, time_ms, state_ms, note, totals';

/** Sums by kind out of their JSON. */
export function totalsIn(row: SqlRow): Partial<Record<EntryKind, bigint>> {
  const value: unknown = JSON.parse(textIn(row, 'totals'));
  if (typeof value !== 'object' || value === null) throw new PoolError('invalid_data', 'database: totals of a booking');
  const totals: Partial<Record<EntryKind, bigint>> = {};
  for (const [kind, total] of Object.entries(value)) {
    totals[oneOf(ENTRY_KINDS, kind, 'invalid_data')] = BigInt(String(total));
  }
  return totals;
}

function recordIn(row: SqlRow): BookingRecord {
  const note = optionalTextIn(row, 'note');
  return {
    key: textIn(row, 'key'),
    state: stateIn(row),
    timeMs: numberIn(row, 'time_ms'),
    stateMs: numberIn(row, 'state_ms'),
    ...(note === undefined ? {} : { note }),
    totals: totalsIn(row),
  };
}

/** Steps of large bookings that are not done: what they will change counts as changed where it must be seen whole. */
async function waitingWork(session: SqlSession, booking?: number): Promise<BookingWork[]> {
  const rows =
    booking === undefined
      ? await session.query('SELECT data FROM booking_work ORDER BY id')
      : await session.query('SELECT data FROM booking_work WHERE booking = $1 ORDER BY id', [booking]);
  return rows.map((row) => readWork(textIn(row, 'data')));
}

export function findBooking(
  database: SqlDatabase,
  key: string,
): Promise<(BookingRecord & { readonly entries: readonly BookingEntry[] }) | undefined> {
  return database.read(async (session) => {
    const [row] = await session.query(`SELECT ${RECORD} FROM bookings WHERE key = $1`, [storedKey(key)]);
    if (row === undefined) return undefined;
    const id = numberIn(row, 'id');
    const rows = await session.query(
      'SELECT account, kind, CAST(amount AS TEXT) AS amount FROM booking_entries WHERE booking = $1 ORDER BY ordinal',
      [id],
    );
    const waiting = (await waitingWork(session, id)).flatMap((work) => (work.kind === 'enter' ? work.entries : []));
    const entries = [...rows.map(entryIn), ...waiting.map(({ account, kind, amount }) => ({ account, kind, amount }))];
    return { ...recordIn(row), entries };
  });
}

/** Bookings, latest first. */
export function listBookings(database: SqlDatabase, page: PageRequest): Promise<Page<BookingRecord>> {
  const limit = pageLimit(page.limit);
  const after = numberCursor(page.after);
  return database.read(async (session) => {
    const rows = await session.query(
      `SELECT ${RECORD} FROM bookings WHERE id < $1 ORDER BY id DESC LIMIT ${limit + 1}`,
      [after],
    );
    const shown = rows.slice(0, limit);
    return {
      items: shown.map(recordIn),
      next: rows.length > limit ? String(numberIn(shown.at(-1), 'id')) : undefined,
    };
  });
}

/** A cursor that is a row's number; without one, after all of them. @throws PoolError `invalid_argument` */
export function numberCursor(after: string | undefined): number {
  if (after === undefined) return Number.MAX_SAFE_INTEGER;
  if (!/^\d{1,15}$/.test(after)) throw new PoolError('invalid_argument', 'no cursor of this list');
  return Number(after);
}

export function cursorPosition(database: SqlDatabase, name: string): Promise<number> {
  return database.read(async (session) => {
    const [row] = await session.query('SELECT position FROM cursors WHERE name = $1', [storedKey(name)]);
    return row === undefined ? 0 : numberIn(row, 'position');
  });
}

/** Carries as the last booking leaves them, also while it is being entered. Those that are zero are left out. */
export function listCarries(database: SqlDatabase): Promise<readonly PpsCarry[]> {
  return database.read(async (session) => {
    const rows = await session.query('SELECT account, kind, carry FROM carries ORDER BY account, kind');
    const stored = rows.map(
      (row): StoredCarry => [
        textIn(row, 'account'),
        oneOf(['reward', 'fee', 'donation'] as const, textIn(row, 'kind'), 'invalid_data'),
        textIn(row, 'carry'),
      ],
    );
    const waiting = (await waitingWork(session)).flatMap((work) => (work.kind === 'enter' ? work.carries : []));
    const last = new Map([...stored, ...waiting].map((carry) => [`${carry[0]}\0${carry[1]}`, carry]));
    return [...last.values()]
      .map(([account, kind, carry]) => ({ account, kind, carry: parseFraction(carry) }))
      .filter(({ carry }) => carry.numerator > 0n);
  });
}
