import { buildHeader, difficultyTarget, foldBranch, mergeVersion, sha256d } from '@headframe/mining';
import { concatBytes, PoolError, uint256ToBytesLe } from '@headframe/primitives';
import type { NotifyFields } from '@headframe/stratum-v1';

/** A job with everything that was in force when it arrived, which is what its shares are judged by. */
export interface MinerJob {
  readonly jobId: string;
  readonly notify: NotifyFields;
  /** As the pool wrote it; 1 when it never said. */
  readonly difficulty: number;
  readonly extranonce1: Uint8Array;
  /** Bytes of extranonce2. */
  readonly extranonce2Size: number;
  /** Version bits that may be rolled; 0 when none were granted. */
  readonly versionMask: number;
  /** Unix milliseconds. */
  readonly receivedAtMs: number;
}

/** What a miner chooses for a header. */
export interface HeaderChoice {
  /** Exactly `extranonce2Size` bytes. */
  readonly extranonce2: Uint8Array;
  /** Unix seconds. Default: the job's. */
  readonly ntime?: number;
  /** Bits inside the job's mask. Default 0. */
  readonly versionBits?: number;
  /** Default 0. */
  readonly nonce?: number;
}

/**
 * The coinbase transaction of a job for an extranonce2, in the form that is hashed (without witness).
 * @throws PoolError `invalid_argument` when extranonce2 has the wrong length
 */
export function jobCoinbase(job: MinerJob, extranonce2: Uint8Array): Uint8Array {
  if (extranonce2.length !== job.extranonce2Size) {
    throw new PoolError('invalid_argument', `extranonce2 has ${job.extranonce2Size} bytes, not ${extranonce2.length}`);
  }
  return concatBytes(job.notify.coinbase1, job.extranonce1, extranonce2, job.notify.coinbase2);
}

/** Merkle root of a job's block for an extranonce2, internal order. @throws PoolError as {@link jobCoinbase} */
export function jobMerkleRoot(job: MinerJob, extranonce2: Uint8Array): Uint8Array {
  return foldBranch(sha256d(jobCoinbase(job, extranonce2)), job.notify.merkleBranch);
}

/**
 * The 80 bytes to hash for a job.
 * @throws PoolError `invalid_argument` when extranonce2 has the wrong length or a version bit lies outside the mask
 */
export function jobHeader(job: MinerJob, choice: HeaderChoice): Uint8Array {
  const version = mergeVersion(job.notify.version, job.versionMask, choice.versionBits ?? 0);
  if (version < 0) throw new PoolError('invalid_argument', 'a version bit lies outside the mask');
  return buildHeader({
    version,
    previousHash: job.notify.previousHash,
    merkleRoot: jobMerkleRoot(job, choice.extranonce2),
    ntime: choice.ntime ?? job.notify.ntime,
    nbits: job.notify.nbits,
    nonce: choice.nonce ?? 0,
  });
}

/**
 * Target that shares of a difficulty must meet: 32 bytes, little-endian integer.
 * @param difficultyFactor the coin's factor: 1 for SHA-256d, 65,536 for scrypt
 */
export function shareTarget(difficulty: number, difficultyFactor = 1): Uint8Array {
  return uint256ToBytesLe(difficultyTarget(String(difficulty), difficultyFactor));
}
