import { silentLogger } from '@headframe/primitives';
import { expect } from 'vitest';
import { openDatabase } from '../sql/open.js';
import type { Ledger } from '../types.js';
import { booking, plan, reward, signed } from './book-samples.js';
import type { LedgerCase, LedgerHarness } from './ledger.js';
import { batch, hashOf, outcome, START_MS, share } from './samples.js';

/** What to do to the books behind their back, and what must be said of it: part and message. */
const DAMAGES: readonly (readonly [statement: string, part: string, message: RegExp])[] = [
  [
    "UPDATE accounts SET available = available + 1 WHERE account = 'alice'",
    'balance',
    /^alice: available is 61, .* 60$/,
  ],
  ["UPDATE accounts SET immature = 5 WHERE account = 'bob'", 'balance', /^bob: immature is 5/],
  ["UPDATE accounts SET reserved = 0 WHERE account = 'alice'", 'balance', /^alice: reserved/],
  ["UPDATE accounts SET paid = paid - 1 WHERE account = 'bob'", 'balance', /^bob: paid/],
  ["DELETE FROM accounts WHERE account = 'bob'", 'balance', /^bob has .* no balance/],
  ["INSERT INTO accounts (account, available) VALUES ('zoe', 7)", 'balance', /^zoe: available is 7/],
  ["INSERT INTO accounts (account, available) VALUES ('', 7)", 'balance', /^: available is 7/],
  ["UPDATE bookings SET state = 'reversed' WHERE key = 'block:1'", 'balance', /^alice: available/],
  ["DELETE FROM bookings WHERE key = 'block:1'", 'booking', /does not exist/],
  [
    "UPDATE booking_entries SET amount = amount + 1 WHERE account = 'bob'",
    'booking',
    /^block:1: its entries of kind reward/,
  ],
  ["DELETE FROM booking_entries WHERE account = 'bob'", 'booking', /^block:1 has 1 entries, not 2/],
  ["UPDATE booking_entries SET kind = 'fee' WHERE account = 'bob'", 'booking', /kind fee/],
  ["UPDATE bookings SET totals = '{}' WHERE key = 'block:1'", 'booking', /kind reward make 150, not 0/],
  ["UPDATE payments SET status = 'confirmed' WHERE id = 'p1'", 'balance', /^alice: reserved/],
  ["UPDATE payments SET total = total + 1 WHERE id = 'p1'", 'payment', /^p1: its parts make 40, not 41/],
  ["UPDATE payments SET txid = NULL WHERE id = 'p2'", 'payment', /^p2 is confirmed without/],
  ["DELETE FROM payments WHERE id = 'p2'", 'payment', /does not exist/],
  ["DELETE FROM payment_parts WHERE account = 'alice'", 'payment', /^p1: its parts make 0/],
  ["UPDATE subjects SET accepted = accepted + 1 WHERE kind = 1 AND account = 'bob'", 'shares', /^all accounts/],
  ['UPDATE rounds SET work = work + 1', 'shares', /^all rounds/],
  ["DELETE FROM round_work WHERE account = 'bob'", 'shares', /^the accounts of round/],
];

async function fill(ledger: Ledger): Promise<void> {
  const { accounting } = ledger;
  await ledger.commit(batch(1, [share({ address: '' }), share({ account: 'bob', address: '', blockHash: hashOf(1) })]));
  await ledger.fold();
  await ledger.recordBlock(outcome(1, 'confirmed'));
  await accounting.book(booking('block:1', [reward('alice', 100n), reward('bob', 50n)]));
  await accounting.planPayment(plan('p1', { alice: 40n }));
  await accounting.planPayment(plan('p2', { bob: 50n }));
  await accounting.stepPayment('p2', ['approved'], signed);
  await accounting.stepPayment('p2', ['signed'], { to: 'confirmed', timeMs: START_MS });
}

/** Runs `work` while the database is damaged, and repairs it. */
async function damaged(harness: LedgerHarness, statement: string, work: () => Promise<void>): Promise<void> {
  const database = await openDatabase(
    { url: harness.url, readOnly: false, maxBytes: undefined, busyTimeoutMs: undefined },
    silentLogger,
  );
  try {
    const table = /(?:UPDATE|FROM|INTO) (\w+)/.exec(statement)?.[1] ?? '';
    await database.transaction(async (session) => {
      await session.run(`CREATE TABLE kept AS SELECT * FROM ${table}`);
      expect(await session.run(statement), statement).toBeGreaterThan(0);
    });
    await work();
    await database.transaction(async (session) => {
      await session.run(`DELETE FROM ${table}`);
      const own = session.engine === 'postgres' ? 'OVERRIDING SYSTEM VALUE' : '';
      await session.run(`INSERT INTO ${table} ${own} SELECT * FROM kept`);
      await session.run('DROP TABLE kept');
    });
  } finally {
    await database.close();
  }
}

export const damageCases: readonly LedgerCase[] = [
  [
    'finds every kind of damage in the books, and says where',
    async ({ ledger, harness }) => {
      const { accounting } = ledger;
      await fill(ledger);
      for (const [statement, part, message] of DAMAGES) {
        expect(await accounting.verify(), `before ${statement}`).toEqual([]);
        await damaged(harness, statement, async () => {
          const problems = await accounting.verify();
          const found = problems.find((problem) => problem.part === part && message.test(problem.message));
          expect(found, `${statement}: ${JSON.stringify(problems)}`).toBeDefined();
        });
      }
    },
  ],
  [
    'verifies large books piece by piece, telling how far it is',
    async ({ ledger, harness }) => {
      const { accounting } = ledger;
      const names = Array.from({ length: 1_000 }, (_, i) => `account${i}`);
      await accounting.book(
        booking(
          'block:1',
          names.map((name) => reward(name, 3n)),
        ),
      );
      for (let i = 0; i < 450; i++) await accounting.book(booking(`adjustment:${i}`, [reward('alice', 1n)]));
      const progress: number[] = [];
      expect(await accounting.verify((part) => progress.push(part))).toEqual([]);
      expect(progress[0]).toBe(0);
      expect(progress.at(-1)).toBe(1);
      expect(progress.length).toBeGreaterThan(8);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
      for (const [statement, part, message] of [
        ["UPDATE accounts SET available = 0 WHERE account = 'account777'", 'balance', /^account777/],
        ["DELETE FROM accounts WHERE account = 'account555'", 'balance', /^account555/],
        ["UPDATE bookings SET totals = '{}' WHERE key = 'adjustment:400'", 'booking', /^adjustment:400/],
      ] as const) {
        await damaged(harness, statement, async () => {
          expect(await accounting.verify()).toEqual([{ part, message: expect.stringMatching(message) }]);
        });
      }
      await damaged(harness, 'UPDATE accounts SET paid = 1', async () => {
        expect(await accounting.verify()).toHaveLength(1_000);
      });
    },
  ],
];
