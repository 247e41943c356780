import { scryptSync } from 'node:crypto';
import type { PowAlgorithmId } from '@headframe/hashing';
import { isAtMostLe, PoolError } from '@headframe/primitives';
import { type HeaderChoice, jobHeader, type MinerJob, shareTarget } from './job.js';
import { searchSha256d } from './sha256-search.js';

/** A stretch of nonces to try. Plain data: it travels to threads. */
export interface SearchRequest {
  /** 80 bytes; the nonce in it does not matter. */
  readonly header: Uint8Array;
  /** 32 bytes, little-endian integer. */
  readonly target: Uint8Array;
  readonly algorithm: PowAlgorithmId;
  readonly startNonce: number;
  /** How many nonces to try at most; wraps after 2^32. */
  readonly maxNonces: number;
}

export interface SearchResult {
  /** -1 when none was found. */
  readonly nonce: number;
  /** Proof-of-work hash of the find, 32 bytes in internal order; zeros when none was found. */
  readonly hash: Uint8Array;
  /** Hashes computed. */
  readonly hashes: number;
}

function searchScrypt(request: SearchRequest): SearchResult {
  const header = Uint8Array.from(request.header);
  const view = new DataView(header.buffer);
  for (let tried = 0; tried < request.maxNonces; tried++) {
    const nonce = (request.startNonce + tried) >>> 0;
    view.setUint32(76, nonce, true);
    const hash = scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });
    if (isAtMostLe(hash, 0, request.target)) return { nonce, hash: new Uint8Array(hash), hashes: tried + 1 };
  }
  return { nonce: -1, hash: new Uint8Array(32), hashes: request.maxNonces };
}

/**
 * Tries nonces until one meets the target. Synchronous: keep `maxNonces` small where an event loop waits
 * (a core does about a million SHA-256d or a thousand scrypt hashes a second).
 * @throws PoolError `invalid_argument` on a header or target of the wrong length or a bad count
 */
export function searchNonce(request: SearchRequest): SearchResult {
  const { header, target, startNonce, maxNonces } = request;
  if (header.length !== 80 || target.length !== 32) {
    throw new PoolError('invalid_argument', 'a header has 80 bytes and a target 32');
  }
  if (!Number.isInteger(maxNonces) || maxNonces < 0 || maxNonces > 2 ** 32) {
    throw new PoolError('invalid_argument', `maxNonces must be an integer from 0 to 2^32, not ${maxNonces}`);
  }
  if (request.algorithm === 'scrypt') return searchScrypt(request);
  const hash = new Uint8Array(32);
  const nonce = searchSha256d(header, target, startNonce, maxNonces, hash);
  if (nonce < 0) return { nonce, hash: new Uint8Array(32), hashes: maxNonces };
  return { nonce, hash, hashes: ((nonce - startNonce) >>> 0) + 1 };
}

/** What {@link searchShare} needs beside the job. */
export interface ShareSearchOptions extends HeaderChoice {
  /** Default `sha256d`. */
  readonly algorithm?: PowAlgorithmId;
  /** The coin's difficulty factor. Default 1, with scrypt 65,536. */
  readonly difficultyFactor?: number;
  /** Difficulty to reach instead of the job's. */
  readonly difficulty?: number;
  /** Default 0. */
  readonly startNonce?: number;
  readonly maxNonces: number;
}

/** A share as it is submitted. */
export interface FoundShare {
  readonly jobId: string;
  readonly extranonce2: Uint8Array;
  readonly ntime: number;
  readonly nonce: number;
  /** Undefined when the job allows no rolling: then it is not submitted. */
  readonly versionBits: number | undefined;
  /** Proof-of-work hash, internal order. */
  readonly hash: Uint8Array;
}

/** The difficulty factor that goes with an algorithm unless the coin says otherwise. */
export function defaultDifficultyFactor(algorithm: PowAlgorithmId): number {
  return algorithm === 'scrypt' ? 65536 : 1;
}

/**
 * Looks for a share of a job within one extranonce2: pure and synchronous, for tests and small miners.
 * @returns undefined when none of the nonces does
 * @throws PoolError `invalid_argument` as {@link jobHeader} and {@link searchNonce}
 */
export function searchShare(job: MinerJob, options: ShareSearchOptions): FoundShare | undefined {
  const algorithm = options.algorithm ?? 'sha256d';
  const factor = options.difficultyFactor ?? defaultDifficultyFactor(algorithm);
  const found = searchNonce({
    header: jobHeader(job, options),
    target: shareTarget(options.difficulty ?? job.difficulty, factor),
    algorithm,
    startNonce: options.startNonce ?? 0,
    maxNonces: options.maxNonces,
  });
  if (found.nonce < 0) return undefined;
  return {
    jobId: job.jobId,
    extranonce2: options.extranonce2,
    ntime: options.ntime ?? job.notify.ntime,
    nonce: found.nonce,
    versionBits: job.versionMask === 0 ? undefined : (options.versionBits ?? 0),
    hash: found.hash,
  };
}
