import type { BlockOutcome } from '@headframe/mining';
import type { BackupOptions } from '../sql/types.js';
import type {
  AccountPage,
  BlockDetails,
  BlockRecord,
  FoldReport,
  Luck,
  Page,
  PageRequest,
  PruneReport,
  RoundRecord,
  RoundShares,
  SeriesPoint,
  SeriesRequest,
  StoredBatch,
  Subject,
  SubjectSummary,
  WorkWindow,
} from '../types.js';
import type { CoveredStatistics } from './covered-statistics.js';

/** A batch as it goes to the database thread. */
export interface PackedBatch {
  readonly epoch: string;
  readonly sequence: number;
  readonly shares: number;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly nowMs: number;
}

export interface Retention {
  readonly sharesMs: number;
  readonly minutesMs: number;
  readonly hoursMs: number;
}

/** What the database knows of its own state. */
export interface StorageStats {
  readonly schemaVersion: number;
  readonly unfoldedBatches: number;
  /** When the oldest of them was committed. */
  readonly oldestUnfoldedMs: number | undefined;
  readonly databaseBytes: number;
}

/** What the database threads answer. Arguments and results are plain data. */
export interface LedgerCalls {
  commit(batch: PackedBatch): Promise<void>;
  recordBlock(outcome: BlockOutcome, details: BlockDetails): Promise<void>;
  fold(): Promise<FoldReport>;
  prune(nowMs: number, retention: Retention, keepAfter: number | undefined): Promise<PruneReport>;
  backup(path: string, options: BackupOptions): Promise<void>;
  /** What the engine itself finds wrong with its files. */
  checkFiles(): Promise<readonly string[]>;
  schemaVersion(): Promise<number>;
  coveredStatistics(): Promise<CoveredStatistics | undefined>;
  blocks(page: PageRequest): Promise<Page<BlockRecord>>;
  block(hash: string): Promise<BlockRecord | undefined>;
  summary(subject: Subject, nowMs: number): Promise<SubjectSummary | undefined>;
  account(account: string, page: PageRequest, nowMs: number): Promise<AccountPage | undefined>;
  topAccounts(limit: number, nowMs: number): Promise<readonly SubjectSummary[]>;
  active(sinceMs: number): Promise<{ readonly accounts: number; readonly workers: number }>;
  series(request: SeriesRequest): Promise<readonly SeriesPoint[]>;
  currentRound(networkDifficulty: number | undefined, nowMs: number): Promise<RoundRecord>;
  rounds(limit: number): Promise<readonly RoundRecord[]>;
  luck(blocks: number): Promise<Luck>;
  roundOf(blockHash: string): Promise<RoundShares | undefined>;
  windowBefore(blockHash: string, work: bigint): Promise<WorkWindow | undefined>;
  shareLog(after: number): Promise<readonly StoredBatch[]>;
  stats(): Promise<StorageStats>;
}
