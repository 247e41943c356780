import type { ByteReader, ByteWriter } from '@headframe/primitives';
import { PoolError } from '@headframe/primitives';

/** How one data type of the wire is read and written. Integers are little-endian throughout. */
export interface Codec<T> {
  /** Name of the type in the specification, `SEQ0_255[U256]` for instance. */
  readonly name: string;
  /** Fewest bytes that a value takes. */
  readonly minBytes: number;
  /**
   * Reads a value and moves the reader behind it. Byte values are copies.
   * @throws PoolError `end_of_data` when bytes are missing, `invalid_data` when the bytes are no value of this type
   */
  read(reader: ByteReader): T;
  /** Appends a value. @throws PoolError `invalid_argument` when it is no value of this type */
  write(writer: ByteWriter, value: T): void;
}

/** The JavaScript type of a codec's values. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

const wrong = (name: string, what: string): PoolError => new PoolError('invalid_argument', `${name}: ${what}`);

function integer(
  name: string,
  bytes: number,
  read: (reader: ByteReader) => number,
  write: (writer: ByteWriter, value: number) => void,
): Codec<number> {
  const limit = 2 ** (8 * bytes);
  return {
    name,
    minBytes: bytes,
    read,
    write(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit) throw wrong(name, `${value} is out of range`);
      write(writer, value);
    },
  };
}

const readU24 = (reader: ByteReader): number => {
  // One read, so that a cut value leaves the reader where it was.
  const bytes = reader.view(3);
  return (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16);
};
const writeU24 = (writer: ByteWriter, value: number): void => {
  writer.u16le(value & 0xffff).u8(value >>> 16);
};

/** Unsigned 8 bits. */
export const U8: Codec<number> = integer(
  'U8',
  1,
  (reader) => reader.u8(),
  (writer, value) => writer.u8(value),
);
/** Unsigned 16 bits, little-endian. */
export const U16: Codec<number> = integer(
  'U16',
  2,
  (reader) => reader.u16le(),
  (writer, value) => writer.u16le(value),
);
/** Unsigned 24 bits, little-endian. */
export const U24: Codec<number> = integer('U24', 3, readU24, writeU24);
/** Unsigned 32 bits, little-endian. */
export const U32: Codec<number> = integer(
  'U32',
  4,
  (reader) => reader.u32le(),
  (writer, value) => writer.u32le(value),
);

/** Unsigned 64 bits, little-endian. */
export const U64: Codec<bigint> = {
  name: 'U64',
  minBytes: 8,
  read: (reader) => reader.u64le(),
  write(writer, value) {
    if (typeof value !== 'bigint' || value < 0n || value > 0xffffffffffffffffn) {
      throw wrong('U64', `${value} is out of range`);
    }
    writer.u64le(value);
  },
};

/** One byte of which only bit 0 counts; the other bits of a received one are ignored. */
export const BOOL: Codec<boolean> = {
  name: 'BOOL',
  minBytes: 1,
  read: (reader) => (reader.u8() & 1) === 1,
  write(writer, value) {
    if (typeof value !== 'boolean') throw wrong('BOOL', `${String(value)} is no boolean`);
    writer.u8(value ? 1 : 0);
  },
};

function hashrateProblem(value: number): string | undefined {
  if (!Number.isFinite(value)) return `${value} is not finite`;
  return value < 0 || Object.is(value, -0) ? 'negative' : undefined;
}

/**
 * IEEE 754 single precision, little-endian. The protocol uses it for hash rates only: values that are not finite or
 * have the sign bit set are refused. Written values are rounded to the nearest single.
 */
export const F32: Codec<number> = {
  name: 'F32',
  minBytes: 4,
  read(reader) {
    const bytes = reader.view(4);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
    const problem = hashrateProblem(value);
    if (problem !== undefined) throw new PoolError('invalid_data', `F32: ${problem}`);
    return value;
  },
  write(writer, value) {
    if (typeof value !== 'number') throw wrong('F32', `${String(value)} is no number`);
    const problem = hashrateProblem(Math.fround(value));
    if (problem !== undefined) throw wrong('F32', problem);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    writer.write(bytes);
  },
};

function fixed(name: string, length: number): Codec<Uint8Array> {
  return {
    name,
    minBytes: length,
    read: (reader) => reader.copy(length),
    write(writer, value) {
      if (!(value instanceof Uint8Array) || value.length !== length) throw wrong(name, `needs ${length} bytes`);
      writer.write(value);
    },
  };
}

/**
 * 32 bytes, least significant first. A hash is the digest as it stands in the block header, which is the reverse of
 * what explorers print; the most significant byte of a target is the last one.
 */
export const U256: Codec<Uint8Array> = fixed('U256', 32);
/** X coordinate of a secp256k1 point (BIP 340), 32 bytes, big-endian. */
export const PUBKEY: Codec<Uint8Array> = fixed('PUBKEY', 32);
/** BIP 340 signature, 64 bytes. */
export const SIGNATURE: Codec<Uint8Array> = fixed('SIGNATURE', 64);
/** Authentication tag, 16 bytes. */
export const MAC: Codec<Uint8Array> = fixed('MAC', 16);
/** Shortened transaction id, 6 bytes. No message has one any more. */
export const SHORT_TX_ID: Codec<Uint8Array> = fixed('SHORT_TX_ID', 6);

/** Everything up to the end. */
export const BYTES: Codec<Uint8Array> = {
  name: 'BYTES',
  minBytes: 0,
  read: (reader) => reader.copy(reader.remaining),
  write(writer, value) {
    if (!(value instanceof Uint8Array)) throw wrong('BYTES', 'needs bytes');
    writer.write(value);
  },
};

function lengthPrefixed(name: string, prefix: Codec<number>, maxLength: number): Codec<Uint8Array> {
  return {
    name,
    minBytes: prefix.minBytes,
    read(reader) {
      const length = prefix.read(reader);
      if (length > maxLength) throw new PoolError('invalid_data', `${name}: ${length} bytes, at most ${maxLength}`);
      return reader.copy(length);
    },
    write(writer, value) {
      if (!(value instanceof Uint8Array)) throw wrong(name, 'needs bytes');
      if (value.length > maxLength) throw wrong(name, `${value.length} bytes, at most ${maxLength}`);
      prefix.write(writer, value.length);
      writer.write(value);
    },
  };
}

/** 0 to 32 bytes behind their number (U8). */
export const B0_32: Codec<Uint8Array> = lengthPrefixed('B0_32', U8, 32);
/** 0 to 255 bytes behind their number (U8). */
export const B0_255: Codec<Uint8Array> = lengthPrefixed('B0_255', U8, 0xff);
/** 0 to 65,535 bytes behind their number (U16). */
export const B0_64K: Codec<Uint8Array> = lengthPrefixed('B0_64K', U16, 0xffff);
/** 0 to 16,777,215 bytes behind their number (U24). */
export const B0_16M: Codec<Uint8Array> = lengthPrefixed('B0_16M', U24, 0xffffff);

/**
 * Text of 0 to 255 bytes behind their number (U8), taken as UTF-8. What is not UTF-8 reads as U+FFFD and is no error:
 * the specification does not constrain the bytes. Whoever passes text on unchanged passes on the payload itself.
 */
export const STR0_255: Codec<string> = {
  name: 'STR0_255',
  minBytes: 1,
  read: (reader) => {
    const bytes = reader.view(U8.read(reader));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  },
  write(writer, value) {
    if (typeof value !== 'string') throw wrong('STR0_255', `${String(value)} is no string`);
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length > 255) throw wrong('STR0_255', `${bytes.length} bytes, at most 255`);
    writer.u8(bytes.length).write(bytes);
  },
};
