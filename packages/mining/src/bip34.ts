import { PoolError } from '@headframe/primitives';

/**
 * The push of the block height that opens a coinbase scriptSig (BIP 34), byte for byte what nodes compare with:
 * one opcode for 0 to 16, above that a minimal signed little-endian number behind its length.
 * @throws PoolError `invalid_argument` unless the height is 0 to 2^31 - 1.
 */
export function encodeBip34Height(height: number): Uint8Array {
  if (!Number.isInteger(height) || height < 0 || height > 0x7fffffff) {
    throw new PoolError('invalid_argument', `a block height is an integer from 0 to 2^31 - 1, not ${height}`);
  }
  if (height === 0) return Uint8Array.of(0x00);
  if (height <= 16) return Uint8Array.of(0x50 + height);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest & 255);
  // A set top bit would be the sign.
  if (((bytes.at(-1) ?? 0) & 0x80) !== 0) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}
