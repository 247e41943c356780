/** A FIFO with a bound, as a ring. `push` answers false when full: the caller decides what pressure to apply. */
export class BoundedQueue<T> {
  readonly capacity: number;
  #items: (T | undefined)[];
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#items = new Array<T | undefined>(Math.min(capacity, 16));
  }

  get size(): number {
    return this.#size;
  }
  get isFull(): boolean {
    return this.#size >= this.capacity;
  }

  push(item: T): boolean {
    if (this.#size >= this.capacity) return false;
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#size) % this.#items.length] = item;
    this.#size++;
    return true;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#items.length;
    this.#size--;
    return item;
  }

  clear(): void {
    this.#items = new Array<T | undefined>(Math.min(this.capacity, 16));
    this.#head = 0;
    this.#size = 0;
  }

  #grow(): void {
    const grown = new Array<T | undefined>(Math.min(this.capacity, this.#items.length * 2));
    for (let i = 0; i < this.#size; i++) grown[i] = this.#items[(this.#head + i) % this.#items.length];
    this.#items = grown;
    this.#head = 0;
  }
}

/** A map that forgets its oldest entry when a new one would pass the bound. */
export class BoundedMap<K, V> {
  readonly capacity: number;
  readonly #map = new Map<K, V>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#map.size;
  }
  get(key: K): V | undefined {
    return this.#map.get(key);
  }
  has(key: K): boolean {
    return this.#map.has(key);
  }
  /** Stores; returns the entry that had to go, if one had to. */
  set(key: K, value: V): [K, V] | undefined {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= this.capacity) return undefined;
    const oldest = this.#map.entries().next().value;
    if (oldest !== undefined) this.#map.delete(oldest[0]);
    return oldest;
  }
  delete(key: K): boolean {
    return this.#map.delete(key);
  }
  clear(): void {
    this.#map.clear();
  }
  entries(): IterableIterator<[K, V]> {
    return this.#map.entries();
  }
  values(): IterableIterator<V> {
    return this.#map.values();
  }
}

/** A set that forgets its oldest member when a new one would pass the bound. */
export class BoundedSet<T> {
  readonly #map: BoundedMap<T, true>;
  constructor(capacity: number) {
    this.#map = new BoundedMap(capacity);
  }
  get size(): number {
    return this.#map.size;
  }
  has(item: T): boolean {
    return this.#map.has(item);
  }
  /** Adds; false when it was there already. */
  add(item: T): boolean {
    if (this.#map.has(item)) return false;
    this.#map.set(item, true);
    return true;
  }
}

/** Allows `burst` at once and `perSecond` on average. Takes time as an argument, so it needs no clock or timer. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #lastMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#lastMs = nowMs;
  }

  /** Takes `cost` tokens if there are as many. */
  take(nowMs: number, cost = 1): boolean {
    // A clock that went back must not let the same time count twice.
    if (nowMs > this.#lastMs) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#lastMs) * this.#perMs);
      this.#lastMs = nowMs;
    }
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }
}
