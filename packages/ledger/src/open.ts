import type { BlockOutcome, ShareBatch } from '@headframe/mining';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
} from '@headframe/primitives';
import { ThreadedAccounting } from './accounting/client.js';
import type { Accounting } from './accounting/types.js';
import { encodeShares } from './batch-codec.js';
import type { Retention } from './core/calls.js';
import { MAX_PENDING_COMMITS } from './limits.js';
import { engineOf } from './sql/open.js';
import { ThreadClient } from './thread/client.js';
import type {
  BlockDetails,
  FoldReport,
  Ledger,
  LedgerStats,
  PageRequest,
  PruneReport,
  SeriesRequest,
  Subject,
} from './types.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Of one commit in the average: about the last twenty make it. */
const LATENCY_WEIGHT = 0.1;

export interface LedgerOptions {
  /** `sqlite:./data/pool.db` or `postgres://user:password@host/database`. The SQLite file is made when missing. */
  readonly url: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Hashes that one difficulty takes on average: 2^32 (the default) over the coin's difficulty factor. */
  readonly hashesPerDifficulty?: number;
  /** How often statistics are brought up to the share log. Default 10 s. */
  readonly foldIntervalMs?: number;
  /** How long single shares are kept; a PPLNS window must fit. Default 3 days, at least an hour. */
  readonly shareRetentionMs?: number;
  /** How long per-minute statistics are kept. Default 2 days. */
  readonly minuteRetentionMs?: number;
  /** How long per-hour statistics are kept. Default 400 days. */
  readonly hourRetentionMs?: number;
  /** SQLite: the file does not grow past this; commits are then refused with reason `full`. Default: no limit. */
  readonly maxBytes?: number;
  /** SQLite: how long a commit waits for a lock of another process. Default 2 s. */
  readonly busyTimeoutMs?: number;
  /** The threads' script. Only needed where this package runs from somewhere else than its own build. */
  readonly workerUrl?: URL;
}

/**
 * Opens the ledger: brings the schema up to date and starts two database threads, one that writes and one that answers
 * questions. Nothing waits for a disk on the calling thread.
 *
 * @example
 * const ledger = await openLedger({ url: 'sqlite:./data/pool.db' });
 * await ledger.commit(batch); // durable
 * const pool = await ledger.summary();
 *
 * @throws PoolError `invalid_argument` for another kind of URL, `storage_failed` when the database cannot be opened or
 * was made by a later version
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = new ThreadedLedger(options);
  await ledger.open();
  return ledger;
}

/** Node 20 starts no thread from TypeScript: where this file itself is run as a source, the thread is that of the build. */
export function builtWorker(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../dist/worker.js' : './worker.js', import.meta.url);
}

/** An epoch is stored as it is. */
const EPOCH = /^[\x21-\x7e]{1,64}$/;

class ThreadedLedger implements Ledger {
  readonly accounting: Accounting;
  readonly #engine: 'sqlite' | 'postgres';
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #writer: ThreadClient;
  readonly #reader: ThreadClient;
  readonly #retention: Retention;
  readonly #foldIntervalMs: number;
  readonly #thread: (name: 'writer' | 'reader' | 'backup') => ThreadClient;
  readonly #timers: Timer[] = [];
  #commits = 0;
  /** Batches of the share log after this one stay. */
  #keepAfter: number | undefined;
  #lastCommitMs: number | undefined;
  #commitLatencyMs: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LedgerOptions) {
    this.#engine = engineOf(options.url);
    const { clock = systemClock, log = silentLogger, hashesPerDifficulty = 2 ** 32 } = options;
    this.#clock = clock;
    this.#log = log;
    this.#thread = (name) =>
      new ThreadClient({
        name: `headframe-ledger-${name}`,
        url: options.workerUrl ?? builtWorker(),
        start: {
          database: {
            url: options.url,
            // Not for a backup: SQLite counts the file it makes as a write.
            readOnly: name === 'reader',
            maxBytes: options.maxBytes,
            busyTimeoutMs: options.busyTimeoutMs,
          },
          hashesPerDifficulty,
          migrate: name === 'writer',
        },
        clock,
        log,
      });
    this.#writer = this.#thread('writer');
    this.#reader = this.#thread('reader');
    this.accounting = new ThreadedAccounting(this.#writer, this.#reader);
    this.#foldIntervalMs = options.foldIntervalMs ?? 10_000;
    this.#retention = {
      sharesMs: options.shareRetentionMs ?? 3 * DAY_MS,
      minutesMs: options.minuteRetentionMs ?? 2 * DAY_MS,
      hoursMs: options.hourRetentionMs ?? 400 * DAY_MS,
    };
  }

  async open(): Promise<void> {
    try {
      const { from, to } = await this.#writer.open();
      if (from !== to) this.#log.info({ from, to }, 'database schema brought up to date');
      await this.#writer.call('accounting.finishBookings', []);
      await this.#reader.open();
    } catch (error) {
      await this.close();
      throw error;
    }
    const every = (periodMs: number, what: string, work: () => Promise<unknown>): void => {
      let isRunning = false;
      const run = async (): Promise<void> => {
        if (isRunning) return;
        isRunning = true;
        await work().catch((error: unknown) => {
          if (this.#closing === undefined)
            this.#log.error({ error: errorMessage(error) }, `${what} failed; will be tried again`);
        });
        isRunning = false;
      };
      this.#timers.push(this.#clock.setInterval(() => void run(), periodMs));
    };
    every(this.#foldIntervalMs, 'folding the share log', () => this.fold());
    every(HOUR_MS, 'pruning the database', () => this.prune());
  }

  async commit(batch: ShareBatch): Promise<void> {
    if (this.#closing !== undefined) throw new PoolError('closed', 'the ledger is closed');
    if (!EPOCH.test(batch.epoch)) throw new PoolError('invalid_argument', 'an epoch is 1 to 64 printable characters');
    if (this.#commits >= MAX_PENDING_COMMITS)
      throw new PoolError('queue_full', 'too many commits wait for the database');
    const { epoch, sequence, shares } = batch;
    const data = encodeShares(shares);
    this.#commits++;
    const began = this.#clock.monotonic();
    try {
      await this.#writer.call(
        'commit',
        [{ epoch, sequence, shares: shares.length, data, nowMs: this.#clock.now() }],
        [data.buffer],
      );
      this.#lastCommitMs = this.#clock.now();
      const tookMs = this.#clock.monotonic() - began;
      const known = this.#commitLatencyMs ?? tookMs;
      this.#commitLatencyMs = known + (tookMs - known) * LATENCY_WEIGHT;
    } finally {
      this.#commits--;
    }
  }

  recordBlock = (outcome: BlockOutcome, details: BlockDetails = {}) =>
    this.#writer.call('recordBlock', [outcome, details]);
  fold = (): Promise<FoldReport> => this.#writer.call('fold', []);
  prune = (): Promise<PruneReport> => this.#writer.call('prune', [this.#clock.now(), this.#retention, this.#keepAfter]);
  keepShares(afterBatch: number | undefined): void {
    this.#keepAfter = afterBatch;
  }
  blocks = (page: PageRequest = {}) => this.#reader.call('blocks', [page]);
  block = (hash: string) => this.#reader.call('block', [hash]);
  summary = (subject: Subject = {}) => this.#reader.call('summary', [subject, this.#clock.now()]);
  account = (account: string, page: PageRequest = {}) =>
    this.#reader.call('account', [account, page, this.#clock.now()]);
  topAccounts = (limit = 10) => this.#reader.call('topAccounts', [limit, this.#clock.now()]);
  active = (sinceMs: number) => this.#reader.call('active', [sinceMs]);
  series = (request: SeriesRequest) => this.#reader.call('series', [request]);
  currentRound = (networkDifficulty?: number) =>
    this.#reader.call('currentRound', [networkDifficulty, this.#clock.now()]);
  rounds = (limit = 100) => this.#reader.call('rounds', [limit]);
  luck = (blocks = 100) => this.#reader.call('luck', [blocks]);
  roundOf = (blockHash: string) => this.#reader.call('roundOf', [blockHash]);
  windowBefore = (blockHash: string, work: bigint) => this.#reader.call('windowBefore', [blockHash, work]);
  shareLog = (afterId = 0) => this.#reader.call('shareLog', [afterId]);

  /** In a thread of its own: copying a large file takes a while. */
  async backup(path: string): Promise<void> {
    if (this.#engine === 'postgres') throw new PoolError('not_supported', 'PostgreSQL is backed up by its own pg_dump');
    if (this.#closing !== undefined) throw new PoolError('closed', 'the ledger is closed');
    const thread = this.#thread('backup');
    try {
      await thread.open();
      await thread.call('backup', [path, { replace: true }]);
    } finally {
      await thread.close();
    }
  }

  async stats(): Promise<LedgerStats> {
    const { oldestUnfoldedMs, ...storage } = await this.#reader.call('stats', []);
    return {
      engine: this.#engine,
      ...storage,
      foldLagMs: oldestUnfoldedMs === undefined ? 0 : Math.max(0, this.#clock.now() - oldestUnfoldedMs),
      lastCommitMs: this.#lastCommitMs,
      commitLatencyMs: this.#commitLatencyMs,
      pendingCommits: this.#commits,
      threadRestarts: this.#writer.restarts + this.#reader.restarts,
    };
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      for (const timer of this.#timers) timer.cancel();
      await Promise.all([this.#writer.close(), this.#reader.close()]);
    })();
    return this.#closing;
  }
}
