import type { Coin } from '@headframe/coins';
import type { Accounting, BlockDetails, BookingState, FeeRecipient, Ledger } from '@headframe/ledger';
import type { BlockOutcome, BlockTemplate, CoinbaseOutput, JobRecord } from '@headframe/mining';
import type { Clock, Logger } from '@headframe/primitives';

/**
 * How blocks and shares become credits. `none`: the pool keeps no accounts for the time being (the whole reward goes to a
 * fixed address); what is found then is nobody's, also after another scheme is chosen.
 */
export type PayoutScheme = 'none' | 'solo' | 'prop' | 'pplns' | 'pps' | 'fpps' | 'coinbase-split';

export interface AccountantOptions {
  readonly scheme: PayoutScheme;
  readonly coin: Coin;
  /**
   * The pool's own account: receives donations, and under PPS the blocks, out of which it pays the shares. For the
   * coinbase split it must be the account (the address) that a coinbase without miners pays to.
   */
  readonly poolAccount: string;
  /** Who gets a part of every reward. Default nobody. */
  readonly fees?: readonly FeeRecipient[];
  /** PPLNS and coinbase split: the window in multiples of network difficulty. Default 2. */
  readonly window?: number;
  /** FPPS: how many heights before a share's own the transaction fees are averaged over. Default 144. */
  readonly feeBlocks?: number;
  /** PPS: how often shares are booked. Default 600,000. Each time is a line in the statement of every miner. */
  readonly accrualMs?: number;
  /** How long the ledger keeps shares; accrual that falls behind by half of it raises the alarm. Default 3 days. */
  readonly shareRetentionMs?: number;
  /**
   * How long something that should be in the ledger (a block's own share, the record of a height) is waited for before
   * it is taken for lost in a crash, and done without. Default 600,000.
   */
  readonly patienceMs?: number;
}

/** What the accountant needs of a ledger. */
export type AccountantLedger = Pick<
  Ledger,
  'block' | 'blocks' | 'commit' | 'fold' | 'keepShares' | 'recordBlock' | 'roundOf' | 'shareLog' | 'windowBefore'
>;

/** What the accountant needs of the books. */
export type AccountantBooks = Pick<
  Accounting,
  | 'book'
  | 'booking'
  | 'carries'
  | 'cursor'
  | 'heights'
  | 'openBalances'
  | 'recordHeight'
  | 'setBookingState'
  | 'settingsOf'
>;

/** Asks a node about blocks. Both reject with a PoolError while no node answers. */
export interface BlockReader {
  /** Outputs of a block's coinbase; `blockReader` makes them of raw getblock. */
  coinbaseOf(hash: string): Promise<readonly CoinbaseOutput[]>;
}

export interface AccountantModules {
  readonly ledger: AccountantLedger;
  /** `ledger.accounting`. */
  readonly accounting: AccountantBooks;
  /** Needed for the coinbase split: `blockReader(nodes)`. */
  readonly chain?: BlockReader;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** State of the PPS accrual. */
export interface AccrualStatus {
  /** Id of the last batch of the share log that is booked. */
  readonly cursor: number;
  /** Batches read and not booked, and the age of the oldest of them, when last looked. */
  readonly lagBatches: number;
  readonly lagMs: number;
}

export interface AccountantStatus {
  readonly scheme: PayoutScheme;
  /** True once the scheme is entered in the books and old blocks were looked through. */
  readonly isReady: boolean;
  readonly lastBlock:
    | { readonly hash: string; readonly height: number; readonly state: BookingState; readonly timeMs: number }
    | undefined;
  /** Blocks that wait to be booked, or to be tried again. */
  readonly pendingBlocks: number;
  /** Undefined when no PPS scheme was ever in force. */
  readonly accrual: AccrualStatus | undefined;
  readonly lastError: { readonly message: string; readonly timeMs: number } | undefined;
  /** What an operator must look at now. */
  readonly alarms: readonly string[];
}

/** Turns blocks and shares into bookings. Several may work on the same books: nothing is booked twice. */
export interface Accountant {
  /** Enters the scheme, mends what a crash left, and begins to accrue. Returns at once; never rejects, retries instead. */
  start(): void;
  /** Word of a block, in any order and as often as you like: it is recorded in the ledger and booked. Returns at once. */
  blockOutcome(outcome: BlockOutcome, details?: BlockDetails): void;
  /** Remembers what a block of the job's height is worth. For every job of the core. Returns at once. */
  jobMade(job: JobRecord, template: BlockTemplate): void;
  /**
   * Looks through the ledger's blocks for those whose booking disagrees with their status, and mends them. `all`: down to
   * the first block, and not only until 100 old ones in a row were right. Returns how many were mended.
   */
  mend(options?: { readonly all?: boolean }): Promise<number>;
  /** Books what was accepted since the last time now (PPS); returns how many batches of the share log. */
  accrue(): Promise<number>;
  /** Settles when nothing is under way; steps that failed are not waited for. */
  idle(): Promise<void>;
  status(): AccountantStatus;
  /** Lets the step under way end. Idempotent. */
  close(): Promise<void>;
}
