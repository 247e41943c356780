import { PoolError } from '@headframe/primitives';
import { SHARE_RECORD, type ShareHashJob } from './types.js';

/** Longest merkle branch: 2^32 transactions, far above any block. */
export const MAX_BRANCH_STEPS = 32;

function refuse(message: string): never {
  throw new PoolError('invalid_argument', message);
}

/** Checks once per job what every share of it relies on. @throws PoolError `invalid_argument` */
export function checkJob(job: ShareHashJob): void {
  const { extranonceLength, merkleBranch, previousHash, nbits } = job;
  if (!Number.isInteger(extranonceLength) || extranonceLength < 0 || extranonceLength > SHARE_RECORD.maxExtranonce) {
    refuse(`extranonce length must be 0 to ${SHARE_RECORD.maxExtranonce} bytes, not ${extranonceLength}`);
  }
  if (merkleBranch.length % 32 !== 0 || merkleBranch.length > 32 * MAX_BRANCH_STEPS) {
    refuse(`merkle branch must be 0 to ${MAX_BRANCH_STEPS} steps of 32 bytes, not ${merkleBranch.length} bytes`);
  }
  if (previousHash.length !== 32) refuse(`previous hash must be 32 bytes, not ${previousHash.length}`);
  if (!Number.isInteger(nbits) || nbits < 0 || nbits > 0xffffffff)
    refuse(`nbits must be an unsigned 32-bit integer, not ${nbits}`);
}

/** Checks the buffers of a batch. @throws PoolError `invalid_argument` */
export function checkBatch(
  jobs: readonly ShareHashJob[],
  records: Uint8Array,
  count: number,
  results: Uint8Array,
  resultStride: number,
): void {
  if (!Number.isInteger(count) || count < 0) refuse(`count must be a whole number, not ${count}`);
  if (jobs.length < count) refuse(`${count} shares need as many jobs, not ${jobs.length}`);
  if (records.length < count * SHARE_RECORD.stride) {
    refuse(`${count} shares need ${count * SHARE_RECORD.stride} bytes of records, not ${records.length}`);
  }
  if (results.length < count * resultStride) {
    refuse(`${count} shares need ${count * resultStride} bytes of results, not ${results.length}`);
  }
}
