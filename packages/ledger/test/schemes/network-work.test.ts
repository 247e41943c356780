import { canonicalDifficulty, lowestDifficulty } from '@headframe/mining';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkWork, WORK_UNITS, windowWork, workOfDifficulty, workToDecimal } from '../../src/index.js';

const DIFF1 = 0xffffn << 208n;

describe('work of a legal difficulty', () => {
  it.each([
    ['SHA-256d', 1, '0.000000000232831', 232_831n],
    ['scrypt', 65_536, '0.0000152588', 15_258_800_000n],
  ])('has all digits of the lowest of %s', (_, factor, text, work) => {
    const lowest = lowestDifficulty(factor);
    expect(lowest.text).toBe(text);
    expect(workOfDifficulty(lowest.value)).toBe(work);
  });

  it.each([1, 256, 65_536])('has all digits of any with factor %i', (factor) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -15, max: 12 }), (digits, exponent) => {
        const asked = Math.max(Number(`${digits}e${exponent}`), lowestDifficulty(factor).value);
        const { text, value } = canonicalDifficulty(asked, factor);
        expect(workToDecimal(workOfDifficulty(value))).toBe(text);
      }),
    );
  });
});

describe('networkWork', () => {
  it('is the difficulty where the target divides evenly', () => {
    const { numerator, denominator } = networkWork(DIFF1 / 5n, 1);
    expect(numerator / denominator).toBe(5n * WORK_UNITS);
    expect(numerator % denominator).toBe(0n);
  });

  it('counts the factor in: a scrypt target of diff1 is difficulty 65536', () => {
    const { numerator, denominator } = networkWork(DIFF1, 65_536);
    expect(numerator / denominator).toBe(65_536n * WORK_UNITS);
  });

  it('keeps one numerator for a coin, whatever the target', () => {
    expect(networkWork(12345n, 1).numerator).toBe(networkWork(DIFF1, 1).numerator);
  });

  it.each([
    [0n, 1],
    [-1n, 1],
    [1n, 0],
    [1n, 1.5],
  ])('refuses target %s and factor %s', (target, factor) => {
    expect(() => networkWork(target, factor)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('windowWork', () => {
  it('takes the multiple as the decimal it is written in', () => {
    // 0.1 as a double is above a tenth; the window is not.
    expect(windowWork(networkWork(DIFF1 / 10n, 1), 0.1)).toBe(WORK_UNITS);
    expect(windowWork(networkWork(DIFF1, 1), 2.5)).toBe((5n * WORK_UNITS) / 2n);
  });

  it('rounds up to a unit', () => {
    expect(windowWork({ numerator: 10n, denominator: 3n }, 1)).toBe(4n);
    expect(windowWork({ numerator: 1n, denominator: 10n ** 30n }, 1)).toBe(1n);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (multiple) => {
    expect(() => windowWork(networkWork(DIFF1, 1), multiple)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});
