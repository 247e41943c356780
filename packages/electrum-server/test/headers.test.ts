import { merkleBranchOf } from '@headframe/electrum';
import { sha256d } from '@headframe/hashing';
import { bytesToHex, toDisplayHex } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feeHistogram } from '../src/chain/fee-histogram.js';
import { HeaderChain } from '../src/chain/headers.js';

function headerOf(number: number): Uint8Array {
  return Uint8Array.from({ length: 80 }, (_, i) => (number * 7 + i) % 256);
}
function chainOf(length: number): HeaderChain {
  const chain = new HeaderChain();
  for (let i = 0; i < length; i++) chain.push(headerOf(i), sha256d(headerOf(i)));
  return chain;
}

describe('HeaderChain', () => {
  it('proves every header by every checkpoint as the plain tree does, also after a reorganisation (property)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.nat(70),
        fc.nat(40),
        fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { maxLength: 10 }),
        (length, cut, more, questions) => {
          const chain = chainOf(length);
          const leaves = Array.from({ length }, (_, i) => sha256d(headerOf(i)));
          const check = (): void => {
            if (leaves.length === 0) return;
            for (const [a, b] of questions) {
              const cpHeight = a % leaves.length;
              const height = b % (cpHeight + 1);
              expect(chain.prove(height, cpHeight)).toEqual(merkleBranchOf(leaves.slice(0, cpHeight + 1), height));
            }
          };
          check();
          chain.truncate(Math.min(cut, length));
          leaves.length = Math.min(cut, length);
          for (let i = 0; i < more; i++) {
            const header = headerOf(1000 + i);
            chain.push(header, sha256d(header));
            leaves.push(sha256d(header));
          }
          check();
        },
      ),
    );
  });

  it('grows and gives copies out', () => {
    const chain = chainOf(5000);
    expect(chain.length).toBe(5000);
    expect(bytesToHex(chain.slice(4999, 10))).toBe(bytesToHex(headerOf(4999)));
    expect(chain.slice(5000, 1)).toHaveLength(0);
    chain.slice(0, 1).fill(0);
    expect(bytesToHex(chain.slice(0, 1))).toBe(bytesToHex(headerOf(0)));
    expect(toDisplayHex(chain.hash(3))).toBe(toDisplayHex(sha256d(headerOf(3))));
    expect(() => chain.hash(5000)).toThrow();
    expect(() => chain.prove(5, 4)).toThrow(/checkpoint/);
    expect(() => chain.prove(0, 5000)).toThrow(/checkpoint/);
  });
});

describe('feeHistogram', () => {
  it('falls, and holds the size of the whole mempool (property)', () => {
    const fee = fc.record({
      rate: fc.double({ min: 0, max: 500, noNaN: true }),
      vsize: fc.integer({ min: 60, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(fee, { maxLength: 200 }), (fees) => {
        const histogram = feeHistogram(fees);
        expect(histogram.reduce((sum, [, vsize]) => sum + vsize, 0)).toBe(
          fees.reduce((sum, { vsize }) => sum + vsize, 0),
        );
        for (let i = 1; i < histogram.length; i++) {
          expect(histogram[i]?.[0]).toBeLessThan(histogram[i - 1]?.[0] ?? 0);
        }
      }),
    );
  });
  it('is empty for an empty mempool and one pair for a small one', () => {
    expect(feeHistogram([])).toEqual([]);
    expect(
      feeHistogram([
        { rate: 5.19, vsize: 200 },
        { rate: 9, vsize: 100 },
      ]),
    ).toEqual([[5.1, 300]]);
  });
});
