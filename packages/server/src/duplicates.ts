/** What {@link DuplicateSet.add} found. */
export type DuplicateVerdict = 'new' | 'seen' | 'full';

const WORDS = 4;
const FIRST_SLOTS = 16;

/**
 * The shares already accepted for one job of one channel, by the first 16 bytes of the header hash in internal order
 * (the end that proof of work does not force to zero).
 *
 * Open addressing over one Uint32Array: `add` looks at a handful of words, however many shares came before. Keys are
 * 128 bits: with 65,536 in the set, the chance that any share ever collides by accident is about 2^-97, and a miner
 * that searched for a collision would only reject itself. Nothing is ever evicted: when the bound is reached, the
 * answer is `full` and the caller must move the channel to fresh work.
 */
export class DuplicateSet {
  readonly capacity: number;
  #table: Uint32Array | undefined;
  #mask = 0;
  #size = 0;

  /** @param capacity most keys held; memory is allocated as keys arrive, 32 to 64 bytes per key */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the 16 bytes at `offset`. O(1); allocates only when it grows. */
  add(bytes: Uint8Array, offset: number): DuplicateVerdict {
    let table = this.#table;
    if (table === undefined || (this.#size * 2 >= table.length / WORDS && this.#size < this.capacity)) {
      table = this.#grow(table);
    }
    let a = word(bytes, offset);
    const b = word(bytes, offset + 4);
    const c = word(bytes, offset + 8);
    const d = word(bytes, offset + 12);
    // An empty slot is four zero words; a hash that begins with 128 zero bits (it will not happen) counts as one.
    if ((a | b | c | d) === 0) a = 1;
    let slot = a & this.#mask;
    for (;;) {
      const at = slot * WORDS;
      const w = table[at] ?? 0;
      const x = table[at + 1] ?? 0;
      const y = table[at + 2] ?? 0;
      const z = table[at + 3] ?? 0;
      if (w === a && x === b && y === c && z === d) return 'seen';
      if ((w | x | y | z) === 0) {
        if (this.#size >= this.capacity) return 'full';
        table[at] = a;
        table[at + 1] = b;
        table[at + 2] = c;
        table[at + 3] = d;
        this.#size++;
        return 'new';
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  #grow(old: Uint32Array | undefined): Uint32Array {
    const slots = old === undefined ? FIRST_SLOTS : (old.length / WORDS) * 2;
    const table = new Uint32Array(slots * WORDS);
    const mask = slots - 1;
    if (old !== undefined) {
      for (let from = 0; from < old.length; from += WORDS) {
        const a = old[from] ?? 0;
        if ((a | (old[from + 1] ?? 0) | (old[from + 2] ?? 0) | (old[from + 3] ?? 0)) === 0) continue;
        let slot = a & mask;
        while (!isEmpty(table, slot * WORDS)) slot = (slot + 1) & mask;
        for (let i = 0; i < WORDS; i++) table[slot * WORDS + i] = old[from + i] ?? 0;
      }
    }
    this.#table = table;
    this.#mask = mask;
    return table;
  }
}

function isEmpty(table: Uint32Array, at: number): boolean {
  return ((table[at] ?? 0) | (table[at + 1] ?? 0) | (table[at + 2] ?? 0) | (table[at + 3] ?? 0)) === 0;
}

/** Unsigned, so that it compares equal to what the table gives back. */
function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
  );
}
