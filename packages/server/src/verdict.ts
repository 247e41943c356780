import type { RejectCode } from '@headframe/primitives';
import type { BanList } from '@headframe/sessions';
import { DuplicateSet } from './duplicates.js';
import type { Share } from './share.js';

/** Seconds a share's time may lie ahead of ours: what Bitcoin nodes take. */
const NTIME_AHEAD_S = 7200;
/** First bytes of the header hash that name a share among those of its job. */
export const KEY_BYTES = 16;

/** What a verdict depends on beside the share. One object, brought up to date for every share. */
export interface Circumstances {
  /** The chain tip that jobs must build on. */
  tip: number;
  /** Unix milliseconds. */
  nowMs: number;
  bans: BanList;
}

/**
 * Why an evaluated share is refused; undefined: it counts, and is remembered as seen. The order is part of the
 * contract: worker, ban, stale, ntime, version bits, target, duplicate. `hash` lies at `hashOffset` of `bytes`.
 */
export function verdictOf<Account>(
  share: Share<Account>,
  bytes: Uint8Array,
  hashOffset: number,
  circumstances: Circumstances,
): RejectCode | undefined {
  const { worker, channelJob } = share;
  const { tip, nowMs, bans } = circumstances;
  if (worker === undefined) return 'unauthorized';
  if (bans.size > 0 && bans.findAccount(worker.key) !== undefined) return 'banned';
  if (channelJob.tip !== tip) return 'stale';
  if (share.ntime < channelJob.record.minTime) return 'ntime-too-old';
  // The job's own time is the node's word: should our clock be behind, it is no fault of the miner's.
  const latest = Math.max(nowMs / 1000, channelJob.record.ntime);
  if (share.ntime > latest + NTIME_AHEAD_S) return 'ntime-too-new';
  if (share.hasForeignBits) return 'invalid-version-bits';
  // A new block counts whatever its share target is: it is worth more than any share.
  if (!share.meetsShareTarget && share.blockHash === undefined) return 'low-difficulty';
  let { duplicates } = channelJob;
  if (duplicates === undefined) {
    duplicates = new DuplicateSet(share.channel.terms.limits.duplicatesPerJob);
    channelJob.duplicates = duplicates;
  }
  const seen = duplicates.add(bytes, hashOffset);
  if (seen === 'new') return undefined;
  // Never accepted unchecked: a share that cannot be told from the others of its job is refused.
  return seen === 'seen' ? 'duplicate' : 'busy';
}

/** Texts that say more than the registry's. */
export const REASONS: { readonly [Code in RejectCode]?: string } = {
  busy: 'Too many shares for one job',
  'invalid-version-bits': 'Version bits outside the mask',
};

/** Refusals that count against a miner. Being late, or our own trouble, does not. */
export const BLAMED: ReadonlySet<RejectCode> = new Set([
  'invalid-params',
  'invalid-extranonce2',
  'invalid-ntime',
  'invalid-nonce',
  'invalid-version-bits',
  'ntime-too-old',
  'ntime-too-new',
  'duplicate',
  'low-difficulty',
  'unauthorized',
]);
