import type { Coin } from '@headframe/coins';
import { PoolError, u32ToHex } from '@headframe/primitives';
import { buildCoinbase, type CoinbaseStyle, type PayoutOutput, stampBytes } from './coinbase.js';
import { networkDifficulty } from './difficulty.js';
import { merkleBranch } from './merkle.js';
import type { BlockTemplate, HashableJob, JobRecord, JobVariant } from './types.js';

/** Ids from here up belong to jobs that a channel derived. */
export const FIRST_DERIVED_JOB_ID = 0x80000000;
/** Most bytes of extranonce a share record has room for. */
const MAX_EXTRANONCE = 20;

export interface JobVariantOptions {
  /** Default `<extranonceLength>/main`. */
  readonly key?: string;
  readonly extranonceLength: number;
  readonly outputs: readonly PayoutOutput[];
}

export interface JobOptions {
  /** Unsigned, below 2^31; also the stamp in the coinbase. */
  readonly id: number;
  readonly coin: Coin;
  readonly variants: readonly JobVariantOptions[];
  /** Bytes at the end of the scriptSig. */
  readonly poolTag: Uint8Array;
  /** Version bits that may be rolled. Default: the coin's. */
  readonly versionMask?: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** First job on a new previous block. */
  readonly clean: boolean;
  readonly coinbase?: CoinbaseStyle;
}

/**
 * Makes a job of a template.
 * @throws PoolError `coinbase_too_large` or `invalid_template` as {@link buildCoinbase}, `invalid_argument` on an id,
 *   extranonce length or variant list that cannot be.
 */
export function buildJob(template: BlockTemplate, options: JobOptions): JobRecord {
  const { id, coin } = options;
  if (!Number.isInteger(id) || id < 0 || id >= FIRST_DERIVED_JOB_ID) {
    throw new PoolError('invalid_argument', `a job id is an integer from 0 to 2^31 - 1, not ${id}`);
  }
  let reward: bigint | undefined;
  const variants = options.variants.map((variant): JobVariant => {
    const built = buildVariant(template, variant, options);
    reward ??= built.reward;
    return built.variant;
  });
  if (reward === undefined) throw new PoolError('invalid_argument', 'a job needs a variant');
  if (new Set(variants.map(({ key }) => key)).size !== variants.length) {
    throw new PoolError('invalid_argument', 'two variants of a job have the same key');
  }
  const versionMask = (options.versionMask ?? coin.versionMask) >>> 0;
  return {
    id,
    baseId: id,
    height: template.height,
    previousHash: template.previousHash,
    version: (template.version & ~versionMask) >>> 0,
    versionMask,
    nbits: template.nbits,
    networkTarget: template.networkTarget,
    networkDifficulty: networkDifficulty(template.networkTarget, coin.difficultyFactor),
    ntime: Math.max(template.currentTime, template.minTime),
    minTime: template.minTime,
    merkleBranch: merkleBranch(template.transactions.map(({ txid }) => txid)),
    variants,
    algorithm: coin.algorithm,
    clean: options.clean,
    createdAtMs: options.nowMs,
    reward,
  };
}

function buildVariant(
  template: BlockTemplate,
  variant: JobVariantOptions,
  options: JobOptions,
): { readonly variant: JobVariant; readonly reward: bigint } {
  const { extranonceLength, outputs } = variant;
  if (!Number.isInteger(extranonceLength) || extranonceLength < 1 || extranonceLength > MAX_EXTRANONCE) {
    throw new PoolError('invalid_argument', `an extranonce has 1 to ${MAX_EXTRANONCE} bytes, not ${extranonceLength}`);
  }
  const built = buildCoinbase({
    template,
    outputs,
    poolTag: options.poolTag,
    stamp: options.id,
    extranonceLength,
    ...(options.coinbase === undefined ? {} : { style: options.coinbase }),
  });
  return {
    variant: {
      key: variant.key ?? `${extranonceLength}/main`,
      extranonceLength,
      coinbase1: built.coinbase1,
      coinbase2: built.coinbase2,
      stampOffset: built.stampOffset,
    },
    reward: built.reward,
  };
}

/**
 * The same work under another id: only the stamp in the coinbase differs, so its headers can never collide with
 * those of the original (where the stamp has its 4 bytes, see `JobRecord.stampLength`). `clean` is false and `baseId`
 * stays.
 * @throws PoolError `invalid_argument` unless `newId` is from 2^31 to 2^32 - 1.
 */
export function deriveJob(record: JobRecord, newId: number, nowMs: number): JobRecord {
  if (!Number.isInteger(newId) || newId < FIRST_DERIVED_JOB_ID || newId > 0xffffffff) {
    throw new PoolError('invalid_argument', `the id of a derived job is from 2^31 to 2^32 - 1, not ${newId}`);
  }
  // The low bytes: those differ from one derived job to the next.
  const stamp = stampBytes(newId).subarray(4 - (record.stampLength ?? 4));
  const variants = record.variants.map((variant): JobVariant => {
    const coinbase1 = Uint8Array.from(variant.coinbase1);
    coinbase1.set(stamp, variant.stampOffset);
    return { ...variant, coinbase1 };
  });
  return { ...record, id: newId, variants, clean: false, createdAtMs: nowMs };
}

const hashableJobs = new WeakMap<JobRecord, Map<string, HashableJob>>();

/**
 * A variant of a job bound for hashing. The same object for the same record and key, so that shares of one job are
 * recognised as such.
 * @throws PoolError `invalid_argument` when the job has no such variant.
 */
export function hashableJob(record: JobRecord, variantKey: string): HashableJob {
  let byKey = hashableJobs.get(record);
  const known = byKey?.get(variantKey);
  if (known !== undefined) return known;
  const variant = record.variants.find(({ key }) => key === variantKey);
  if (variant === undefined) {
    throw new PoolError('invalid_argument', `job ${jobIdToHex(record.id)} has no variant ${variantKey}`);
  }
  const made: HashableJob = {
    coinbase1: variant.coinbase1,
    coinbase2: variant.coinbase2,
    extranonceLength: variant.extranonceLength,
    merkleBranch: record.merkleBranch,
    previousHash: record.previousHash,
    nbits: record.nbits,
    algorithm: record.algorithm,
    networkTarget: record.networkTarget,
  };
  if (byKey === undefined) {
    byKey = new Map();
    hashableJobs.set(record, byKey);
  }
  byKey.set(variantKey, made);
  return made;
}

/** A job id as it is written on the wire: 8 hex digits. */
export function jobIdToHex(id: number): string {
  return u32ToHex(id);
}
