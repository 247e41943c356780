import type { RejectCode } from '@headframe/primitives';
import type { RejectsInfo } from '../schemas/pool.js';
import type { PoolView } from '../view.js';

const MEANINGS: Readonly<Record<RejectCode, string>> = {
  other: 'Refused by a rule of this pool.',
  'invalid-params': 'The share could not be read: firmware or a proxy garbles it.',
  'invalid-extranonce2': 'Wrong length of extranonce2: firmware that ignores what it was told.',
  'invalid-ntime': 'A time that the network would not take: check the clock of the machine.',
  'invalid-nonce': 'A nonce of the wrong form: firmware garbles it.',
  'invalid-version-bits': 'Version bits were rolled that were not agreed on: check the version rolling setting.',
  'ntime-too-old': 'A time before the block allows it: check the clock of the machine.',
  'ntime-too-new': 'A time too far ahead: check the clock of the machine.',
  'unknown-method': 'Not a method of this pool.',
  'not-supported': 'Not offered by this pool.',
  'job-not-found': 'For a job that is long over, or never was: a slow connection, or work of another pool.',
  stale: 'For a block that was found meanwhile: a slow connection. Below one percent is usual.',
  duplicate: 'Handed in twice: overclocking or a fault of firmware.',
  'low-difficulty': 'Below the difficulty: unstable hardware, or firmware that ignores a new difficulty.',
  unauthorized: 'The worker has not logged in on this connection.',
  'not-subscribed': 'Shares before mining.subscribe: firmware out of step.',
  banned: 'The account or address is banned for a while.',
  busy: 'The pool had no room for the moment.',
  'rate-limited': 'Too many requests: the difficulty is too low for this machine.',
  timeout: 'No decision in time.',
  internal: 'A fault of the pool; its log knows more.',
};

/** Refused shares by reason, most first. */
export function rejectsOf(view: PoolView, sinceMs: number): RejectsInfo {
  const { shares } = view.status().server;
  const reasons = (Object.entries(shares.rejected) as [RejectCode, number][])
    .map(([code, count]) => ({ code, count, meaning: MEANINGS[code] }))
    .sort((a, b) => b.count - a.count);
  const rejected = reasons.reduce((sum, { count }) => sum + count, 0);
  return { sinceMs, accepted: shares.accepted, rejected, reasons };
}
