import { z } from 'zod';

/** Unix time in milliseconds. */
export const unixMs = z.int().nonnegative();

/** Money: `units` are the coin's base units as a decimal string, `coins` the same for people. Negative where a balance may be. */
export const amount = z
  .object({
    units: z.string().regex(/^-?\d+$/),
    coins: z.string().regex(/^-?\d+(\.\d+)?$/),
  })
  .meta({ id: 'Amount', description: 'Money: base units, and the same in coins. Both are decimal strings.' });
export type Amount = z.infer<typeof amount>;

/** Hashes per second over the last ten minutes, hour and day. */
export const hashrates = z
  .object({ tenMinutes: z.number(), hour: z.number(), day: z.number() })
  .meta({ id: 'Hashrates', description: 'Hashes per second, averaged over the last ten minutes, hour and day.' });
export type HashratesJson = z.infer<typeof hashrates>;

/** Counts of shares. */
export const tally = z
  .object({
    accepted: z.int(),
    stale: z.int().describe('For a job that is over or unknown.'),
    duplicate: z.int(),
    low: z.int().describe('Below the difficulty.'),
    invalid: z.int().describe('Every other refusal.'),
    work: z.number().describe('Sum of the difficulties of accepted shares.'),
    best: z.number().describe('Highest difficulty that a hash of an accepted share reached.'),
  })
  .meta({ id: 'ShareTally', description: 'Counts of shares by result.' });
export type TallyJson = z.infer<typeof tally>;

/** A list in pages. */
export interface PageJson<Item> {
  readonly items: readonly Item[];
  /** Pass it as `after` for the following page; null on the last. */
  readonly next: string | null;
}

const next = z.string().nullable().describe('Pass it as `after` for the following page; null on the last.');

/** The schema of a page of items. */
export function pageOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; next: typeof next }> {
  return z.object({ items: z.array(item), next });
}

/** What every paged route takes. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('Items per page.'),
  after: z
    .string()
    .max(200)
    .regex(/^[\x20-\x7e]*$/)
    .optional()
    .describe('`next` of the page before.'),
});
export type PageQuery = z.output<typeof pageQuery>;

/** An error, as RFC 9457 has it. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable name of what went wrong; tell problems apart by it.'),
    detail: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457, application/problem+json).' });
export type Problem = z.infer<typeof problem>;
