import { FakeClock } from '@headframe/primitives/testing';
import { expect } from 'vitest';
import type { Ledger, StoredBatch } from '../types.js';
import type { LedgerCase } from './ledger.js';
import { batch, share } from './samples.js';

async function wholeLog(ledger: Ledger): Promise<StoredBatch[]> {
  const all: StoredBatch[] = [];
  for (;;) {
    const page = await ledger.shareLog(all.at(-1)?.id ?? 0);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const storageCases: readonly LedgerCase[] = [
  [
    'gives back the log in the order of its commits',
    async ({ ledger }) => {
      const batches = Array.from({ length: 150 }, (_, i) =>
        batch(i + 1, [share({ jobId: i, timeMs: 1_700_000_000_000 - i, achieved: 1 / 3 }), share({ result: 'stale' })]),
      );
      for (const one of batches.slice(0, 10)) await ledger.commit(one);
      await Promise.all(batches.slice(10).map((one) => ledger.commit(one)));
      const log = await wholeLog(ledger);
      expect(log.map(({ epoch, sequence, shares }) => ({ epoch, sequence, shares }))).toEqual(batches);
    },
  ],
  [
    'refuses what could never be stored',
    async ({ ledger }) => {
      for (const difficulty of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300]) {
        await expect(ledger.commit(batch(1, [share({ difficulty })]))).rejects.toMatchObject({
          code: 'invalid_argument',
        });
      }
      await expect(ledger.commit(batch(1, [], 'a b'))).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(ledger.summary({ worker: 'x' })).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(ledger.blocks({ limit: 0 })).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(ledger.blocks({ after: "1-' OR 1" })).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  ],
  [
    'takes any name that a miner may send, and folds it',
    async ({ ledger }) => {
      const names = [
        '',
        "x'); DROP TABLE subjects; --",
        'nul\0nul',
        '\u{1f600}',
        '\ud800',
        'a'.repeat(5000),
        '%_',
        '$1',
      ];
      await ledger.commit(
        batch(
          1,
          names.map((worker) => share({ account: worker, worker })),
        ),
      );
      await ledger.fold();
      for (const name of names) {
        const found = await ledger.summary({ account: name, worker: name });
        expect(found?.total.accepted, JSON.stringify(name.slice(0, 20))).toBe(1);
      }
      expect((await ledger.summary())?.total.accepted).toBe(names.length);
      // Neither do questions fail.
      expect(await ledger.block('\0')).toBeUndefined();
      expect(await ledger.roundOf("'\0")).toBeUndefined();
      expect((await ledger.account('', { after: '\0' }))?.workers.items).toEqual([]);
    },
  ],
  [
    'says how far statistics are behind',
    async ({ ledger }) => {
      await ledger.commit(batch(1, [share()]));
      await ledger.commit(batch(2, [share()]));
      expect(await ledger.stats()).toMatchObject({ unfoldedBatches: 2, pendingCommits: 0 });
      expect(await ledger.fold()).toEqual({ batches: 2, shares: 2 });
      expect(await ledger.stats()).toMatchObject({ unfoldedBatches: 0, threadRestarts: 0 });
    },
  ],
  [
    'folds by itself, and goes on where it was after a restart',
    async ({ ledger, clock, harness }) => {
      await ledger.commit(batch(1, [share()]));
      clock.advance(10_000);
      // The timer's fold and this one are the same or follow each other.
      await ledger.fold();
      await ledger.commit(batch(2, [share()]));
      await ledger.close();
      const again = await harness.open({ clock });
      try {
        expect((await again.summary())?.total.accepted).toBe(1);
        expect(await again.fold()).toEqual({ batches: 1, shares: 1 });
        expect((await again.summary())?.total.accepted).toBe(2);
        // A retry that comes after the fold changes nothing.
        await again.commit(batch(2, [share()]));
        expect(await again.fold()).toEqual({ batches: 0, shares: 0 });
      } finally {
        await again.close();
      }
    },
  ],
  [
    'two ledgers on one database count nothing twice',
    async ({ ledger, clock, harness }) => {
      const other = await harness.open({ clock });
      try {
        await Promise.all(
          Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? ledger : other).commit(batch(i, [share()], `e${i % 4}`))),
        );
        await Promise.all([ledger.fold(), other.fold(), ledger.fold(), other.fold()]);
        await ledger.fold();
        expect((await other.summary())?.total.accepted).toBe(40);
      } finally {
        await other.close();
      }
    },
  ],
  [
    'prunes by age, but never what is not folded or what a retry needs',
    async ({ ledger, clock }) => {
      await ledger.commit(batch(1, [share({ worker: 'old' }), share({ worker: 'busy' })]));
      clock.advance(3 * DAY_MS + HOUR_MS);
      await ledger.fold();
      await ledger.commit(batch(2, [share({ worker: 'busy', timeMs: clock.now() })]));
      const report = await ledger.prune();
      expect(report).toMatchObject({ batches: 1, workers: 0 });
      expect((await wholeLog(ledger)).map(({ sequence }) => sequence)).toEqual([2]);
      await ledger.fold();
      const range = { fromMs: 0, toMs: clock.now() + HOUR_MS };
      expect(await ledger.series({ ...range, resolution: 'minute' })).toHaveLength(1);
      expect(await ledger.series({ ...range, resolution: 'hour' })).toHaveLength(2);
      expect((await ledger.summary())?.total.accepted).toBe(3);
      clock.advance(401 * DAY_MS);
      await ledger.prune();
      expect(await ledger.summary({ account: 'alice', worker: 'old' })).toBeUndefined();
      expect(await ledger.series({ ...range, resolution: 'hour' })).toEqual([]);
      expect((await ledger.summary({ account: 'alice' }))?.total.accepted).toBe(3);
    },
  ],
  [
    'prunes what a clock that was ahead has written, once what came after it is old',
    async ({ ledger, clock, harness }) => {
      const ahead = await harness.open({ clock: new FakeClock(clock.now() + 3_650 * DAY_MS) });
      try {
        await ledger.commit(batch(1, [share()]));
        const many = Array.from({ length: 1_100 }, (_, i) => batch(i, [share()], 'ahead'));
        for (let first = 0; first < many.length; first += 100) {
          await Promise.all(many.slice(first, first + 100).map((one) => ahead.commit(one)));
        }
      } finally {
        await ahead.close();
      }
      await ledger.commit(batch(2, [share()]));
      await ledger.fold();
      clock.advance(2 * DAY_MS);
      await ledger.commit(batch(3, [share()]));
      await ledger.fold();
      // What is not known to be old stays.
      clock.advance(DAY_MS / 2);
      expect((await ledger.prune()).batches).toBe(0);
      clock.advance(DAY_MS);
      expect((await ledger.prune()).batches).toBe(1_102);
      expect((await wholeLog(ledger)).map(({ sequence }) => sequence)).toEqual([3]);
    },
  ],
  [
    'keeps from pruning what somebody has not read yet',
    async ({ ledger, clock }) => {
      for (const sequence of [1, 2, 3]) await ledger.commit(batch(sequence, [share()]));
      const [, second] = await wholeLog(ledger);
      clock.advance(4 * DAY_MS);
      await ledger.fold();
      ledger.keepShares(second?.id);
      expect((await ledger.prune()).batches).toBe(2);
      expect((await wholeLog(ledger)).map(({ sequence }) => sequence)).toEqual([3]);
      ledger.keepShares(undefined);
      expect((await ledger.prune()).batches).toBe(1);
    },
  ],
  [
    'refuses questions after close',
    async ({ ledger }) => {
      await ledger.close();
      await expect(ledger.summary()).rejects.toMatchObject({ code: 'closed' });
      await expect(ledger.fold()).rejects.toMatchObject({ code: 'closed' });
      await expect(ledger.backup('x')).rejects.toMatchObject({ code: expect.stringMatching(/closed|not_supported/) });
    },
  ],
];
