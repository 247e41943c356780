import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Limits } from './limits.js';

/** Measures how late the event loop is. */
export interface LoopDelayMonitor {
  /** Mean delay in milliseconds since the last call. */
  sample(): number;
  close(): void;
}

/** 20 ms: fifty samples per mean, and a timer that costs nothing measurable. */
const RESOLUTION_MS = 20;

/** The event loop of this process. */
export function createLoopDelayMonitor(): LoopDelayMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let lastCount = 0;
  let lastSum = 0;
  return {
    sample() {
      const { count, mean } = histogram;
      // By difference: reset() would lose the interval under way, and in an overload that is the one that matters.
      const sum = count === 0 ? 0 : mean * count;
      const newOnes = count - lastCount;
      const meanMs = newOnes === 0 ? 0 : (sum - lastSum) / newOnes / 1e6 - RESOLUTION_MS;
      lastCount = count;
      lastSum = sum;
      return Math.max(0, meanMs);
    },
    close: () => {
      histogram.disable();
    },
  };
}

/** Decides when to refuse new connections, with hysteresis so that it does not flap. */
export class OverloadGate {
  readonly #enterMs: number;
  readonly #leaveMs: number;
  #busy = false;
  #delayMs = 0;

  constructor(limits: Limits) {
    this.#enterMs = limits.overloadDelayMs;
    this.#leaveMs = Math.min(limits.overloadRecoverMs, limits.overloadDelayMs);
  }

  get busy(): boolean {
    return this.#busy;
  }
  /** The last sample. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Takes a sample; true when `busy` changed by it. */
  update(delayMs: number): boolean {
    this.#delayMs = delayMs;
    const busy = this.#busy ? delayMs >= this.#leaveMs : delayMs > this.#enterMs;
    if (busy === this.#busy) return false;
    this.#busy = busy;
    return true;
  }
}
