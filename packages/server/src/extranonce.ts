import { BoundedQueue, PoolError } from '@headframe/primitives';

/** Most bits of an index. */
const INDEX_BITS = 24;
/** Bytes of the prefix: one of the instance, three of the index. */
export const EXTRANONCE_PREFIX_LENGTH = 4;

export interface ExtranonceOptions {
  /** First byte of every prefix; unique among the edges of a pool. */
  readonly instance: number;
  /** Bytes of the prefix, 1 to 4. Below 4 there is no instance byte: all of it is index. Default 4. */
  readonly length?: number;
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
 * Hands out extranonce prefixes: instance byte and 24-bit index, most significant first (or a shorter index alone). Unique among live channels,
 * leases and those released less than the cooldown ago.
 */
export class ExtranonceAllocator {
  readonly #instance: number;
  readonly #length: number;
  readonly #mask: number;
  readonly #cooldownMs: number;
  readonly #limit: number;
  readonly #used = new Set<number>();
  readonly #cooling: BoundedQueue<Cooling>;
  #next: number;
  #page: Uint8Array = new Uint8Array(0);
  #pageAt = 0;

  /** @throws PoolError `invalid_argument` on an instance outside 0 to 255, a length outside 1 to 4, or a limit above 2^23 */
  constructor(options: ExtranonceOptions) {
    const length = options.length ?? EXTRANONCE_PREFIX_LENGTH;
    if (!Number.isInteger(length) || length < 1 || length > EXTRANONCE_PREFIX_LENGTH) {
      throw new PoolError(
        'invalid_argument',
        `an extranonce prefix has 1 to ${EXTRANONCE_PREFIX_LENGTH} bytes, not ${length}`,
      );
    }
    if (!Number.isInteger(options.instance) || options.instance < 0 || options.instance > 255) {
      throw new PoolError('invalid_argument', `extranonce instance must be 0 to 255, not ${options.instance}`);
    }
    // With half of the room free, the search for a free index takes two steps on average.
    if (options.limit < 1 || options.limit > 2 ** (INDEX_BITS - 1)) {
      throw new PoolError('invalid_argument', `extranonce limit must be 1 to ${2 ** (INDEX_BITS - 1)}`);
    }
    const bits = Math.min(INDEX_BITS, 8 * length);
    this.#instance = options.instance;
    this.#length = length;
    this.#mask = 2 ** bits - 1;
    // The same for a short index, except that the last of few miners may have to be searched for.
    this.#limit = Math.min(options.limit, length === 1 ? 2 ** bits : 2 ** (bits - 1));
    this.#cooldownMs = options.cooldownMs;
    this.#cooling = new BoundedQueue(options.limit);
    this.#next = (options.firstIndex ?? Math.floor(Math.random() * 2 ** INDEX_BITS)) & this.#mask;
  }

  /** Bytes of a prefix. */
  get length(): number {
    return this.#length;
  }

  /** Prefixes that are in use or cooling down. */
  get used(): number {
    return this.#used.size;
  }

  /** A free prefix, or undefined when the limit is reached. */
  allocate(nowMs: number): Uint8Array | undefined {
    this.#thaw(nowMs);
    if (this.#used.size >= this.#limit) return undefined;
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) & this.#mask;
    const index = this.#next;
    this.#next = (index + 1) & this.#mask;
    this.#used.add(index);
    const prefix = this.#cut();
    let rest = index;
    for (let i = prefix.length - 1; i >= 0; i--) {
      prefix[i] = rest & 255;
      rest >>>= 8;
    }
    if (prefix.length === EXTRANONCE_PREFIX_LENGTH) prefix[0] = this.#instance;
    return prefix;
  }

  /** Gives a prefix back. `fresh`: no work was ever sent for it, so it need not rest. */
  release(prefix: Uint8Array, nowMs: number, fresh = false): void {
    // One that another allocator gave out, before the sizes changed.
    if (prefix.length !== this.#length) return;
    let index = 0;
    for (let i = Math.max(0, prefix.length - 3); i < prefix.length; i++) index = (index << 8) | (prefix[i] ?? 0);
    if (!this.#used.has(index)) return;
    if (fresh) this.#used.delete(index);
    else this.#cooling.push({ index, untilMs: nowMs + this.#cooldownMs });
  }

  #cut(): Uint8Array {
    if (this.#pageAt >= this.#page.length) {
      this.#page = new Uint8Array(PAGE_PREFIXES * this.#length);
      this.#pageAt = 0;
    }
    this.#pageAt += this.#length;
    return this.#page.subarray(this.#pageAt - this.#length, this.#pageAt);
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
