import { availableParallelism } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { HashBackend } from '@headframe/hashing';
import {
  BoundedQueue,
  type Clock,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
} from '@headframe/primitives';
import { BATCH_LAYOUT, Batch, type BatchReply } from './batch.js';
import { Delivery } from './delivery.js';
import { BatchJudge, type JudgedJob } from './judge.js';
import { BATCH_SHARES, CLOSE_TIMEOUT_MS, DEFAULT_QUEUE, SMALLEST_SPLIT, WATCHDOG_PERIOD_MS } from './limits.js';
import type { ValidatorOptions } from './options.js';
import { BatchTimes } from './times.js';
import type { PendingShare, ShareValidator, ValidationMode, ValidatorStats } from './types.js';
import { type StartWorker, startWorkerThread, WorkerSlot } from './worker-slot.js';

export interface ThreadedValidatorOptions<Share extends PendingShare> extends ValidatorOptions<Share> {
  /** Worker threads; one fewer than cores by default, at least one. */
  readonly threads?: number;
  /** The thread's script. Only needed where this package runs from somewhere else than its own build. */
  readonly workerUrl?: URL;
  readonly startWorker?: StartWorker;
}

/** A validator that has threads. */
export interface ThreadedShareValidator<Share extends PendingShare> extends ShareValidator<Share> {
  /** Resolves when the first thread is up, or has failed to start. Shares need not wait for it. */
  readonly ready: Promise<void>;
}

/** A batch whose threads died this often is taken for the cause; its shares fail. */
const DEATHS = 2;

/**
 * Judges shares in worker threads: those of one turn are packed into batches, split over idle threads. Results are
 * delivered in the order of submission. When a thread dies its batches are tried once more, elsewhere; while no thread
 * lives, batches are judged here, so that a pool keeps working where threads cannot start at all.
 */
export class ThreadedValidator<Share extends PendingShare> implements ThreadedShareValidator<Share> {
  readonly mode: ValidationMode = 'threads';
  readonly backend: HashBackend;
  readonly #delivery: Delivery<Share>;
  readonly #times: BatchTimes;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #capacity: number;
  readonly #queue: BoundedQueue<Share>;
  /** Batches in order of submission; delivered from the front. Never more than there are pending shares. */
  readonly #order: BoundedQueue<Batch<Share>>;
  readonly #spare: Batch<Share>[] = [];
  readonly #slots: WorkerSlot<Share>[] = [];
  readonly #watchdog: Timer;
  /** For the time when no thread lives. */
  readonly #judge: BatchJudge;
  #nextId = 1;
  #pending = 0;
  #inThreads = 0;
  #scheduled = false;
  #delivering = false;
  /** Threads are being ended: what they still hold is judged here. */
  #stopping = false;
  #refused = false;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  #started: () => void = () => {};
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#started = resolve;
  });
  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#work();
  };

  constructor(options: ThreadedValidatorOptions<Share>) {
    const { backend = 'auto', log = silentLogger, clock = systemClock } = options;
    this.#judge = new BatchJudge(backend);
    this.backend = this.#judge.backend;
    this.#capacity = options.queue ?? DEFAULT_QUEUE;
    this.#delivery = new Delivery(options.listener, log);
    this.#clock = clock;
    this.#times = new BatchTimes(clock);
    this.#log = log;
    this.#queue = new BoundedQueue(this.#capacity);
    this.#order = new BoundedQueue(this.#capacity);
    const threads = options.threads ?? Math.max(1, availableParallelism() - 1);
    for (let i = 0; i < threads; i++) {
      const slot = new WorkerSlot<Share>({
        name: `headframe-validator-${i}`,
        url: options.workerUrl ?? new URL('./worker.js', import.meta.url),
        backend: this.backend,
        start: options.startWorker ?? startWorkerThread,
        events: {
          judged: (batch, reply, tookMs) => {
            this.#times.evaluation.record(tookMs / 1000);
            this.#judged(batch, reply);
          },
          died: (batches, reason, atWork) => {
            this.#started();
            this.#retry(batches, reason, atWork);
          },
          ready: () => this.#started(),
        },
        clock,
        log,
      });
      this.#slots.push(slot);
    }
    // Not one thread could even be made: nothing will report.
    if (this.#slots.every(({ load }) => load === undefined)) this.#started();
    this.#watchdog = clock.setInterval(() => {
      for (const slot of this.#slots) slot.checkTimeout();
    }, WATCHDOG_PERIOD_MS);
  }

  get pending(): number {
    return this.#pending;
  }
  /** A thread is up, so that a batch need not wait for one to start. */
  get hasReadyThread(): boolean {
    return this.#slots.some(({ isReady }) => isReady);
  }
  /** Shares that `submit` would take now. */
  get room(): number {
    return this.#closing === undefined ? this.#capacity - this.#pending : 0;
  }

  stats(): ValidatorStats {
    const { evaluated, failed } = this.#delivery;
    const workerRestarts = this.#slots.reduce((sum, { restarts }) => sum + restarts, 0);
    return {
      evaluated,
      failed,
      inThreads: this.#inThreads,
      workerRestarts,
      pending: this.#pending,
      wait: this.#times.wait.snapshot(),
      evaluation: this.#times.evaluation.snapshot(),
    };
  }

  submit(share: Share): boolean {
    if (this.room <= 0) {
      this.#refused = true;
      return false;
    }
    const { extranonce, job } = share;
    if (extranonce.length !== job.extranonceLength) {
      throw new PoolError(
        'invalid_argument',
        `the job takes ${job.extranonceLength} bytes of extranonce, not ${extranonce.length}`,
      );
    }
    this.#queue.push(share);
    this.#pending++;
    this.#times.queued();
    this.#schedule();
    // A full batch need not wait for the end of the turn.
    if (this.#queue.size >= BATCH_SHARES) this.#dispatch();
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  /** Gives what is queued to threads; without any thread, judges one batch here per turn. */
  #work(): void {
    this.#dispatch();
    if (this.#queue.size > 0 && !this.#slots.some(({ load }) => load !== undefined)) {
      this.#judgeHere(this.#take(BATCH_SHARES));
      this.#deliver();
      if (this.#queue.size > 0) this.#schedule();
    }
  }

  #dispatch(): void {
    while (this.#queue.size > 0) {
      const slot = this.#leastLoaded();
      if (slot === undefined || !slot.hasRoom) return;
      slot.send(this.#take(this.#chunk()));
    }
  }

  #leastLoaded(): WorkerSlot<Share> | undefined {
    let best: WorkerSlot<Share> | undefined;
    for (const slot of this.#slots) {
      if (slot.load !== undefined && (best?.load === undefined || slot.load < best.load)) best = slot;
    }
    return best;
  }

  /** How many of the queued shares make the next batch: an even part for each idle thread, in whole SIMD groups. */
  #chunk(): number {
    let idle = 0;
    for (const { load } of this.#slots) if (load === 0) idle++;
    if (idle <= 1) return BATCH_SHARES;
    const part = Math.ceil(this.#queue.size / idle / 4) * 4;
    return Math.min(BATCH_SHARES, Math.max(SMALLEST_SPLIT, part));
  }

  /** Moves up to `limit` queued shares into a batch at the end of the order. */
  #take(limit: number): Batch<Share> {
    const batch = this.#spare.pop() ?? new Batch<Share>();
    batch.reset(this.#nextId++);
    while (batch.count < limit) {
      const share = this.#queue.shift();
      if (share === undefined) break;
      batch.add(share);
    }
    this.#order.push(batch);
    this.#times.taken(this.#queue.size > 0);
    return batch;
  }

  #judgeHere(batch: Batch<Share>): void {
    const { records, results, pow } = batch.pack();
    const jobs: JudgedJob[] = [];
    for (let i = 0; i < batch.count; i++) {
      const job = batch.job(i);
      if (job !== undefined) jobs.push(job);
    }
    this.#times.begin();
    const failures = this.#judge.judge(jobs, records, batch.count, results, pow);
    this.#times.judged();
    batch.state = { kind: 'judged', failures };
  }

  #judged(batch: Batch<Share>, reply: BatchReply): void {
    batch.state = { kind: 'judged', failures: reply.failures };
    if (reply.thread !== threadId) this.#inThreads += batch.count - reply.failures.length;
    this.#deliver();
    this.#work();
  }

  /** A thread died with these batches. Once more elsewhere; at the second death the batch is given up. */
  #retry(batches: readonly Batch<Share>[], reason: string, atWork: boolean): void {
    for (const batch of batches) {
      // A thread that never started did not die of the batch.
      if (atWork) batch.attempts++;
      if (batch.attempts >= DEATHS && !this.#stopping) {
        this.#log.error({ shares: batch.count, reason }, 'shares lost: validation threads died twice over them');
        batch.state = { kind: 'lost', error: new PoolError('worker_failed', `validation threads died: ${reason}`) };
      } else if (this.#stopping || this.#leastLoaded()?.send(batch) !== true) this.#judgeHere(batch);
    }
    this.#deliver();
    this.#work();
  }

  /** Delivers settled batches from the front of the order. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    for (;;) {
      const batch = this.#order.peek();
      if (batch === undefined || batch.state.kind === 'open') break;
      this.#order.shift();
      this.#pending -= batch.count;
      if (batch.state.kind === 'lost') this.#delivery.fail(batch.shares, batch.count, batch.state.error);
      else {
        this.#delivery.deliver(batch.shares, batch.count, {
          bytes: new Uint8Array(batch.buffer ?? new ArrayBuffer(0)),
          resultsAt: BATCH_LAYOUT.results,
          powAt: BATCH_LAYOUT.pow,
          failures: batch.state.failures,
        });
      }
      if (this.#spare.length < 4 * this.#slots.length) this.#spare.push(batch);
    }
    this.#delivering = false;
    if (this.#refused && this.#closing === undefined && this.#pending <= this.#capacity / 2) {
      this.#refused = false;
      this.#delivery.drained();
    }
    if (this.#pending === 0) this.#idle?.();
  }

  /**
   * Takes no more shares, waits until all are judged (threads that do not answer within five seconds are ended and
   * their shares judged here), then ends the threads.
   */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    const timer = this.#clock.setTimeout(() => {
      this.#stopping = true;
      for (const slot of this.#slots) void slot.stop();
      this.#schedule();
    }, CLOSE_TIMEOUT_MS);
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        this.#schedule();
      });
    }
    timer.cancel();
    this.#watchdog.cancel();
    await Promise.all(this.#slots.map((slot) => slot.stop()));
  }
}

/** A validator that hashes in worker threads. Right for heavy algorithms, and for light ones when cores are idle. */
export function createThreadedValidator<Share extends PendingShare>(
  options: ThreadedValidatorOptions<Share>,
): ThreadedShareValidator<Share> {
  return new ThreadedValidator(options);
}
