import { numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow } from '../sql/types.js';
import { SUBJECT_KIND } from './fold.js';
import { sumWork, workIn } from './tally.js';

const HOUR = 3600;
/** A share is committed so long after it was judged, at most, give or take clocks; older batches hold none of an hour that begins later. */
const LATE_MS = 600_000;

export interface CoveredSum {
  accepted: number;
  work: bigint;
}

/** Statistics of the hours that the share log still holds whole, as of one moment. */
export interface CoveredStatistics {
  /** Unix seconds; 0 when nothing was ever pruned. */
  readonly from: number;
  /** First and last batch of the log that is in them. */
  readonly firstBatch: number;
  readonly lastBatch: number;
  /** By hour, unix seconds. */
  readonly pool: ReadonlyMap<number, CoveredSum>;
  readonly accounts: ReadonlyMap<string, CoveredSum>;
}

const SUM = `CAST(coalesce(sum(t.accepted), 0) AS BIGINT) AS accepted, ${sumWork('t.')}`;
const sumIn = (row: SqlRow): CoveredSum => ({ accepted: numberIn(row, 'accepted'), work: workIn(row) });

/** Undefined while a fold is under way, or when the log is empty. */
export function coveredStatistics(database: SqlDatabase): Promise<CoveredStatistics | undefined> {
  return database.read(async (session) => {
    const [state] = await session.query('SELECT min(position) AS low, max(position) AS high FROM fold_state');
    const lastBatch = numberIn(state, 'low');
    const [first] = await session.query('SELECT id, committed_ms FROM share_batches ORDER BY id LIMIT 1');
    if (first === undefined || numberIn(state, 'high') !== lastBatch) return undefined;
    const firstBatch = numberIn(first, 'id');
    const from = firstBatch === 1 ? 0 : Math.ceil((numberIn(first, 'committed_ms') + LATE_MS) / 1000 / HOUR) * HOUR;
    const hours = await session.query(
      `SELECT t.start AS start, ${SUM} FROM stats_hour t JOIN subjects s ON s.id = t.subject
       WHERE s.kind = $1 AND t.start >= $2 GROUP BY t.start ORDER BY t.start`,
      [SUBJECT_KIND.pool, from],
    );
    const accounts = await session.query(
      `SELECT s.account AS account, ${SUM} FROM subjects s JOIN stats_hour t ON t.subject = s.id
       WHERE s.kind = $1 AND t.start >= $2 GROUP BY s.account`,
      [SUBJECT_KIND.account, from],
    );
    return {
      from,
      firstBatch,
      lastBatch,
      pool: new Map(hours.map((row) => [numberIn(row, 'start'), sumIn(row)])),
      accounts: new Map(accounts.map((row) => [textIn(row, 'account'), sumIn(row)])),
    };
  });
}
