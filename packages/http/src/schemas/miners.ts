import { z } from 'zod';
import { workerItem } from './accounts.js';
import { pageOf, unixMs } from './common.js';

/** A worker on a connection. */
export const minerItem = z
  .object({
    session: z.int(),
    account: z.string().nullable().describe('Null before the miner has authorized.'),
    worker: z.string().nullable(),
    workers: z.int().describe('Workers on this connection; `worker` is the first.'),
    difficulty: z.number(),
    hashrate: z.number().describe('Estimated from its shares of the last minutes, H/s.'),
    agent: z.string().nullable().describe('Software, as the miner says.'),
    protocol: z.string(),
    tls: z.boolean(),
    connectedMs: unixMs,
    lastShareMs: unixMs.nullable(),
    accepted: z.int().describe('Since it connected (or the API started, if that was later).'),
    rejected: z.int(),
  })
  .meta({ id: 'Miner', description: 'A connection of a miner.' });
export type MinerItem = z.infer<typeof minerItem>;

export const minerPage = pageOf(minerItem).meta({ id: 'MinerPage' });
export type MinerPage = z.infer<typeof minerPage>;

/** A worker with its connections. */
export const workerInfo = z
  .object({
    account: z.string(),
    worker: workerItem,
    miners: z.array(minerItem).describe('Its connections, at most 100.'),
  })
  .meta({ id: 'WorkerInfo' });
export type WorkerInfo = z.infer<typeof workerInfo>;
