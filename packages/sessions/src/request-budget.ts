import type { Limits } from './limits.js';

/** How many requests a session may make: a burst, then a rate. */
export class RequestBudget {
  #tokens: number;
  #atMs: number;

  constructor(nowMs: number, limits: Limits) {
    this.#tokens = limits.requestBurst;
    this.#atMs = nowMs;
  }

  /** Charges `count` requests at `nowMs` (monotonic); false when the budget is used up. */
  take(count: number, nowMs: number, limits: Limits): boolean {
    if (nowMs > this.#atMs) {
      const tokens = this.#tokens + ((nowMs - this.#atMs) * limits.requestsPerSecond) / 1000;
      this.#tokens = Math.min(tokens, limits.requestBurst);
      this.#atMs = nowMs;
    }
    this.#tokens -= count;
    return this.#tokens > 0;
  }
}
