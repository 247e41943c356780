import { MAX_PAYMENT_PARTS } from '@headframe/ledger';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputsOf, planPayments } from '../src/plan.js';
import { addressOf, COIN } from './support/world.js';

const limits = { coin: COIN, maxOutputs: 3, maxPayments: 2, dust: 546n, budget: undefined };

describe('planPayments', () => {
  it('keeps amounts, budget, and the bounds of transactions', () => {
    const due = fc.array(
      fc.record({ who: fc.integer({ min: 0, max: 12 }), amount: fc.bigInt({ min: -10n, max: 100_000n }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(due, fc.option(fc.bigInt({ min: 0n, max: 500_000n }), { nil: undefined }), (accounts, budget) => {
        const asked = accounts.map(({ who, amount }, i) => ({
          account: `account${i}`,
          address: addressOf(`${who}`),
          available: amount,
        }));
        const { payments, skipped } = planPayments(asked, { ...limits, budget });
        expect(payments.length).toBeLessThanOrEqual(2);
        let total = 0n;
        for (const { parts, total: sum } of payments) {
          expect(sum).toBe(parts.reduce((all, { amount }) => all + amount, 0n));
          const outputs = outputsOf(COIN, parts);
          expect(outputs.length).toBeLessThanOrEqual(3);
          for (const { amount } of outputs) expect(amount).toBeGreaterThanOrEqual(546n);
          total += sum;
        }
        if (budget !== undefined) expect(total).toBeLessThanOrEqual(budget);
        // Everybody with something due is in one place, with all of it.
        const placed = [...payments.flatMap(({ parts }) => parts), ...skipped];
        const owed = asked.filter(({ available }) => available > 0n);
        expect(new Map(placed.map(({ account, amount }) => [account, amount]))).toEqual(
          new Map(owed.map(({ account, available }) => [account, available])),
        );
        expect(placed).toHaveLength(owed.length);
      }),
    );
  });

  it('refuses witness versions without rules', () => {
    // BIP 350's example of version 2, in regtest's prefix.
    const address = 'bcrt1zw508d6qejxtdg4y5r3zarvaryvhm3vz7';
    const { skipped } = planPayments([{ account: 'ann', address, available: 10_000n }], limits);
    expect(skipped).toEqual([
      { account: 'ann', amount: 10_000n, reason: expect.stringMatching(/witness version|address/) },
    ]);
  });

  it('plans no payment with more parts than the books take', () => {
    // Registered accounts of one farm may all be paid to one address: one output, and any number of parts.
    const due = Array.from({ length: MAX_PAYMENT_PARTS + 100 }, (_, i) => ({
      account: `rig${i}`,
      address: addressOf('farm'),
      available: 1_000n,
    }));
    const { payments, skipped } = planPayments(due, limits);
    expect(payments.map(({ parts }) => parts.length)).toEqual([MAX_PAYMENT_PARTS]);
    expect(skipped).toHaveLength(100);
  });

  it('makes one output of two spellings of an address', () => {
    const lower = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    const parts = [
      { account: 'a', address: lower, amount: 1_000n },
      { account: 'b', address: lower.toUpperCase(), amount: 2_000n },
    ];
    expect(outputsOf(COIN, parts)).toMatchObject([{ address: lower, amount: 3_000n }]);
  });
});
