import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addFractions,
  compareFractions,
  formatFraction,
  fraction,
  parseFraction,
  wholeAndRest,
} from '../../src/index.js';

const value = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.bigInt({ min: 1n, max: 10n ** 30n }))
  .map(([numerator, denominator]) => fraction(numerator, denominator));

describe('fractions', () => {
  it('add up exactly', () => {
    expect(compareFractions(addFractions(fraction(1n, 3n), fraction(1n, 6n)), fraction(1n, 2n))).toBe(0);
    fc.assert(
      fc.property(value, value, (a, b) => {
        const sum = addFractions(a, b);
        // a + b - b = a, by cross multiplication alone.
        const back = addFractions(sum, { ...b, numerator: -b.numerator });
        expect(compareFractions(back, a)).toBe(0);
        expect(compareFractions(sum, addFractions(b, a))).toBe(0);
        expect(compareFractions(sum, a)).toBe(b.numerator > 0n ? 1 : b.numerator < 0n ? -1 : 0);
      }),
    );
  });

  it('keep a common denominator, so that a carry does not grow', () => {
    expect(addFractions(fraction(1n, 6n), fraction(1n, 6n)).denominator).toBe(6n);
    expect(addFractions(fraction(1n, 12n), fraction(1n, 6n))).toEqual(fraction(3n, 12n));
    expect(addFractions(fraction(1n, 6n), fraction(1n, 12n))).toEqual(fraction(3n, 12n));
    expect(addFractions(fraction(1n, 4n), fraction(1n, 6n))).toEqual(fraction(5n, 12n));
  });

  it('split into whole and rest', () => {
    expect(wholeAndRest(fraction(22n, 7n))).toEqual({ whole: 3n, rest: fraction(1n, 7n) });
  });

  it('are stored as text and read back', () => {
    fc.assert(
      fc.property(value, (a) => {
        expect(parseFraction(formatFraction(a))).toEqual(a);
      }),
    );
  });

  it.each(['', '1', '1/0', '1/-2', '1.5/2', ' 1/2', '1/2 ', 'a/b'])('refuse %j', (text) => {
    expect(() => parseFraction(text)).toThrow(expect.objectContaining({ code: 'invalid_data' }));
  });

  it('refuse a denominator that is not positive', () => {
    expect(() => fraction(1n, 0n)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
