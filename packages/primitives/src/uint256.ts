import { PoolError } from './errors.js';

/** 2^256 - 1. */
export const MAX_UINT256: bigint = (1n << 256n) - 1n;

/** The integer that 32 little-endian bytes hold. A hash in internal order is read this way. */
export function uint256FromBytesLe(bytes: Uint8Array): bigint {
  if (bytes.length !== 32) throw new PoolError('invalid_argument', `a uint256 has 32 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  return (
    (view.getBigUint64(24, true) << 192n) |
    (view.getBigUint64(16, true) << 128n) |
    (view.getBigUint64(8, true) << 64n) |
    view.getBigUint64(0, true)
  );
}

/** 32 little-endian bytes of an integer. @throws PoolError `invalid_argument` outside 0 to 2^256 - 1. */
export function uint256ToBytesLe(value: bigint): Uint8Array {
  if (value < 0n || value > MAX_UINT256) throw new PoolError('invalid_argument', 'uint256 out of range');
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, value & 0xffffffffffffffffn, true);
  view.setBigUint64(8, (value >> 64n) & 0xffffffffffffffffn, true);
  view.setBigUint64(16, (value >> 128n) & 0xffffffffffffffffn, true);
  view.setBigUint64(24, value >> 192n, true);
  return bytes;
}

/**
 * True when the 32 little-endian bytes at `valueOffset` are not above `limit` (32 little-endian bytes).
 * The hot comparison of hash and target: no allocation, usually one byte looked at.
 */
export function isAtMostLe(value: Uint8Array, valueOffset: number, limit: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const a = value[valueOffset + i] ?? 0;
    const b = limit[i] ?? 0;
    if (a !== b) return a < b;
  }
  return true;
}
