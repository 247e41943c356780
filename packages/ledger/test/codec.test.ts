import type { ShareRecord } from '@headframe/mining';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { share } from '../src/compliance/samples.js';
import { decodeShares, encodeShares, WORK_UNITS, workOfDifficulty, workToDecimal, workToNumber } from '../src/index.js';

const shares: fc.Arbitrary<ShareRecord[]> = fc.array(
  fc.record({
    timeMs: fc.integer({ min: 0, max: 2 ** 52 }),
    account: fc.string({ unit: 'binary', maxLength: 8 }),
    worker: fc.string({ maxLength: 300 }),
    address: fc.constantFrom('a', 'b', ''),
    jobId: fc.integer({ min: 0, max: 0xffffffff }),
    height: fc.integer({ min: 0, max: 10_000_000 }),
    result: fc.constantFrom('accepted', 'stale', 'duplicate', 'internal'),
    difficulty: fc.oneof(fc.double({ min: 0, max: 1e18, noNaN: true }), fc.constantFrom(0.001, 65536)),
    achieved: fc.double(),
    blockHash: fc.option(fc.constantFrom('ab'.repeat(32), '00'.repeat(32)), { nil: undefined }),
  }),
  { maxLength: 60 },
);

describe('stored batches', () => {
  it('read back as they were, whatever is in them', () => {
    fc.assert(
      fc.property(shares, (list) => {
        expect(decodeShares(encodeShares(list))).toEqual(list);
      }),
      { numRuns: 300 },
    );
  });

  it('take few bytes: under 20 a share of a busy pool', () => {
    const list = Array.from({ length: 2000 }, (_, i) =>
      share({
        timeMs: 1_700_000_000_000 + i * 3,
        worker: `w${i % 100}`,
        difficulty: 2 ** (i % 8),
        achieved: Math.PI * i,
      }),
    );
    expect(encodeShares(list).length / list.length).toBeLessThan(20);
  });

  it('are refused when cut, damaged or of another version, never read beyond their end', () => {
    const good = encodeShares([share(), share({ worker: 'x', blockHash: 'ab'.repeat(32) })]);
    for (let length = 0; length < good.length; length++) {
      expect(() => decodeShares(good.subarray(0, length)), `${length} bytes`).toThrow();
    }
    expect(() => decodeShares(Uint8Array.from([...good, 0]))).toThrow('left over');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeShares(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_data' });
        }
      }),
    );
  });

  it('hold a bounded number of shares', () => {
    const one = share();
    expect(() => encodeShares(Array.from({ length: 65_537 }, () => one))).toThrow('at most');
    expect(decodeShares(encodeShares(Array.from({ length: 65_536 }, () => one)))).toHaveLength(65_536);
  });
});

describe('work', () => {
  it('is the exact decimal of a difficulty', () => {
    expect(workOfDifficulty(0.1)).toBe(WORK_UNITS / 10n);
    expect(workOfDifficulty(0.000000000232831)).toBe(232_831n);
    expect(workOfDifficulty(1e-15)).toBe(1n);
    expect(workOfDifficulty(1.5e-15)).toBe(1n);
    expect(workOfDifficulty(1e18)).toBe(10n ** 33n);
    expect(workOfDifficulty(123456.789)).toBe(123_456_789n * 10n ** 12n);
    expect(workOfDifficulty(0)).toBe(0n);
  });

  it('of any decimal of six digits is that decimal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -15, max: 12 }), (digits, exponent) => {
        const work = BigInt(digits) * 10n ** BigInt(exponent + 15);
        expect(workOfDifficulty(Number(`${digits}e${exponent}`))).toBe(work);
        expect(workToNumber(work)).toBeCloseTo(Number(`${digits}e${exponent}`), 9);
      }),
    );
  });

  it('prints exactly', () => {
    expect(workToDecimal(workOfDifficulty(1.5))).toBe('1.5');
    expect(workToDecimal(10n ** 33n + 1n)).toBe('1000000000000000000.000000000000001');
    expect(workToDecimal(0n)).toBe('0');
  });
});
