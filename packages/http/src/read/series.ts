import type { Subject } from '@headframe/ledger';
import { ApiProblem } from '../problem.js';
import type { SeriesJson, SeriesQuery } from '../schemas/series.js';
import type { LedgerView } from '../view.js';
import { pointOf } from './tally.js';

const DAY_MS = 86_400_000;
const STEP_MS = { minute: 60_000, hour: 3_600_000 } as const;

/** Hashrate and shares of the pool, an account or a worker over time. */
export async function readSeries(
  ledger: LedgerView,
  subject: Subject,
  { query, nowMs }: { readonly query: SeriesQuery; readonly nowMs: number },
): Promise<SeriesJson> {
  const toMs = query.to ?? nowMs;
  const fromMs = query.from ?? Math.max(0, toMs - DAY_MS);
  if (fromMs >= toMs) throw new ApiProblem(400, 'invalid_request', 'from must be before to');
  const resolution = query.resolution ?? (toMs - fromMs <= DAY_MS ? 'minute' : 'hour');
  const step = STEP_MS[resolution];
  // Whole steps, so that everybody who asks for "the last day" asks the same.
  const from = Math.floor(fromMs / step) * step;
  const to = Math.ceil(toMs / step) * step;
  const points = await ledger.series({ ...subject, resolution, fromMs: from, toMs: to });
  return { resolution, fromMs: from, toMs: to, points: points.map(pointOf) };
}
