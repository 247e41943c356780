import { Histogram, type RejectCode } from '@headframe/primitives';

/** Counters of shares since the start. */
export class ShareStats {
  accepted = 0;
  /** Sum of the difficulties of accepted shares. */
  work = 0;
  /** Seconds from the receipt of accepted shares to their replies. */
  readonly latency = new Histogram();
  /** When the shares came that {@link answered} was told of last, and how many. */
  #fromMs = 0;
  #count = 0;
  readonly #rejected = new Map<RejectCode, number>();

  refused(code: RejectCode): void {
    this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + 1);
  }

  /**
   * An accepted share that came at `receivedMs` was answered at `nowMs`, both monotonic. Shares that came together are
   * gathered and recorded at once; {@link answeredAll} ends them.
   */
  answered(receivedMs: number, nowMs: number): void {
    if (receivedMs !== this.#fromMs) {
      this.answeredAll(nowMs);
      this.#fromMs = receivedMs;
    }
    this.#count++;
  }

  /** Records what has gathered. */
  answeredAll(nowMs: number): void {
    if (this.#count === 0) return;
    this.latency.record((nowMs - this.#fromMs) / 1000, this.#count);
    this.#count = 0;
  }

  /** Refused shares by code; codes that never occurred are left out. */
  rejected(): Partial<Record<RejectCode, number>> {
    return Object.fromEntries(this.#rejected);
  }
}
