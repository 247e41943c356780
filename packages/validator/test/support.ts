import type { Worker } from 'node:worker_threads';
import type { HashableJob } from '@headframe/mining';
import type { PendingShare, StartWorker, ValidatorListener } from '../src/index.js';
import { startWorkerThread } from '../src/worker-slot.js';

/** Threads run from the build: Node 20 cannot start one from TypeScript. */
export const workerUrl = new URL('../dist/worker.js', import.meta.url);

const EVERYTHING = new Uint8Array(32).fill(0xff);

export function makeJob(changes: Partial<HashableJob> = {}): HashableJob {
  return {
    coinbase1: new Uint8Array(98).fill(1),
    coinbase2: new Uint8Array(140).fill(2),
    extranonceLength: 12,
    merkleBranch: new Uint8Array(64).fill(3),
    previousHash: new Uint8Array(32).fill(4),
    nbits: 0x1d00ffff,
    algorithm: 'sha256d',
    networkTarget: new Uint8Array(32),
    ...changes,
  };
}

let serial = 0;
export function makeShares(job: HashableJob, count: number): PendingShare[] {
  return Array.from({ length: count }, () => {
    serial++;
    return {
      job,
      version: 0x20000000,
      ntime: 1_700_000_000,
      nonce: serial,
      extranonce: new Uint8Array(job.extranonceLength).fill(serial & 255),
      shareTarget: EVERYTHING,
    };
  });
}

/** Counts what a validator says and lets tests wait for it. */
export class Listener implements ValidatorListener<PendingShare> {
  readonly evaluatedShares: PendingShare[] = [];
  readonly errors: Error[] = [];
  batches = 0;
  #target = 0;
  #resolve: (() => void) | undefined;

  evaluated(share: PendingShare): void {
    this.evaluatedShares.push(share);
  }
  failed(_share: PendingShare, error: Error): void {
    this.errors.push(error);
  }
  batchDone(): void {
    this.batches++;
    if (this.settled >= this.#target) this.#resolve?.();
  }
  drained(): void {}

  get settled(): number {
    return this.evaluatedShares.length + this.errors.length;
  }
  async waitFor(count: number): Promise<void> {
    this.#target = count;
    if (this.settled >= count) return;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
  }
}

/** Starts real threads and remembers them and what they were sent. */
export class Threads {
  readonly workers: Worker[] = [];
  readonly messages: { worker: number; message: { count: number; jobs: { slot: number; job: HashableJob }[] } }[] = [];
  readonly #start: StartWorker;
  #startedWaiting: { count: number; resolve: () => void } | undefined;

  constructor(start: StartWorker = startWorkerThread) {
    this.#start = start;
  }

  readonly start: StartWorker = (url, options) => {
    const worker = this.#start(url, options);
    const index = this.workers.push(worker) - 1;
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (message: (typeof this.messages)[number]['message'], transfer?: never) => {
      this.messages.push({ worker: index, message });
      post(message, transfer);
    };
    if (this.workers.length === this.#startedWaiting?.count) this.#startedWaiting.resolve();
    return worker;
  };

  async exited(index: number): Promise<void> {
    const worker = this.workers[index];
    if (worker === undefined) throw new Error(`no thread ${index}`);
    await new Promise<void>((resolve) => {
      worker.once('exit', () => setImmediate(resolve));
    });
  }
}
