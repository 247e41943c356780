import { expect } from 'vitest';
import { allPages, booking, plan, reward } from './book-samples.js';
import type { LedgerCase } from './ledger.js';
import { batch, START_MS, share } from './samples.js';

export const accountCases: readonly LedgerCase[] = [
  [
    'knows the address of an account from its latest accepted share, unless one was set by hand',
    async ({ ledger }) => {
      const { accounting } = ledger;
      expect(await accounting.settings('alice')).toEqual({
        account: 'alice',
        address: undefined,
        minimumPayout: undefined,
        donationPpm: 0,
        isHeld: false,
      });
      const told = async (sequence: number, address: string, changes = {}): Promise<string | undefined> => {
        await ledger.commit(batch(sequence, [share({ address, timeMs: START_MS + sequence, ...changes })]));
        await ledger.fold();
        return (await accounting.settings('alice')).address;
      };
      expect(await told(1, 'first')).toBe('first');
      expect(await told(2, 'second')).toBe('second');
      expect(await told(3, 'stale', { result: 'stale' })).toBe('second');
      expect(await told(4, '')).toBe('second');
      expect(await told(5, 'no address\0')).toBe('second');
      expect(await told(6, 'late', { timeMs: START_MS })).toBe('second');
      await accounting.changeSettings('alice', { address: 'hand' });
      expect(await told(7, 'third')).toBe('hand');
      expect((await accounting.changeSettings('alice', { address: null })).address).toBe('third');
      expect(await told(8, 'first')).toBe('first');
    },
  ],
  [
    'changes settings one by one and takes them back',
    async ({ ledger: { accounting } }) => {
      await accounting.changeSettings('alice', { minimumPayout: 2n ** 60n + 1n, isHeld: true });
      expect(await accounting.changeSettings('alice', { donationPpm: 1_000_000 })).toEqual({
        account: 'alice',
        address: undefined,
        minimumPayout: 2n ** 60n + 1n,
        donationPpm: 1_000_000,
        isHeld: true,
      });
      const back = { minimumPayout: null, donationPpm: 0, isHeld: false };
      expect(await accounting.changeSettings('alice', back)).toEqual(
        await accounting.settings('unknown').then((settings) => ({ ...settings, account: 'alice' })),
      );
      await accounting.changeSettings('carol', { donationPpm: 5 });
      const known = await accounting.settingsOf(['alice', 'nobody']);
      expect(known.map(({ account, donationPpm }) => [account, donationPpm]).sort()).toEqual([
        ['alice', 0],
        ['carol', 5],
        ['nobody', 0],
      ]);
      for (const change of [
        { minimumPayout: -1n },
        { minimumPayout: 2n ** 63n },
        { donationPpm: 1.5 },
        { donationPpm: 1_000_001 },
        { donationPpm: -1 },
        { address: '' },
        { address: 'a b' },
      ]) {
        const refused = accounting.changeSettings('alice', change);
        await expect(refused, JSON.stringify(Object.keys(change))).rejects.toMatchObject({ code: 'invalid_argument' });
      }
    },
  ],
  [
    "lists who is due: by their own minimum or the pool's, with an address, not held, most first",
    async ({ ledger: { accounting } }) => {
      const amounts = { rich: 500n, own: 30n, high: 400n, poor: 99n, exact: 100n, held: 900n, lost: 800n, debt: -5n };
      await accounting.book(
        booking(
          'adjustment:1',
          Object.entries(amounts).map(([name, amount]) => reward(name, amount)),
        ),
      );
      for (const account of Object.keys(amounts)) {
        if (account !== 'lost') await accounting.changeSettings(account, { address: `addr-${account}` });
      }
      await accounting.changeSettings('own', { minimumPayout: 30n });
      await accounting.changeSettings('high', { minimumPayout: 401n });
      await accounting.changeSettings('held', { isHeld: true });
      await accounting.changeSettings('debt', { minimumPayout: 0n });
      const due = async (minimum: bigint, limit: number) =>
        (await accounting.due(minimum, limit)).map(
          ({ account, available, address }) => `${account} ${available} ${address}`,
        );
      expect(await due(100n, 10)).toEqual(['rich 500 addr-rich', 'exact 100 addr-exact', 'own 30 addr-own']);
      expect(await due(100n, 2)).toEqual(['rich 500 addr-rich', 'exact 100 addr-exact']);
      expect(await due(0n, 10)).toHaveLength(4);
      expect(await due(501n, 10)).toEqual(['own 30 addr-own']);
      await accounting.planPayment(plan('p1', { rich: 450n }));
      expect(await due(100n, 10)).toEqual(['exact 100 addr-exact', 'own 30 addr-own']);
      for (const [minimum, limit] of [
        [-1n, 1],
        [1n, 0],
        [1n, 1.5],
      ] as const) {
        await expect(accounting.due(minimum, limit)).rejects.toMatchObject({ code: 'invalid_argument' });
      }
    },
  ],
  [
    'pages through balances, most available first, equal ones included; sums them all and what is open',
    async ({ ledger: { accounting } }) => {
      expect(await accounting.totals()).toEqual({ immature: 0n, available: 0n, reserved: 0n, paid: 0n });
      const huge = 2n ** 61n;
      const names = Array.from({ length: 23 }, (_, i) => `account${i}`);
      await accounting.book(
        booking(
          'adjustment:1',
          names.map((name, i) => reward(name, BigInt(i >> 2) - 2n)).filter(({ amount }) => amount !== 0n),
        ),
      );
      await accounting.book(
        booking(
          'block:1',
          ['x', 'y', 'z', 'v'].map((name) => reward(name, huge)),
          { state: 'immature' },
        ),
      );
      await accounting.book(booking('block:2', [reward('x', -huge)]));
      await accounting.changeSettings('nothing', { address: 'a' });
      const seen = await allPages((after) =>
        accounting.balances({ limit: 5, ...(after === undefined ? {} : { after }) }),
      );
      expect(seen).toHaveLength(19 + 4);
      expect(new Set(seen.map(({ account }) => account)).size).toBe(seen.length);
      const available = seen.map((balance) => balance.available);
      expect(available).toEqual([...available].sort((a, b) => (a > b ? -1 : a < b ? 1 : 0)));
      const expected = names.reduce((sum, _, i) => sum + BigInt(i >> 2) - 2n, 0n);
      // Beyond 64 bits: no engine's own sum is trusted with it.
      expect(await accounting.totals()).toEqual({
        immature: huge * 4n,
        available: expected - huge,
        reserved: 0n,
        paid: 0n,
      });
      const open = await accounting.openBalances();
      expect(open.size).toBe(19 + 3);
      expect(open.get('y')).toBe(huge);
      expect(open.get('account0')).toBe(-2n);
      await expect(accounting.balances({ after: 'x' })).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(accounting.balances({ limit: 501 })).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  ],
  [
    'takes any name of an account, and knows it again',
    async ({ ledger: { accounting } }) => {
      const names = [
        '',
        "x'); DROP TABLE accounts; --",
        'nul\0nul',
        '\u{1f600}',
        '\ud800',
        'a'.repeat(5000),
        '%_',
        '$1',
      ];
      await accounting.book(
        booking(
          'adjustment:1',
          names.map((name) => reward(name, 7n)),
        ),
      );
      for (const name of names) {
        expect((await accounting.balance(name)).available, JSON.stringify(name.slice(0, 20))).toBe(7n);
        await accounting.changeSettings(name, { donationPpm: 3 });
        expect((await accounting.settings(name)).donationPpm).toBe(3);
        expect((await accounting.statement(name)).items).toHaveLength(1);
      }
      const paged = await allPages((after) =>
        accounting.balances({ limit: 3, ...(after === undefined ? {} : { after }) }),
      );
      expect(paged).toHaveLength(names.length);
      expect(await accounting.verify()).toEqual([]);
      // Neither do questions fail.
      expect(await accounting.booking("'\0")).toBeUndefined();
      expect(await accounting.payment('\0')).toBeUndefined();
      expect(await accounting.cursor('\0')).toBe(0);
      expect(await accounting.setBookingState('\0', 'final', START_MS)).toBe(false);
    },
  ],
  [
    'keeps the latest word of a height',
    async ({ ledger: { accounting } }) => {
      const height = (n: number, timeMs: number, fees: bigint) => ({
        height: n,
        networkTarget: '0f'.padStart(64, '0'),
        networkDifficulty: 1.5,
        reward: 2n ** 60n + fees,
        subsidy: 2n ** 60n,
        fees,
        timeMs,
      });
      for (const n of [7, 5, 6, 9]) await accounting.recordHeight(height(n, 10, 1n));
      await accounting.recordHeight(height(6, 12, 3n));
      await accounting.recordHeight(height(6, 11, 2n));
      expect(await accounting.heights(6, 2)).toEqual([height(6, 12, 3n), height(7, 10, 1n)]);
      expect((await accounting.heights(0, 10)).map(({ height: n }) => n)).toEqual([5, 6, 7, 9]);
      await expect(accounting.recordHeight({ ...height(1, 1, 1n), networkTarget: 'x' })).rejects.toMatchObject({
        code: 'invalid_argument',
      });
    },
  ],
];
