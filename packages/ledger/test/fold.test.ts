import { silentLogger } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeShares } from '../src/batch-codec.js';
import { hashOf, START_MS, share } from '../src/compliance/samples.js';
import { LedgerCore } from '../src/core/ledger-core.js';
import { workOfDifficulty } from '../src/index.js';
import { openDatabase } from '../src/sql/open.js';
import type { SqlDatabase } from '../src/sql/types.js';
import { type Folder, makeFolder } from './support.js';

const ACCOUNTS = 400;

let folder: Folder;
let database: SqlDatabase;
beforeEach(async () => {
  folder = await makeFolder();
  database = await openDatabase(
    { url: folder.url, readOnly: false, maxBytes: undefined, busyTimeoutMs: undefined },
    silentLogger,
  );
});
afterEach(async () => {
  await database.close();
  await folder.remove();
});

/** Lets transactions through until `allowed` of them are done. */
function failingAfter(allowed: number): SqlDatabase & { readonly done: number } {
  let done = 0;
  return {
    engine: database.engine,
    transaction: (work) => {
      if (done >= allowed) return Promise.reject(new Error('power cut'));
      done++;
      return database.transaction(work);
    },
    read: (work) => database.read(work),
    backup: (path, options) => database.backup(path, options),
    check: () => database.check(),
    close: () => Promise.resolve(),
    get done() {
      return done;
    },
  };
}

async function commitSome(core: LedgerCore, sequence: number): Promise<void> {
  const shares = Array.from({ length: ACCOUNTS * 2 }, (_, i) =>
    share({
      account: `account${i % ACCOUNTS}`,
      worker: `rig${i}`,
      difficulty: 0.1,
      timeMs: START_MS + sequence,
      blockHash: i === 100 ? hashOf(sequence) : undefined,
    }),
  );
  await core.commit({ epoch: 'epoch', sequence, shares: shares.length, data: encodeShares(shares), nowMs: START_MS });
}

async function expectCounted(core: LedgerCore, batches: number): Promise<void> {
  const shares = batches * ACCOUNTS * 2;
  expect((await core.summary({}, START_MS))?.total).toMatchObject({
    accepted: shares,
    work: workOfDifficulty(0.1) * BigInt(shares),
  });
  for (const account of ['account0', 'account1', 'account123', 'account399']) {
    const page = await core.account(account, {}, START_MS);
    expect(page?.total.accepted, account).toBe(batches * 2);
    expect(page?.workers.items.map(({ total }) => total.accepted)).toEqual([batches, batches]);
  }
  const rounds = await core.rounds(100);
  expect(rounds).toHaveLength(batches);
  const current = await core.currentRound(undefined, START_MS);
  expect(rounds.reduce((sum, { accepted }) => sum + accepted, current.accepted)).toBe(shares);
  expect((await core.stats()).unfoldedBatches).toBe(0);
}

describe('folding', () => {
  it('takes several transactions for many workers and one for few', async () => {
    const core = new LedgerCore(database, 2 ** 32);
    await core.migrate({ nowMs: START_MS });
    await commitSome(core, 1);
    const counted = failingAfter(Number.POSITIVE_INFINITY);
    await new LedgerCore(counted, 2 ** 32).fold();
    expect(counted.done).toBeGreaterThan(3);
    const again = failingAfter(Number.POSITIVE_INFINITY);
    const data = encodeShares([share()]);
    await core.commit({ epoch: 'epoch', sequence: 2, shares: 1, data, nowMs: START_MS });
    await new LedgerCore(again, 2 ** 32).fold();
    expect(again.done).toBe(1);
  });

  it('that breaks off after any of its transactions is completed by the next, with more shares in between', async () => {
    const core = new LedgerCore(database, 2 ** 32);
    await core.migrate({ nowMs: START_MS });
    let batches = 0;
    let isWhole = false;
    for (let allowed = 0; !isWhole; allowed++) {
      await commitSome(core, ++batches);
      isWhole = await new LedgerCore(failingAfter(allowed), 2 ** 32).fold().then(
        () => true,
        () => false,
      );
      // Another one breaks off at the same place, with other positions.
      await commitSome(core, ++batches);
      await new LedgerCore(failingAfter(allowed), 2 ** 32).fold().catch(() => {});
      await core.fold();
      await expectCounted(core, batches);
      expect(allowed).toBeLessThan(50);
    }
    expect(batches).toBeGreaterThan(8);
  });

  it('counts once when many fold at the same time', async () => {
    const core = new LedgerCore(database, 2 ** 32);
    await core.migrate({ nowMs: START_MS });
    const others = Array.from({ length: 4 }, () => new LedgerCore(database, 2 ** 32));
    for (let batches = 1; batches <= 3; batches++) {
      await commitSome(core, batches);
      await Promise.all(others.map((other) => other.fold()));
      await expectCounted(core, batches);
    }
  });
});
