import type { BlockOutcome } from '@headframe/mining';
import { expect } from 'vitest';
import type { LedgerCase } from './ledger.js';
import { hashOf, outcome, START_MS } from './samples.js';

function* orders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) yield [...items];
  for (const [i, item] of items.entries()) {
    for (const rest of orders([...items.slice(0, i), ...items.slice(i + 1)])) yield [item, ...rest];
  }
}

/** Each told in order of its time; the last is what must be known in the end, in whatever order they come. */
const HISTORIES: readonly (readonly BlockOutcome['status'][])[] = [
  ['candidate', 'confirmed', 'matured'],
  ['candidate', 'confirmed', 'orphaned'],
  ['candidate', 'orphaned', 'confirmed', 'matured'],
  ['confirmed', 'orphaned', 'confirmed'],
  ['candidate', 'rejected'],
  ['candidate', 'rejected', 'confirmed'],
];

export const blockCases: readonly LedgerCase[] = [
  [
    'keeps a block with its reward to the last unit',
    async ({ ledger }) => {
      await ledger.recordBlock(outcome(1, 'candidate', { nodes: { main: 'sent', 'odd"\0name': 'x' } }), {
        networkDifficulty: 2.5,
      });
      expect(await ledger.block(hashOf(1))).toMatchObject({
        hash: hashOf(1),
        height: 101,
        status: 'candidate',
        reward: 9_007_199_254_740_993n,
        networkDifficulty: 2.5,
        foundMs: START_MS,
      });
      expect(await ledger.block(hashOf(2))).toBeUndefined();
    },
  ],
  [
    'ends with what was said last, in whatever order it comes, and twice as well as once',
    async ({ ledger }) => {
      let n = 0;
      for (const history of HISTORIES) {
        const told = history.map((status, i) => ({ status, timeMs: START_MS + i, confirmations: i }));
        for (const order of orders(told)) {
          n++;
          for (const one of [...order, ...order]) await ledger.recordBlock(outcome(n, one.status, one));
          const last = told.at(-1);
          expect(await ledger.block(hashOf(n)), JSON.stringify(order)).toMatchObject({
            status: last?.status,
            saidMs: last?.timeMs,
            confirmations: last?.confirmations,
            foundMs: START_MS,
          });
        }
      }
    },
  ],
  [
    'takes the same block from many sides at once',
    async ({ ledger }) => {
      const statuses = ['candidate', 'confirmed', 'matured', 'candidate', 'confirmed'] as const;
      await Promise.all(statuses.map((status) => ledger.recordBlock(outcome(1, status))));
      expect((await ledger.block(hashOf(1)))?.status).toBe('matured');
    },
  ],
  [
    'pages through blocks from the highest down, several at one height included',
    async ({ ledger }) => {
      for (let n = 1; n <= 12; n++) await ledger.recordBlock(outcome(n, 'confirmed', { height: Math.floor(n / 3) }));
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await ledger.blocks({ limit: 5, ...(after === undefined ? {} : { after }) });
        seen.push(...page.items.map(({ hash }) => hash));
        after = page.next;
      } while (after !== undefined);
      expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => hashOf(12 - i)));
    },
  ],
];
