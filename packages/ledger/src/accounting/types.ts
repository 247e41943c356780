import type { Credit, CreditKind } from '../schemes/credits.js';
import type { PpsCarry } from '../schemes/pps.js';
import type { Page, PageRequest } from '../types.js';

/** What an account wants. An account that never was set has the defaults. */
export interface AccountSettings {
  readonly account: string;
  /** Where it is paid: as set, else as its latest accepted share said. Undefined while nothing is known. */
  readonly address: string | undefined;
  /** Least payment, base units; undefined: as the pool has it. */
  readonly minimumPayout: bigint | undefined;
  /** What it gives away of its rewards, parts per million. Default 0. */
  readonly donationPpm: number;
  /** No payment is planned while true. */
  readonly isHeld: boolean;
}

/** A change of settings: what is left out stays; `null` takes a setting back. */
export interface AccountSettingsChange {
  readonly address?: string | null;
  readonly minimumPayout?: bigint | null;
  readonly donationPpm?: number;
  readonly isHeld?: boolean;
}

/** What the pool owes to an account. All in base units. */
export interface AccountBalance {
  readonly account: string;
  /** Credits of blocks that are not mature yet. */
  readonly immature: bigint;
  /** To be paid. Negative when a block was orphaned after it was paid, or (coinbase split) when paid in advance. */
  readonly available: bigint;
  /** In payments that are planned or under way. */
  readonly reserved: bigint;
  /** In payments that are confirmed, and in coinbases that are mature. */
  readonly paid: bigint;
}

/** Why a balance changed. `coinbase`: paid in a block's own coinbase (negative). `adjustment`: by hand. */
export type EntryKind = CreditKind | 'coinbase' | 'adjustment';

/** A change of one account's balance, in a booking. */
export interface BookingEntry {
  readonly account: string;
  readonly kind: EntryKind;
  /** Base units; not zero. */
  readonly amount: bigint;
}

/** `immature`: counts as immature. `final`: counts as available. `reversed`: counts nowhere. */
export type BookingState = 'immature' | 'final' | 'reversed';

/** Changes that belong together: the credits of a block, of a stretch of the share log, or one by hand. */
export interface Booking {
  /** Names it for ever: `block:<hash>`, `shares:<last batch id>`, `adjustment:<anything>`. A key seen before changes nothing. */
  readonly key: string;
  readonly state: BookingState;
  readonly timeMs: number;
  readonly note?: string;
  /** In any order; entries of one account and kind are merged. */
  readonly entries: readonly BookingEntry[];
  /** PPS: what is owed below one base unit, replacing all carries of the accounts and kinds named. Same transaction. */
  readonly carries?: readonly PpsCarry[];
  /**
   * A position that moves with the booking (PPS: the share log's). The booking is refused with `conflict` unless the
   * cursor stands at `from`; two accountants cannot book the same shares.
   */
  readonly cursor?: { readonly name: string; readonly from: number; readonly to: number };
}

export interface BookingRecord extends Omit<Booking, 'carries' | 'cursor' | 'entries'> {
  /** When it came to its state, as the call that moved it said. */
  readonly stateMs: number;
  /** Sum of the entries by kind. */
  readonly totals: Readonly<Partial<Record<EntryKind, bigint>>>;
}

/** A line of an account's statement: a booking's entry or a payment. */
export interface StatementLine {
  readonly timeMs: number;
  /** The booking's key, or `payment:<id>`. */
  readonly key: string;
  readonly kind: EntryKind | 'payment';
  /** `open` for payments that are not confirmed. */
  readonly state: BookingState | 'open';
  readonly amount: bigint;
}

/**
 * planned -> approved -> signed -> sent -> confirmed, or cancelled before it was signed, or failed when its transaction
 * can never confirm. Amounts are reserved from `planned` on, paid at `confirmed`, and available again when cancelled or failed.
 */
export type PaymentStatus = 'planned' | 'approved' | 'signed' | 'sent' | 'confirmed' | 'cancelled' | 'failed';

/** One account's part of a payment. Parts of one address become one output. */
export interface PaymentPart {
  readonly account: string;
  readonly address: string;
  /** Base units, positive. */
  readonly amount: bigint;
}

/** What is to be paid by one transaction. */
export interface PaymentPlan {
  /** Unique; a UUID. A second plan of the same id changes nothing. */
  readonly id: string;
  readonly parts: readonly PaymentPart[];
  /** False: waits for `approvePayment`. */
  readonly isApproved: boolean;
  readonly timeMs: number;
}

export interface PaymentRecord {
  readonly id: string;
  readonly status: PaymentStatus;
  readonly parts: readonly PaymentPart[];
  /** Sum of the parts. */
  readonly total: bigint;
  /** Known from `signed` on: display hex, the whole transaction in hex, its fee in base units. */
  readonly txid: string | undefined;
  readonly transaction: string | undefined;
  readonly fee: bigint | undefined;
  readonly confirmations: number;
  /** Why it was cancelled, failed, or is stuck. */
  readonly reason: string | undefined;
  /** True when a person said what became of it: the chain could not. */
  readonly isSettledByHand?: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** Which payments. */
export interface PaymentFilter {
  /** With a part for this account. */
  readonly account?: string;
  readonly statuses?: readonly PaymentStatus[];
  /** With fewer confirmations than this. */
  readonly confirmationsBelow?: number;
  /** With a step at or after this time, unix milliseconds. */
  readonly updatedSinceMs?: number;
}

/** A step of a payment. */
export interface PaymentStep {
  readonly to: PaymentStatus;
  readonly txid?: string;
  readonly transaction?: string;
  readonly fee?: bigint;
  readonly confirmations?: number;
  readonly reason?: string;
  /** A person takes it; it is kept with the payment. */
  readonly byHand?: boolean;
  readonly timeMs: number;
}

/** What a block of some height was worth, as the jobs on it said. For PPS, luck and history. */
export interface HeightRecord {
  readonly height: number;
  /** 64 hex digits, display order: the integer `networkTarget`. */
  readonly networkTarget: string;
  readonly networkDifficulty: number;
  /** Base units; subsidy and fees of the latest job of the height, after required outputs. */
  readonly reward: bigint;
  readonly subsidy: bigint;
  readonly fees: bigint;
  readonly timeMs: number;
}

/** A contradiction found in the books. */
export interface BookProblem {
  /** What: `balance`, `booking`, `payment`, `shares` ... */
  readonly part: string;
  readonly message: string;
}

/**
 * Who is owed what, and what was paid. Every change is one transaction, recognised when it is repeated. Errors as
 * those of the ledger, and `conflict` where named.
 */
export interface Accounting {
  settings(account: string): Promise<AccountSettings>;
  /** @throws PoolError `invalid_argument` on a negative minimum or a donation outside 0 to a million. */
  changeSettings(account: string, change: AccountSettingsChange): Promise<AccountSettings>;
  /** Settings of the accounts named, defaults where they are unknown, and of every other account that donates. */
  settingsOf(accounts: readonly string[]): Promise<readonly AccountSettings[]>;

  /** False when the key was known: nothing changed then. @throws PoolError `conflict` when the cursor stands elsewhere. */
  book(booking: Booking): Promise<boolean>;
  /** Moves a booking's amounts; any state may follow any. `timeMs` is kept as `stateMs`. False when unknown or already there. */
  setBookingState(key: string, state: BookingState, timeMs: number): Promise<boolean>;
  booking(key: string): Promise<(BookingRecord & { readonly entries: readonly BookingEntry[] }) | undefined>;
  /** Latest first. */
  bookings(page?: PageRequest): Promise<Page<BookingRecord>>;
  /** 0 when it never moved. Ask before `carries`: a booking between the two is then refused with `conflict`, not miscounted. */
  cursor(name: string): Promise<number>;
  carries(): Promise<readonly PpsCarry[]>;

  /** Zeros when unknown. */
  balance(account: string): Promise<AccountBalance>;
  /** Accounts with a balance, most available first. */
  balances(page?: PageRequest): Promise<Page<AccountBalance>>;
  /** All accounts together. */
  totals(): Promise<Omit<AccountBalance, 'account'>>;
  /** Of `available` and `immature` together, by account; those at zero are left out. For the coinbase split. */
  openBalances(): Promise<ReadonlyMap<string, bigint>>;
  /** Latest first; payments are negative, and `reversed` when cancelled or failed. */
  statement(account: string, page?: PageRequest): Promise<Page<StatementLine>>;

  /** Accounts that are not held, have an address and at least their minimum available (the pool's where they set none). Most first. */
  due(minimum: bigint, limit: number): Promise<readonly (AccountBalance & { readonly address: string })[]>;
  /**
   * Reserves the amounts. False when the id was known. @throws PoolError `conflict` with `details.account` when an account
   * has less available than its part or is held; nothing is reserved then.
   */
  planPayment(plan: PaymentPlan): Promise<boolean>;
  /**
   * Takes a step if the payment stands at one of `from`. False otherwise. A txid, transaction or fee that is known is not
   * replaced. @throws PoolError `invalid_argument` when there is no step from one of `from` to `to`, or `signed` has no
   * txid and transaction; `conflict` when another payment has that txid.
   */
  stepPayment(id: string, from: readonly PaymentStatus[], step: PaymentStep): Promise<boolean>;
  payment(id: string): Promise<PaymentRecord | undefined>;
  /** Latest first. */
  payments(filter?: PaymentFilter, page?: PageRequest): Promise<Page<PaymentRecord>>;

  /** Keeps the latest word of a height. */
  recordHeight(height: HeightRecord): Promise<void>;
  /** In order, from inclusive, at most `limit`. */
  heights(from: number, limit: number): Promise<readonly HeightRecord[]>;

  /** Recounts balances from bookings and payments, and statistics' totals; empty when the books are right. `onProgress` from 0 to 1. */
  verify(onProgress?: (part: number) => void): Promise<readonly BookProblem[]>;
}

/** Credits as entries. */
export function entriesOf(credits: readonly Credit[]): BookingEntry[] {
  return credits.map(({ account, kind, amount }) => ({ account, kind, amount }));
}
