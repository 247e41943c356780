import { ByteWriter, PoolError } from '@headframe/primitives';
import { U8, U16 } from './codec.js';

/** Byte order of a TLV's two numbers. */
export type TlvOrder = 'le' | 'be';

/** A field that an extension puts behind a message. */
export interface Tlv {
  readonly extensionType: number;
  readonly fieldType: number;
  readonly value: Uint8Array;
}

/** A TLV that was read, and how it was written. */
export interface ReadTlv extends Tlv {
  readonly order: TlvOrder;
}

/** What follows the fields of a message. */
export interface Tlvs {
  readonly tlvs: readonly ReadTlv[];
  /** Bytes at the end that are no TLV; a view of what was read. */
  readonly rest: Uint8Array;
}

/** Bytes before the value: extension type U16, field type U8, length U16. */
const TLV_HEADER_BYTES = 5;

/** Extension 0x0002: the worker's name behind a SubmitSharesExtended. */
export const WORKER_TRACKING_EXTENSION = 0x0002;
const WORKER_IDENTITY_FIELD = 0x01;
const MAX_WORKER_IDENTITY_BYTES = 32;

/**
 * The bytes of TLVs, one after the other. Little-endian is what is in use; the specification's examples are
 * big-endian.
 * @throws PoolError `invalid_argument` on a type out of range or a value of more than 65,535 bytes
 */
export function encodeTlvs(tlvs: readonly Tlv[], order: TlvOrder = 'le'): Uint8Array {
  const writer = new ByteWriter(64);
  const number = (value: number): void => {
    if (order === 'le') U16.write(writer, value);
    else {
      U8.write(writer, value >>> 8);
      U8.write(writer, value & 0xff);
    }
  };
  for (const { extensionType, fieldType, value } of tlvs) {
    if (!Number.isInteger(extensionType) || extensionType < 0 || extensionType > 0xffff) {
      throw new PoolError('invalid_argument', `extension type ${extensionType} is out of range`);
    }
    if (value.length > 0xffff) {
      throw new PoolError('invalid_argument', `a TLV's value of ${value.length} bytes, at most 65535`);
    }
    number(extensionType);
    U8.write(writer, fieldType);
    number(value.length);
    writer.write(value);
  }
  return writer.finish();
}

function readTlv(bytes: Uint8Array, at: number, order: TlvOrder): ReadTlv | undefined {
  if (bytes.length - at < TLV_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, TLV_HEADER_BYTES);
  const isLittle = order === 'le';
  const length = view.getUint16(3, isLittle);
  const from = at + TLV_HEADER_BYTES;
  if (length > bytes.length - from) return undefined;
  return {
    extensionType: view.getUint16(0, isLittle),
    fieldType: view.getUint8(2),
    value: Uint8Array.from(bytes.subarray(from, from + length)),
    order,
  };
}

/**
 * The TLVs behind a message's fields. Each is taken as little-endian, unless its extension is negotiated only when
 * read as big-endian. Of an extension that is not negotiated in either order the little-endian reading is given. Never
 * throws: from the first bytes that make no TLV on, everything is `rest`.
 */
export function readTlvs(bytes: Uint8Array, isNegotiated: (extensionType: number) => boolean): Tlvs {
  const tlvs: ReadTlv[] = [];
  let at = 0;
  while (at < bytes.length) {
    const little = readTlv(bytes, at, 'le');
    const isLittle = little !== undefined && isNegotiated(little.extensionType);
    const big = isLittle ? undefined : readTlv(bytes, at, 'be');
    const tlv = big !== undefined && isNegotiated(big.extensionType) ? big : little;
    if (tlv === undefined) break;
    tlvs.push(tlv);
    at += TLV_HEADER_BYTES + tlv.value.length;
  }
  return { tlvs, rest: bytes.subarray(at) };
}

/** The TLV with a worker's name. @throws PoolError `invalid_argument` when it has more than 32 bytes as UTF-8 */
export function workerIdentityTlv(worker: string): Tlv {
  const value = Uint8Array.from(Buffer.from(worker, 'utf8'));
  if (value.length > MAX_WORKER_IDENTITY_BYTES) {
    throw new PoolError('invalid_argument', `a worker's name of ${value.length} bytes, at most 32`);
  }
  return { extensionType: WORKER_TRACKING_EXTENSION, fieldType: WORKER_IDENTITY_FIELD, value };
}

/** The worker's name among TLVs; undefined when there is none of at most 32 bytes. */
export function workerIdentity(tlvs: readonly Tlv[]): string | undefined {
  const isIdentity = (tlv: Tlv): boolean =>
    tlv.extensionType === WORKER_TRACKING_EXTENSION &&
    tlv.fieldType === WORKER_IDENTITY_FIELD &&
    tlv.value.length <= MAX_WORKER_IDENTITY_BYTES;
  const found = tlvs.find(isIdentity);
  return found === undefined ? undefined : Buffer.from(found.value).toString('utf8');
}
