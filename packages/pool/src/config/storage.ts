import { z } from 'zod';

const days = z.number().min(1 / 24);

/** Where shares, blocks, balances and payments are kept. */
export const storage = z
  .strictObject({
    url: z
      .string()
      .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+|log:)$/, 'must be sqlite:FILE, postgres://... or log:')
      .optional()
      .describe(
        '`sqlite:FILE`, `postgres://user:password@host/database`, or `log:` for the plain share log alone (no statistics, balances or payments). Default: `pool.db` in the data folder.',
      ),
    commit: z
      .enum(['durable', 'relaxed'])
      .default('durable')
      .describe(
        '`durable`: a miner is told `true` when its share is on disk. `relaxed`: at once, and on disk within 100 ms; a crash loses the shares of that time.',
      ),
    shareDays: days
      .default(3)
      .describe('Days that single shares are kept; the PPLNS window must fit. Not in the plain log.'),
    minuteDays: days.default(2).describe('Days that statistics by the minute are kept.'),
    hourDays: days.default(400).describe('Days that statistics by the hour are kept.'),
  })
  .prefault({})
  .describe('The ledger.');
