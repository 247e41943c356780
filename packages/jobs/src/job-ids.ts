import { FIRST_DERIVED_JOB_ID } from '@headframe/mining';

/**
 * Ids of the core's jobs: unix seconds at first, then one more each time, never behind the clock. A restart thus
 * begins above all ids used before, as long as there is not more than one job per second on average.
 * 2^31 is reached in 2038; ids wrap then.
 */
export class JobIds {
  #last = -1;

  /** The next id: unsigned, below 2^31, not 0. */
  next(nowMs: number): number {
    const seconds = Math.floor(nowMs / 1000) % FIRST_DERIVED_JOB_ID;
    let id = this.#last + 1;
    // Further than half the range behind is a wrapped clock, not one that was set back.
    if (seconds > id || id - seconds > FIRST_DERIVED_JOB_ID / 2) id = seconds;
    if (id >= FIRST_DERIVED_JOB_ID || id < 1) id = 1;
    this.#last = id;
    return id;
  }
}
