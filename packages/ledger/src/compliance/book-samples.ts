import { expect } from 'vitest';
import type {
  AccountBalance,
  Accounting,
  Booking,
  BookingEntry,
  PaymentPlan,
  PaymentStep,
} from '../accounting/types.js';
import { hashOf, START_MS } from './samples.js';

export const reward = (account: string, amount: bigint): BookingEntry => ({ account, kind: 'reward', amount });

/** A final booking with what a test wants different. */
export function booking(key: string, entries: readonly BookingEntry[], changes: Partial<Booking> = {}): Booking {
  return { key, state: 'final', timeMs: START_MS, entries, ...changes };
}

/** An approved payment to an address of each account's own. */
export function plan(
  id: string,
  amounts: Readonly<Record<string, bigint>>,
  changes: Partial<PaymentPlan> = {},
): PaymentPlan {
  const parts = Object.entries(amounts).map(([account, amount]) => ({ account, address: `addr-${account}`, amount }));
  return { id, parts, isApproved: true, timeMs: START_MS, ...changes };
}

/** The step to `signed`. */
export const signed: PaymentStep = {
  to: 'signed',
  txid: hashOf(7),
  transaction: '0200',
  fee: 141n,
  timeMs: START_MS + 1,
};

/** The step to `signed` of a payment with a transaction of its own. */
export const signedFor = (id: string): PaymentStep => ({
  ...signed,
  txid: Buffer.from(id).toString('hex').slice(-64).padStart(64, '0'),
});

/** Amounts of an account: immature, available, reserved, paid. */
export async function pots(accounting: Accounting, account: string): Promise<bigint[]> {
  const { immature, available, reserved, paid } = await accounting.balance(account);
  return [immature, available, reserved, paid];
}

export const sumOf = ({ immature, available, reserved, paid }: Omit<AccountBalance, 'account'>): bigint =>
  immature + available + reserved + paid;

/** Nothing is wrong with the books. */
export async function expectRight(accounting: Accounting): Promise<void> {
  expect(await accounting.verify()).toEqual([]);
}

/** All pages of a list. */
export async function allPages<Item>(
  ask: (after: string | undefined) => Promise<{ readonly items: readonly Item[]; readonly next: string | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let after: string | undefined;
  do {
    const page = await ask(after);
    all.push(...page.items);
    after = page.next;
    expect(all.length, 'pages without an end').toBeLessThan(10_000);
  } while (after !== undefined);
  return all;
}
