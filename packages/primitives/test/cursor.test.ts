import { ByteReader, ByteWriter, bytesToHex, compactSizeLength, encodeCompactSize } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const code = (value: string): unknown => expect.objectContaining({ code: value });

describe('CompactSize', () => {
  // Bounds of each length, as in Bitcoin's serialisation.
  it.each([
    [0, '00'],
    [252, 'fc'],
    [253, 'fdfd00'],
    [65_535, 'fdffff'],
    [65_536, 'fe00000100'],
    [4_294_967_295, 'feffffffff'],
    [4_294_967_296, 'ff0000000001000000'],
    [Number.MAX_SAFE_INTEGER, 'ffffffffffffff1f00'],
  ])('%d is %s', (value, hex) => {
    expect(bytesToHex(encodeCompactSize(value))).toBe(hex);
    expect(compactSizeLength(value)).toBe(hex.length / 2);
    expect(new ByteReader(encodeCompactSize(value)).compactSize()).toBe(value);
  });

  it('reads back what it wrote (property)', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const reader = new ByteReader(encodeCompactSize(value));
        expect(reader.compactSize()).toBe(value);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('cannot write %d', (value) => {
    expect(() => encodeCompactSize(value)).toThrow(code('invalid_argument'));
  });

  it.each(['fdfc00', 'feffff0000', 'ffffffffff00000000', 'ff0000000000002000', 'ffffffffffffffffff'])(
    'refuses %s: not shortest, or beyond 2^53',
    (hex) => {
      expect(() => new ByteReader(Buffer.from(hex, 'hex')).compactSize()).toThrow(code('invalid_data'));
    },
  );

  it.each(['', 'fd', 'fdff', 'feffffff', 'ffffffffffffff'])('needs more than %j', (hex) => {
    expect(() => new ByteReader(Buffer.from(hex, 'hex')).compactSize()).toThrow(code('end_of_data'));
  });
});

describe('ByteReader and ByteWriter', () => {
  it('read back what was written, from any offset (property)', () => {
    const field = fc.oneof(
      fc.nat(0xff).map((value) => ({ kind: 'u8' as const, value })),
      fc.nat(0xffff).map((value) => ({ kind: 'u16le' as const, value })),
      fc.nat(0xffffffff).map((value) => ({ kind: 'u32le' as const, value })),
      fc.bigInt(0n, (1n << 64n) - 1n).map((value) => ({ kind: 'u64le' as const, value })),
      fc.maxSafeNat().map((value) => ({ kind: 'compactSize' as const, value })),
      fc.uint8Array({ maxLength: 50 }).map((value) => ({ kind: 'bytes' as const, value })),
    );
    fc.assert(
      fc.property(fc.array(field), fc.nat(7), (fields, pad) => {
        const writer = new ByteWriter(1);
        for (let i = 0; i < pad; i++) writer.u8(0xee);
        for (const { kind, value } of fields) {
          if (kind === 'bytes') writer.write(value);
          else if (kind === 'u64le') writer.u64le(value);
          else writer[kind](value);
        }
        const bytes = writer.finish();
        expect(bytes.length).toBe(writer.length);
        const reader = new ByteReader(Buffer.from(bytes), pad);
        for (const { kind, value } of fields) {
          const got = kind === 'bytes' ? Uint8Array.from(reader.copy(value.length)) : reader[kind]();
          expect(got).toEqual(value);
        }
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it('little and big end', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 1, 2, 1, 2, 3, 4));
    expect([reader.u16le(), reader.u16be(), reader.u32le()]).toEqual([0x0201, 0x0102, 0x04030201]);
  });

  it('never reads past the end, and stays where it was', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3));
    for (const read of [() => reader.u32le(), () => reader.u64le(), () => reader.view(4), () => reader.copy(4)]) {
      expect(read).toThrow(code('end_of_data'));
    }
    expect(reader.remaining).toBe(3);
    expect(reader.view(3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(() => reader.u8()).toThrow(code('end_of_data'));
    expect(reader.view(0).length).toBe(0);
  });

  it('view shares memory, copy does not, whatever kind of array the source is', () => {
    for (const source of [Uint8Array.of(1, 2, 3, 4), Buffer.of(1, 2, 3, 4)]) {
      const reader = new ByteReader(source);
      const view = reader.view(2);
      const copy = reader.copy(2);
      source.fill(9);
      expect([...view]).toEqual([9, 9]);
      expect([...copy]).toEqual([3, 4]);
    }
  });

  it('finish gives a copy', () => {
    const writer = new ByteWriter().u8(1);
    const bytes = writer.finish();
    writer.u8(2);
    expect(bytes).toEqual(Uint8Array.of(1));
    expect(writer.finish()).toEqual(Uint8Array.of(1, 2));
  });
});
