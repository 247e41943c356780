import { PoolError } from './errors.js';

const HEX_DIGITS = '0123456789abcdef';
const BYTE_TO_HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => (HEX_DIGITS[byte >> 4] ?? '') + (HEX_DIGITS[byte & 15] ?? ''),
);

/** Value of an ASCII hex digit's char code, or 255 when it is none. */
export const HEX_VALUE: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256).fill(255);
  for (let i = 0; i < 10; i++) table[48 + i] = i;
  for (let i = 0; i < 6; i++) {
    table[65 + i] = 10 + i;
    table[97 + i] = 10 + i;
  }
  return table;
})();

/** Lower-case hex of `bytes`, in the order they lie in memory. */
export function bytesToHex(bytes: Uint8Array): string {
  if (bytes.length > 64) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += BYTE_TO_HEX[bytes[i] ?? 0];
  return text;
}

/**
 * Bytes of a hex string, either case, in the order written.
 * @throws PoolError `invalid_hex` on an odd length or a character that is no hex digit.
 */
export function hexToBytes(hex: string): Uint8Array {
  const length = hex.length >> 1;
  if (hex.length !== length * 2) throw new PoolError('invalid_hex', `hex string has an odd length (${hex.length})`);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const high = HEX_VALUE[hex.charCodeAt(2 * i)] ?? 255;
    const low = HEX_VALUE[hex.charCodeAt(2 * i + 1)] ?? 255;
    if ((high | low) > 15)
      throw new PoolError('invalid_hex', `not a hex digit at position ${high > 15 ? 2 * i : 2 * i + 1}`);
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

/** A reversed copy. */
export function reverseBytes(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}

/** Hash bytes in internal order to the hex that nodes print (byte-reversed). */
export function toDisplayHex(internal: Uint8Array): string {
  return bytesToHex(reverseBytes(internal));
}

/** Hex as nodes print a hash to bytes in internal order. @throws PoolError `invalid_hex` */
export function fromDisplayHex(display: string): Uint8Array {
  return hexToBytes(display).reverse();
}

/** One array holding all the given ones, in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** True when both arrays hold the same bytes. Not constant time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** ASCII text to bytes. @throws PoolError `invalid_argument` on a character above 0x7f. */
export function asciiToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) throw new PoolError('invalid_argument', `not ASCII at position ${i}`);
    bytes[i] = code;
  }
  return bytes;
}

/** Eight lower-case hex digits of an unsigned 32-bit integer, most significant first. */
export function u32ToHex(value: number): string {
  return (
    (BYTE_TO_HEX[(value >>> 24) & 255] ?? '') +
    (BYTE_TO_HEX[(value >>> 16) & 255] ?? '') +
    (BYTE_TO_HEX[(value >>> 8) & 255] ?? '') +
    (BYTE_TO_HEX[value & 255] ?? '')
  );
}

/** Unsigned 32-bit integer of 1 to 8 hex digits (either case), or -1 when the text is anything else. */
export function hexToU32(hex: string): number {
  if (hex.length === 0 || hex.length > 8) return -1;
  let value = 0;
  for (let i = 0; i < hex.length; i++) {
    const digit = HEX_VALUE[hex.charCodeAt(i)] ?? 255;
    if (digit > 15) return -1;
    value = value * 16 + digit;
  }
  return value;
}
