/** Something that wants to be looked at when a time has come. */
export interface Sweepable {
  /** Called once its deadline has passed; answers the next one (monotonic ms), or Infinity. */
  sweep(nowMs: number): number;
}

/**
 * Deadlines of many sessions without a timer each: one array of times that the shared sweeper walks. 10,000 sessions
 * cost some 10 us per walk, because only those that are due are touched.
 */
export class DeadlineTable<Item extends Sweepable> {
  #times = new Float64Array(64).fill(Number.POSITIVE_INFINITY);
  #items: (Item | undefined)[] = [];
  #free: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes an item in; the number names it from now on. */
  add(item: Item, dueMs: number): number {
    const slot = this.#free.pop() ?? this.#items.length;
    this.#items[slot] = item;
    if (slot >= this.#times.length) {
      const grown = new Float64Array(this.#times.length * 2).fill(Number.POSITIVE_INFINITY);
      grown.set(this.#times);
      this.#times = grown;
    }
    this.#times[slot] = dueMs;
    this.#size++;
    return slot;
  }

  /** Forgets an item; harmless when that was done before (`slot` -1). */
  remove(slot: number): void {
    if (slot < 0 || this.#items[slot] === undefined) return;
    this.#items[slot] = undefined;
    this.#times[slot] = Number.POSITIVE_INFINITY;
    this.#free.push(slot);
    this.#size--;
  }

  /** Replaces the deadline. */
  set(slot: number, dueMs: number): void {
    if (slot >= 0) this.#times[slot] = dueMs;
  }

  /** Makes the deadline earlier if `dueMs` is before it. */
  lower(slot: number, dueMs: number): void {
    if (slot >= 0 && dueMs < (this.#times[slot] ?? 0)) this.#times[slot] = dueMs;
  }

  /** Looks at every item that is due. Items may add and remove while it runs. */
  sweep(nowMs: number): void {
    const count = this.#items.length;
    for (let slot = 0; slot < count; slot++) {
      if ((this.#times[slot] ?? Number.POSITIVE_INFINITY) > nowMs) continue;
      const item = this.#items[slot];
      if (!item) continue;
      // Raised first: what `sweep` lowers while it runs must stay lowered.
      this.#times[slot] = Number.POSITIVE_INFINITY;
      const next = item.sweep(nowMs);
      if (this.#items[slot] === item) this.lower(slot, next);
    }
  }

  /** Every item, in no particular order. */
  *items(): IterableIterator<Item> {
    for (const item of this.#items) if (item) yield item;
  }
}
