import { compactSizeLength, encodeCompactSize } from './compact-size.js';
import { PoolError } from './errors.js';

/** Reads little-endian fields from bytes. Every read past the end throws PoolError `end_of_data`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.offset = offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  #take(length: number): number {
    const at = this.offset;
    if (length > this.bytes.length - at) {
      throw new PoolError('end_of_data', `need ${length} bytes at offset ${at}, have ${this.bytes.length - at}`);
    }
    this.offset = at + length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16le(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  u16be(): number {
    return this.#view.getUint16(this.#take(2), false);
  }
  u32le(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  u64le(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }
  /** A view of the next `length` bytes; it shares memory with the source. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }
  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array {
    // Not slice(): on a Buffer it makes a view.
    return Uint8Array.from(this.view(length));
  }
  /** CompactSize in shortest form. @throws PoolError `invalid_data` on a longer form or a value above 2^53. */
  compactSize(): number {
    const first = this.u8();
    if (first < 0xfd) return first;
    let value: number;
    if (first === 0xfd) value = this.u16le();
    else if (first === 0xfe) value = this.u32le();
    else {
      const big = this.u64le();
      if (big > BigInt(Number.MAX_SAFE_INTEGER)) throw new PoolError('invalid_data', 'CompactSize above 2^53');
      value = Number(big);
    }
    const used = first === 0xfd ? 3 : first === 0xfe ? 5 : 9;
    if (compactSizeLength(value) !== used) throw new PoolError('invalid_data', 'CompactSize is not in shortest form');
    return value;
  }
}

/** Appends little-endian fields to a growing buffer; {@link finish} returns the bytes written so far. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = needed;
    return at;
  }

  u8(value: number): this {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
    return this;
  }
  u16le(value: number): this {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
    return this;
  }
  u32le(value: number): this {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
    return this;
  }
  u64le(value: bigint): this {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }
  compactSize(value: number): this {
    return this.write(encodeCompactSize(value));
  }
  write(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
