import { z } from 'zod';
import { amount, unixMs } from './common.js';

/** An output of the coinbase. */
export const templateOutput = z
  .object({
    amount,
    script: z.string().describe('Hex.'),
    address: z.string().nullable().describe('Null for scripts without an address.'),
    kind: z.enum(['payment', 'witness-commitment', 'data']),
  })
  .meta({ id: 'TemplateOutput' });

/** The job of the moment, so that miners can check what they work on. */
export const templateInfo = z
  .object({
    jobId: z.string().describe('As in mining.notify.'),
    height: z.int(),
    previousHash: z.string().describe('Display hex.'),
    version: z.string().describe('Hex.'),
    nbits: z.string().describe('Hex.'),
    networkTarget: z.string().describe('64 hex digits, the most significant first.'),
    networkDifficulty: z.number(),
    timeMs: unixMs.describe('Header time to start from.'),
    createdMs: unixMs,
    reward: amount.describe('What the pool gets of the block.'),
    transactions: z.int().nullable().describe('Besides the coinbase.'),
    merkleBranch: z.array(z.string()).describe('Internal order, hex.'),
    variants: z.array(
      z
        .object({
          key: z.string(),
          extranonceLength: z.int(),
          coinbase1: z.string().describe('Hex up to the extranonce, without witness.'),
          coinbase2: z.string().describe('Hex behind the extranonce.'),
          outputs: z.array(templateOutput),
        })
        .meta({ id: 'TemplateVariant' }),
    ),
  })
  .meta({ id: 'TemplateInfo', description: 'The job that miners work on.' });
export type TemplateInfo = z.infer<typeof templateInfo>;
