import { FIRST_DERIVED_JOB_ID } from '@headframe/mining';

/** Ids per second of the clock. 16 wrap after 4.2 years and leave room for test chains with many blocks a second. */
const IDS_PER_SECOND = 16;

/**
 * Ids of the core's jobs: sixteenths of a unix second modulo 2^31, and always above the one before. A restart thus
 * begins above all recent ids, as long as there are not more than sixteen jobs per second on average.
 */
export class JobIds {
  #last = -1;

  /** The next id: unsigned, below 2^31, not 0. */
  next(nowMs: number): number {
    const ticks = Math.floor((nowMs / 1000) * IDS_PER_SECOND) % FIRST_DERIVED_JOB_ID;
    let id = this.#last + 1;
    // Further than half the range behind is a wrapped clock, not one that was set back.
    if (ticks > id || id - ticks > FIRST_DERIVED_JOB_ID / 2) id = ticks;
    if (id >= FIRST_DERIVED_JOB_ID || id < 1) id = 1;
    this.#last = id;
    return id;
  }
}
