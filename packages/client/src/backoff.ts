/** How a client comes back after it lost its pool. */
export interface ReconnectPolicy {
  /** Longest wait after the first failure; doubled with each further one. Default 1,000. */
  readonly minDelayMs?: number;
  /** Default 60,000. */
  readonly maxDelayMs?: number;
  /** Failures in a row after which it stays away. Default: it never gives up. */
  readonly maxFailures?: number;
}

/** A random wait may be next to nothing; a pool that is down must not be dialled in a loop. */
const FLOOR_MS = 50;

/** Growing waits with full jitter: anything between nothing and the bound is equally likely. */
export class Backoff {
  readonly #policy: ReconnectPolicy;
  readonly #random: () => number;
  #failures = 0;

  /** @param random a number from 0 up to 1 */
  constructor(policy: ReconnectPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Counts a failure; the wait before the next try, or undefined when it was the last. */
  failed(): number | undefined {
    const { minDelayMs = 1000, maxDelayMs = 60_000, maxFailures } = this.#policy;
    const fullMs = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    if (maxFailures !== undefined && this.#failures >= maxFailures) return undefined;
    // All of it random: a pool that restarts must not get all its miners back in one second.
    return Math.max(Math.min(FLOOR_MS, fullMs), fullMs * this.#random());
  }

  /** The next failure is the first again. */
  reset(): void {
    this.#failures = 0;
  }
}
