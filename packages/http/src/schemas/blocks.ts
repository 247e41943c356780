import { z } from 'zod';
import { amount, pageOf, unixMs } from './common.js';

/** Life of a block. */
export const blockStatus = z.enum(['candidate', 'confirmed', 'matured', 'orphaned', 'rejected']);

/** A block in a list. */
export const blockItem = z
  .object({
    hash: z.string().describe('Display hex.'),
    height: z.int(),
    status: blockStatus,
    account: z.string(),
    worker: z.string(),
    reward: amount,
    confirmations: z.int(),
    networkDifficulty: z.number().nullable(),
    effort: z
      .number()
      .nullable()
      .describe('Of the round it ended; null when not known, and in lists for blocks older than the last 100 rounds.'),
    foundMs: unixMs,
    link: z.string().nullable().describe('Page of a block explorer.'),
  })
  .meta({ id: 'Block', description: 'A block that the pool found.' });
export type BlockItem = z.infer<typeof blockItem>;

export const blockPage = pageOf(blockItem).meta({ id: 'BlockPage' });
export type BlockPage = z.infer<typeof blockPage>;

/** A block with its round and its credits. */
export const blockDetails = z
  .object({
    block: blockItem,
    round: z
      .object({
        openedMs: unixMs,
        closedMs: unixMs.nullable(),
        accepted: z.int(),
        work: z.number(),
        effort: z.number().nullable(),
        accounts: z.int().describe('Accounts with work in it.'),
      })
      .nullable()
      .describe('Null until the shares are counted, and for blocks that do not count.'),
    credits: z
      .object({
        state: z.enum(['immature', 'final', 'reversed']),
        total: amount,
        kinds: z.array(z.object({ kind: z.string(), total: amount })),
      })
      .nullable()
      .describe('What was credited for it; null when the scheme credits no accounts, or not yet.'),
  })
  .meta({ id: 'BlockDetails' });
export type BlockDetailsJson = z.infer<typeof blockDetails>;
