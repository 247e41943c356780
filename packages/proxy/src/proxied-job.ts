import type { MinerJob } from '@headframe/client';
import type { PowAlgorithmId } from '@headframe/hashing';
import {
  type BlockCandidate,
  difficultyTarget,
  type JobRecord,
  networkDifficulty,
  networkTargetBytes,
  parseHeader,
} from '@headframe/mining';
import { concatBytes, PoolError, uint256ToBytesLe } from '@headframe/primitives';
import type { ExtranonceSplit } from './split.js';

export interface ProxiedJobOptions {
  /** Increasing, below 2^31. */
  readonly id: number;
  readonly split: ExtranonceSplit;
  readonly algorithm: PowAlgorithmId;
  readonly difficultyFactor: number;
  readonly maxCoinbaseBytes: number;
  /** Older jobs are worthless. */
  readonly clean: boolean;
  readonly nowMs: number;
}

/**
 * The job of an upstream as our server gives it to miners. What the upstream fixed of the extranonce stands in the
 * coinbase already: miners never see it, so that another upstream, or another extranonce1, is nothing but another job.
 *
 * To the server the upstream is the network: the "network target" is what a share must meet to be worth sending there.
 *
 * @throws PoolError `invalid_data` for a job that cannot be mined: an impossible target, difficulty or coinbase
 */
export function proxiedJob(job: MinerJob, options: ProxiedJobOptions): JobRecord {
  const { split, difficultyFactor, id } = options;
  const { notify } = job;
  const length = split.extranonce1Size + split.extranonce2Size;
  const bytes = notify.coinbase1.length + job.extranonce1.length + job.extranonce2Size + notify.coinbase2.length;
  if (bytes > options.maxCoinbaseBytes) {
    throw new PoolError(
      'invalid_data',
      `the coinbase has ${bytes} bytes; at most ${options.maxCoinbaseBytes} are taken`,
    );
  }
  if (networkTargetBytes(notify.nbits) === undefined) throw new PoolError('invalid_data', 'nbits give no target');
  const target = difficultyTarget(String(job.difficulty), difficultyFactor);
  if (target === 0n) throw new PoolError('invalid_data', `no hash meets difficulty ${job.difficulty}`);
  const networkTarget = uint256ToBytesLe(target);
  const room = new Uint8Array(split.padding + split.stamp);
  for (let i = 0; i < split.stamp; i++) room[room.length - 1 - i] = id >>> (8 * i);
  return {
    id,
    baseId: id,
    height: 0,
    previousHash: notify.previousHash,
    version: notify.version,
    versionMask: job.versionMask,
    nbits: notify.nbits,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, difficultyFactor),
    ntime: notify.ntime,
    minTime: notify.ntime,
    merkleBranch: notify.merkleBranch,
    variants: [
      {
        key: `${length}/main`,
        extranonceLength: length,
        coinbase1: concatBytes(notify.coinbase1, job.extranonce1, room),
        coinbase2: notify.coinbase2,
        stampOffset: notify.coinbase1.length + job.extranonce1.length + split.padding,
      },
    ],
    algorithm: options.algorithm,
    clean: options.clean,
    createdAtMs: options.nowMs,
    reward: 0n,
    stampLength: split.stamp,
  };
}

/** A share as the upstream wants it. */
export interface UpstreamShare {
  readonly jobId: string;
  readonly extranonce2: Uint8Array;
  readonly ntime: number;
  readonly nonce: number;
  readonly versionBits: number | undefined;
}

/**
 * What our server found, in the words of the upstream: the same header. Undefined when the header has version bits that
 * the upstream did not allow: it could not be told of them.
 */
export function upstreamShare(job: MinerJob, candidate: BlockCandidate): UpstreamShare | undefined {
  const { version, ntime, nonce } = parseHeader(candidate.header);
  const mask = job.versionMask;
  if (((version ^ job.notify.version) & ~mask) !== 0) return undefined;
  const start = job.notify.coinbase1.length + job.extranonce1.length;
  return {
    jobId: job.jobId,
    extranonce2: candidate.coinbase.slice(start, start + job.extranonce2Size),
    ntime,
    nonce,
    versionBits: mask === 0 ? undefined : (version & mask) >>> 0,
  };
}
