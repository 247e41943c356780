import { PoolError } from '@headframe/primitives';
import { BOOKING_CHUNK } from '../limits.js';
import { contendedTransaction, forUpdate } from '../sql/contended.js';
import { type InsertShape, insertRows } from '../sql/insert.js';
import { bigintIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import { BalanceChanges, changeBalances } from './balances.js';
import { BOOKING_STATES, type CheckedBooking, checkBooking, checkCount, ENTRY_KINDS, oneOf } from './checks.js';
import type { Booking, BookingEntry, BookingState } from './types.js';
import { type BookingWork, readWork, type WorkEntry, writeWork } from './work-codec.js';

const ENTRIES: InsertShape = {
  table: 'booking_entries',
  columns: ['booking', 'ordinal', 'account', 'kind', 'amount', 'time_ms'],
  onConflict: '',
};
const CARRIES: InsertShape = {
  table: 'carries',
  columns: ['account', 'kind', 'carry'],
  onConflict: 'ON CONFLICT (account, kind) DO UPDATE SET carry = excluded.carry',
};
/** Works written as text in one go: some milliseconds. */
const WORKS_AT_ONCE = 8;

const WORK: InsertShape = { table: 'booking_work', columns: ['booking', 'data'], onConflict: '' };

export function entryIn(row: SqlRow): BookingEntry {
  return {
    account: textIn(row, 'account'),
    kind: oneOf(ENTRY_KINDS, textIn(row, 'kind'), 'invalid_data'),
    amount: bigintIn(row, 'amount'),
  };
}

export function stateIn(row: SqlRow): BookingState {
  return oneOf(BOOKING_STATES, textIn(row, 'state'), 'invalid_data');
}

/** Sums by kind as JSON: a list of bookings would else add up all their entries. */
export function totalsOf(entries: readonly BookingEntry[]): string {
  const totals = new Map<string, bigint>();
  for (const { kind, amount } of entries) totals.set(kind, (totals.get(kind) ?? 0n) + amount);
  return JSON.stringify(Object.fromEntries([...totals].sort().map(([kind, total]) => [kind, `${total}`])));
}

/**
 * Stores a booking. A large one is written down whole in one transaction, together with its cursor, and then goes into
 * the balances some entries at a time, because on SQLite the commits of shares wait for every transaction. What a crash
 * leaves of it is done by the next booking, or when the ledger is opened.
 *
 * @returns false when its key is known
 * @throws PoolError `conflict` when its cursor stands elsewhere
 */
export async function book(database: SqlDatabase, booking: Booking): Promise<boolean> {
  const prepared = await prepare(checkBooking(booking));
  const isNew = await contendedTransaction(database, (session) => store(session, prepared));
  await finishBookings(database);
  return isNew;
}

interface PreparedBooking extends CheckedBooking {
  readonly totals: string;
  readonly works: readonly BookingWork[];
  /** The works as text, where there are several. */
  readonly texts: readonly string[];
}

/** Everything that can be made ready before the transaction; commits of shares get in between the pieces. */
async function prepare(booking: CheckedBooking): Promise<PreparedBooking> {
  const totals = totalsOf(booking.entries);
  const works = worksOf(booking);
  const texts: string[] = [];
  for (const [i, work] of works.length > 1 ? works.entries() : []) {
    if (i % WORKS_AT_ONCE === 0) await letOthersIn();
    texts.push(writeWork(work));
  }
  return { ...booking, totals, works, texts };
}

/** Lets commits that came meanwhile get in. */
const letOthersIn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function store(session: SqlSession, booking: PreparedBooking): Promise<boolean> {
  const { key, state, timeMs, note, entries, cursor, carries, works, texts } = booking;
  const [row] = await session.query(
    `INSERT INTO bookings (key, state, time_ms, state_ms, note, entries, totals) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (key) DO NOTHING RETURNING id`,
    [key, state, timeMs, timeMs, note, entries.length, booking.totals],
  );
  if (row === undefined) return false;
  const id = numberIn(row, 'id');
  if (cursor !== undefined) await moveCursor(session, cursor);
  // Carries replace each other: nothing may overtake what waits.
  if (works.length <= 1 && (carries.length === 0 || !(await hasWork(session)))) {
    for (const work of works) await perform(session, id, work);
  } else await writeWorks(session, id, texts.length > 0 ? texts : works.map(writeWork));
  return true;
}

async function moveCursor(session: SqlSession, { name, from, to }: NonNullable<Booking['cursor']>): Promise<void> {
  await session.run('INSERT INTO cursors (name, position) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING', [name]);
  const moved = await session.run('UPDATE cursors SET position = $1 WHERE name = $2 AND position = $3', [
    to,
    name,
    from,
  ]);
  if (moved === 1) return;
  const [row] = await session.query('SELECT position FROM cursors WHERE name = $1', [name]);
  const position = numberIn(row, 'position');
  throw new PoolError('conflict', `the cursor ${name} stands at ${position}, not at ${from}`, {
    details: { position },
  });
}

/** The booking in steps of one transaction each. */
function worksOf({ state, timeMs, entries, carries }: CheckedBooking): BookingWork[] {
  const works: BookingWork[] = [];
  const numbered = entries.map((entry, ordinal): WorkEntry => ({ ...entry, ordinal }));
  for (let first = 0; first < Math.max(entries.length, carries.length); first += BOOKING_CHUNK) {
    const last = first + BOOKING_CHUNK;
    works.push({
      kind: 'enter',
      state,
      timeMs,
      entries: numbered.slice(first, last),
      carries: carries.slice(first, last),
    });
  }
  return works;
}

async function writeWorks(session: SqlSession, booking: number, texts: readonly string[]): Promise<void> {
  await insertRows(
    session,
    WORK,
    texts.map((text) => [booking, text]),
  );
}

async function hasWork(session: SqlSession): Promise<boolean> {
  return (await session.query('SELECT 1 AS one FROM booking_work LIMIT 1')).length > 0;
}

/** Entries and the balances they change, in the caller's transaction. */
async function perform(session: SqlSession, booking: number, work: BookingWork): Promise<void> {
  const changes = new BalanceChanges();
  if (work.kind === 'enter') {
    const { entries, carries, state, timeMs } = work;
    await insertRows(
      session,
      ENTRIES,
      entries.map(({ ordinal, account, kind, amount }) => [booking, ordinal, account, kind, `${amount}`, timeMs]),
    );
    await insertRows(session, CARRIES, carries);
    for (const entry of entries) changes.move(entry, 'reversed', state);
  } else {
    const rows = await session.query(
      `SELECT account, kind, CAST(amount AS TEXT) AS amount FROM booking_entries
       WHERE booking = $1 AND ordinal >= $2 AND ordinal < $3`,
      [booking, work.first, work.end],
    );
    for (const row of rows) changes.move(entryIn(row), work.from, work.to);
  }
  await changeBalances(session, changes);
}

/** Does what is left of large bookings, in order. Several programs may: each step is done once. */
export async function finishBookings(database: SqlDatabase): Promise<void> {
  while (await database.read(hasWork)) {
    await contendedTransaction(database, async (session) => {
      const [row] = await session.query(
        'DELETE FROM booking_work WHERE id = (SELECT min(id) FROM booking_work) RETURNING booking, data',
      );
      if (row !== undefined) await perform(session, numberIn(row, 'booking'), readWork(textIn(row, 'data')));
    });
    await letOthersIn();
  }
}

/** Moves the amounts of a booking. @returns false when it is unknown or there already */
export async function setBookingState(
  database: SqlDatabase,
  key: string,
  state: BookingState,
  timeMs: number,
): Promise<boolean> {
  oneOf(BOOKING_STATES, state, 'invalid_argument');
  checkCount(timeMs, 'a time');
  const isMoved = await contendedTransaction(database, async (session) => {
    const [row] = await session.query(`SELECT id, state, entries FROM bookings WHERE key = $1 ${forUpdate(session)}`, [
      storedKey(key),
    ]);
    if (row === undefined || stateIn(row) === state) return false;
    const id = numberIn(row, 'id');
    const works: BookingWork[] = [];
    for (let first = 0; first < numberIn(row, 'entries'); first += BOOKING_CHUNK) {
      works.push({ kind: 'move', from: stateIn(row), to: state, first, end: first + BOOKING_CHUNK });
    }
    await session.run('UPDATE bookings SET state = $1, state_ms = $2 WHERE id = $3', [state, timeMs, id]);
    const waiting = await session.query('SELECT 1 AS one FROM booking_work WHERE booking = $1 LIMIT 1', [id]);
    if (works.length <= 1 && waiting.length === 0) for (const work of works) await perform(session, id, work);
    else await writeWorks(session, id, works.map(writeWork));
    return true;
  });
  await finishBookings(database);
  return isMoved;
}

/** A key as it can be asked for: PostgreSQL refuses NUL even in a question. */
export const storedKey = (key: string): string => key.replaceAll('\0', '\ufffd');
