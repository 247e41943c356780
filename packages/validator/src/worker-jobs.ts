import type { HashableJob } from '@headframe/mining';
import type { SentJob } from './batch.js';
import { BATCH_SHARES, WORKER_JOBS } from './limits.js';

/** A copy that owns its memory: a view would be cloned with the whole buffer it looks into. */
function detached(job: HashableJob): SentJob['job'] {
  return {
    coinbase1: new Uint8Array(job.coinbase1),
    coinbase2: new Uint8Array(job.coinbase2),
    extranonceLength: job.extranonceLength,
    merkleBranch: new Uint8Array(job.merkleBranch),
    previousHash: new Uint8Array(job.previousHash),
    nbits: job.nbits,
    algorithm: job.algorithm,
  };
}

/**
 * Which jobs a thread has been sent, by identity. Slots are a ring: a new job takes the place of the oldest, and an old
 * one that comes up again is sent again.
 */
export class WorkerJobs {
  readonly #serials = new WeakMap<HashableJob, number>();
  #next = 0;

  /** The slot of a job; appends to `send` when the thread has to be told first. */
  slotOf(job: HashableJob, send: SentJob[]): number {
    const known = this.#serials.get(job);
    // A batch can bring as many new jobs as it has shares, so the oldest slots may be overwritten before it is judged.
    if (known !== undefined && known >= this.#next - (WORKER_JOBS - BATCH_SHARES)) return known % WORKER_JOBS;
    const serial = this.#next;
    this.#next = serial + 1;
    this.#serials.set(job, serial);
    const slot = serial % WORKER_JOBS;
    send.push({ slot, job: detached(job) });
    return slot;
  }
}
