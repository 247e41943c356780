import { expect } from 'vitest';
import type { Ledger } from '../types.js';
import { WORK_UNITS } from '../work.js';
import type { LedgerCase } from './ledger.js';
import { batch, hashOf, outcome, START_MS, share } from './samples.js';

/** Three rounds and a beginning: blocks 1, 2, 3; block 1 and 2 in one batch. */
async function threeBlocks(ledger: Ledger): Promise<void> {
  await ledger.commit(
    batch(1, [
      share({ account: 'a', difficulty: 10, timeMs: START_MS }),
      share({ account: 'b', difficulty: 5, timeMs: START_MS + 1, blockHash: hashOf(1) }),
      share({ account: 'a', difficulty: 7, timeMs: START_MS + 2 }),
      share({ account: 'a', difficulty: 100, result: 'stale', timeMs: START_MS + 3 }),
      share({ account: 'c', difficulty: 1, timeMs: START_MS + 4, blockHash: hashOf(2) }),
      share({ account: 'a', difficulty: 3, timeMs: START_MS + 5 }),
    ]),
  );
  await ledger.commit(
    batch(2, [
      share({ account: 'b', difficulty: 4, timeMs: START_MS + 6, blockHash: hashOf(3) }),
      share({ account: 'b', difficulty: 0.5, timeMs: START_MS + 7 }),
    ]),
  );
}

const work = (difficulty: number): bigint => (BigInt(difficulty * 1000) * WORK_UNITS) / 1000n;

export const roundCases: readonly LedgerCase[] = [
  [
    'begins a round with each block, wherever in a batch it stands',
    async ({ ledger }) => {
      await threeBlocks(ledger);
      await ledger.fold();
      expect(await ledger.roundOf(hashOf(1))).toMatchObject({
        blockHash: hashOf(1),
        openedMs: START_MS,
        closedMs: START_MS + 1,
        accepted: 2,
        work: work(15),
        accounts: [
          { account: 'a', accepted: 1, work: work(10) },
          { account: 'b', accepted: 1, work: work(5) },
        ],
      });
      expect((await ledger.roundOf(hashOf(2)))?.accounts).toEqual([
        { account: 'a', accepted: 1, work: work(7) },
        { account: 'c', accepted: 1, work: work(1) },
      ]);
      expect((await ledger.roundOf(hashOf(3)))?.work).toBe(work(7));
      expect(await ledger.currentRound(2)).toMatchObject({ work: work(0.5), effort: 0.25, openedMs: START_MS + 6 });
      expect(await ledger.roundOf(hashOf(4))).toBeUndefined();
      expect((await ledger.rounds(2)).map(({ blockHash }) => blockHash)).toEqual([hashOf(3), hashOf(2)]);
    },
  ],
  [
    'counts the same however the log is cut into folds',
    async ({ ledger }) => {
      await ledger.commit(batch(10, [share({ account: 'a', difficulty: 2 })]));
      await ledger.fold();
      await ledger.commit(batch(11, [share({ account: 'a', difficulty: 2 })]));
      await ledger.fold();
      await threeBlocks(ledger);
      await ledger.fold();
      expect((await ledger.roundOf(hashOf(1)))?.work).toBe(work(19));
      expect((await ledger.roundOf(hashOf(1)))?.accounts[0]).toEqual({ account: 'a', accepted: 3, work: work(14) });
      expect((await ledger.roundOf(hashOf(2)))?.work).toBe(work(8));
    },
  ],
  [
    'joins the round of an orphaned or rejected block with the next',
    async ({ ledger }) => {
      await threeBlocks(ledger);
      await ledger.fold();
      await ledger.recordBlock(outcome(2, 'confirmed'));
      expect((await ledger.roundOf(hashOf(3)))?.work).toBe(work(7));
      await ledger.recordBlock(outcome(2, 'orphaned', { timeMs: START_MS + 1 }));
      expect(await ledger.roundOf(hashOf(3))).toMatchObject({
        work: work(15),
        openedMs: START_MS + 2,
        accounts: [
          { account: 'a', accepted: 2, work: work(10) },
          { account: 'b', accepted: 1, work: work(4) },
          { account: 'c', accepted: 1, work: work(1) },
        ],
      });
      expect((await ledger.rounds()).map(({ blockHash, work: sum }) => [blockHash, sum])).toEqual([
        [hashOf(3), work(15)],
        [hashOf(1), work(15)],
      ]);
      await ledger.recordBlock(outcome(3, 'rejected'));
      expect((await ledger.currentRound()).work).toBe(work(15.5));
    },
  ],
  [
    'tells effort and luck from the network difficulty of the blocks',
    async ({ ledger }) => {
      await threeBlocks(ledger);
      await ledger.fold();
      expect(await ledger.luck()).toEqual({ blocks: 0, luck: undefined });
      await ledger.recordBlock(outcome(1, 'confirmed'), { networkDifficulty: 30 });
      await ledger.recordBlock(outcome(2, 'confirmed'), { networkDifficulty: 16 });
      expect((await ledger.rounds()).map(({ effort }) => effort)).toEqual([undefined, 0.5, 0.5]);
      expect(await ledger.luck()).toEqual({ blocks: 2, luck: 2 });
    },
  ],
  [
    'gives the last work before a block, the oldest share in part',
    async ({ ledger }) => {
      await threeBlocks(ledger);
      expect(await ledger.windowBefore(hashOf(3), work(9))).toBeUndefined();
      await ledger.fold();
      // Back from block 3: b 4, a 3, c 1, (stale), a 7, b 5, a 10.
      expect(await ledger.windowBefore(hashOf(3), work(9))).toEqual({
        accounts: [
          { account: 'a', accepted: 2, work: work(4) },
          { account: 'b', accepted: 1, work: work(4) },
          { account: 'c', accepted: 1, work: work(1) },
        ],
        work: work(9),
        isFull: true,
      });
      expect(await ledger.windowBefore(hashOf(1), work(5))).toEqual({
        accounts: [{ account: 'b', accepted: 1, work: work(5) }],
        work: work(5),
        isFull: true,
      });
      expect(await ledger.windowBefore(hashOf(1), work(1000))).toMatchObject({ work: work(15), isFull: false });
    },
  ],
];
