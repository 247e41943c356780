import type { Clock, Timer } from '@headframe/primitives';

/** What a source had to say. */
export interface SourceReading<T> {
  /** The latest answer, if it is not too old to be told; undefined also where there is no such source. */
  readonly value: T | undefined;
  /** False when it failed, or did not answer in time. */
  readonly isUp: boolean;
}

/** An answer older than so many periods is not told any more. */
const STALE_PERIODS = 6;

/**
 * A part of the metrics that must be asked for. It is asked one question at a time and not more often than `everyMs`, and
 * nobody waits for it longer than `waitMs`: metrics matter most when the database is in trouble.
 */
export class MetricsSource<T> {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #waitMs: number;
  readonly #ask: () => Promise<T> | undefined;
  #value: T | undefined;
  #atMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isUp = true;
  #running: Promise<void> | undefined;

  /** `ask` gives undefined where there is nothing to ask. */
  constructor(
    clock: Clock,
    times: { readonly everyMs: number; readonly waitMs: number },
    ask: () => Promise<T> | undefined,
  ) {
    this.#clock = clock;
    this.#everyMs = times.everyMs;
    this.#waitMs = times.waitMs;
    this.#ask = ask;
  }

  /** Never rejects. */
  async read(): Promise<SourceReading<T>> {
    const nowMs = this.#clock.monotonic();
    if (this.#running === undefined && nowMs - this.#askedMs >= this.#everyMs) {
      this.#askedMs = nowMs;
      this.#running = this.#refresh().finally(() => {
        this.#running = undefined;
      });
    }
    if (this.#running !== undefined) await this.#wait(this.#running);
    const isFresh = this.#clock.monotonic() - this.#atMs < this.#everyMs * STALE_PERIODS;
    return { value: isFresh ? this.#value : undefined, isUp: this.#isUp };
  }

  async #refresh(): Promise<void> {
    try {
      this.#value = await this.#ask();
      this.#atMs = this.#clock.monotonic();
      this.#isUp = true;
    } catch {
      // Who failed has logged it; here it is `headframe_scrape_source_up`.
      this.#isUp = false;
    }
  }

  async #wait(running: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(() => {
        this.#isUp = false;
        resolve();
      }, this.#waitMs);
    });
    await Promise.race([running, late]);
    timer?.cancel();
  }
}
