import { defaultDifficultyFactor, type FoundShare, jobHeader, type MinerJob, shareTarget } from '@headframe/client';
import { type PowAlgorithmId, powAlgorithm } from '@headframe/hashing';
import { networkTargetBytes } from '@headframe/mining';
import { isAtMostLe, PoolError } from '@headframe/primitives';

/**
 * What a hash is to be: at or under the network target (`block`), a share but no block (`share`), whichever share comes
 * first (`any`), or above the share target (`miss`).
 */
export type Wanted = 'block' | 'share' | 'any' | 'miss';

export interface SolveOptions {
  readonly want?: Wanted;
  /** Which extranonce2 to use, as a number. */
  readonly extranonce2: number;
  /** Unix seconds; the job's by default. */
  readonly ntime?: number;
  readonly versionBits?: number;
  /** Default `sha256d`. */
  readonly algorithm?: PowAlgorithmId;
  /** Default that of the algorithm. */
  readonly difficultyFactor?: number;
  /** Give up after so many hashes. Default 4 million: a few seconds of SHA-256d. */
  readonly maxHashes?: number;
}

const DEFAULT_MAX_HASHES = 4_000_000;

/** Big-endian bytes of a number, padded to `size`. */
function extranonceBytes(value: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = size - 1, left = value; i >= 0; i--, left = Math.floor(left / 256)) bytes[i] = left % 256;
  return bytes;
}

/**
 * Looks for a hash of the wanted kind, for real. Use difficulties that a test can afford: the lowest legal one of
 * SHA-256d (2.33e-10) makes every hash a share.
 * @throws PoolError `invalid_argument` when none is found within `maxHashes`
 */
export function solveJob(job: MinerJob, options: SolveOptions): FoundShare {
  const { want = 'any', algorithm = 'sha256d', maxHashes = DEFAULT_MAX_HASHES } = options;
  const network = networkTargetBytes(job.notify.nbits) ?? new Uint8Array(32);
  const share = shareTarget(job.difficulty, options.difficultyFactor ?? defaultDifficultyFactor(algorithm));
  const pow = powAlgorithm(algorithm);
  const extranonce2 = extranonceBytes(options.extranonce2, job.extranonce2Size);
  const ntime = options.ntime ?? job.notify.ntime;
  const versionBits = job.versionMask === 0 ? undefined : (options.versionBits ?? 0);
  const header = jobHeader(job, { extranonce2, ntime, ...(versionBits !== undefined && { versionBits }) });
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  for (let nonce = 0; nonce < maxHashes; nonce++) {
    view.setUint32(76, nonce, true);
    const hash = pow.hash(header);
    const isBlock = isAtMostLe(hash, 0, network);
    const isShare = isBlock || isAtMostLe(hash, 0, share);
    const fits =
      want === 'block' ? isBlock : want === 'share' ? isShare && !isBlock : want === 'any' ? isShare : !isShare;
    if (fits) return { jobId: job.jobId, extranonce2, ntime, nonce, versionBits, hash: Uint8Array.from(hash) };
  }
  throw new PoolError('invalid_argument', `no hash that is "${want}" among ${maxHashes}: is the difficulty too high?`);
}
