import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSnapshots, Histogram, quantileOf } from '../src/index.js';

const bounds = fc
  .uniqueArray(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 })
  .map((list) => list.sort((a, b) => a - b));
const values = fc.array(fc.double({ min: 0, max: 2e6, noNaN: true }), { maxLength: 200 });

describe('Histogram', () => {
  it('counts a value on a bound into the bucket of that bound', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0, 1, 1.5, 2, 2.1]) histogram.record(value);
    expect(histogram.snapshot()).toEqual({ bounds: [1, 2], cumulative: [2, 4], sum: 6.6, count: 5 });
  });

  it('takes what a broken clock gives for zero, and no count for nothing', () => {
    const histogram = new Histogram([1]);
    for (const value of [-5, Number.NaN, Number.POSITIVE_INFINITY]) histogram.record(value);
    for (const times of [0, -1, Number.NaN]) histogram.record(1, times);
    expect(histogram.snapshot()).toEqual({ bounds: [1], cumulative: [3], sum: 0, count: 3 });
  });

  it('has a snapshot that stays as it was', () => {
    const histogram = new Histogram([1]);
    const before = histogram.snapshot();
    histogram.record(0.5, 3);
    expect(before.count).toBe(0);
    expect(before.cumulative).toEqual([0]);
    expect(histogram.snapshot().cumulative).toEqual([3]);
  });

  it.each([[[]], [[1, 1]], [[2, 1]], [[Number.NaN]], [[1, Infinity]], [Array.from({ length: 65 }, (_, i) => i)]])(
    'refuses the bounds %j',
    (list) => {
      expect(() => new Histogram(list)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );

  it('counts as a plain count does', () => {
    fc.assert(
      fc.property(bounds, values, (list, recorded) => {
        const histogram = new Histogram(list);
        for (const value of recorded) histogram.record(value);
        const { cumulative, count, sum } = histogram.snapshot();
        expect(cumulative).toEqual(list.map((bound) => recorded.filter((value) => value <= bound).length));
        expect(count).toBe(recorded.length);
        expect(sum).toBe(recorded.reduce((all, value) => all + value, 0));
      }),
    );
  });

  it('counts a value many times as it counts it once, many times', () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 50 }), (list, value, times) => {
        const [once, often] = [new Histogram(list), new Histogram(list)];
        for (let i = 0; i < times; i++) once.record(value);
        often.record(value, times);
        expect(often.snapshot()).toEqual(once.snapshot());
      }),
    );
  });

  it('estimates quantiles within the bucket of the true value, and never downwards', () => {
    fc.assert(
      fc.property(bounds, values, (list, recorded) => {
        fc.pre(recorded.length > 0);
        const histogram = new Histogram(list);
        for (const value of recorded) histogram.record(value);
        const sorted = [...recorded].sort((a, b) => a - b);
        let last = 0;
        for (const q of [0, 0.01, 0.5, 0.9, 0.99, 1]) {
          const estimate = histogram.quantile(q) ?? Number.NaN;
          const real = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
          const at = list.findIndex((bound) => real <= bound);
          const low = at < 0 ? list.at(-1) : (list[at - 1] ?? 0);
          expect(estimate).toBeGreaterThanOrEqual(low ?? 0);
          expect(estimate).toBeLessThanOrEqual((at < 0 ? list.at(-1) : list[at]) ?? 0);
          expect(estimate).toBeGreaterThanOrEqual(last);
          last = estimate;
        }
      }),
    );
  });

  it('knows no quantile of nothing', () => {
    expect(new Histogram().quantile(0.5)).toBeUndefined();
  });
});

describe('addSnapshots', () => {
  it('gives what one histogram with all values would', () => {
    const [a, b, all] = [new Histogram([1, 2]), new Histogram([1, 2]), new Histogram([1, 2])];
    for (const value of [0.5, 3]) {
      a.record(value);
      all.record(value);
    }
    b.record(1.5, 4);
    all.record(1.5, 4);
    const sum = addSnapshots(a.snapshot(), b.snapshot());
    expect(sum).toEqual(all.snapshot());
    expect(quantileOf(sum, 0.5)).toBe(all.quantile(0.5));
  });

  it('refuses other bounds', () => {
    const [a, b] = [new Histogram([1]).snapshot(), new Histogram([2]).snapshot()];
    expect(() => addSnapshots(a, b)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
