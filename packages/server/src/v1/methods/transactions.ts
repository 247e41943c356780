import { sha256d } from '@headframe/mining';
import { bytesToHex, hexToU32, type MaybePromise, type Reject, reject, toDisplayHex } from '@headframe/primitives';
import type { MiningContext } from '../context.js';
import type { V1Parts } from '../parts.js';

/** `mining.get_transactions`: the transactions of a job, without the coinbase. */
export function getTransactions<Account>(
  context: MiningContext<Account>,
  parts: V1Parts<Account>,
): MaybePromise<readonly string[] | Reject> {
  return transactionsOf(context, parts, bytesToHex, (bytes) => 2 * bytes.length);
}

/** `mining.get_txnhashes`: their hashes (of the whole transaction), as nodes print them. */
export function getTransactionHashes<Account>(
  context: MiningContext<Account>,
  parts: V1Parts<Account>,
): MaybePromise<readonly string[] | Reject> {
  return transactionsOf(
    context,
    parts,
    (bytes) => toDisplayHex(sha256d(bytes)),
    () => 64,
  );
}

function transactionsOf<Account>(
  context: MiningContext<Account>,
  parts: V1Parts<Account>,
  encode: (bytes: Uint8Array) => string,
  sizeOf: (bytes: Uint8Array) => number,
): MaybePromise<readonly string[] | Reject> {
  const [id]: readonly unknown[] = Array.isArray(context.params) ? context.params : [];
  const jobId = typeof id === 'string' ? hexToU32(id) : -1;
  const job = context.channel.findJob(jobId);
  if (job === undefined) return reject('job-not-found');
  const { bus } = parts;
  if (bus === undefined) return reject('not-supported');
  const link = parts.linkOf(context.session);
  // Megabytes for a line of ours: once per job, and only for the newest, or it would be a lever.
  if (link.transactionsAsked === jobId || job !== context.channel.newestJob) return reject('rate-limited');
  link.transactionsAsked = jobId;
  return bus.call('transactions', { jobId: job.record.baseId }).then((transactions) => {
    if (transactions === null) return reject('job-not-found');
    let size = 0;
    for (const bytes of transactions) size += sizeOf(bytes) + 3;
    if (size > parts.mining.parts.limits.transactionsBytes) return reject('not-supported', 'Too many transactions');
    return transactions.map(encode);
  });
}
