import { ApiError } from './client.js';

/** What is known of one answer. `data` stays while it is asked for again and when that fails. */
export interface Entry {
  readonly data: unknown;
  readonly error: ApiError | undefined;
  /** Unix milliseconds of `data`; 0 before the first. */
  readonly updatedMs: number;
}

export interface StoreOptions {
  readonly load: (path: string) => Promise<unknown>;
  readonly now: () => number;
  readonly later: (run: () => void, ms: number) => void;
}

/** Answers that nobody looks at any more but that are kept for the way back. */
const MAX_IDLE_ENTRIES = 50;

/** Least time between two requests of one address that events ask for. */
const MIN_INTERVAL_MS = 2_000;

/** The same for events that come every few seconds: statistics change slowly, and requests are counted. */
const REGULAR_INTERVAL_MS = 20_000;
const REGULAR_TOPICS: ReadonlySet<string> = new Set(['pool', 'job']);

/** An answer that is younger is shown without asking again when a page is opened. */
const FRESH_MS = 3_000;

const EMPTY: Entry = { data: undefined, error: undefined, updatedMs: 0 };

interface Slot {
  entry: Entry;
  topics: ReadonlySet<string>;
  readonly listeners: Set<() => void>;
  loading: boolean;
  /** Asked for again while it was loading. */
  again: boolean;
  waiting: boolean;
}

/** Answers of the API by path, shared by everything on the page, asked for again when an event says they are old. */
export class Store {
  readonly #options: StoreOptions;
  readonly #slots = new Map<string, Slot>();
  #outcome: (isReached: boolean) => void = () => {};

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** Calls back after every request with whether the server was reached. One listener. */
  onOutcome(listener: (isReached: boolean) => void): void {
    this.#outcome = listener;
  }

  read(path: string): Entry {
    return this.#slots.get(path)?.entry ?? EMPTY;
  }

  /** Keeps an answer up to date until the returned function is called. */
  watch(path: string, topics: readonly string[], listener: () => void): () => void {
    const slot = this.#slot(path);
    slot.topics = new Set(topics);
    slot.listeners.add(listener);
    if (this.#options.now() - slot.entry.updatedMs > FRESH_MS) this.#load(path, slot);
    return () => {
      slot.listeners.delete(listener);
      this.#trim();
    };
  }

  /** Puts an answer that came by another way. Ignored when nobody ever asked for it. */
  put(path: string, data: unknown): void {
    const slot = this.#slots.get(path);
    if (slot !== undefined) this.#set(slot, { data, error: undefined, updatedMs: this.#options.now() });
  }

  /** Asks again for all that is watched and has the topic, soon and not too often. */
  invalidate(topic: string): void {
    const isRegular = REGULAR_TOPICS.has(topic);
    for (const [path, slot] of this.#slots) {
      if (slot.listeners.size === 0 || slot.waiting || !slot.topics.has(topic)) continue;
      const interval = isRegular ? REGULAR_INTERVAL_MS : MIN_INTERVAL_MS;
      const wait = slot.entry.updatedMs + interval - this.#options.now();
      // The next such event asks again.
      if (isRegular && wait > 0) continue;
      if (wait <= 0) this.#load(path, slot);
      else {
        slot.waiting = true;
        this.#options.later(() => {
          slot.waiting = false;
          if (slot.listeners.size > 0) this.#load(path, slot);
        }, wait);
      }
    }
  }

  /** Asks again for all that is watched. */
  refreshAll(): void {
    for (const [path, slot] of this.#slots) if (slot.listeners.size > 0) this.#load(path, slot);
  }

  refresh(path: string): void {
    const slot = this.#slots.get(path);
    if (slot !== undefined) this.#load(path, slot);
  }

  #slot(path: string): Slot {
    const known = this.#slots.get(path);
    if (known !== undefined) {
      // Youngest last, so that trimming takes what was left longest ago.
      this.#slots.delete(path);
      this.#slots.set(path, known);
      return known;
    }
    const slot: Slot = {
      entry: EMPTY,
      topics: new Set(),
      listeners: new Set(),
      loading: false,
      again: false,
      waiting: false,
    };
    this.#slots.set(path, slot);
    return slot;
  }

  #load(path: string, slot: Slot): void {
    if (slot.loading) {
      slot.again = true;
      return;
    }
    slot.loading = true;
    this.#options.load(path).then(
      (data) => {
        this.#outcome(true);
        this.#settle(path, slot, { data, error: undefined, updatedMs: this.#options.now() });
      },
      (error: unknown) => {
        const problem = error instanceof ApiError ? error : new ApiError(0, 'The pool does not answer.');
        this.#outcome(problem.status !== 0);
        // What does not exist (any more) is not shown as if it did.
        const isGone = problem.status === 404;
        const { data, updatedMs } = slot.entry;
        this.#settle(path, slot, { data: isGone ? undefined : data, error: problem, updatedMs });
      },
    );
  }

  #settle(path: string, slot: Slot, entry: Entry): void {
    slot.loading = false;
    this.#set(slot, entry);
    if (!slot.again) return;
    slot.again = false;
    if (slot.listeners.size > 0) this.#load(path, slot);
  }

  #set(slot: Slot, entry: Entry): void {
    slot.entry = entry;
    for (const listener of slot.listeners) listener();
  }

  #trim(): void {
    const idle = [...this.#slots].filter(([, slot]) => slot.listeners.size === 0 && !slot.loading);
    for (const [path] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE_ENTRIES))) this.#slots.delete(path);
  }
}
