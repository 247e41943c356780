import type { RpcMessage } from '@headframe/jsonrpc';

/** What a {@link Batch} needs of its session. */
export interface BatchOwner {
  /** Works on one entry; `settle` is called for it once, now or later. */
  dispatch(message: RpcMessage, batch: Batch, place: number): void;
  /** All entries have their replies: one array, or `''` when no entry wanted one. */
  done(batch: Batch, text: string): void;
  readonly over: boolean;
}

/**
 * The entries of one JSON-RPC batch. At most `window` are worked on at a time, so that a batch is no way around the bound
 * of requests under way; replies are in the order of the entries.
 */
export class Batch {
  /** The place of the whole batch in the order of replies. */
  readonly slot: number;
  readonly #owner: BatchOwner;
  readonly #entries: readonly RpcMessage[];
  readonly #window: number;
  readonly #texts: string[];
  #next = 0;
  #running = 0;
  #pumping = false;
  #length = 0;

  constructor(owner: BatchOwner, entries: readonly RpcMessage[], options: { slot: number; window: number }) {
    this.slot = options.slot;
    this.#owner = owner;
    this.#entries = entries;
    this.#window = options.window;
    this.#texts = new Array<string>(entries.length).fill('');
  }

  /** Characters of the replies so far. */
  get length(): number {
    return this.#length;
  }

  /** Begins with what the window allows, and goes on as replies come. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#running < this.#window && this.#next < this.#entries.length && !this.#owner.over) {
      const place = this.#next++;
      const message = this.#entries[place];
      if (message === undefined) break;
      this.#running++;
      this.#owner.dispatch(message, this, place);
    }
    this.#pumping = false;
    if (this.#running > 0 || this.#next < this.#entries.length) return;
    const texts = this.#texts.filter((text) => text !== '');
    this.#owner.done(this, texts.length === 0 ? '' : `[${texts.join(',')}]\n`);
  }

  /** The reply of one entry, a line, or `''` when the peer wants none. Once per entry. */
  settle(place: number, line: string): void {
    const text = line.trimEnd();
    this.#texts[place] = text;
    this.#length += text.length;
    this.#running--;
    this.pump();
  }
}
