import { PoolError } from './errors.js';

/** Bytes a CompactSize of `value` takes: 1, 3, 5 or 9. */
export function compactSizeLength(value: number): number {
  if (value < 0xfd) return 1;
  if (value <= 0xffff) return 3;
  if (value <= 0xffffffff) return 5;
  return 9;
}

/**
 * Bitcoin's variable-length integer, shortest form.
 * @throws PoolError `invalid_argument` unless `value` is a non-negative safe integer.
 */
export function encodeCompactSize(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new PoolError('invalid_argument', `CompactSize must be a non-negative integer, not ${value}`);
  }
  const bytes = new Uint8Array(compactSizeLength(value));
  const view = new DataView(bytes.buffer);
  if (bytes.length === 1) view.setUint8(0, value);
  else if (bytes.length === 3) {
    view.setUint8(0, 0xfd);
    view.setUint16(1, value, true);
  } else if (bytes.length === 5) {
    view.setUint8(0, 0xfe);
    view.setUint32(1, value, true);
  } else {
    view.setUint8(0, 0xff);
    view.setBigUint64(1, BigInt(value), true);
  }
  return bytes;
}
