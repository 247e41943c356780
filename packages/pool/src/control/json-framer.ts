/** Why a stream of JSON values cannot be read on. Final: nobody knows where the next value begins. */
export type FramerFailure = 'no-json' | 'too-long' | 'too-deep';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export interface JsonFramerOptions {
  /** Longest value. */
  readonly maxBytes: number;
  /** Levels of brackets. */
  readonly maxDepth: number;
}

/**
 * Cuts a stream into JSON objects and arrays, whether newlines stand between them or not: scripts written for older
 * servers send none. Looks at brackets and strings only; whether a value is JSON is for a parser to say. Pull: what has
 * come waits until it is asked for.
 */
export class JsonFramer {
  readonly #options: JsonFramerOptions;
  #held: Buffer = Buffer.alloc(0);
  /** How far `#held` was looked at. */
  #at = 0;
  #depth = 0;
  #inString = false;
  #failure: FramerFailure | undefined = undefined;

  constructor(options: JsonFramerOptions) {
    this.#options = options;
  }

  /** Bytes that wait. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Takes bytes; they are copied. */
  push(chunk: Uint8Array): void {
    if (this.#failure === undefined) this.#held = Buffer.concat([this.#held, chunk]);
  }

  /** The next whole value as text, undefined when it has not come, or why there will never be one. */
  next(): { readonly text: string } | { readonly failure: FramerFailure } | undefined {
    if (this.#failure !== undefined) return { failure: this.#failure };
    if (this.#depth === 0 && !this.#skipSpace()) return this.#failure && { failure: this.#failure };
    const end = this.#scan();
    if (this.#failure !== undefined) return { failure: this.#failure };
    if (end === undefined) return undefined;
    const text = this.#held.toString('utf8', 0, end);
    this.#held = this.#held.subarray(end);
    this.#at = 0;
    return { text };
  }

  /** Drops space before a value; true when one begins. */
  #skipSpace(): boolean {
    let at = 0;
    while (at < this.#held.length && isSpace(this.#held[at] ?? 0)) at++;
    this.#held = this.#held.subarray(at);
    this.#at = 0;
    const first = this.#held[0];
    if (first === undefined) return false;
    if (first !== 0x7b && first !== 0x5b) this.#fail('no-json');
    return this.#failure === undefined;
  }

  /** The end of the value, if it is here. */
  #scan(): number | undefined {
    const { maxBytes, maxDepth } = this.#options;
    const held = this.#held;
    const upTo = Math.min(held.length, maxBytes);
    for (let at = this.#at; at < upTo; at++) {
      const byte = held[at];
      if (this.#inString) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) this.#inString = false;
        // The byte after a backslash has not come, and must not be taken for a quote when it does.
        if (at >= upTo && held.length < maxBytes) {
          this.#at = at - 1;
          return undefined;
        }
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) {
        this.#depth++;
        if (this.#depth > maxDepth) {
          this.#fail('too-deep');
          return undefined;
        }
      } else if (byte === 0x7d || byte === 0x5d) {
        this.#depth--;
        if (this.#depth === 0) return at + 1;
      }
    }
    this.#at = upTo;
    if (held.length >= maxBytes) this.#fail('too-long');
    return undefined;
  }

  #fail(failure: FramerFailure): void {
    this.#failure = failure;
    this.#held = Buffer.alloc(0);
  }
}
