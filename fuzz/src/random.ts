/** A small seeded generator (mulberry32): the same seed gives the same inputs on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An unsigned 32-bit integer. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 to `limit - 1`; 0 when `limit` is below 1. */
  below(limit: number): number {
    return limit < 1 ? 0 : this.u32() % limit;
  }

  /** One of the items. */
  pick<T>(items: readonly T[], fallback: T): T {
    return items[this.below(items.length)] ?? fallback;
  }
}
