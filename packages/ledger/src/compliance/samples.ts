import type { BlockOutcome, BlockStatus, ShareBatch, ShareRecord } from '@headframe/mining';

/** 2023-11-14 22:00:00 UTC: the beginning of an hour. */
export const START_MS = 1_699_999_200_000;

/** An accepted share with what a test wants different. */
export function share(changes: Partial<ShareRecord> = {}): ShareRecord {
  return {
    timeMs: START_MS,
    account: 'alice',
    worker: 'alice.rig1',
    address: 'bcrt1qexample',
    jobId: 1_700_000_000,
    height: 100,
    result: 'accepted',
    difficulty: 1,
    achieved: 1.5,
    blockHash: undefined,
    ...changes,
  };
}

export function batch(sequence: number, shares: readonly ShareRecord[], epoch = 'epoch'): ShareBatch {
  return { epoch, sequence, shares };
}

export const hashOf = (n: number): string => n.toString(16).padStart(64, '0');

export function outcome(n: number, status: BlockStatus, changes: Partial<BlockOutcome> = {}): BlockOutcome {
  return {
    hash: hashOf(n),
    height: 100 + n,
    status,
    account: 'alice',
    worker: 'alice.rig1',
    // More than 2^53: would not survive a float.
    reward: 9_007_199_254_740_993n,
    confirmations: status === 'matured' ? 100 : 1,
    nodes: { main: 'accepted' },
    timeMs: START_MS,
    ...changes,
  };
}
