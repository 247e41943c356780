import { expect } from 'vitest';
import type { BookingEntry, BookingState } from '../accounting/types.js';
import { allPages, booking, expectRight, plan, pots, reward, signed } from './book-samples.js';
import type { LedgerCase } from './ledger.js';
import { START_MS } from './samples.js';

const STATES: readonly BookingState[] = ['immature', 'final', 'reversed'];
/** Where 100 of a reward and -30 of a coinbase are: immature, available, reserved, paid. */
const EXPECTED: Readonly<Record<BookingState, readonly bigint[]>> = {
  immature: [70n, 0n, 0n, 0n],
  final: [0n, 70n, 0n, 30n],
  reversed: [0n, 0n, 0n, 0n],
};
const third = (numerator: bigint) => ({ numerator, denominator: 3n });

export const bookingCases: readonly LedgerCase[] = [
  [
    'books once, however often a key comes, and at the same time from two programs',
    async ({ ledger, clock, harness }) => {
      const other = await harness.open({ clock });
      try {
        const one = booking('block:1', [
          reward('alice', 9_007_199_254_740_993n),
          { account: 'bob', kind: 'fee', amount: 5n },
        ]);
        const told = await Promise.all(
          Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? ledger : other).accounting.book(one)),
        );
        expect(told.filter((isNew) => isNew)).toHaveLength(1);
        expect(await ledger.accounting.book({ ...one, entries: [reward('alice', 1n)] })).toBe(false);
        expect(await pots(ledger.accounting, 'alice')).toEqual([0n, 9_007_199_254_740_993n, 0n, 0n]);
        expect(await ledger.accounting.booking('block:1')).toEqual({
          key: 'block:1',
          state: 'final',
          timeMs: START_MS,
          stateMs: START_MS,
          totals: { reward: 9_007_199_254_740_993n, fee: 5n },
          entries: one.entries,
        });
        await expectRight(ledger.accounting);
      } finally {
        await other.close();
      }
    },
  ],
  [
    'merges entries of one account and kind',
    async ({ ledger: { accounting } }) => {
      const entries = [reward('alice', 5n), reward('bob', 1n), reward('alice', 2n), reward('bob', -1n)];
      await accounting.book(booking('adjustment:1', entries, { note: 'by\0hand' }));
      expect(await accounting.booking('adjustment:1')).toMatchObject({
        note: 'by\ufffdhand',
        entries: [reward('alice', 7n)],
      });
      expect(await pots(accounting, 'bob')).toEqual([0n, 0n, 0n, 0n]);
    },
  ],
  [
    'moves a booking from any state to any other, a coinbase included',
    async ({ ledger: { accounting } }) => {
      const entries: BookingEntry[] = [reward('alice', 100n), { account: 'alice', kind: 'coinbase', amount: -30n }];
      for (const from of STATES) {
        for (const to of STATES) {
          const key = `block:${from}-${to}`;
          await accounting.book(booking(key, entries, { state: from }));
          expect(await pots(accounting, 'alice'), key).toEqual(EXPECTED[from]);
          expect(await accounting.setBookingState(key, to, START_MS + 5)).toBe(from !== to);
          expect(await pots(accounting, 'alice'), key).toEqual(EXPECTED[to]);
          expect(await accounting.booking(key)).toMatchObject({
            state: to,
            stateMs: from === to ? START_MS : START_MS + 5,
          });
          await expectRight(accounting);
          await accounting.setBookingState(key, 'reversed', START_MS + 6);
        }
      }
      expect(await accounting.setBookingState('block:unknown', 'final', START_MS)).toBe(false);
    },
  ],
  [
    'takes a reward back that was paid already: less than nothing is available then',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n)]));
      await accounting.planPayment(plan('p1', { alice: 60n }));
      await accounting.stepPayment('p1', ['approved'], signed);
      await accounting.stepPayment('p1', ['signed'], { to: 'confirmed', timeMs: START_MS + 2 });
      await accounting.setBookingState('block:1', 'reversed', START_MS + 3);
      expect(await pots(accounting, 'alice')).toEqual([0n, -60n, 0n, 60n]);
      await accounting.setBookingState('block:1', 'immature', START_MS + 4);
      expect(await pots(accounting, 'alice')).toEqual([100n, -60n, 0n, 60n]);
      await accounting.setBookingState('block:1', 'final', START_MS + 5);
      expect(await pots(accounting, 'alice')).toEqual([0n, 40n, 0n, 60n]);
      await expectRight(accounting);
    },
  ],
  [
    'moves a cursor with its booking, and refuses one that starts elsewhere, whole',
    async ({ ledger, clock, harness }) => {
      const { accounting } = ledger;
      const stretch = (from: number, to: number) =>
        booking(`shares:${to}`, [reward('alice', 1n)], {
          cursor: { name: 'shares', from, to },
          carries: [{ account: 'alice', kind: 'reward', carry: third(BigInt(to % 3)) }],
        });
      expect(await accounting.cursor('shares')).toBe(0);
      expect(await accounting.book(stretch(0, 4))).toBe(true);
      // A repetition is known by its key, though the cursor has moved.
      expect(await accounting.book(stretch(0, 4))).toBe(false);
      await expect(accounting.book(stretch(0, 5))).rejects.toMatchObject({
        code: 'conflict',
        details: { position: 4 },
      });
      expect(await accounting.booking('shares:5')).toBeUndefined();
      expect(await pots(accounting, 'alice')).toEqual([0n, 1n, 0n, 0n]);
      expect(await accounting.carries()).toEqual([{ account: 'alice', kind: 'reward', carry: third(1n) }]);
      const other = await harness.open({ clock });
      try {
        const raced = await Promise.allSettled([
          accounting.book(stretch(4, 8)),
          other.accounting.book(stretch(4, 9)),
          accounting.book(stretch(4, 11)),
          other.accounting.book(stretch(4, 12)),
        ]);
        expect(raced.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const one of raced) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
        expect(await pots(accounting, 'alice')).toEqual([0n, 2n, 0n, 0n]);
      } finally {
        await other.close();
      }
    },
  ],
  [
    'replaces the carries it names and no others; those that are zero are gone',
    async ({ ledger: { accounting } }) => {
      const carry = (account: string, numerator: bigint, kind: 'reward' | 'fee' = 'reward') => ({
        account,
        kind,
        carry: third(numerator),
      });
      await accounting.book(
        booking('shares:1', [], { carries: [carry('a', 1n), carry('a', 2n, 'fee'), carry('b', 1n)] }),
      );
      await accounting.book(booking('shares:2', [], { carries: [carry('a', 0n), carry('c', 2n)] }));
      expect(await accounting.carries()).toEqual([carry('a', 2n, 'fee'), carry('b', 1n), carry('c', 2n)]);
    },
  ],
  [
    'books and moves thousands of accounts, in steps, and the same when two programs do it',
    async ({ ledger, clock, harness }) => {
      const { accounting } = ledger;
      const count = 1_700;
      const names = Array.from({ length: count }, (_, i) => `account${i}`);
      const entries = names.map((name, i) => reward(name, BigInt(i + 1)));
      const carries = names.map((account) => ({ account, kind: 'reward' as const, carry: third(1n) }));
      const total = (BigInt(count) * BigInt(count + 1)) / 2n;
      const other = await harness.open({ clock });
      try {
        const told = await Promise.all([
          accounting.book(booking('block:1', entries, { state: 'immature', carries })),
          other.accounting.book(booking('block:1', entries, { state: 'immature', carries })),
          accounting.book(booking('block:2', entries)),
          other.accounting.book(
            booking('shares:1', [], { carries: [{ account: 'account3', kind: 'reward', carry: third(2n) }] }),
          ),
        ]);
        expect(told.slice(0, 2).filter((isNew) => isNew)).toHaveLength(1);
        expect((await accounting.booking('block:1'))?.entries).toHaveLength(count);
        expect(await accounting.totals()).toMatchObject({ immature: total, available: total });
        expect(await accounting.carries()).toHaveLength(count);
        await Promise.all([
          accounting.setBookingState('block:1', 'final', START_MS + 1),
          other.accounting.setBookingState('block:2', 'reversed', START_MS + 1),
        ]);
        expect(await accounting.totals()).toMatchObject({ immature: 0n, available: total });
        await expectRight(accounting);
      } finally {
        await other.close();
      }
    },
  ],
  [
    'pages through bookings, latest first',
    async ({ ledger: { accounting } }) => {
      for (let i = 0; i < 12; i++) await accounting.book(booking(`adjustment:${i}`, [reward('a', BigInt(i + 1))]));
      const seen = await allPages((after) =>
        accounting.bookings({ limit: 5, ...(after === undefined ? {} : { after }) }),
      );
      expect(seen.map(({ key }) => key)).toEqual(Array.from({ length: 12 }, (_, i) => `adjustment:${11 - i}`));
      expect(seen[0]?.totals).toEqual({ reward: 12n });
      await expect(accounting.bookings({ after: "1' OR 1" })).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  ],
  [
    'refuses what could never be right',
    async ({ ledger: { accounting } }) => {
      const wrong = [
        booking('', []),
        booking('with space', []),
        booking('k', [reward('a', 0n)]),
        booking('k', [reward('a', 2n ** 62n)]),
        booking('k', [reward('a', 2n ** 61n), reward('a', 2n ** 61n)]),
        booking('k', [], { timeMs: -1 }),
        booking('k', [], { cursor: { name: 'c', from: 5, to: 4 } }),
        booking('k', [], { cursor: { name: 'c', from: -1, to: 4 } }),
        booking('k', [], { carries: [{ account: 'a', kind: 'reward', carry: third(3n) }] }),
      ];
      for (const one of wrong) {
        await expect(accounting.book(one)).rejects.toMatchObject({ code: 'invalid_argument' });
      }
      expect((await accounting.bookings()).items).toEqual([]);
      // Not even in steps does a balance leave what can be added exactly.
      await accounting.book(booking('adjustment:1', [reward('a', 2n ** 62n - 1n)]));
      await expect(accounting.book(booking('adjustment:2', [reward('a', 1n)]))).rejects.toMatchObject({
        code: 'storage_failed',
      });
      expect(await pots(accounting, 'a')).toEqual([0n, 2n ** 62n - 1n, 0n, 0n]);
      await expectRight(accounting);
    },
  ],
];
