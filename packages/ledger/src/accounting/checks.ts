import { PoolError } from '@headframe/primitives';
import { nameForQuery } from '../core/fold-groups.js';
import { MAX_NAME, MAX_PAYMENT_PARTS } from '../limits.js';
import type { CreditKind } from '../schemes/credits.js';
import { formatFraction } from '../schemes/fraction.js';
import { checkMoney } from './money.js';
import type {
  Booking,
  BookingEntry,
  BookingState,
  EntryKind,
  PaymentPart,
  PaymentPlan,
  PaymentStatus,
} from './types.js';

export const ENTRY_KINDS: readonly EntryKind[] = ['reward', 'fee', 'donation', 'coinbase', 'adjustment'];
export const BOOKING_STATES: readonly BookingState[] = ['immature', 'final', 'reversed'];
export const PAYMENT_STATUSES: readonly PaymentStatus[] = [
  'planned',
  'approved',
  'signed',
  'sent',
  'confirmed',
  'cancelled',
  'failed',
];
const CREDIT_KINDS: readonly CreditKind[] = ['reward', 'fee', 'donation'];
const TOKEN = /^[\x21-\x7e]{1,200}$/;
const ADDRESS = /^[\x21-\x7e]{1,256}$/;
/** Of notes and reasons; the rest is cut off. */
const MAX_TEXT = 1_000;

function wrong(message: string): PoolError {
  return new PoolError('invalid_argument', message);
}

/** One of a closed set of words. @throws PoolError `code` */
export function oneOf<Word extends string>(
  words: readonly Word[],
  text: string,
  code: 'invalid_argument' | 'invalid_data',
): Word {
  const word = words.find((one) => one === text);
  if (word === undefined) throw new PoolError(code, `${JSON.stringify(text)} is none of ${words.join(', ')}`);
  return word;
}

/** A key, id or cursor's name. @throws PoolError `invalid_argument` */
export function checkToken(text: string, what: string): string {
  if (!TOKEN.test(text)) throw wrong(`${what} is 1 to 200 printable characters without spaces`);
  return text;
}

/** @throws PoolError `invalid_argument` */
export function checkAddress(text: string): string {
  if (!ADDRESS.test(text)) throw wrong(`an address is 1 to ${MAX_NAME} printable characters without spaces`);
  return text;
}

/** Unix milliseconds, a position or a height. @throws PoolError `invalid_argument` */
export function checkCount(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw wrong(`${what} is an integer of at least 0, not ${value}`);
  return value;
}

/** A text for people, as both engines can store it. */
export function storedText(text: string | undefined): string | null {
  return text === undefined ? null : Buffer.from(text.slice(0, MAX_TEXT).replaceAll('\0', '\ufffd')).toString();
}

/** An account's name as the statistics store it. */
export const storedAccount = (account: string): string => nameForQuery(account);

/** Entries with stored names, one per account and kind, in the order of the accounts, none of them zero. */
function mergedEntries(entries: readonly BookingEntry[]): BookingEntry[] {
  const sums = new Map<string, BookingEntry>();
  for (const { account, kind, amount } of entries) {
    oneOf(ENTRY_KINDS, kind, 'invalid_argument');
    checkMoney(amount, `the ${kind} of ${account}`);
    if (amount === 0n) throw wrong(`the ${kind} of ${account} is zero`);
    const name = storedAccount(account);
    const key = `${name}\0${kind}`;
    const sum = checkMoney((sums.get(key)?.amount ?? 0n) + amount, `the ${kind} of ${account}`);
    sums.set(key, { account: name, kind, amount: sum });
  }
  return [...sums.values()].filter(({ amount }) => amount !== 0n).sort(byAccount);
}

const byAccount = (a: { account: string }, b: { account: string }): number =>
  a.account < b.account ? -1 : a.account > b.account ? 1 : 0;

/** A carry as it is stored. */
export type StoredCarry = readonly [account: string, kind: CreditKind, carry: string];

export interface CheckedBooking extends Omit<Booking, 'carries' | 'note'> {
  readonly note: string | null;
  readonly carries: readonly StoredCarry[];
}

/** @throws PoolError `invalid_argument` on anything that could not be stored or would not be found again */
export function checkBooking(booking: Booking): CheckedBooking {
  const { key, state, timeMs, note, entries, carries = [], cursor } = booking;
  checkToken(key, 'the key of a booking');
  oneOf(BOOKING_STATES, state, 'invalid_argument');
  checkCount(timeMs, 'the time of a booking');
  if (cursor !== undefined) {
    checkToken(cursor.name, 'the name of a cursor');
    if (checkCount(cursor.to, 'a position') < checkCount(cursor.from, 'a position'))
      throw wrong('a cursor moves forward');
  }
  const stored = carries.map(({ account, kind, carry }): StoredCarry => {
    oneOf(CREDIT_KINDS, kind, 'invalid_argument');
    if (carry.numerator < 0n || carry.numerator >= carry.denominator) {
      throw wrong(`the carry of ${account} is not from 0 to below 1 base unit`);
    }
    return [storedAccount(account), kind, formatFraction(carry)];
  });
  const last = new Map(stored.map((one) => [`${one[0]}\0${one[1]}`, one]));
  return {
    key,
    state,
    timeMs,
    note: storedText(note),
    entries: mergedEntries(entries),
    carries: [...last.values()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** @throws PoolError `invalid_argument` */
export function checkPlan(plan: PaymentPlan): { readonly parts: readonly PaymentPart[]; readonly total: bigint } {
  checkToken(plan.id, 'the id of a payment');
  checkCount(plan.timeMs, 'the time of a payment');
  if (plan.parts.length < 1 || plan.parts.length > MAX_PAYMENT_PARTS) {
    throw wrong(`a payment has 1 to ${MAX_PAYMENT_PARTS} parts, not ${plan.parts.length}`);
  }
  let total = 0n;
  const parts = plan.parts.map(({ account, address, amount }) => {
    checkAddress(address);
    if (checkMoney(amount, `the part of ${account}`) <= 0n) throw wrong(`the part of ${account} is not positive`);
    total += amount;
    return { account: storedAccount(account), address, amount };
  });
  return { parts, total: checkMoney(total, 'a payment') };
}
