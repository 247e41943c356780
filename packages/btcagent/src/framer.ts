import { FRAME_HEADER_BYTES, FRAME_MAGIC, MAX_FRAME_BYTES, readU16 } from './format.js';

/** Takes what an {@link AgentFramer} finds, in the order of the stream. The bytes are lent for the call. */
export interface AgentSink {
  /** One line, without newline and surrounding whitespace, never empty. Return false to stop after it. */
  line(bytes: Uint8Array, start: number, end: number): boolean;
  /** One whole frame with its header; {@link decodeFrame} reads it. Return false to stop after it. */
  frame(bytes: Uint8Array, start: number, end: number): boolean;
}

/**
 * What became of a chunk. `line-too-long`, `frame-too-long`: the limit was passed. `bad-frame`: a length below 4, after
 * which nobody can tell where the next message starts. `overflow`: too many bytes came while stopped. All but `ok` are
 * final: close the connection.
 */
export type AgentFramerStatus = 'ok' | 'line-too-long' | 'frame-too-long' | 'bad-frame' | 'overflow';

export interface AgentFramerOptions {
  /** Longest line in bytes, without its newline. Default 16 KiB; stops endless lines. */
  readonly maxLineBytes?: number;
  /**
   * Longest frame in bytes, with its header. Default 65,535, what the format can state. No agent sends more than 512 to
   * a pool, so a pool that wants to hold less for strangers may lower it to that.
   */
  readonly maxFrameBytes?: number;
  /** Bytes that may pile up while stopped. Default 256 KiB: four reads of a socket. */
  readonly maxHeldBytes?: number;
}

const NEWLINE = 0x0a;

/** Smallest carry buffer; most messages of an agent are frames of under 30 bytes. */
const CARRY_BYTES = 256;

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/**
 * Cuts a stream into JSON lines and frames, which agents mix on one connection: a message that begins with 0x7f is a
 * frame, any other a line. What lies whole in a chunk is passed on without copying; only a message cut by the end of a
 * chunk is copied. Blank lines and a byte order mark at the start of the stream are skipped.
 *
 * @example
 * const framer = new AgentFramer({ maxFrameBytes: 512 });
 * if (framer.push(chunk, sink) !== 'ok') connection.destroy();
 */
export class AgentFramer {
  readonly #maxLineBytes: number;
  readonly #maxFrameBytes: number;
  readonly #maxHeldBytes: number;
  /** While running: the start of a message whose end has not come. While stopped: all that follows the last one. */
  #held: Buffer | undefined = undefined;
  #heldStart = 0;
  #heldEnd = 0;
  #atStart = true;
  #stopped = false;
  #status: AgentFramerStatus = 'ok';

  constructor(options: AgentFramerOptions = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? 16_384;
    this.#maxFrameBytes = options.maxFrameBytes ?? MAX_FRAME_BYTES;
    this.#maxHeldBytes = options.maxHeldBytes ?? 262_144;
  }

  /** True after the sink said stop and before {@link resume}. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Bytes kept: an incomplete message, or what waits while stopped. */
  get heldBytes(): number {
    return this.#heldEnd - this.#heldStart;
  }

  /** Takes the next bytes of the stream and calls the sink for each message completed by them. */
  push(chunk: Uint8Array, sink: AgentSink): AgentFramerStatus {
    if (this.#status !== 'ok') return this.#status;
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#stopped) {
      if (this.heldBytes + buffer.length > this.#maxHeldBytes) return this.#fail('overflow');
      this.#append(buffer, 0, buffer.length);
      return 'ok';
    }
    const held = this.#held;
    if (held === undefined) return this.#scan(buffer, 0, sink, false);
    const isFrame = held[this.#heldStart] === FRAME_MAGIC;
    const upTo = isFrame ? this.#completeFrame(buffer) : this.#completeLine(buffer);
    if (upTo < 0) return this.#status;
    const message = this.#held ?? held;
    const start = this.#heldStart;
    const end = this.#heldEnd;
    this.clear();
    const goOn = isFrame ? this.#emitFrame(message, start, end, sink) : this.#emitLine(message, start, end, sink);
    return goOn ? this.#scan(buffer, upTo, sink, false) : this.#stop(buffer, upTo, false);
  }

  /** Goes on after a stop with what was kept. The sink may stop it again. */
  resume(sink: AgentSink): AgentFramerStatus {
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

  /** Adds to the held line; returns where the next message starts, or -1 when more is needed or it failed. */
  #completeLine(buffer: Buffer): number {
    const newline = buffer.indexOf(NEWLINE);
    const upTo = newline < 0 ? buffer.length : newline;
    if (this.heldBytes + upTo > this.#maxLineBytes) {
      this.#fail('line-too-long');
      return -1;
    }
    this.#append(buffer, 0, upTo);
    return newline < 0 ? -1 : newline + 1;
  }

  /** The same for a held frame, first its header, then the rest. */
  #completeFrame(buffer: Buffer): number {
    const forHeader = Math.max(0, Math.min(FRAME_HEADER_BYTES - this.heldBytes, buffer.length));
    this.#append(buffer, 0, forHeader);
    if (this.#held === undefined || this.heldBytes < FRAME_HEADER_BYTES) return -1;
    const length = readU16(this.#held, this.#heldStart + 2);
    if (!this.#isLength(length)) return -1;
    const upTo = Math.min(buffer.length, forHeader + length - this.heldBytes);
    this.#append(buffer, forHeader, upTo);
    return this.heldBytes < length ? -1 : upTo;
  }

  #isLength(length: number): boolean {
    if (length < FRAME_HEADER_BYTES) this.#fail('bad-frame');
    else if (length > this.#maxFrameBytes) this.#fail('frame-too-long');
    return this.#status === 'ok';
  }

  /** `owned`: the buffer is ours, so that its rest can be kept without copying. */
  #scan(buffer: Buffer, from: number, sink: AgentSink, owned: boolean): AgentFramerStatus {
    let start = from;
    while (start < buffer.length) {
      let next: number;
      let goOn: boolean;
      if (buffer[start] === FRAME_MAGIC) {
        if (buffer.length - start < FRAME_HEADER_BYTES) break;
        const length = readU16(buffer, start + 2);
        if (!this.#isLength(length)) return this.#status;
        next = start + length;
        if (next > buffer.length) break;
        goOn = this.#emitFrame(buffer, start, next, sink);
      } else {
        const newline = buffer.indexOf(NEWLINE, start);
        const end = newline < 0 ? buffer.length : newline;
        if (end - start > this.#maxLineBytes) return this.#fail('line-too-long');
        if (newline < 0) break;
        goOn = this.#emitLine(buffer, start, newline, sink);
        next = newline + 1;
      }
      if (!goOn) return this.#stop(buffer, next, owned);
      start = next;
    }
    if (start < buffer.length) this.#append(buffer, start, buffer.length);
    return 'ok';
  }

  #emitFrame(bytes: Uint8Array, start: number, end: number, sink: AgentSink): boolean {
    this.#atStart = false;
    return sink.frame(bytes, start, end);
  }

  #emitLine(bytes: Uint8Array, from: number, to: number, sink: AgentSink): boolean {
    let start = from;
    let end = to;
    if (this.#atStart) {
      this.#atStart = false;
      if (end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
        start += 3;
      }
    }
    while (start < end && isBlank(bytes[end - 1])) end--;
    while (start < end && isBlank(bytes[start])) start++;
    return start === end || sink.line(bytes, start, end);
  }

  #stop(buffer: Buffer, from: number, owned: boolean): AgentFramerStatus {
    this.#stopped = true;
    if (from >= buffer.length) return 'ok';
    if (owned) {
      // Copying here would make a sink that stops after each message cost the square of the bytes waiting.
      this.#held = buffer;
      this.#heldStart = from;
      this.#heldEnd = buffer.length;
    } else this.#append(buffer, from, buffer.length);
    return 'ok';
  }

  #append(source: Buffer, from: number, to: number): void {
    if (to <= from) return;
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

  #fail(status: AgentFramerStatus): AgentFramerStatus {
    this.#status = status;
    this.clear();
    return status;
  }
}
