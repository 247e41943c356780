import { sha256d } from '@headframe/hashing';
import { PoolError } from '@headframe/primitives';

const HEADER_BYTES = 80;
const HASH_BYTES = 32;
/** Room for this many entries at first; it doubles. */
const FIRST_CAPACITY = 1024;

/** A list of equal records in one buffer. */
class Records {
  readonly #width: number;
  #bytes: Uint8Array;
  length = 0;

  constructor(width: number) {
    this.#width = width;
    this.#bytes = new Uint8Array(width * FIRST_CAPACITY);
  }

  push(record: Uint8Array): void {
    const at = this.length * this.#width;
    if (at === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(record, at);
    this.length++;
  }

  /** A view of `count` records from `index` on. */
  view(index: number, count = 1): Uint8Array {
    return this.#bytes.subarray(index * this.#width, (index + count) * this.#width);
  }
}

/** Proof that a header belongs to a chain of `cpHeight + 1` headers. Internal order. */
export interface HeaderBranch {
  readonly branch: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/**
 * All headers of a chain, and the tree over their hashes as far as it can no longer change but by a reorganisation:
 * a proof against any checkpoint then costs a few dozen hashes. 150 bytes per block.
 */
export class HeaderChain {
  #headers = new Records(HEADER_BYTES);
  /** Level 0: hashes of headers; level k: nodes over 2^k of them, complete ones only. */
  readonly #levels: Records[] = [new Records(HASH_BYTES)];

  /** Number of headers; the tip's height plus one. */
  get length(): number {
    return this.#headers.length;
  }

  /** Adds the next header. `hash` in internal order. */
  push(header: Uint8Array, hash: Uint8Array): void {
    this.#headers.push(header);
    this.#level(0).push(hash);
  }

  /** Forgets all headers from `length` on. */
  truncate(length: number): void {
    this.#headers.length = Math.min(this.#headers.length, length);
    this.#levels.forEach((records, level) => {
      records.length = Math.min(records.length, Math.floor(length / 2 ** level));
    });
  }

  /** Up to `count` headers, 80 bytes each: a copy. */
  slice(start: number, count: number): Uint8Array {
    const from = Math.min(start, this.length);
    return this.#headers.view(from, Math.min(count, this.length - from)).slice();
  }

  /** Hash of the header at a height, internal order: a copy. */
  hash(height: number): Uint8Array {
    if (height < 0 || height >= this.length) throw new PoolError('invalid_argument', `no header at height ${height}`);
    return this.#level(0).view(height).slice();
  }

  /**
   * Branch of the header at `height` in the tree over headers 0 to `cpHeight`.
   * @throws PoolError `invalid_argument` unless height <= cpHeight <= tip
   */
  prove(height: number, cpHeight: number): HeaderBranch {
    if (height > cpHeight || cpHeight >= this.length) {
      throw new PoolError('invalid_argument', `header ${height} cannot be proved by checkpoint ${cpHeight}`);
    }
    const count = cpHeight + 1;
    const branch: Uint8Array[] = [];
    let level = 0;
    let index = height;
    for (; this.#width(level, count) > 1; level++) {
      const sibling = index ^ 1;
      branch.push(this.#node(level, sibling < this.#width(level, count) ? sibling : index, count));
      index >>>= 1;
    }
    return { branch, root: this.#node(level, 0, count) };
  }

  #level(level: number): Records {
    const records = this.#levels[level] ?? new Records(HASH_BYTES);
    this.#levels[level] = records;
    return records;
  }

  /** Nodes on a level of a tree over `count` leaves. */
  #width(level: number, count: number): number {
    return Math.ceil(count / 2 ** level);
  }

  #node(level: number, index: number, count: number): Uint8Array {
    if ((index + 1) * 2 ** level <= count) return this.#complete(level, index);
    // The right edge of this tree, where an odd node is paired with itself.
    const left = this.#node(level - 1, index * 2, count);
    const hasRight = index * 2 + 1 < this.#width(level - 1, count);
    return pairHash(left, hasRight ? this.#node(level - 1, index * 2 + 1, count) : left);
  }

  #complete(level: number, index: number): Uint8Array {
    const records = this.#level(level);
    for (let next = records.length; next <= index; next++) {
      records.push(pairHash(this.#complete(level - 1, next * 2), this.#complete(level - 1, next * 2 + 1)));
    }
    return records.view(index).slice();
  }
}

function pairHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const pair = new Uint8Array(2 * HASH_BYTES);
  pair.set(left);
  pair.set(right, HASH_BYTES);
  return sha256d(pair);
}
