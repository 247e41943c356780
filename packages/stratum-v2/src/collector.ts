/** First bytes set aside for something long that was announced and has not come yet. */
const FIRST_CAPACITY = 4096;

/** Gathers a known number of bytes from chunks. Memory grows with what came, not with what was announced. */
export class ByteCollector {
  #bytes = new Uint8Array(0);
  #length = 0;
  #wanted = 0;

  /** Starts over, for `length` bytes. */
  want(length: number): void {
    this.#wanted = length;
    this.#length = 0;
    this.#bytes = new Uint8Array(Math.min(length, FIRST_CAPACITY));
  }

  get isDone(): boolean {
    return this.#length === this.#wanted;
  }

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** Takes what is missing from `chunk` at `offset`; returns the offset behind it. */
  take(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#wanted - this.#length);
    const length = this.#length + end - offset;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#wanted, Math.max(length, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk.subarray(offset, end), this.#length);
    this.#length = length;
    return end;
  }

  /** The bytes, once done; the caller owns them. */
  finish(): Uint8Array {
    return this.#bytes;
  }
}
