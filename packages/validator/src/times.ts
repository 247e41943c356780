import { type Clock, Histogram, systemClock } from '@headframe/primitives';

/** What batches of shares wait for and take. One clock read per turn and two per batch, none per share. */
export class BatchTimes {
  /** Seconds from the submission of the oldest share of a batch until hashing began or a thread was given it. */
  readonly wait = new Histogram();
  /** Seconds that a batch was hashed; in a thread, until its answer was here. */
  readonly evaluation = new Histogram();
  readonly #clock: Clock;
  /** Submission of the oldest share that no batch has taken; negative while there is none. */
  #sinceMs = -1;
  #beganMs = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** A share came; costs a clock read when it is the first since a batch was taken. */
  queued(): void {
    if (this.#sinceMs < 0) this.#sinceMs = this.#clock.monotonic();
  }

  /** A batch was taken, and begins. `left`: shares remain in the queue, which count from now on. */
  taken(left = false): void {
    const nowMs = this.#clock.monotonic();
    if (this.#sinceMs >= 0) this.wait.record((nowMs - this.#sinceMs) / 1000);
    this.#sinceMs = left ? nowMs : -1;
    this.#beganMs = nowMs;
  }

  /** The shares went to another queue, which counts for itself. */
  moved(): void {
    this.#sinceMs = -1;
  }

  /** Hashing begins in this thread, of a batch that was taken earlier. */
  begin(): void {
    this.#beganMs = this.#clock.monotonic();
  }

  /** The batch begun last is hashed, in this thread. */
  judged(): void {
    this.evaluation.record((this.#clock.monotonic() - this.#beganMs) / 1000);
  }
}
