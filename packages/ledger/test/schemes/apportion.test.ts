import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion } from '../../src/index.js';
import { account, reward, work } from './arbitraries.js';

const weighted = fc.uniqueArray(fc.record({ account, weight: work }), {
  minLength: 1,
  maxLength: 9,
  selector: (entry) => entry.account,
});
const divisible = weighted.filter((list) => list.some(({ weight }) => weight > 0n));
const list = (weights: Readonly<Record<string, bigint>>) =>
  Object.entries(weights).map(([name, weight]) => ({ account: name, weight }));
const total = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((sum, amount) => sum + amount, 0n);

describe('apportion', () => {
  it.each([
    // Quotas 3.33 and 6.66: floors 3 and 6, the unit left goes to the larger remainder.
    ['10 by 1:2', 10n, { a: 1n, b: 2n }, { a: 3n, b: 7n }],
    // Quotas 33.3 each: one unit left, equal remainders, first name.
    ['100 in three', 100n, { c: 1n, b: 1n, a: 1n }, { a: 34n, b: 33n, c: 33n }],
    // Quotas 1.5, 1.5: code units, capitals first.
    ['a tie of B and a', 3n, { a: 1n, B: 1n }, { B: 2n, a: 1n }],
    // Quotas 4.2, 1.4, 1.4: floors 4, 1, 1, one left for the 0.4 that comes first by name.
    ['7 by 3:1:1', 7n, { a: 3n, b: 1n, c: 1n }, { a: 4n, b: 2n, c: 1n }],
    ['one unit among many', 1n, { a: 1n, b: 5n, c: 4n }, { b: 1n }],
    ['nothing', 0n, { a: 1n }, {}],
    ['nothing among nobody', 0n, {}, {}],
  ])('divides %s', (_, amount, weights, expected) => {
    expect(Object.fromEntries(apportion(amount, list(weights)))).toEqual(expected);
  });

  it('gives out everything, and nobody is a whole unit away from the exact quota', () => {
    fc.assert(
      fc.property(reward, divisible, (amount, weights) => {
        const amounts = apportion(amount, weights);
        expect(total(amounts.values())).toBe(amount);
        const all = total(weights.map(({ weight }) => weight));
        for (const { account: name, weight } of weights) {
          const away = (amounts.get(name) ?? 0n) * all - amount * weight;
          expect(away < all && away > -all, `${name} is off by a unit`).toBe(true);
        }
      }),
    );
  });

  it('does not depend on the order, nor on the unit of the weights', () => {
    fc.assert(
      fc.property(reward, divisible, fc.bigInt({ min: 1n, max: 10n ** 20n }), (amount, weights, scale) => {
        const expected = [...apportion(amount, weights)];
        expect([...apportion(amount, [...weights].reverse())]).toEqual(expected);
        const scaled = weights.map(({ account: name, weight }) => ({ account: name, weight: weight * scale }));
        expect([...apportion(amount, scaled)]).toEqual(expected);
      }),
    );
  });

  it('never gives less for more weight, among accounts and to one account', () => {
    fc.assert(
      fc.property(reward, divisible, work, (amount, weights, more) => {
        const amounts = apportion(amount, weights);
        const sorted = [...weights].sort((a, b) => (a.weight < b.weight ? -1 : a.weight > b.weight ? 1 : 0));
        sorted.forEach((heavy, i) => {
          const light = sorted[i - 1];
          if (light === undefined || light.weight === heavy.weight) return;
          expect((amounts.get(heavy.account) ?? 0n) >= (amounts.get(light.account) ?? 0n)).toBe(true);
        });
        const [first, ...others] = weights;
        if (first === undefined) return;
        const grown = apportion(amount, [{ ...first, weight: first.weight + more }, ...others]);
        expect((grown.get(first.account) ?? 0n) >= (amounts.get(first.account) ?? 0n)).toBe(true);
      }),
    );
  });

  it.each([
    ['a negative amount', -1n, list({ a: 1n })],
    ['a negative weight', 1n, list({ a: 2n, b: -1n })],
    ['nobody', 1n, []],
    ['weights of zero', 1n, list({ a: 0n })],
    ['an account twice', 1n, [...list({ a: 1n }), ...list({ a: 1n })]],
  ])('refuses %s', (_, amount, weights) => {
    expect(() => apportion(amount, weights)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
