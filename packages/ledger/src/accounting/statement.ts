import { PoolError } from '@headframe/primitives';
import { pageLimit } from '../core/paging.js';
import { bigintIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import type { Page, PageRequest } from '../types.js';
import { potOf } from './balances.js';
import { entryIn, stateIn } from './bookings.js';
import { storedAccount } from './checks.js';
import { statusIn } from './payments.js';
import type { StatementLine } from './types.js';

/** Place of a line: time, then payments before bookings, then number and place in it; the latest first. */
type Place = readonly [timeMs: number, source: 0 | 1, number: number, ordinal: number];

const BOOKING = 0;
const PAYMENT = 1;
const END: Place = [Number.MAX_SAFE_INTEGER, PAYMENT, Number.MAX_SAFE_INTEGER, 0];
const CURSOR = /^(\d{1,15})-([01])-(\d{1,15})-(\d{1,9})$/;

function placeIn(after: string | undefined): Place {
  if (after === undefined) return END;
  const match = CURSOR.exec(after);
  if (match === null) throw new PoolError('invalid_argument', 'no cursor of this list');
  return [Number(match[1]), match[2] === '1' ? PAYMENT : BOOKING, Number(match[3]), Number(match[4])];
}

/** The place in one of both tables from which it goes on: all of the other's at the same time come before or after. */
function bounds([timeMs, source, number, ordinal]: Place, table: 0 | 1): [number, number, number] {
  if (source === table) return [timeMs, number, ordinal];
  return table === BOOKING ? [Math.min(timeMs + 1, Number.MAX_SAFE_INTEGER), 0, 0] : [timeMs, 0, 0];
}

interface PlacedLine {
  readonly place: Place;
  readonly line: StatementLine;
}

function bookingLine(row: SqlRow): PlacedLine {
  const { kind, amount } = entryIn(row);
  const timeMs = numberIn(row, 'time_ms');
  return {
    place: [timeMs, BOOKING, numberIn(row, 'number'), numberIn(row, 'ordinal')],
    line: { timeMs, key: textIn(row, 'key'), kind, state: stateIn(row), amount },
  };
}

const STATE_OF_POT = { available: 'reversed', reserved: 'open', paid: 'final' } as const;

function paymentLine(row: SqlRow): PlacedLine {
  const timeMs = numberIn(row, 'time_ms');
  return {
    place: [timeMs, PAYMENT, numberIn(row, 'number'), numberIn(row, 'ordinal')],
    line: {
      timeMs,
      key: `payment:${textIn(row, 'key')}`,
      kind: 'payment',
      state: STATE_OF_POT[potOf(statusIn(row))],
      amount: -bigintIn(row, 'amount'),
    },
  };
}

function latestFirst({ place: a }: PlacedLine, { place: b }: PlacedLine): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return Number(b[i]) - Number(a[i]);
  return 0;
}

/** What made up the balance of an account, latest first. */
export function listStatement(database: SqlDatabase, account: string, page: PageRequest): Promise<Page<StatementLine>> {
  const limit = pageLimit(page.limit);
  const place = placeIn(page.after);
  const name = storedAccount(account);
  const lines = (session: SqlSession, table: 0 | 1, sql: string): Promise<readonly SqlRow[]> =>
    session.query(sql, [name, ...bounds(place, table)]);
  return database.read(async (session) => {
    const bookings = await lines(
      session,
      BOOKING,
      `SELECT e.time_ms AS time_ms, e.booking AS number, e.ordinal AS ordinal, e.account AS account, e.kind AS kind,
         CAST(e.amount AS TEXT) AS amount, b.key AS key, b.state AS state
       FROM booking_entries e JOIN bookings b ON b.id = e.booking
       WHERE e.account = $1 AND (e.time_ms, e.booking, e.ordinal) < ($2, $3, $4)
       ORDER BY e.time_ms DESC, e.booking DESC, e.ordinal DESC LIMIT ${limit + 1}`,
    );
    const payments = await lines(
      session,
      PAYMENT,
      `SELECT p.time_ms AS time_ms, p.payment AS number, p.ordinal AS ordinal, CAST(p.amount AS TEXT) AS amount,
         y.id AS key, y.status AS status
       FROM payment_parts p JOIN payments y ON y.number = p.payment
       WHERE p.account = $1 AND (p.time_ms, p.payment, p.ordinal) < ($2, $3, $4)
       ORDER BY p.time_ms DESC, p.payment DESC, p.ordinal DESC LIMIT ${limit + 1}`,
    );
    const all = [...bookings.map(bookingLine), ...payments.map(paymentLine)].sort(latestFirst);
    const shown = all.slice(0, limit);
    return {
      items: shown.map(({ line }) => line),
      next: all.length > limit ? shown.at(-1)?.place.join('-') : undefined,
    };
  });
}
