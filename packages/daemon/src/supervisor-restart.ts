import { PoolError } from '@headframe/primitives';
import type { RestartOptions } from './supervisor-options.js';

/** Decides when a node that ended is started again: pauses that double, and a bound on restarts in a window. */
export class RestartBudget {
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #stableAfterMs: number;
  readonly #maxRestarts: number;
  readonly #windowMs: number;
  /** Times of restarts inside the window, oldest first; never more than `maxRestarts`. */
  #times: number[] = [];
  #delayMs: number;

  /** @throws PoolError `invalid_argument` for bounds that make no sense */
  constructor(options: RestartOptions = {}) {
    this.#minDelayMs = check('minDelayMs', options.minDelayMs ?? 1000);
    this.#maxDelayMs = check('maxDelayMs', options.maxDelayMs ?? 60_000);
    this.#stableAfterMs = check('stableAfterMs', options.stableAfterMs ?? 600_000);
    this.#maxRestarts = check('maxRestarts', options.maxRestarts ?? 10);
    this.#windowMs = check('windowMs', options.windowMs ?? 3_600_000);
    if (this.#maxDelayMs < this.#minDelayMs) {
      throw new PoolError('invalid_argument', 'restart.maxDelayMs is below restart.minDelayMs');
    }
    this.#delayMs = this.#minDelayMs;
  }

  /** Restarts in the window that ends now. */
  get count(): number {
    return this.#times.length;
  }

  /**
   * Milliseconds to wait before the next start, or undefined when that would be one too many. `readyForMs`: how long the
   * node was ready; `isSlow`: a quick restart cannot help (a full disk).
   */
  next(nowMs: number, readyForMs: number, isSlow = false): number | undefined {
    this.#times = this.#times.filter((time) => nowMs - time < this.#windowMs);
    if (this.#times.length >= this.#maxRestarts) return undefined;
    this.#times.push(nowMs);
    if (readyForMs >= this.#stableAfterMs) this.#delayMs = this.#minDelayMs;
    const delayMs = isSlow ? this.#maxDelayMs : this.#delayMs;
    this.#delayMs = Math.min(this.#maxDelayMs, Math.max(1, this.#delayMs) * 2);
    return delayMs;
  }

  reset(): void {
    this.#times = [];
    this.#delayMs = this.#minDelayMs;
  }
}

function check(name: string, value: number): number {
  if (value >= 0) return value;
  throw new PoolError('invalid_argument', `restart.${name} must not be negative (found ${value})`);
}
