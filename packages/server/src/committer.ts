import { randomBytes } from 'node:crypto';
import type { ShareBatch, ShareRecord } from '@headframe/mining';
import { type Clock, Histogram, type Logger, PoolError, type Timer } from '@headframe/primitives';

/** First wait after a failed commit; doubled up to the bound. Short, because miners wait for their replies. */
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;
/** Commits that may come at once after a rest. Enough that a quiet pool never waits, few enough to end within 0.2 s. */
const COMMIT_BURST = 64;

export interface CommitterOptions<Entry> {
  /** Sends a batch to the ledger; resolves when it is durable. A batch sent twice counts once. */
  readonly commit: (batch: ShareBatch) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Entries that may wait in all; from there on {@link Committer.isFull}. */
  readonly capacity: number;
  readonly sharesPerCommit: number;
  /** From there on, shares gather for some ms: a commit costs CPU and disk whatever its size. */
  readonly commitsPerSecond: number;
  readonly timeoutMs: number;
  /** The entries' batch is durable. The array is only valid during the call. */
  readonly onCommitted: (entries: readonly Entry[]) => void;
  /** There is room again after it was full. */
  readonly onRoom: () => void;
}

/**
 * Hands share records to the ledger in batches, one batch at a time: what comes in meanwhile makes up the next (group
 * commit), so a slow disk makes batches larger and not the queue of commits longer. A batch that fails is sent again
 * under the same number until it is durable; nothing is dropped and nothing overtakes.
 */
export class Committer<Entry> {
  /** Unique per process start. */
  readonly epoch: string = randomBytes(8).toString('hex');
  /** Seconds from the first attempt to commit a batch until it was durable. */
  readonly seconds = new Histogram();
  readonly #options: CommitterOptions<Entry>;
  #sentMs = 0;
  #records: ShareRecord[] = [];
  #entries: Entry[] = [];
  #batch: ShareBatch | undefined = undefined;
  #batchEntries: Entry[] = [];
  #sequence = 0;
  #retryMs = RETRY_FIRST_MS;
  #timer: Timer | undefined = undefined;
  #attempt = 0;
  #wasFull = false;
  #closed = false;
  #draining = false;
  /** Runs while the next commit waits for its turn. */
  #turn: Timer | undefined = undefined;
  #turns = COMMIT_BURST;
  #turnsMs: number;
  #onIdle: (() => void) | undefined = undefined;

  constructor(options: CommitterOptions<Entry>) {
    this.#options = options;
    this.#turnsMs = options.clock.monotonic();
  }

  /** Records that are not durable yet. */
  get pending(): number {
    return this.#records.length + (this.#batch?.shares.length ?? 0);
  }

  /** True when the producers should pause. What they bring all the same is still taken. */
  get isFull(): boolean {
    const full = this.pending >= this.#options.capacity;
    if (full) this.#wasFull = true;
    return full;
  }

  /** Consecutive failures of the batch under way. */
  get failures(): number {
    return Math.max(0, this.#attempt - 1);
  }

  /** Puts a record into the batch being gathered; `entry` is handed to `onCommitted` with it. */
  add(record: ShareRecord, entry?: Entry): void {
    this.#records.push(record);
    if (entry !== undefined) this.#entries.push(entry);
  }

  /** Sends what has gathered, unless a batch is under way or was just now: then it goes with the next. */
  flush(): void {
    if (this.#batch !== undefined || this.#records.length === 0 || this.#closed || !this.#takeTurn()) return;
    const { sharesPerCommit } = this.#options;
    let records = this.#records;
    let entries = this.#entries;
    if (records.length <= sharesPerCommit) {
      this.#records = [];
      this.#entries = [];
    } else {
      // Entries come in the order of their records, but rejected shares have none: count those of the part.
      records = records.slice(0, sharesPerCommit);
      let accepted = 0;
      for (const record of records) if (record.result === 'accepted') accepted++;
      entries = this.#entries.slice(0, accepted);
      this.#records = this.#records.slice(sharesPerCommit);
      this.#entries = this.#entries.slice(accepted);
    }
    this.#batchEntries = entries;
    this.#batch = { epoch: this.epoch, sequence: ++this.#sequence, shares: records };
    this.#retryMs = RETRY_FIRST_MS;
    this.#attempt = 0;
    this.#sentMs = this.#options.clock.monotonic();
    this.#send();
  }

  /** True when a commit may begin now; otherwise it will when its turn has come. A full batch does not wait. */
  #takeTurn(): boolean {
    const { clock, commitsPerSecond, sharesPerCommit } = this.#options;
    if (commitsPerSecond === Number.POSITIVE_INFINITY) return true;
    const isUrgent = this.#draining || this.#records.length >= sharesPerCommit;
    if (this.#turn !== undefined && !isUrgent) return false;
    this.#countTurns();
    if (this.#turns >= 1 || isUrgent) {
      this.#endWait();
      this.#turns = Math.max(0, this.#turns - 1);
      return true;
    }
    const waitMs = Math.ceil(((1 - this.#turns) * 1000) / commitsPerSecond);
    this.#turn = clock.setTimeout(() => {
      this.#turn = undefined;
      this.#countTurns();
      // The timer may be a little early.
      this.#turns = Math.max(1, this.#turns);
      this.flush();
    }, waitMs);
    return false;
  }

  /** Turns grow with time. */
  #countTurns(): void {
    const nowMs = this.#options.clock.monotonic();
    const grown = ((nowMs - this.#turnsMs) * this.#options.commitsPerSecond) / 1000;
    this.#turns = Math.min(COMMIT_BURST, this.#turns + grown);
    this.#turnsMs = nowMs;
  }

  /** Resolves when everything is durable, or after `timeoutMs`; false when something is left. */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#draining = true;
    this.flush();
    if (this.pending === 0) return true;
    const { clock } = this.#options;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      timer = clock.setTimeout(resolve, timeoutMs);
    });
    timer?.cancel();
    this.#onIdle = undefined;
    return this.pending === 0;
  }

  /** Stops trying. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#endWait();
  }

  #endWait(): void {
    this.#turn?.cancel();
    this.#turn = undefined;
  }

  #send(): void {
    const batch = this.#batch;
    if (batch === undefined || this.#closed) return;
    const attempt = ++this.#attempt;
    const { clock, timeoutMs } = this.#options;
    this.#timer = clock.setTimeout(() => {
      this.#failed(batch, attempt, new PoolError('request_timeout', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    let sent: Promise<unknown>;
    try {
      sent = this.#options.commit(batch);
    } catch (error) {
      sent = Promise.reject(error);
    }
    sent.then(
      () => this.#succeeded(batch),
      (error: unknown) => this.#failed(batch, attempt, error),
    );
  }

  #succeeded(batch: ShareBatch): void {
    // Late success of an attempt that had been given up counts as well: the batch is durable.
    if (this.#batch !== batch) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.seconds.record((this.#options.clock.monotonic() - this.#sentMs) / 1000);
    if (this.#attempt > 1) this.#options.log.info({ sequence: batch.sequence, attempts: this.#attempt }, 'commit done');
    const entries = this.#batchEntries;
    this.#batch = undefined;
    this.#batchEntries = [];
    this.flush();
    this.#options.onCommitted(entries);
    if (this.#wasFull && this.pending < this.#options.capacity / 2) {
      this.#wasFull = false;
      this.#options.onRoom();
    }
    if (this.pending === 0) this.#onIdle?.();
  }

  #failed(batch: ShareBatch, attempt: number, error: unknown): void {
    if (this.#batch !== batch || attempt !== this.#attempt || this.#closed) return;
    this.#timer?.cancel();
    const { log, clock } = this.#options;
    log.error({ err: error, sequence: batch.sequence, attempt, shares: batch.shares.length }, 'commit failed');
    const waitMs = this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    this.#timer = clock.setTimeout(() => this.#send(), waitMs);
  }
}
