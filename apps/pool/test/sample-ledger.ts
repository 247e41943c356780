import { type Ledger, openLedger } from '@headframe/ledger';
import type { BlockOutcome, BlockStatus, ShareRecord } from '@headframe/mining';

/** 2023-11-14 22:00:00 UTC: the beginning of an hour. */
export const START_MS = 1_699_999_200_000;
export const ALICE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
export const BOB = 'bob';
const MINUTE_MS = 60_000;

export const blockHash = (n: number): string => n.toString(16).padStart(64, '0');
/** Ids of the payments in {@link fillLedger}. */
export const PAYMENT = '11111111-1111-4111-8111-111111111111';
export const PLANNED = '22222222-2222-4222-8222-222222222222';

/** Spends nothing to an empty script: whole, and worthless. */
const TRANSACTION = `0100000001${'00'.repeat(32)}0000000000ffffffff0180d1f008000000000000000000`;

function share(minute: number, changes: Partial<ShareRecord> = {}): ShareRecord {
  return {
    timeMs: START_MS + minute * MINUTE_MS,
    account: ALICE,
    worker: `${ALICE}.rig1`,
    address: ALICE,
    jobId: 1,
    height: 100,
    result: 'accepted',
    difficulty: 1024,
    achieved: 2000,
    blockHash: undefined,
    ...changes,
  };
}

function outcome(n: number, status: BlockStatus): BlockOutcome {
  return {
    hash: blockHash(n),
    height: 100 + n,
    status,
    account: n === 2 ? BOB : ALICE,
    worker: n === 2 ? 'bob.\x1b[2Jrig' : `${ALICE}.rig1`,
    reward: 312_500_000n,
    confirmations: status === 'matured' ? 101 : 3,
    nodes: { near: 'accepted' },
    timeMs: START_MS + n * MINUTE_MS,
  };
}

/** Three blocks, two accounts with shares and balances, and two payments. */
export async function fillLedger(url: string): Promise<void> {
  const ledger: Ledger = await openLedger({ url });
  const { accounting } = ledger;
  try {
    const shares: ShareRecord[] = [];
    for (let n = 1; n <= 3; n++) {
      shares.push(share(n - 1), share(n - 1, { account: BOB, worker: 'bob', address: '' }));
      shares.push(share(n - 1, { result: 'stale', achieved: 0 }));
      shares.push(share(n, { blockHash: blockHash(n), ...(n === 2 && { account: BOB, worker: 'bob.rig' }) }));
    }
    await ledger.commit({ epoch: 'sample', sequence: 1, shares });
    await ledger.fold();
    await ledger.recordBlock(outcome(1, 'matured'), { networkDifficulty: 3000 });
    await ledger.recordBlock(outcome(2, 'orphaned'), { networkDifficulty: 3000 });
    await ledger.recordBlock(outcome(3, 'confirmed'), { networkDifficulty: 3000 });
    await ledger.fold();
    for (const n of [1, 2, 3]) {
      await accounting.book({
        key: `block:${blockHash(n)}`,
        state: n === 1 ? 'final' : n === 2 ? 'reversed' : 'immature',
        timeMs: START_MS + n * MINUTE_MS,
        entries: [
          { account: ALICE, kind: 'reward', amount: 200_000_000n },
          { account: BOB, kind: 'reward', amount: 109_375_000n },
          { account: 'operator', kind: 'fee', amount: 3_125_000n },
        ],
      });
    }
    const plan = (id: string, account: string, amount: bigint, minute: number, isApproved: boolean) =>
      accounting.planPayment({
        id,
        parts: [{ account, address: ALICE, amount }],
        isApproved,
        timeMs: START_MS + minute * MINUTE_MS,
      });
    await plan(PAYMENT, ALICE, 150_000_000n, 10, true);
    const step = { txid: 'ab'.repeat(32), transaction: TRANSACTION, fee: 1_000n, timeMs: START_MS + 11 * MINUTE_MS };
    await accounting.stepPayment(PAYMENT, ['approved'], { to: 'signed', ...step });
    await accounting.stepPayment(PAYMENT, ['signed'], { to: 'sent', timeMs: START_MS + 12 * MINUTE_MS });
    await accounting.stepPayment(PAYMENT, ['sent'], {
      to: 'confirmed',
      confirmations: 120,
      timeMs: START_MS + 13 * MINUTE_MS,
    });
    await plan(PLANNED, BOB, 9_375_000n, 20, false);
    await accounting.changeSettings(BOB, { minimumPayout: 5_000_000n, donationPpm: 15_000, isHeld: true });
  } finally {
    await ledger.close();
  }
}
