import type { RejectCode } from '@headframe/primitives';

/** Counters of shares since the start. */
export class ShareStats {
  accepted = 0;
  /** Sum of the difficulties of accepted shares. */
  work = 0;
  readonly #rejected = new Map<RejectCode, number>();

  refused(code: RejectCode): void {
    this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + 1);
  }

  /** Refused shares by code; codes that never occurred are left out. */
  rejected(): Partial<Record<RejectCode, number>> {
    return Object.fromEntries(this.#rejected);
  }
}
