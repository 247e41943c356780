import { type PowAlgorithm, SHARE_RECORD, SHARE_RESULT, type ShareHasher } from '@headframe/hashing';
import { isAtMostLe, PoolError } from '@headframe/primitives';
import type { HashableJob } from './types.js';

/** One share, ready to be judged. */
export interface ShareInput {
  readonly job: HashableJob;
  /** Header version after the rolled bits were merged in. */
  readonly version: number;
  readonly ntime: number;
  readonly nonce: number;
  /** extranonce1 | extranonce2; exactly `job.extranonceLength` bytes. */
  readonly extranonce: Uint8Array;
  /** 32 bytes, little-endian integer. */
  readonly shareTarget: Uint8Array;
}

/** What hashing a share found out. */
export interface ShareVerdict {
  /** 80 bytes. */
  readonly header: Uint8Array;
  /** SHA-256d of the header, internal order: block id and duplicate key. */
  readonly hash: Uint8Array;
  /** Proof-of-work hash, 32 bytes, little-endian integer. */
  readonly pow: Uint8Array;
  readonly meetsShareTarget: boolean;
  readonly meetsNetworkTarget: boolean;
}

/**
 * Writes a share as record `index` of a packed batch, the input of `ShareHasher.hash`. The extranonce is padded with
 * zeros to the stride.
 * @throws PoolError `invalid_argument` when the extranonce does not have the length of the job's gap.
 */
export function packShare(records: Uint8Array, index: number, share: ShareInput): void {
  const { extranonce } = share;
  if (extranonce.length !== share.job.extranonceLength) {
    throw new PoolError(
      'invalid_argument',
      `the job takes ${share.job.extranonceLength} bytes of extranonce, not ${extranonce.length}`,
    );
  }
  const at = index * SHARE_RECORD.stride;
  putU32(records, at + SHARE_RECORD.version, share.version);
  putU32(records, at + SHARE_RECORD.ntime, share.ntime);
  putU32(records, at + SHARE_RECORD.nonce, share.nonce);
  const start = at + SHARE_RECORD.extranonce;
  for (let i = 0; i < extranonce.length; i++) records[start + i] = extranonce[i] ?? 0;
  records.fill(0, start + extranonce.length, at + SHARE_RECORD.stride);
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/**
 * Judges one share: builds its header, hashes it and compares with both targets. Pure; the batch form of the
 * validators does the same over many records.
 */
export function evaluateShare(hasher: ShareHasher, pow: PowAlgorithm, share: ShareInput): ShareVerdict {
  const records = new Uint8Array(SHARE_RECORD.stride);
  const results = new Uint8Array(SHARE_RESULT.stride);
  packShare(records, 0, share);
  hasher.hash([share.job], records, 1, results);
  const header = results.subarray(SHARE_RESULT.header, SHARE_RESULT.header + 80);
  const hash = results.subarray(SHARE_RESULT.hash, SHARE_RESULT.hash + 32);
  const powHash = pow.id === 'sha256d' ? hash : pow.hash(header);
  return {
    header,
    hash,
    pow: powHash,
    meetsShareTarget: isAtMostLe(powHash, 0, share.shareTarget),
    meetsNetworkTarget: isAtMostLe(powHash, 0, share.job.networkTarget),
  };
}
