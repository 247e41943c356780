import type { BlockCandidate, BlockOutcome, NodeStatus, ShareBatch, ShareRecord } from '../ports.js';
import type { JobRecord } from '../types.js';

/** Messages with something in every field, so that a lossy transport shows. */
const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);

export const sampleJob: JobRecord = {
  id: 0x68aabbcc,
  baseId: 0x68aabbcc,
  height: 840_000,
  previousHash: bytesOf(32, 1),
  version: 0x20000000,
  versionMask: 0x1fffe000,
  nbits: 0x17034219,
  networkTarget: bytesOf(32, 2),
  networkDifficulty: 86388558925171.02,
  ntime: 1_713_571_767,
  minTime: 1_713_570_000,
  merkleBranch: bytesOf(64, 3),
  variants: [
    { key: '12/main', extranonceLength: 12, coinbase1: bytesOf(60, 4), coinbase2: bytesOf(90, 5), stampOffset: 56 },
    { key: '16/main', extranonceLength: 16, coinbase1: bytesOf(60, 6), coinbase2: bytesOf(90, 7), stampOffset: 56 },
  ],
  algorithm: 'sha256d',
  clean: true,
  createdAtMs: 1_713_571_767_123,
  reward: 312_500_000n + 2n ** 53n,
};

export const sampleCandidate: BlockCandidate = {
  hash: bytesOf(32, 8),
  header: bytesOf(80, 9),
  coinbase: bytesOf(180, 10),
  baseJobId: 0x68aabbcc,
  height: 840_000,
  previousHash: bytesOf(32, 11),
  account: 'alice',
  worker: 'alice.rig1',
  address: 'bcrt1qexample',
  difficulty: 0.00015,
  achieved: 9.1e13,
  timeMs: 1_713_571_800_000,
  reward: 312_500_000n,
};

export const sampleOutcome: BlockOutcome = {
  hash: '00'.repeat(32),
  height: 840_000,
  status: 'confirmed',
  account: 'alice',
  worker: 'alice.rig1',
  reward: 312_500_000n,
  confirmations: 1,
  nodes: { main: 'accepted', spare: 'duplicate' },
  timeMs: 1_713_571_801_000,
};

export const sampleStatus: NodeStatus = {
  ready: false,
  reason: 'initial download',
  nodes: [{ name: 'main', up: true, detail: 'block 100' }],
};

export function sampleShare(i: number): ShareRecord {
  return {
    timeMs: 1_713_571_767_000 + i,
    account: `account-${i % 3}`,
    worker: `account-${i % 3}.rig`,
    address: 'bcrt1qexample',
    jobId: 0x68aabbcc,
    height: 840_000,
    result: i % 5 === 0 ? 'low-difficulty' : 'accepted',
    difficulty: 0.00015,
    achieved: 0.5 + i,
    blockHash: i === 7 ? '00'.repeat(32) : undefined,
  };
}

export function sampleBatch(epoch: string, sequence: number, count = 3): ShareBatch {
  return { epoch, sequence, shares: Array.from({ length: count }, (_, i) => sampleShare(sequence * 1000 + i)) };
}
