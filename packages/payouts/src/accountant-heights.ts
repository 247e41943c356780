import type { HeightRecord } from '@headframe/ledger';
import type { BlockTemplate, JobRecord } from '@headframe/mining';
import { toDisplayHex } from '@headframe/primitives';
import type { AccountantBooks } from './accountant-types.js';

/**
 * What a block of a job's height is worth to the pool. Fees are those of the template's transactions as far as the node
 * tells them; the subsidy is what is left of the reward.
 *
 * @example
 * jobs.on('job', (job) => {
 *   const template = jobs.find(job.id)?.template;
 *   if (template) void ledger.accounting.recordHeight(heightFromJob(job, template));
 * });
 */
export function heightFromJob(job: JobRecord, template: BlockTemplate): HeightRecord {
  let fees = 0n;
  for (const { fee } of template.transactions) fees += fee ?? 0n;
  // Prescribed outputs come off the subsidy first; what they take beyond it comes off the fees.
  if (fees > job.reward) fees = job.reward;
  return {
    height: job.height,
    networkTarget: toDisplayHex(job.networkTarget),
    networkDifficulty: job.networkDifficulty,
    reward: job.reward,
    subsidy: job.reward - fees,
    fees,
    timeMs: job.createdAtMs,
  };
}

/** How far around a height a substitute is looked for. */
const REACH = 100;

/** Network target of a recorded height, as an integer. */
export function targetOf({ networkTarget }: HeightRecord): bigint {
  return BigInt(`0x${networkTarget}`);
}

/**
 * The record of the height nearest to one whose own record was lost in a crash: the last before it, else the first after.
 */
export async function nearestHeight(accounting: AccountantBooks, height: number): Promise<HeightRecord | undefined> {
  const near = await accounting.heights(Math.max(0, height - REACH), 2 * REACH);
  return near.filter((record) => record.height <= height).at(-1) ?? near[0];
}
