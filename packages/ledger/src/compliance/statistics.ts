import { expect } from 'vitest';
import { WORK_UNITS, workOfDifficulty } from '../work.js';
import type { LedgerCase } from './ledger.js';
import { batch, START_MS, share } from './samples.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const statisticsCases: readonly LedgerCase[] = [
  [
    'knows nothing before the first share',
    async ({ ledger }) => {
      expect(await ledger.summary()).toBeUndefined();
      expect(await ledger.account('alice')).toBeUndefined();
      expect(await ledger.topAccounts()).toEqual([]);
      expect(await ledger.active(0)).toEqual({ accounts: 0, workers: 0 });
      expect(await ledger.series({ resolution: 'minute', fromMs: 0, toMs: START_MS })).toEqual([]);
    },
  ],
  [
    'counts each kind of result apart, per worker, account and pool',
    async ({ ledger }) => {
      const results = [
        'accepted',
        'stale',
        'job-not-found',
        'duplicate',
        'low-difficulty',
        'invalid-ntime',
        'other',
      ] as const;
      await ledger.commit(
        batch(
          1,
          results.map((result) => share({ result, difficulty: 2.5, achieved: 77 })),
        ),
      );
      await ledger.commit(batch(2, [share({ worker: 'alice.rig2', achieved: 1000 }), share({ account: 'bob' })]));
      await ledger.fold();
      const rig1 = { accepted: 1, stale: 2, duplicate: 1, low: 1, invalid: 2, work: workOfDifficulty(2.5), best: 77 };
      expect((await ledger.summary({ account: 'alice', worker: 'alice.rig1' }))?.total).toEqual(rig1);
      expect((await ledger.summary({ account: 'alice' }))?.total).toEqual({
        ...rig1,
        accepted: 2,
        work: workOfDifficulty(3.5),
        best: 1000,
      });
      expect((await ledger.summary())?.total).toMatchObject({ accepted: 3, work: workOfDifficulty(4.5), best: 1000 });
      expect(await ledger.summary()).toMatchObject({ account: undefined, worker: undefined, firstMs: START_MS });
    },
  ],
  [
    'adds work exactly: no drift over many folds, at the smallest and the largest difficulties',
    async ({ ledger }) => {
      const difficulties = [0.000000000232831, 0.1, 0.2, 999_999_000_000_000, 123456, 1e17, 0.99999];
      let work = 0n;
      for (let sequence = 1; sequence <= 30; sequence++) {
        const shares = difficulties.map((difficulty, i) => share({ difficulty, timeMs: START_MS + i * MINUTE_MS }));
        for (const difficulty of difficulties) work += workOfDifficulty(difficulty);
        await ledger.commit(batch(sequence, shares));
        if (sequence % 3 === 0) await ledger.fold();
      }
      expect((await ledger.summary())?.total.work).toBe(work);
      const minutes = await ledger.series({ resolution: 'minute', fromMs: START_MS, toMs: START_MS + HOUR_MS });
      expect(minutes).toHaveLength(difficulties.length);
      expect(minutes.map(({ work: part }) => part)).toEqual(difficulties.map((one) => workOfDifficulty(one) * 30n));
      const [hour] = await ledger.series({ resolution: 'hour', fromMs: START_MS, toMs: START_MS + HOUR_MS });
      expect(hour?.work).toBe(work);
      expect((await ledger.currentRound()).work).toBe(work);
    },
  ],
  [
    'tells hashrate over ten minutes, an hour and a day',
    async ({ ledger, clock }) => {
      const at = (minutesAgo: number) => share({ timeMs: START_MS - minutesAgo * MINUTE_MS, difficulty: 600 });
      await ledger.commit(batch(1, [at(5), at(30), at(60 * 23), at(60 * 30)]));
      await ledger.fold();
      const summary = await ledger.summary({ account: 'alice', worker: 'alice.rig1' });
      expect(summary?.hashrate.tenMinutes).toBeCloseTo((600 * 2 ** 32) / 600, 0);
      expect(summary?.hashrate.hour).toBeCloseTo((1200 * 2 ** 32) / 3600, 0);
      expect(summary?.hashrate.day).toBeCloseTo((1800 * 2 ** 32) / 86400, 0);
      expect(summary?.total.work).toBe(2400n * WORK_UNITS);
      // Half a minute on, the window begins with the same minute and is half a minute longer.
      clock.advance(30_000);
      expect((await ledger.summary())?.hashrate.tenMinutes).toBeCloseTo((600 * 2 ** 32) / 630, 0);
      clock.advance(15 * MINUTE_MS);
      expect((await ledger.summary())?.hashrate.tenMinutes).toBe(0);
    },
  ],
  [
    'pages through the workers of an account',
    async ({ ledger }) => {
      const names = Array.from({ length: 25 }, (_, i) => `w${String(i).padStart(2, '0')}`);
      names.push('W', 'z-', '\u00e9');
      await ledger.commit(
        batch(1, [...names.map((worker) => share({ worker })), share({ account: 'bob', worker: 'w00' })]),
      );
      await ledger.fold();
      const seen: (string | undefined)[] = [];
      let after: string | undefined;
      do {
        const page = await ledger.account('alice', { limit: 10, ...(after === undefined ? {} : { after }) });
        expect(page?.workerCount).toBe(28);
        expect(page?.total.accepted).toBe(28);
        seen.push(...(page?.workers.items.map(({ worker }) => worker) ?? []));
        after = page?.workers.next;
      } while (after !== undefined);
      expect(seen).toEqual([...names].sort());
    },
  ],
  [
    'lists the accounts with most work, and who is active',
    async ({ ledger, clock }) => {
      const accounts = ['a', 'b', 'c', 'd'];
      await ledger.commit(
        batch(
          1,
          accounts.map((account, i) => share({ account, difficulty: (i * 7) % 4, timeMs: START_MS - i * HOUR_MS })),
        ),
      );
      await ledger.fold();
      expect((await ledger.topAccounts(3)).map(({ account }) => account)).toEqual(
        ['b', 'c', 'd'].sort((x, y) => {
          const work = (name: string): number => (accounts.indexOf(name) * 7) % 4;
          return work(y) - work(x);
        }),
      );
      expect(await ledger.active(START_MS - HOUR_MS)).toEqual({ accounts: 2, workers: 2 });
      expect(await ledger.active(clock.now() + 1)).toEqual({ accounts: 0, workers: 0 });
    },
  ],
];
