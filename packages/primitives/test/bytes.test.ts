import {
  asciiToBytes,
  bytesToHex,
  concatBytes,
  equalBytes,
  fromDisplayHex,
  HEX_VALUE,
  hexToBytes,
  hexToU32,
  reverseBytes,
  toDisplayHex,
  u32ToHex,
} from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('hex', () => {
  it('writes and reads any bytes, in both cases (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const hex = bytesToHex(bytes);
        expect(hex).toBe(Buffer.from(bytes).toString('hex'));
        expect(hexToBytes(hex)).toEqual(bytes);
        expect(hexToBytes(hex.toUpperCase())).toEqual(bytes);
        // Views into a larger buffer read their own bytes only.
        const padded = new Uint8Array(bytes.length + 10);
        padded.set(bytes, 5);
        expect(bytesToHex(padded.subarray(5, 5 + bytes.length))).toBe(hex);
      }),
    );
  });

  it.each(['0', '000', '0g', 'g0', '0x', ' 0', '00 ', '\u0130\u0130', '\u{1f600}'])('refuses %j', (text) => {
    expect(() => hexToBytes(text)).toThrow(expect.objectContaining({ code: 'invalid_hex' }));
  });

  it('says where a wrong digit stands', () => {
    expect(() => hexToBytes('00g0')).toThrow(/position 2/);
    expect(() => hexToBytes('000g')).toThrow(/position 3/);
  });

  it('HEX_VALUE knows hex digits only', () => {
    for (let code = 0; code < 256; code++) {
      const text = String.fromCharCode(code);
      expect(HEX_VALUE[code], `code ${code}`).toBe(/[0-9a-fA-F]/.test(text) ? Number.parseInt(text, 16) : 255);
    }
  });
});

describe('display order', () => {
  it('is the reverse of internal order', () => {
    const internal = hexToBytes('f2921517920e7423e6f623d22725ff8b4facf79a1e4546220200000000000000');
    const display = '00000000000000022246451e9af7ac4f8bff2527d223f6e623740e92171592f2';
    expect(toDisplayHex(internal)).toBe(display);
    expect(fromDisplayHex(display)).toEqual(internal);
  });

  it('reverseBytes leaves its argument alone', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(reverseBytes(bytes)).toEqual(Uint8Array.of(3, 2, 1));
    expect(reverseBytes(Buffer.from(bytes))).toEqual(Uint8Array.of(3, 2, 1));
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('arrays of bytes', () => {
  it('concatBytes joins (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (parts) => {
        const joined = concatBytes(...parts);
        expect(Buffer.from(joined)).toEqual(Buffer.concat(parts));
        expect(joined.buffer.byteLength).toBe(joined.length);
      }),
    );
  });

  it('equalBytes compares content and length', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Buffer.of(1, 2))).toBe(true);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
  });

  it('asciiToBytes takes ASCII only', () => {
    expect(asciiToBytes('mining\n')).toEqual(Uint8Array.from(Buffer.from('mining\n')));
    for (const text of ['\u0080', 'caf\u00e9', '\u2028']) {
      expect(() => asciiToBytes(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});

describe('32-bit integers as hex', () => {
  it('has eight digits and reads back (property)', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        expect(u32ToHex(value)).toBe(value.toString(16).padStart(8, '0'));
        expect(hexToU32(u32ToHex(value))).toBe(value);
        expect(hexToU32(value.toString(16).toUpperCase())).toBe(value);
      }),
    );
    expect(u32ToHex(-1)).toBe('ffffffff');
    expect(hexToU32('ffffffff')).toBe(0xffffffff);
  });

  it.each(['', '123456789', '0x12', '-1', '1 ', 'g', '1.5', '1e\u0665'])('%j is none', (text) => {
    expect(hexToU32(text)).toBe(-1);
  });
});
