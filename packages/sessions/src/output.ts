/** Something with output to write at the end of the turn. */
export interface Flushable {
  /** Writes what has gathered. Must not throw. */
  flush(): void;
  /** Called once the turn's output is written, if {@link OutputScheduler.after} asked for it. Must not throw. */
  afterTurn(): void;
}

/**
 * Gathers the sessions that have something to write and has each write once per turn of the event loop: with
 * several replies and notifications per session and turn, the write call is the largest single cost.
 */
export class OutputScheduler {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #after: Flushable[] = [];
  #scheduled = false;
  readonly #onImmediate = (): void => {
    this.#scheduled = false;
    this.flush();
    const after = this.#after;
    if (after.length === 0) return;
    this.#after = [];
    for (const item of after) item.afterTurn();
  };

  /** Puts a session on the list to be written. The caller makes sure that it is on it once. */
  add(item: Flushable): void {
    this.#dirty.push(item);
    this.#schedule();
  }

  /** Has `afterTurn` called at the end of the turn: for what must not run inside somebody's callback. */
  after(item: Flushable): void {
    this.#after.push(item);
    this.#schedule();
  }

  /** Writes now instead of at the end of the turn: to be called after a batch of verdicts. */
  flush(): void {
    const batch = this.#dirty;
    if (batch.length === 0) return;
    this.#dirty = this.#spare;
    this.#spare = batch;
    for (let i = 0; i < batch.length; i++) batch[i]?.flush();
    batch.length = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#onImmediate);
  }
}
