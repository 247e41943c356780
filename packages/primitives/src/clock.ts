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
  /** Calls once after `delayMs`. Does not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Calls every `periodMs`. Does not keep the process alive. */
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

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => new NodeTimer(setTimeout(callback, delayMs)),
  setInterval: (callback, periodMs) => new NodeTimer(setInterval(callback, periodMs)),
};
