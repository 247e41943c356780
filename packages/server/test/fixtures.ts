import { createHash } from 'node:crypto';
import { type JobRecord, networkDifficulty, networkTargetBytes } from '@headframe/mining';
import { u32ToHex } from '@headframe/primitives';

/** Mainnet-like: no test share ever meets it. */
export const HARD_NBITS = 0x1702c4e4;
/** Regtest: every second hash is a block. */
export const EASY_NBITS = 0x207fffff;

export interface JobOptions {
  readonly id: number;
  /** Distinguishes previous blocks. Default 1. */
  readonly tip?: number;
  readonly clean?: boolean;
  readonly nbits?: number;
  readonly ntime?: number;
  readonly minTime?: number;
  readonly version?: number;
  readonly versionMask?: number;
  readonly branch?: number;
  readonly lengths?: readonly number[];
  /** Output sets, each with a larger coinbase than the one before. Default `main`. */
  readonly sets?: readonly string[];
}

const fill = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17) & 255);

/** A job as the core would publish it, but with made-up transactions. */
export function makeJob(options: JobOptions): JobRecord {
  const { id, tip = 1, nbits = HARD_NBITS, ntime = 1_700_000_000, versionMask = 0x1fffe000 } = options;
  const networkTarget = networkTargetBytes(nbits) ?? new Uint8Array(32);
  return {
    id,
    baseId: id,
    height: 100 + tip,
    previousHash: fill(32, tip),
    version: ((options.version ?? 0x20000000) & ~versionMask) >>> 0,
    versionMask,
    nbits,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, 1),
    ntime,
    minTime: options.minTime ?? ntime - 600,
    merkleBranch: fill(32 * (options.branch ?? 2), 5),
    variants: (options.lengths ?? [12]).flatMap((length) =>
      (options.sets ?? ['main']).map((set, i) => {
        const coinbase1 = fill(60, 7);
        coinbase1.set(Buffer.from(u32ToHex(id), 'hex'), 50);
        return {
          key: `${length}/${set}`,
          extranonceLength: length,
          coinbase1,
          coinbase2: fill(80 + 31 * i, 9),
          stampOffset: 50,
        };
      }),
    ),
    algorithm: 'sha256d',
    clean: options.clean ?? false,
    createdAtMs: ntime * 1000,
    reward: 5_000_000_000n,
  };
}

export function sha256d(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest();
}

/** What a miner knows of a job, from `mining.notify`. */
export interface MinerJob {
  readonly id: string;
  readonly params: readonly unknown[];
  readonly clean: boolean;
  /** What was set before this notify. */
  readonly difficulty: number;
  readonly extranonce1: string;
}

export interface Work {
  readonly extranonce2: string;
  readonly ntime: string;
  readonly nonce: string;
  readonly version: number;
}

/** The header a miner hashes, computed from what stands on the wire alone. */
export function headerOf(job: MinerJob, work: Work): Buffer {
  const [, previous, coinbase1, coinbase2, steps, , nbits] = job.params as [
    string,
    string,
    string,
    string,
    string[],
    string,
    string,
  ];
  const coinbase = Buffer.from(`${coinbase1}${job.extranonce1}${work.extranonce2}${coinbase2}`, 'hex');
  let root = sha256d(coinbase);
  for (const step of steps) root = sha256d(Buffer.concat([root, Buffer.from(step, 'hex')]));
  const header = Buffer.alloc(80);
  header.writeUInt32LE(work.version >>> 0, 0);
  for (let i = 0; i < 32; i += 4) header.writeUInt32LE(Number.parseInt(previous.slice(2 * i, 2 * i + 8), 16), 4 + i);
  root.copy(header, 36);
  header.writeUInt32LE(Number.parseInt(work.ntime, 16), 68);
  header.writeUInt32LE(Number.parseInt(nbits, 16), 72);
  header.writeUInt32LE(Number.parseInt(work.nonce, 16), 76);
  return header;
}

/** Difficulty a header reached. */
export function difficultyOf(header: Uint8Array): number {
  const hash = sha256d(header);
  return (0xffff * 2 ** 208) / Math.max(1, Number(BigInt(`0x${Buffer.from(hash).reverse().toString('hex')}`)));
}

/** Whether a header meets a difficulty, exactly: floor(diff1 / d) for a decimal d. */
export function meets(header: Uint8Array, difficulty: number): boolean {
  const value = BigInt(`0x${Buffer.from(sha256d(header)).reverse().toString('hex')}`);
  const scale = 10n ** 20n;
  return value <= ((0xffffn << 208n) * scale) / BigInt(Math.round(difficulty * 1e20));
}
