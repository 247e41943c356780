/** Where the texts go once it is their turn. */
export interface ReplySink {
  send(text: string): void;
}

/**
 * Keeps replies in the order of their requests (stratum-v1: a reply never overtakes an earlier one). Every request
 * reserves a slot; a slot settled out of turn waits for those before it. With nothing outstanding a settle goes straight
 * through and allocates nothing.
 */
export class ReplyQueue {
  readonly #sink: ReplySink;
  /** Slot of the oldest request without a sent reply. */
  #head = 0;
  /** Next slot to hand out. */
  #next = 0;
  /** Ring of settled texts that wait, by `slot & mask`; undefined: not settled. Made when first needed. */
  #waiting: (string | undefined)[] | undefined;
  /** One past the highest slot that is settled and waits; notifications are glued to that slot. */
  #waitingEnd = 0;
  #waitingLength = 0;
  /** True while a notification is glued to a waiting reply. */
  #holdsNotification = false;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** Requests without a sent reply. */
  get outstanding(): number {
    return this.#next - this.#head;
  }
  /** Characters that wait for an earlier reply. */
  get heldLength(): number {
    return this.#waitingLength;
  }
  /** True when a notification waits for a reply; broadcasts must then wait too, lest they overtake the first job. */
  get holdsNotification(): boolean {
    return this.#holdsNotification;
  }

  /** Takes the place of a request in the order. */
  reserve(): number {
    return this.#next++;
  }

  /**
   * Gives the reply for a slot: ASCII lines, or an empty string when the peer wants none. A slot settled twice keeps
   * its first text; one that was never reserved is ignored.
   */
  settle(slot: number, text: string): void {
    if (slot !== this.#head || slot === this.#next) {
      this.#hold(slot, text);
      return;
    }
    this.#head = slot + 1;
    if (text !== '') this.#sink.send(text);
    if (this.#waitingEnd > this.#head) this.#release();
  }

  /** Sends a notification, but never before a reply that was settled earlier. */
  notify(text: string): void {
    if (this.#waitingEnd <= this.#head || !this.#waiting) {
      this.#sink.send(text);
      return;
    }
    const index = (this.#waitingEnd - 1) & (this.#waiting.length - 1);
    this.#waiting[index] = (this.#waiting[index] ?? '') + text;
    this.#waitingLength += text.length;
    this.#holdsNotification = true;
  }

  #hold(slot: number, text: string): void {
    if (slot < this.#head || slot >= this.#next) return;
    const needed = this.#next - this.#head;
    if (!this.#waiting || this.#waiting.length < needed) this.#grow(needed);
    const ring = this.#waiting;
    if (!ring) return;
    const index = slot & (ring.length - 1);
    if (ring[index] !== undefined) return;
    ring[index] = text;
    this.#waitingLength += text.length;
    if (slot >= this.#waitingEnd) this.#waitingEnd = slot + 1;
  }

  #release(): void {
    const ring = this.#waiting;
    if (!ring) return;
    while (this.#head < this.#waitingEnd) {
      const index = this.#head & (ring.length - 1);
      const text = ring[index];
      if (text === undefined) return;
      ring[index] = undefined;
      this.#head++;
      this.#waitingLength -= text.length;
      if (text !== '') this.#sink.send(text);
    }
    this.#holdsNotification = false;
    // A session at rest keeps no ring.
    if (this.#head === this.#next) this.#waiting = undefined;
  }

  #grow(needed: number): void {
    let size = 8;
    while (size < needed) size *= 2;
    const grown = new Array<string | undefined>(size).fill(undefined);
    const old = this.#waiting;
    if (old) {
      for (let slot = this.#head; slot < this.#waitingEnd; slot++) {
        grown[slot & (size - 1)] = old[slot & (old.length - 1)];
      }
    }
    this.#waiting = grown;
  }
}
