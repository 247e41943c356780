import { isAtMostLe, MAX_UINT256, uint256FromBytesLe, uint256ToBytesLe } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const anyUint256 = fc.bigInt(0n, MAX_UINT256);

describe('uint256', () => {
  it('reads back what it wrote (property)', () => {
    fc.assert(
      fc.property(anyUint256, (value) => {
        const bytes = uint256ToBytesLe(value);
        expect(uint256FromBytesLe(bytes)).toBe(value);
        expect(BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)).toBe(value);
      }),
    );
    expect(uint256ToBytesLe(MAX_UINT256)).toEqual(new Uint8Array(32).fill(255));
    expect(uint256ToBytesLe(1n)[0]).toBe(1);
  });

  it('refuses what does not fit', () => {
    for (const value of [-1n, MAX_UINT256 + 1n]) {
      expect(() => uint256ToBytesLe(value)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
    for (const length of [0, 31, 33]) {
      expect(() => uint256FromBytesLe(new Uint8Array(length))).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
  });

  it('isAtMostLe compares as integers (property)', () => {
    const near = fc.tuple(anyUint256, fc.bigInt(-2n, 2n)).map(([value, delta]) => {
      const other = value + delta;
      return [value, other < 0n || other > MAX_UINT256 ? value : other] as const;
    });
    fc.assert(
      fc.property(fc.oneof(fc.tuple(anyUint256, anyUint256), near), fc.nat(20), ([value, limit], offset) => {
        const packed = new Uint8Array(60).fill(0xaa);
        packed.set(uint256ToBytesLe(value), offset);
        expect(isAtMostLe(packed, offset, uint256ToBytesLe(limit))).toBe(value <= limit);
      }),
    );
  });
});
