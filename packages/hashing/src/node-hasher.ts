import { hash } from 'node:crypto';
import { checkBatch, checkJob } from './job-shape.js';
import { SHARE_RECORD, SHARE_RESULT, type ShareHasher, type ShareHashJob } from './types.js';

const sha256d = (bytes: Uint8Array): Buffer => hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');

/** Hashes one share with node:crypto: the reference that the kernels are compared with. */
function hashShare(job: ShareHashJob, records: Uint8Array, recordAt: number, results: Uint8Array, at: number): void {
  const { coinbase1, coinbase2, extranonceLength, merkleBranch } = job;
  const coinbase = new Uint8Array(coinbase1.length + extranonceLength + coinbase2.length);
  const extranonceAt = recordAt + SHARE_RECORD.extranonce;
  coinbase.set(coinbase1);
  coinbase.set(records.subarray(extranonceAt, extranonceAt + extranonceLength), coinbase1.length);
  coinbase.set(coinbase2, coinbase1.length + extranonceLength);
  const pair = new Uint8Array(64);
  pair.set(sha256d(coinbase));
  for (let step = 0; step < merkleBranch.length; step += 32) {
    pair.set(merkleBranch.subarray(step, step + 32), 32);
    pair.set(sha256d(pair));
  }
  const headerAt = at + SHARE_RESULT.header;
  results.set(records.subarray(recordAt + SHARE_RECORD.version, recordAt + SHARE_RECORD.version + 4), headerAt);
  results.set(job.previousHash, headerAt + 4);
  results.set(pair.subarray(0, 32), headerAt + 36);
  results.set(records.subarray(recordAt + SHARE_RECORD.ntime, recordAt + SHARE_RECORD.ntime + 4), headerAt + 68);
  new DataView(results.buffer, results.byteOffset + headerAt).setUint32(72, job.nbits, true);
  results.set(records.subarray(recordAt + SHARE_RECORD.nonce, recordAt + SHARE_RECORD.nonce + 4), headerAt + 76);
  results.set(sha256d(results.subarray(headerAt, headerAt + 80)), at + SHARE_RESULT.hash);
}

/** Hashes shares with node:crypto. Slow, always there: the oracle of the tests and the last fallback. */
export const nodeShareHasher: ShareHasher = {
  backend: 'node',
  hash(jobs, records, count, results) {
    checkBatch(jobs, records, count, results, SHARE_RESULT.stride);
    let checked: ShareHashJob | undefined;
    for (let i = 0; i < count; i++) {
      const job = jobs[i];
      if (job === undefined) continue;
      if (job !== checked) checkJob(job);
      checked = job;
      hashShare(job, records, i * SHARE_RECORD.stride, results, i * SHARE_RESULT.stride);
    }
  },
};
