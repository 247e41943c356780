import { z } from 'zod';
import { tally, unixMs } from './common.js';

/** What the series routes take. */
export const seriesQuery = z.object({
  resolution: z.enum(['minute', 'hour']).optional().describe('Default: minute up to a day, hour beyond.'),
  from: z.coerce
    .number()
    .int()
    .min(0)
    .max(8_640_000_000_000_000)
    .optional()
    .describe('Unix ms, inclusive. Default: a day before `to`.'),
  to: z.coerce
    .number()
    .int()
    .min(0)
    .max(8_640_000_000_000_000)
    .optional()
    .describe('Unix ms, exclusive. Default: now.'),
});
export type SeriesQuery = z.output<typeof seriesQuery>;

/** Hashrate and shares over time. */
export const series = z
  .object({
    resolution: z.enum(['minute', 'hour']),
    fromMs: unixMs,
    toMs: unixMs,
    points: z
      .array(tally.extend({ startMs: unixMs, hashrate: z.number() }).meta({ id: 'SeriesPoint' }))
      .describe('In order of time, at most 1,500. Stretches without shares are left out.'),
  })
  .meta({ id: 'Series', description: 'Hashrate and shares over time.' });
export type SeriesJson = z.infer<typeof series>;
