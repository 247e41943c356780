import { VERIFY_ROWS } from '../limits.js';
import { bigintIn, numberIn, optionalTextIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import { BALANCE, BalanceChanges, balanceIn, POTS, potOf } from './balances.js';
import { totalsIn } from './booking-queries.js';
import { stateIn } from './bookings.js';
import { ENTRY_KINDS, oneOf } from './checks.js';
import { moneySumIn, sumMoney } from './money.js';
import { statusIn } from './payments.js';
import type { BookProblem } from './types.js';
import { verifyStatistics } from './verify-statistics.js';

/** In the order in which they are looked at. */
export const VERIFY_PARTS = ['accounts', 'bookings', 'payments', 'statistics'] as const;
export type VerifyPart = (typeof VERIFY_PARTS)[number];

/** What one look found. */
export interface VerifiedPart {
  /** A large booking is under way: nothing was looked at. */
  readonly isBusy: boolean;
  readonly rows: number;
  /** Where to go on; undefined at the end. */
  readonly next: string | undefined;
  readonly problems: readonly BookProblem[];
}

/** Rows of each part. */
export function countBooks(database: SqlDatabase): Promise<Record<VerifyPart, number>> {
  return database.read(async (session) => {
    const count = async (table: string): Promise<number> => {
      const [row] = await session.query(`SELECT count(*) AS n FROM ${table}`);
      return numberIn(row, 'n');
    };
    return {
      accounts: await count('accounts'),
      bookings: await count('bookings'),
      payments: await count('payments'),
      statistics: 1,
    };
  });
}

/** Looks at some rows in one consistent view: what comes later does not disturb, and other questions get their turn. */
export function verifyPart(database: SqlDatabase, part: VerifyPart, after: string | undefined): Promise<VerifiedPart> {
  return database.read(async (session) => {
    const waiting = await session.query('SELECT 1 AS one FROM booking_work LIMIT 1');
    if (waiting.length > 0) return { isBusy: true, rows: 0, next: after, problems: [] };
    return { isBusy: false, ...(await LOOKS[part](session, after)) };
  });
}

type Look = (session: SqlSession, after: string | undefined) => Promise<Omit<VerifiedPart, 'isBusy'>>;

const LOOKS: Readonly<Record<VerifyPart, Look>> = {
  accounts: verifyAccounts,
  bookings: verifyBookings,
  payments: verifyPayments,
  statistics: async (session) => ({ rows: 1, next: undefined, problems: await verifyStatistics(session) }),
};

/** Rows of a table after one, and the condition that takes what belongs to them out of another table. */
interface Range {
  readonly rows: readonly SqlRow[];
  readonly next: string | undefined;
  within(column: string): string;
  readonly values: readonly (string | number)[];
}

/** The last range has no end, so that what belongs to no row is found as well. */
async function rangeOf(
  session: SqlSession,
  { select, key, after }: { readonly select: string; readonly key: string; readonly after: string | number },
): Promise<Range> {
  const found = await session.query(`${select} WHERE ${key} > $1 ORDER BY ${key} LIMIT ${VERIFY_ROWS + 1}`, [after]);
  const rows = found.slice(0, VERIFY_ROWS);
  const last = found.length > VERIFY_ROWS ? rows.at(-1)?.[key] : undefined;
  const end = typeof last === 'string' || typeof last === 'number' ? last : undefined;
  return {
    rows,
    next: end === undefined ? undefined : String(end),
    within: (column) => `${column} > $1${end === undefined ? '' : ` AND ${column} <= $2`}`,
    values: end === undefined ? [after] : [after, end],
  };
}

/** Balances against the sums of entries and payments. */
async function verifyAccounts(session: SqlSession, after = ''): Promise<Omit<VerifiedPart, 'isBusy'>> {
  const select = `SELECT account, ${BALANCE} FROM accounts`;
  // No account has an empty name but one: it is looked at with the first range.
  const range = await rangeOf(session, { select, key: 'account', after });
  const first = after === '' ? await session.query(`${select} WHERE account = ''`) : [];
  const within = (column: string): string =>
    after === '' ? `(${range.within(column)} OR ${column} = '')` : range.within(column);
  const sums = new BalanceChanges();
  const entries = await session.query(
    `SELECT e.account AS account, e.kind AS kind, b.state AS state, ${sumMoney('e.amount', 'amount')}
     FROM booking_entries e JOIN bookings b ON b.id = e.booking WHERE ${within('e.account')}
     GROUP BY e.account, e.kind, b.state`,
    range.values,
  );
  for (const row of entries) {
    const kind = oneOf(ENTRY_KINDS, textIn(row, 'kind'), 'invalid_data');
    const entry = { account: textIn(row, 'account'), kind, amount: moneySumIn(row, 'amount') };
    sums.move(entry, 'reversed', stateIn(row));
  }
  const parts = await session.query(
    `SELECT p.account AS account, y.status AS status, ${sumMoney('p.amount', 'amount')}
     FROM payment_parts p JOIN payments y ON y.number = p.payment WHERE ${within('p.account')}
     GROUP BY p.account, y.status`,
    range.values,
  );
  for (const row of parts) {
    sums.add(textIn(row, 'account'), 'available', -moneySumIn(row, 'amount'));
    sums.add(textIn(row, 'account'), potOf(statusIn(row)), moneySumIn(row, 'amount'));
  }
  const expected = new Map(sums.rows().map(([account = '', ...amounts]) => [account, amounts]));
  const problems: BookProblem[] = [];
  for (const row of [...first, ...range.rows]) {
    const account = textIn(row, 'account');
    const balance = balanceIn(row);
    for (const [i, pot] of POTS.entries()) {
      const sum = expected.get(account)?.[i] ?? '0';
      if (`${balance[pot]}` !== sum) {
        problems.push({
          part: 'balance',
          message: `${account}: ${pot} is ${balance[pot]}, bookings and payments make ${sum}`,
        });
      }
    }
    expected.delete(account);
  }
  for (const account of expected.keys()) {
    problems.push({ part: 'balance', message: `${account} has bookings or payments but no balance` });
  }
  return { rows: range.rows.length, next: range.next, problems };
}

/** Bookings against their entries. */
async function verifyBookings(session: SqlSession, after = '0'): Promise<Omit<VerifiedPart, 'isBusy'>> {
  const select = 'SELECT id, key, state, entries, totals FROM bookings';
  const range = await rangeOf(session, { select, key: 'id', after: Number(after) });
  const found = await session.query(
    `SELECT booking, kind, count(*) AS n, ${sumMoney('amount', 'amount')} FROM booking_entries
     WHERE ${range.within('booking')} GROUP BY booking, kind ORDER BY booking, kind`,
    range.values,
  );
  const sums = new Map<number, { entries: number; readonly totals: Map<string, bigint> }>();
  for (const row of found) {
    const booking = numberIn(row, 'booking');
    const own = sums.get(booking) ?? { entries: 0, totals: new Map() };
    own.entries += numberIn(row, 'n');
    own.totals.set(textIn(row, 'kind'), moneySumIn(row, 'amount'));
    sums.set(booking, own);
  }
  const problems: BookProblem[] = [];
  for (const row of range.rows) {
    const key = textIn(row, 'key');
    stateIn(row);
    const { entries, totals } = sums.get(numberIn(row, 'id')) ?? { entries: 0, totals: new Map<string, bigint>() };
    sums.delete(numberIn(row, 'id'));
    if (entries !== numberIn(row, 'entries')) {
      const message = `${key} has ${entries} entries, not ${numberIn(row, 'entries')}`;
      problems.push({ part: 'booking', message });
    }
    const said = new Map<string, bigint>(Object.entries(totalsIn(row)));
    for (const kind of new Set([...said.keys(), ...totals.keys()])) {
      const [expected, sum] = [said.get(kind) ?? 0n, totals.get(kind) ?? 0n];
      if (expected !== sum) {
        problems.push({ part: 'booking', message: `${key}: its entries of kind ${kind} make ${sum}, not ${expected}` });
      }
    }
  }
  for (const booking of sums.keys()) {
    problems.push({ part: 'booking', message: `entries of booking number ${booking}, which does not exist` });
  }
  return { rows: range.rows.length, next: range.next, problems };
}

/** Payments against their parts. */
async function verifyPayments(session: SqlSession, after = '0'): Promise<Omit<VerifiedPart, 'isBusy'>> {
  const select = 'SELECT number, id, status, CAST(total AS TEXT) AS total, txid, transaction_hex FROM payments';
  const range = await rangeOf(session, { select, key: 'number', after: Number(after) });
  const found = await session.query(
    `SELECT payment, ${sumMoney('amount', 'amount')} FROM payment_parts WHERE ${range.within('payment')}
     GROUP BY payment ORDER BY payment`,
    range.values,
  );
  const sums = new Map(found.map((row) => [numberIn(row, 'payment'), moneySumIn(row, 'amount')]));
  const problems: BookProblem[] = [];
  for (const row of range.rows) {
    const id = textIn(row, 'id');
    const sum = sums.get(numberIn(row, 'number')) ?? 0n;
    sums.delete(numberIn(row, 'number'));
    if (sum !== bigintIn(row, 'total')) {
      problems.push({ part: 'payment', message: `${id}: its parts make ${sum}, not ${bigintIn(row, 'total')}` });
    }
    const status = statusIn(row);
    const isSigned = status === 'signed' || status === 'sent' || status === 'confirmed';
    const hasTransaction =
      optionalTextIn(row, 'txid') !== undefined && optionalTextIn(row, 'transaction_hex') !== undefined;
    if (isSigned && !hasTransaction) {
      problems.push({ part: 'payment', message: `${id} is ${status} without a transaction` });
    }
  }
  for (const number of sums.keys()) {
    problems.push({ part: 'payment', message: `parts of payment number ${number}, which does not exist` });
  }
  return { rows: range.rows.length, next: range.next, problems };
}
