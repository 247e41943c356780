/** Takes the lines a {@link LineFramer} finds. */
export interface LineSink {
  /**
   * One line: `bytes[start..end)`, without its newline, without whitespace around it, never empty. The bytes are
   * lent for the duration of the call; whoever keeps them copies them.
   *
   * Return true to go on. Returning false stops the framer after this line: what follows is kept until
   * {@link LineFramer.resume}.
   */
  line(bytes: Uint8Array, start: number, end: number): boolean;
}

/**
 * What became of a chunk. `line-too-long`: a line passed `maxLineBytes`. `overflow`: bytes came while stopped and
 * more than `maxHeldBytes` were waiting already. Both are final: close the connection.
 */
export type FramerStatus = 'ok' | 'line-too-long' | 'overflow';

export interface LineFramerOptions {
  /** Longest line in bytes, counted without the newline. Default 16 KiB; stops endless lines. */
  readonly maxLineBytes?: number;
  /**
   * Bytes that may pile up while stopped. Default 256 KiB: four reads of a socket, one of which is usually under way
   * when reading is paused. The rest of the chunk in which the sink said stop is always kept.
   */
  readonly maxHeldBytes?: number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/** Smallest carry buffer; a submit line has 150 to 300 bytes, so a cut one seldom grows it. */
const CARRY_BYTES = 256;

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Cuts a byte stream into lines ending in `\n` or `\r\n`. A line that lies whole in a chunk is passed on without
 * copying; only the incomplete tail of a chunk is copied, into a buffer that lives until the line is complete, so an
 * idle connection holds none. Blank lines and a byte order mark at the start of the stream are skipped.
 *
 * @example
 * const framer = new LineFramer({ maxLineBytes: 16384 });
 * const sink = {
 *   line(bytes, start, end) {
 *     handle(parseMessage(bytes, start, end));
 *     return true;
 *   },
 * };
 * if (framer.push(chunk, sink) !== 'ok') connection.destroy();
 */
export class LineFramer {
  /** May be changed while running; it applies to the next line that is found. */
  maxLineBytes: number;
  readonly #maxHeldBytes: number;
  /** While running: the start of a line whose end has not come. While stopped: all that follows the last line. */
  #held: Buffer | undefined = undefined;
  #heldStart = 0;
  #heldEnd = 0;
  #atStart = true;
  #stopped = false;
  #status: FramerStatus = 'ok';

  constructor(options: LineFramerOptions = {}) {
    this.maxLineBytes = options.maxLineBytes ?? 16_384;
    this.#maxHeldBytes = options.maxHeldBytes ?? 262_144;
  }

  /** True after the sink said stop and before {@link resume}. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Bytes kept: an incomplete line, or what waits while stopped. */
  get heldBytes(): number {
    return this.#heldEnd - this.#heldStart;
  }

  /** Takes the next bytes of the stream and calls the sink for each line completed by them. */
  push(chunk: Uint8Array, sink: LineSink): FramerStatus {
    if (this.#status !== 'ok') return this.#status;
    const buffer = asBuffer(chunk);
    const length = buffer.length;
    if (this.#stopped) {
      if (this.heldBytes + length > this.#maxHeldBytes) return this.#fail('overflow');
      this.#append(buffer, 0, length);
      return 'ok';
    }
    const held = this.#held;
    if (held === undefined) return this.#scan(buffer, 0, sink, false);
    const newline = buffer.indexOf(NEWLINE);
    const upTo = newline < 0 ? length : newline;
    if (this.heldBytes + upTo > this.maxLineBytes) return this.#fail('line-too-long');
    this.#append(buffer, 0, upTo);
    if (newline < 0) return 'ok';
    const line = this.#held ?? held;
    const start = this.#heldStart;
    const end = this.#heldEnd;
    this.clear();
    if (this.#emit(line, start, end, sink)) return this.#scan(buffer, newline + 1, sink, false);
    return this.#stop(buffer, newline + 1, false);
  }

  /** Goes on after a stop with what was kept. The sink may stop it again. */
  resume(sink: LineSink): FramerStatus {
    if (this.#status !== 'ok' || !this.#stopped) return this.#status;
    this.#stopped = false;
    const held = this.#held;
    if (held === undefined) return 'ok';
    const bytes = held.subarray(this.#heldStart, this.#heldEnd);
    this.clear();
    return this.#scan(bytes, 0, sink, true);
  }

  /** Forgets what is kept. */
  clear(): void {
    this.#held = undefined;
    this.#heldStart = 0;
    this.#heldEnd = 0;
  }

  /** `owned`: the buffer is ours, so that its rest can be kept without copying. */
  #scan(buffer: Buffer, from: number, sink: LineSink, owned: boolean): FramerStatus {
    let start = from;
    for (;;) {
      const newline = buffer.indexOf(NEWLINE, start);
      if (newline < 0) break;
      if (newline - start > this.maxLineBytes) return this.#fail('line-too-long');
      if (!this.#emit(buffer, start, newline, sink)) return this.#stop(buffer, newline + 1, owned);
      start = newline + 1;
    }
    const rest = buffer.length - start;
    if (rest > this.maxLineBytes) return this.#fail('line-too-long');
    if (rest > 0) this.#append(buffer, start, buffer.length);
    return 'ok';
  }

  #emit(bytes: Uint8Array, from: number, to: number, sink: LineSink): boolean {
    let start = from;
    let end = to;
    if (this.#atStart) {
      this.#atStart = false;
      if (end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf)
        start += 3;
    }
    while (start < end) {
      const byte = bytes[end - 1];
      if (byte !== RETURN && byte !== SPACE && byte !== TAB) break;
      end--;
    }
    while (start < end) {
      const byte = bytes[start];
      if (byte !== SPACE && byte !== TAB && byte !== RETURN) break;
      start++;
    }
    return start === end || sink.line(bytes, start, end);
  }

  #stop(buffer: Buffer, from: number, owned: boolean): FramerStatus {
    this.#stopped = true;
    if (from >= buffer.length) return 'ok';
    if (owned) {
      // Copying here would make a sink that stops after each line cost the square of the bytes waiting.
      this.#held = buffer;
      this.#heldStart = from;
      this.#heldEnd = buffer.length;
    } else this.#append(buffer, from, buffer.length);
    return 'ok';
  }

  #append(source: Buffer, from: number, to: number): void {
    const length = this.heldBytes;
    const needed = length + to - from;
    let held = this.#held;
    if (held === undefined || this.#heldEnd + to - from > held.length) {
      // Not from Buffer's pool: a few bytes would keep 8 KiB of it alive.
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, length * 2, CARRY_BYTES));
      if (held !== undefined) held.copy(grown, 0, this.#heldStart, this.#heldEnd);
      held = grown;
      this.#held = grown;
      this.#heldStart = 0;
      this.#heldEnd = length;
    }
    source.copy(held, this.#heldEnd, from, to);
    this.#heldEnd += to - from;
  }

  #fail(status: FramerStatus): FramerStatus {
    this.#status = status;
    this.clear();
    return status;
  }
}
