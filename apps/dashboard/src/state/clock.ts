/** The server's time, as this browser can tell it: miners' clocks are often right and readers' clocks often wrong. */
export class Clock {
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #offsetMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  now(): number {
    return this.#now() + this.#offsetMs;
  }

  /** Sets it by a time the server just told. Small differences are the way there, not the clock. */
  adjust(serverMs: number): void {
    const offset = serverMs - this.#now();
    this.#offsetMs = Math.abs(offset) < 5_000 ? 0 : offset;
  }

  tick(): void {
    for (const listener of this.#listeners) listener();
  }

  /** @returns what ends it */
  onTick(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
