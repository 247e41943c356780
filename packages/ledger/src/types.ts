import type { BlockOutcome, BlockStatus, ShareBatch, ShareSink } from '@headframe/mining';
import type { Accounting } from './accounting/types.js';

/** Counts of shares over some time, of a worker, an account or the pool. */
export interface ShareTally {
  readonly accepted: number;
  /** For a job that is over or unknown. */
  readonly stale: number;
  readonly duplicate: number;
  readonly low: number;
  /** Every other refusal. */
  readonly invalid: number;
  /** Sum of the accepted shares' difficulties, exact, in {@link WORK_UNITS}. */
  readonly work: bigint;
  /** Highest difficulty that a hash of an accepted share reached; approximate. */
  readonly best: number;
}

/** Hashes per second, averaged over the last ten minutes, hour and day. */
export interface Hashrates {
  readonly tenMinutes: number;
  readonly hour: number;
  readonly day: number;
}

/** Whom a question is about: the pool, an account, or a worker of an account. */
export interface Subject {
  readonly account?: string;
  /** Needs `account`. */
  readonly worker?: string;
}

/** What is known of a worker, an account or the pool. */
export interface SubjectSummary {
  readonly account: string | undefined;
  readonly worker: string | undefined;
  /** Unix milliseconds of the first and the last share, accepted or not. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Since the beginning. */
  readonly total: ShareTally;
  readonly hashrate: Hashrates;
}

export interface PageRequest {
  /** Items; 100 by default, 500 at most. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Ask with it for the following page; undefined on the last. */
  readonly next: string | undefined;
}

/** An account with a page of its workers, by name. */
export interface AccountPage extends SubjectSummary {
  readonly workers: Page<SubjectSummary>;
  readonly workerCount: number;
}

export interface SeriesRequest extends Subject {
  readonly resolution: 'minute' | 'hour';
  /** Unix milliseconds; from inclusive, to exclusive. At most 1,500 points come back, the earliest ones. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SeriesPoint extends ShareTally {
  /** Unix milliseconds at which the minute or hour begins. */
  readonly startMs: number;
  readonly hashrate: number;
}

/** A block we found, as last heard of. */
export interface BlockRecord {
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
  readonly status: BlockStatus;
  readonly account: string;
  readonly worker: string;
  /** Base units. */
  readonly reward: bigint;
  readonly confirmations: number;
  readonly nodes: Readonly<Record<string, string>>;
  readonly networkDifficulty: number | undefined;
  /** Unix milliseconds: earliest and latest word of it. */
  readonly foundMs: number;
  readonly saidMs: number;
}

/** The shares from one block that pays to the next. A block that is orphaned or rejected ends no round. */
export interface RoundRecord {
  /** Block that ended it; undefined for the round under way. */
  readonly blockHash: string | undefined;
  readonly openedMs: number;
  readonly closedMs: number | undefined;
  readonly accepted: number;
  readonly work: bigint;
  /** Work over network difficulty: 1 is what was to be expected, 2 is twice as long. Undefined when the latter is unknown. */
  readonly effort: number | undefined;
}

/** Part of one account in a round or window. */
export interface AccountWork {
  readonly account: string;
  readonly accepted: number;
  readonly work: bigint;
}

export interface RoundShares extends RoundRecord {
  readonly accounts: readonly AccountWork[];
}

/** The last accepted work up to and including a block's own share. */
export interface WorkWindow {
  readonly accounts: readonly AccountWork[];
  /** As asked for, or less when the log does not reach back that far. */
  readonly work: bigint;
  /** True when the window is full. The oldest share in it counts for the part that was missing. */
  readonly isFull: boolean;
}

export interface Luck {
  readonly blocks: number;
  /** Network difficulties of the blocks over the work of their rounds; 1 is fair, 2 is twice as lucky. */
  readonly luck: number | undefined;
}

export interface FoldReport {
  readonly batches: number;
  readonly shares: number;
}

export interface PruneReport {
  readonly batches: number;
  readonly rows: number;
  readonly workers: number;
}

/** A batch of the share log. */
export interface StoredBatch extends ShareBatch {
  /** Grows in the order of the commits. */
  readonly id: number;
}

/** State of the ledger, for metrics and the health page. */
export interface LedgerStats {
  readonly engine: 'sqlite' | 'postgres';
  readonly schemaVersion: number;
  /** Batches in the share log that the statistics do not know yet. */
  readonly unfoldedBatches: number;
  /** Commits that wait for the database. */
  readonly pendingCommits: number;
  /** Database threads that died and were replaced. */
  readonly threadRestarts: number;
  /** Unix milliseconds of the last commit that succeeded; undefined when there was none since the ledger was opened. */
  readonly lastCommitMs: number | undefined;
  /** How long a commit takes, from call to answer: a moving average of about the last twenty. */
  readonly commitLatencyMs: number | undefined;
  /** How long the oldest batch that the statistics do not know has been waiting; 0 when none is. */
  readonly foldLagMs: number;
  readonly databaseBytes: number;
}

/** What comes with a block's outcome. */
export interface BlockDetails {
  /** Network difficulty of the job, in units of share difficulty; makes effort and luck known. */
  readonly networkDifficulty?: number;
}

/**
 * Shares, rounds and blocks in a database. Every method rejects with a PoolError: `storage_failed` (details.reason
 * `full`, `locked`, `unavailable`, `failed`), `queue_full`, `closed` or `invalid_argument`. What failed may be tried
 * again: commits and blocks are recognised.
 */
export interface Ledger extends ShareSink {
  /** Who is owed what, and what was paid. */
  readonly accounting: Accounting;
  /** Records what became of a block. Statuses may come more than once and in any order. */
  recordBlock(outcome: BlockOutcome, details?: BlockDetails): Promise<void>;
  /** Blocks from the highest down. */
  blocks(page?: PageRequest): Promise<Page<BlockRecord>>;
  block(hash: string): Promise<BlockRecord | undefined>;
  /** The pool, an account or a worker; undefined when it never sent a share. */
  summary(subject?: Subject): Promise<SubjectSummary | undefined>;
  account(account: string, page?: PageRequest): Promise<AccountPage | undefined>;
  /** Accounts by their work in the last day, most first; `limit` of them. */
  topAccounts(limit?: number): Promise<readonly SubjectSummary[]>;
  /** Workers and accounts that sent a share since then. */
  active(sinceMs: number): Promise<{ readonly accounts: number; readonly workers: number }>;
  series(request: SeriesRequest): Promise<readonly SeriesPoint[]>;
  /** The round under way; `networkDifficulty` of the moment gives the effort. */
  currentRound(networkDifficulty?: number): Promise<RoundRecord>;
  /** Rounds that ended with a block that counts, latest first; `limit` of them. */
  rounds(limit?: number): Promise<readonly RoundRecord[]>;
  luck(blocks?: number): Promise<Luck>;
  /** A block's round by account. Undefined until the block's share is folded. */
  roundOf(blockHash: string): Promise<RoundShares | undefined>;
  /** The last `work` up to a block's share, by account, for PPLNS. Undefined until the block's share is folded. */
  windowBefore(blockHash: string, work: bigint): Promise<WorkWindow | undefined>;
  /** Batches of the share log in the order of their commit, some at a time: ask on with the last id. Pruned ones are gone. */
  shareLog(afterId?: number): Promise<readonly StoredBatch[]>;
  /** Brings the statistics up to the share log now; runs by itself every `foldIntervalMs`. */
  fold(): Promise<FoldReport>;
  /**
   * Keeps the share log after this batch from being pruned, however old it is; undefined: no more. For whoever has not
   * read it yet. Holds as long as this ledger is open.
   */
  keepShares(afterBatch: number | undefined): void;
  /** Removes what is older than its retention now; runs by itself every hour. */
  prune(): Promise<PruneReport>;
  /**
   * Copies the database while it is in use (SQLite); a file of that name is replaced when the copy is whole. @throws PoolError `not_supported` on PostgreSQL
   */
  backup(path: string): Promise<void>;
  stats(): Promise<LedgerStats>;
}
