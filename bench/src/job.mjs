// The job all servers of the benchmark hand out: a 250-byte coinbase and 12 merkle steps, as with 4,000 transactions.
import { createHash } from 'node:crypto';
import { jobIdToHex, networkDifficulty, networkTargetBytes } from '@headframe/mining';
import { encodeNotify } from '@headframe/stratum-v1';

export const EXTRANONCE_LENGTH = 12;
const COINBASE_1_BYTES = 104;
const COINBASE_2_BYTES = 250 - EXTRANONCE_LENGTH - COINBASE_1_BYTES;
/** Difficulty of block 880,000: no share of a benchmark is a block. */
const NBITS = 0x17028c61;

/** @param {string} seed @param {number} length */
function bytes(seed, length) {
  const parts = [];
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Uint8Array.from(Buffer.concat(parts).subarray(0, length));
}

/** @param {number} id @param {{ tip: number, clean: boolean }} options the chain tip it builds on */
export function makeJob(id, { tip, clean }) {
  const coinbase1 = bytes('coinbase 1', COINBASE_1_BYTES);
  new DataView(coinbase1.buffer).setUint32(COINBASE_1_BYTES - 4, id);
  const networkTarget = networkTargetBytes(NBITS);
  if (networkTarget === undefined) throw new Error('bad nbits');
  const ntime = Math.floor(Date.now() / 1000);
  return {
    id,
    baseId: id,
    height: 880_000 + tip,
    previousHash: bytes(`tip ${tip}`, 32),
    version: 0x20000000,
    versionMask: 0x1fffe000,
    nbits: NBITS,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, 1),
    ntime,
    minTime: ntime - 3600,
    merkleBranch: bytes('branch', 12 * 32),
    variants: [
      {
        key: `${EXTRANONCE_LENGTH}/main`,
        extranonceLength: EXTRANONCE_LENGTH,
        coinbase1,
        coinbase2: bytes('coinbase 2', COINBASE_2_BYTES),
        stampOffset: COINBASE_1_BYTES - 4,
      },
    ],
    algorithm: /** @type {const} */ ('sha256d'),
    clean,
    createdAtMs: Date.now(),
    reward: 312_500_000n,
  };
}

/** The line that tells a miner of the job. @param {ReturnType<typeof makeJob>} job */
export function notifyLine(job) {
  const [variant] = job.variants;
  if (variant === undefined) throw new Error('no variant');
  return encodeNotify({ ...job, ...variant, jobId: jobIdToHex(job.id) });
}
