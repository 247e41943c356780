import { type InsertShape, insertRows } from '../sql/insert.js';
import { bigintIn } from '../sql/row.js';
import type { SqlRow, SqlSession } from '../sql/types.js';
import { moneyColumns } from './money.js';
import type { AccountBalance, BookingEntry, BookingState, PaymentStatus } from './types.js';

/** Where money of an account can be. */
export const POTS = ['immature', 'available', 'reserved', 'paid'] as const;
type Pot = (typeof POTS)[number];

/** Select list of a balance, read by {@link balanceIn}. */
export const BALANCE: string = moneyColumns(...POTS);

export function balanceIn(row: SqlRow | undefined): Omit<AccountBalance, 'account'> {
  return {
    immature: bigintIn(row, 'immature'),
    available: bigintIn(row, 'available'),
    reserved: bigintIn(row, 'reserved'),
    paid: bigintIn(row, 'paid'),
  };
}

export const NO_BALANCE: Omit<AccountBalance, 'account'> = { immature: 0n, available: 0n, reserved: 0n, paid: 0n };

/** Where the amounts of a payment are. */
export function potOf(status: PaymentStatus): 'available' | 'reserved' | 'paid' {
  if (status === 'confirmed') return 'paid';
  return status === 'cancelled' || status === 'failed' ? 'available' : 'reserved';
}

/** What is to be added to accounts, by account. */
export class BalanceChanges {
  readonly #changes = new Map<string, Record<Pot, bigint>>();

  add(account: string, pot: Pot, amount: bigint): void {
    let change = this.#changes.get(account);
    if (change === undefined) {
      change = { ...NO_BALANCE };
      this.#changes.set(account, change);
    }
    change[pot] += amount;
  }

  /** Takes an entry out of one state into another. */
  move({ account, kind, amount }: BookingEntry, from: BookingState, to: BookingState): void {
    this.#count({ account, kind, amount: -amount }, from);
    this.#count({ account, kind, amount }, to);
  }

  #count({ account, kind, amount }: BookingEntry, state: BookingState): void {
    if (state === 'reversed') return;
    this.add(account, state === 'final' ? 'available' : 'immature', amount);
    // What a mature coinbase took from the balance has been paid by it.
    if (state === 'final' && kind === 'coinbase') this.add(account, 'paid', -amount);
  }

  /**
   * Rows of the table, in one order of the accounts whoever writes them: two programs on PostgreSQL that lock the same
   * rows wait for each other in a line, not in a circle.
   */
  rows(): string[][] {
    return [...this.#changes]
      .filter(([, change]) => POTS.some((pot) => change[pot] !== 0n))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([account, change]) => [account, ...POTS.map((pot) => `${change[pot]}`)]);
  }
}

const added = POTS.map((pot) => `${pot} = accounts.${pot} + excluded.${pot}`).join(', ');

const CHANGES: InsertShape = {
  table: 'accounts',
  columns: ['account', ...POTS],
  onConflict: `ON CONFLICT (account) DO UPDATE SET ${added}`,
};

const RESERVATIONS: InsertShape = {
  ...CHANGES,
  // An account that has too little, or was put on hold meanwhile, gives no row back.
  onConflict: `${CHANGES.onConflict} WHERE accounts.available + excluded.available >= 0 AND accounts.held = 0`,
  returning: ['account', 'CAST(available AS TEXT) AS available'],
};

/** Adds the changes to the balances. */
export async function changeBalances(session: SqlSession, changes: BalanceChanges): Promise<void> {
  await insertRows(session, CHANGES, changes.rows());
}

/** Moves amounts from available to reserved. Gives an account that has too little or is held, if there is one. */
export async function reserve(session: SqlSession, amounts: ReadonlyMap<string, bigint>): Promise<string | undefined> {
  const changes = new BalanceChanges();
  for (const [account, amount] of amounts) {
    changes.add(account, 'available', -amount);
    changes.add(account, 'reserved', amount);
  }
  const rows = await insertRows(session, RESERVATIONS, changes.rows());
  // An account that did not exist was made by the statement, below zero; the caller undoes all of it.
  const reserved = new Set(rows.filter((row) => bigintIn(row, 'available') >= 0n).map(({ account }) => account));
  for (const account of amounts.keys()) if (!reserved.has(account)) return account;
  return undefined;
}
