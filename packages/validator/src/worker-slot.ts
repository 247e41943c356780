import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { HashBackend } from '@headframe/hashing';
import { type Clock, errorMessage, type Logger, type Timer } from '@headframe/primitives';
import type { Batch, BatchReply, BatchRequest, SentJob, WorkerMessage } from './batch.js';
import { BATCHES_PER_WORKER, RESTART_MAX_MS, RESTART_MIN_MS, WORKER_TIMEOUT_MS } from './limits.js';
import type { PendingShare } from './types.js';
import type { WorkerStart } from './worker.js';
import { WorkerJobs } from './worker-jobs.js';

/** Starts a thread; replaceable, to set resource limits or to watch threads in tests. */
export type StartWorker = (url: URL, options: WorkerOptions) => Worker;

export const startWorkerThread: StartWorker = (url, options) => new Worker(url, options);

/** What a slot tells its owner. Never called from inside `send`. */
export interface WorkerEvents<Share extends PendingShare> {
  /** `tookMs`: since the batch was sent. */
  judged(batch: Batch<Share>, reply: BatchReply, tookMs: number): void;
  /** The thread is gone with these batches, in order of their sending. `atWork`: it had been ready for them. */
  died(batches: readonly Batch<Share>[], reason: string, atWork: boolean): void;
  /** The thread can judge. */
  ready(): void;
}

export interface WorkerSlotOptions<Share extends PendingShare> {
  readonly name: string;
  readonly url: URL;
  readonly backend: 'auto' | HashBackend;
  readonly start: StartWorker;
  readonly events: WorkerEvents<Share>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Sent<Share extends PendingShare> {
  readonly batch: Batch<Share>;
  readonly atMs: number;
}

type SlotState<Share extends PendingShare> =
  | {
      readonly kind: 'running';
      readonly worker: Worker;
      readonly jobs: WorkerJobs;
      readonly sent: Map<number, Sent<Share>>;
    }
  | { readonly kind: 'waiting'; readonly timer: Timer }
  | { readonly kind: 'stopped' };

/** One place for a worker thread: starts it, gives it batches, replaces it when it dies. */
export class WorkerSlot<Share extends PendingShare> {
  readonly #options: WorkerSlotOptions<Share>;
  #state: SlotState<Share> = { kind: 'stopped' };
  /** Deaths since the last result. */
  #deaths = 0;
  /** The running thread has loaded its script. */
  isReady = false;
  restarts = 0;

  constructor(options: WorkerSlotOptions<Share>) {
    this.#options = options;
    this.#start();
  }

  /** Batches in the thread, or undefined when there is no thread. */
  get load(): number | undefined {
    return this.#state.kind === 'running' ? this.#state.sent.size : undefined;
  }

  /** True when another batch may be sent. */
  get hasRoom(): boolean {
    return this.#state.kind === 'running' && this.#state.sent.size < BATCHES_PER_WORKER;
  }

  /** Sends a batch to the running thread; false when it cannot be sent. */
  send(batch: Batch<Share>): boolean {
    const state = this.#state;
    if (state.kind !== 'running') return false;
    const { slots, buffer } = batch.pack();
    const jobs: SentJob[] = [];
    for (let i = 0; i < batch.count; i++) {
      const job = batch.job(i);
      if (job !== undefined) slots[i] = state.jobs.slotOf(job, jobs);
    }
    const request: BatchRequest = { id: batch.id, count: batch.count, buffer, jobs };
    state.worker.postMessage(request, [buffer]);
    batch.buffer = undefined;
    if (state.sent.size === 0) state.worker.ref();
    state.sent.set(batch.id, { batch, atMs: this.#options.clock.monotonic() });
    return true;
  }

  /** Ends a thread that has held a batch for too long; its end is then handled as any death. */
  checkTimeout(): void {
    const state = this.#state;
    if (state.kind !== 'running') return;
    const [oldest] = state.sent.values();
    if (oldest === undefined || this.#options.clock.monotonic() - oldest.atMs < WORKER_TIMEOUT_MS) return;
    this.#options.log.error({ worker: this.#options.name }, 'validation thread does not answer');
    this.kill();
  }

  /** Ends the thread as if it had died. */
  kill(): void {
    if (this.#state.kind === 'running') void this.#state.worker.terminate();
  }

  /** Ends the thread for good. Batches still in it come back through `died`. */
  async stop(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'waiting') state.timer.cancel();
    this.#state = { kind: 'stopped' };
    if (state.kind !== 'running') return;
    if (state.sent.size > 0) this.#options.events.died(batchesOf(state.sent), 'stopped', this.isReady);
    await state.worker.terminate();
  }

  #start(): void {
    const { url, start, name, backend } = this.#options;
    const workerData: WorkerStart = { backend };
    let worker: Worker;
    try {
      // Flags of this process (loaders, inspectors) are not the thread's business.
      worker = start(url, { name, workerData, execArgv: [] });
    } catch (error) {
      this.#wait(errorMessage(error));
      return;
    }
    const sent = new Map<number, Sent<Share>>();
    this.#state = { kind: 'running', worker, jobs: new WorkerJobs(), sent };
    let reason = '';
    worker.on('error', (error) => {
      reason = errorMessage(error);
    });
    worker.on('messageerror', (error) => {
      reason = errorMessage(error);
      void worker.terminate();
    });
    worker.on('message', (message: WorkerMessage) => {
      if (this.#state.kind !== 'running' || this.#state.worker !== worker) return;
      if (message.kind === 'judged') this.#answered(worker, sent, message);
      else {
        this.isReady = true;
        // From here on an idle thread does not keep the process alive.
        if (sent.size === 0) worker.unref();
        this.#options.events.ready();
      }
    });
    worker.on('exit', (code) => this.#exited(worker, sent, reason || `exit code ${code}`));
  }

  #answered(worker: Worker, sent: Map<number, Sent<Share>>, reply: BatchReply): void {
    const found = sent.get(reply.id);
    if (found === undefined) return;
    sent.delete(reply.id);
    if (sent.size === 0) worker.unref();
    this.#deaths = 0;
    found.batch.buffer = reply.buffer;
    this.#options.events.judged(found.batch, reply, this.#options.clock.monotonic() - found.atMs);
  }

  #exited(worker: Worker, sent: Map<number, Sent<Share>>, reason: string): void {
    if (this.#state.kind !== 'running' || this.#state.worker !== worker) return;
    const wasReady = this.isReady;
    this.isReady = false;
    this.#wait(reason);
    this.#options.events.died(batchesOf(sent), reason, wasReady);
  }

  #wait(reason: string): void {
    const { clock, log, name } = this.#options;
    const delayMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** this.#deaths);
    this.#deaths++;
    log.error({ worker: name, reason, restartInMs: delayMs }, 'validation thread died');
    const timer = clock.setTimeout(() => {
      if (this.#state.kind !== 'waiting') return;
      this.restarts++;
      this.#start();
    }, delayMs);
    this.#state = { kind: 'waiting', timer };
  }
}

function batchesOf<Share extends PendingShare>(sent: Map<number, Sent<Share>>): Batch<Share>[] {
  return Array.from(sent.values(), ({ batch }) => batch);
}
