import { BoundedQueue, PoolError } from '@headframe/primitives';

const INDEX_BITS = 24;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
/** Bytes of the prefix: one of the instance, three of the index. */
export const EXTRANONCE_PREFIX_LENGTH = 4;

export interface ExtranonceOptions {
  /** First byte of every prefix; unique among the edges of a pool. */
  readonly instance: number;
  /** Most prefixes in use, leased or cooling down at once. Stops a flood of connections from filling memory. */
  readonly limit: number;
  /**
   * How long a released prefix rests before another channel may get it. Longer than any job stays creditable:
   * otherwise the next owner could be paid again for the last one's shares.
   */
  readonly cooldownMs: number;
  /** First index; random by default, so that a restart does not hand out the prefixes of a minute ago. */
  readonly firstIndex?: number;
}

/** Prefixes are cut from pages of this many: a buffer of its own for each would cost more than the session's job. */
const PAGE_PREFIXES = 1024;

interface Cooling {
  readonly index: number;
  readonly untilMs: number;
}

/**
 * Hands out extranonce prefixes: instance byte and 24-bit index, most significant first. Unique among live channels,
 * leases and those released less than the cooldown ago.
 */
export class ExtranonceAllocator {
  readonly #instance: number;
  readonly #cooldownMs: number;
  readonly #limit: number;
  readonly #used = new Set<number>();
  readonly #cooling: BoundedQueue<Cooling>;
  #next: number;
  #page: Uint8Array = new Uint8Array(0);
  #pageAt = 0;

  /** @throws PoolError `invalid_argument` on an instance outside 0 to 255 or a limit above 2^23 */
  constructor(options: ExtranonceOptions) {
    if (!Number.isInteger(options.instance) || options.instance < 0 || options.instance > 255) {
      throw new PoolError('invalid_argument', `extranonce instance must be 0 to 255, not ${options.instance}`);
    }
    // With half of the room free, the search for a free index takes two steps on average.
    if (options.limit < 1 || options.limit > 2 ** (INDEX_BITS - 1)) {
      throw new PoolError('invalid_argument', `extranonce limit must be 1 to ${2 ** (INDEX_BITS - 1)}`);
    }
    this.#instance = options.instance;
    this.#limit = options.limit;
    this.#cooldownMs = options.cooldownMs;
    this.#cooling = new BoundedQueue(options.limit);
    this.#next = (options.firstIndex ?? Math.floor(Math.random() * 2 ** INDEX_BITS)) & INDEX_MASK;
  }

  /** Prefixes that are in use or cooling down. */
  get used(): number {
    return this.#used.size;
  }

  /** A free prefix, or undefined when the limit is reached. */
  allocate(nowMs: number): Uint8Array | undefined {
    this.#thaw(nowMs);
    if (this.#used.size >= this.#limit) return undefined;
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) & INDEX_MASK;
    const index = this.#next;
    this.#next = (index + 1) & INDEX_MASK;
    this.#used.add(index);
    const prefix = this.#cut();
    prefix[0] = this.#instance;
    prefix[1] = index >>> 16;
    prefix[2] = (index >>> 8) & 255;
    prefix[3] = index & 255;
    return prefix;
  }

  /** Gives a prefix back. `fresh`: no work was ever sent for it, so it need not rest. */
  release(prefix: Uint8Array, nowMs: number, fresh = false): void {
    const index = ((prefix[1] ?? 0) << 16) | ((prefix[2] ?? 0) << 8) | (prefix[3] ?? 0);
    if (!this.#used.has(index)) return;
    if (fresh) this.#used.delete(index);
    else this.#cooling.push({ index, untilMs: nowMs + this.#cooldownMs });
  }

  #cut(): Uint8Array {
    if (this.#pageAt >= this.#page.length) {
      this.#page = new Uint8Array(PAGE_PREFIXES * EXTRANONCE_PREFIX_LENGTH);
      this.#pageAt = 0;
    }
    this.#pageAt += EXTRANONCE_PREFIX_LENGTH;
    return this.#page.subarray(this.#pageAt - EXTRANONCE_PREFIX_LENGTH, this.#pageAt);
  }

  #thaw(nowMs: number): void {
    for (
      let first = this.#cooling.peek();
      first !== undefined && first.untilMs <= nowMs;
      first = this.#cooling.peek()
    ) {
      this.#cooling.shift();
      this.#used.delete(first.index);
    }
  }
}
