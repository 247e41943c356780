/** A running timer. */
export interface Timer {
  /** Stops it; harmless when it already fired. */
  cancel(): void;
}

/** Where time comes from (STYLE P4). Everything that waits or reads the time takes one, so that tests can turn it. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /** Calls once after `delayMs`; never for `Infinity`. Does not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Calls every `periodMs`; never for `Infinity`. Does not keep the process alive. */
  setInterval(callback: () => void, periodMs: number): Timer;
}

class NodeTimer implements Timer {
  readonly #handle: NodeJS.Timeout;
  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
    handle.unref();
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
}

const NEVER: Timer = { cancel: () => {} };

/** Node's timers are 32 bits wide and fire at once for anything longer. */
const LONGEST_DELAY_MS = 0x7fffffff;

/** The machine's clock. Delays above 24.8 days count as 24.8 days. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) =>
    delayMs === Number.POSITIVE_INFINITY
      ? NEVER
      : new NodeTimer(setTimeout(callback, Math.min(delayMs, LONGEST_DELAY_MS))),
  setInterval: (callback, periodMs) =>
    periodMs === Number.POSITIVE_INFINITY
      ? NEVER
      : new NodeTimer(setInterval(callback, Math.min(periodMs, LONGEST_DELAY_MS))),
};
