import { z } from 'zod';
import { blockItem } from './blocks.js';
import { amount, unixMs } from './common.js';
import { paymentItem } from './payments.js';
import { nodesInfo, poolInfo } from './pool.js';

/** A job went out to the miners. */
export const jobEvent = z
  .object({
    jobId: z.string(),
    height: z.int(),
    previousHash: z.string(),
    isNewBlock: z.boolean(),
    networkDifficulty: z.number(),
    reward: amount,
    createdMs: unixMs,
  })
  .meta({ id: 'JobEvent' });

/** Shares of the last seconds. */
export const shareEvent = z
  .object({
    fromMs: unixMs,
    toMs: unixMs,
    accepted: z.int(),
    rejected: z.int(),
    work: z.number(),
    hashrate: z.number().describe('That this work stands for, H/s.'),
  })
  .meta({ id: 'ShareEvent' });

/** Data of the events of `GET /api/v1/events`, by name. */
export const liveEvents = {
  pool: poolInfo,
  block: blockItem,
  job: jobEvent,
  share: shareEvent,
  node: nodesInfo,
  payment: paymentItem,
} as const;

export type JobEvent = z.infer<typeof jobEvent>;
export type ShareRateEvent = z.infer<typeof shareEvent>;
/** Names of the live events and what they carry. */
export type LiveEvents = { readonly [Name in keyof typeof liveEvents]: z.infer<(typeof liveEvents)[Name]> };
export type LiveEventName = keyof LiveEvents;
