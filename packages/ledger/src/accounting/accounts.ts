import { PoolError } from '@headframe/primitives';
import { pageLimit } from '../core/paging.js';
import { contendedTransaction } from '../sql/contended.js';
import { type InsertShape, insertRows } from '../sql/insert.js';
import { bigintIn, numberIn, optionalTextIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from '../sql/types.js';
import type { Page, PageRequest } from '../types.js';
import { BALANCE, balanceIn, NO_BALANCE, POTS } from './balances.js';
import { checkAddress, storedAccount } from './checks.js';
import { checkMoney, moneySumIn, sumMoney } from './money.js';
import { HAS_BALANCE } from './schema.js';
import type { AccountBalance, AccountSettings, AccountSettingsChange } from './types.js';

const MILLION = 1_000_000;
/** Accounts named in one question. */
const NAMES = 500;
const ADDRESS = 'coalesce(address_set, address_seen)';
const SETTINGS = `account, ${ADDRESS} AS address, CAST(minimum AS TEXT) AS minimum, donation_ppm, held`;

function settingsIn(row: SqlRow): AccountSettings {
  const minimum = optionalTextIn(row, 'minimum');
  return {
    account: textIn(row, 'account'),
    address: optionalTextIn(row, 'address'),
    minimumPayout: minimum === undefined ? undefined : BigInt(minimum),
    donationPpm: numberIn(row, 'donation_ppm'),
    isHeld: numberIn(row, 'held') !== 0,
  };
}

const unknownAccount = (account: string): AccountSettings => ({
  account,
  address: undefined,
  minimumPayout: undefined,
  donationPpm: 0,
  isHeld: false,
});

async function settingsAt(session: SqlSession, account: string): Promise<AccountSettings> {
  const [row] = await session.query(`SELECT ${SETTINGS} FROM accounts WHERE account = $1`, [account]);
  return row === undefined ? unknownAccount(account) : settingsIn(row);
}

export function findSettings(database: SqlDatabase, account: string): Promise<AccountSettings> {
  return database.read((session) => settingsAt(session, storedAccount(account)));
}

/** Columns and values of what is to change. @throws PoolError `invalid_argument` */
function changedColumns({ address, minimumPayout, donationPpm, isHeld }: AccountSettingsChange): [string, SqlValue][] {
  const changed: [string, SqlValue][] = [];
  if (address !== undefined) changed.push(['address_set', address === null ? null : checkAddress(address)]);
  if (minimumPayout !== undefined) {
    if (minimumPayout !== null && checkMoney(minimumPayout, 'a minimum') < 0n) {
      throw new PoolError('invalid_argument', `a minimum is not negative: ${minimumPayout}`);
    }
    changed.push(['minimum', minimumPayout === null ? null : `${minimumPayout}`]);
  }
  if (donationPpm !== undefined) {
    if (!Number.isInteger(donationPpm) || donationPpm < 0 || donationPpm > MILLION) {
      throw new PoolError('invalid_argument', `a donation is 0 to ${MILLION} parts per million, not ${donationPpm}`);
    }
    changed.push(['donation_ppm', donationPpm]);
  }
  if (isHeld !== undefined) changed.push(['held', isHeld ? 1 : 0]);
  return changed;
}

export async function changeSettings(
  database: SqlDatabase,
  account: string,
  change: AccountSettingsChange,
): Promise<AccountSettings> {
  const changed = changedColumns(change);
  const name = storedAccount(account);
  return contendedTransaction(database, async (session) => {
    if (changed.length > 0) {
      await session.run('INSERT INTO accounts (account) VALUES ($1) ON CONFLICT (account) DO NOTHING', [name]);
      const assignments = changed.map(([column], i) => `${column} = $${i + 2}`).join(', ');
      await session.run(`UPDATE accounts SET ${assignments} WHERE account = $1`, [
        name,
        ...changed.map(([, value]) => value),
      ]);
    }
    return settingsAt(session, name);
  });
}

/** Settings of the accounts named, and of every other account that donates. */
export function listSettings(database: SqlDatabase, accounts: readonly string[]): Promise<readonly AccountSettings[]> {
  const names = [...new Set(accounts.map(storedAccount))];
  return database.read(async (session) => {
    const donating = await session.query(`SELECT ${SETTINGS} FROM accounts WHERE donation_ppm <> 0 ORDER BY account`);
    const found = new Map(donating.map((row) => [textIn(row, 'account'), settingsIn(row)]));
    for (let start = 0; start < names.length; start += NAMES) {
      const group = names.slice(start, start + NAMES);
      const rows = await session.query(
        `SELECT ${SETTINGS} FROM accounts WHERE account IN (${group.map((_, i) => `$${i + 1}`).join(', ')})`,
        group,
      );
      for (const row of rows) found.set(textIn(row, 'account'), settingsIn(row));
    }
    for (const name of names) if (!found.has(name)) found.set(name, unknownAccount(name));
    return [...found.values()];
  });
}

const SEEN: InsertShape = {
  table: 'accounts',
  columns: ['account', 'address_seen', 'seen_ms'],
  onConflict: `ON CONFLICT (account) DO UPDATE SET address_seen = excluded.address_seen, seen_ms = excluded.seen_ms
    WHERE accounts.seen_ms <= excluded.seen_ms
      AND (accounts.address_seen IS NULL OR accounts.address_seen <> excluded.address_seen)`,
};

/** Where the latest accepted share of an account wants to be paid. */
export interface SeenAddress {
  readonly account: string;
  readonly address: string;
  readonly timeMs: number;
}

/** Keeps addresses that shares named, in the order of the accounts as every writer of these rows. */
export async function storeSeenAddresses(session: SqlSession, seen: readonly SeenAddress[]): Promise<void> {
  const rows = [...seen]
    .sort((a, b) => (a.account < b.account ? -1 : 1))
    .map(({ account, address, timeMs }) => [account, address, timeMs]);
  await insertRows(session, SEEN, rows);
}

export function findBalance(database: SqlDatabase, account: string): Promise<AccountBalance> {
  const name = storedAccount(account);
  return database.read(async (session) => {
    const [row] = await session.query(`SELECT ${BALANCE} FROM accounts WHERE account = $1`, [name]);
    return { account: name, ...(row === undefined ? NO_BALANCE : balanceIn(row)) };
  });
}

const CURSOR = /^(-?\d{1,19}):(.*)$/s;

/** Accounts with a balance, most available first. */
export function listBalances(database: SqlDatabase, page: PageRequest): Promise<Page<AccountBalance>> {
  const limit = pageLimit(page.limit);
  const match = page.after === undefined ? undefined : CURSOR.exec(page.after);
  if (match === null) return Promise.reject(new PoolError('invalid_argument', 'no cursor of this list'));
  const after = match === undefined ? '' : 'AND (available, account) < (CAST($1 AS BIGINT), $2)';
  return database.read(async (session) => {
    const rows = await session.query(
      `SELECT account, ${BALANCE} FROM accounts WHERE ${HAS_BALANCE} ${after}
       ORDER BY accounts.available DESC, account DESC LIMIT ${limit + 1}`,
      match === undefined ? [] : [match[1] ?? '', storedAccount(match[2] ?? '')],
    );
    const items = rows.slice(0, limit).map((row) => ({ account: textIn(row, 'account'), ...balanceIn(row) }));
    const last = items.at(-1);
    return {
      items,
      next: rows.length > limit && last !== undefined ? `${last.available}:${last.account}` : undefined,
    };
  });
}

export function sumBalances(database: SqlDatabase): Promise<Omit<AccountBalance, 'account'>> {
  return database.read(async (session) => {
    const [row] = await session.query(
      `SELECT ${POTS.map((pot) => sumMoney(pot, pot)).join(', ')} FROM accounts WHERE ${HAS_BALANCE}`,
    );
    return {
      immature: moneySumIn(row, 'immature'),
      available: moneySumIn(row, 'available'),
      reserved: moneySumIn(row, 'reserved'),
      paid: moneySumIn(row, 'paid'),
    };
  });
}

export function listOpenBalances(database: SqlDatabase): Promise<ReadonlyMap<string, bigint>> {
  return database.read(async (session) => {
    const rows = await session.query(
      `SELECT account, CAST(available + immature AS TEXT) AS open FROM accounts
       WHERE ${HAS_BALANCE} AND available + immature <> 0 ORDER BY account`,
    );
    return new Map(rows.map((row) => [textIn(row, 'account'), bigintIn(row, 'open')]));
  });
}

/** Accounts that can be paid now, most available first. */
export async function listDue(
  database: SqlDatabase,
  minimum: bigint,
  limit: number,
): Promise<readonly (AccountBalance & { readonly address: string })[]> {
  if (checkMoney(minimum, 'a minimum') < 0n) throw new PoolError('invalid_argument', 'a minimum is not negative');
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new PoolError('invalid_argument', `a limit is a positive integer, not ${limit}`);
  }
  const list = `SELECT account, ${BALANCE}, ${ADDRESS} AS address FROM accounts
    WHERE held = 0 AND ${ADDRESS} IS NOT NULL`;
  return database.read(async (session) => {
    // Apart, so that each looks at few rows: by balance those without a minimum of their own, the others by that they have one.
    const rows = [
      ...(await session.query(
        `${list} AND ${HAS_BALANCE} AND minimum IS NULL AND available >= CAST($1 AS BIGINT)
         ORDER BY accounts.available DESC, account DESC LIMIT ${limit}`,
        // One bound: of two, SQLite may take the wrong one for its search.
        [`${minimum > 0n ? minimum : 1n}`],
      )),
      // `+` keeps SQLite from reading the index of balances from one end to the other.
      ...(await session.query(
        `${list} AND minimum IS NOT NULL AND +available > 0 AND +available >= minimum
         ORDER BY +accounts.available DESC, account DESC LIMIT ${limit}`,
      )),
    ];
    return rows
      .map((row) => ({ account: textIn(row, 'account'), ...balanceIn(row), address: textIn(row, 'address') }))
      .sort((a, b) => (a.available === b.available ? byName(b, a) : a.available > b.available ? -1 : 1))
      .slice(0, limit);
  });
}

const byName = (a: { account: string }, b: { account: string }): number => (a.account < b.account ? -1 : 1);
