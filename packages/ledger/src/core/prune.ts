import { MIN_SHARE_RETENTION_MS, PRUNE_SUBJECTS } from '../limits.js';
import { numberIn } from '../sql/row.js';
import type { SqlDatabase } from '../sql/types.js';
import type { PruneReport } from '../types.js';
import type { Retention } from './calls.js';
import { SUBJECT_KIND } from './fold.js';

/** Batches that go in one transaction. */
const PRUNE_BATCHES = 500;

/**
 * Removes what is past its retention, in small transactions between which commits get their turn: folded batches, rows
 * of minutes and hours, and workers that have none left. Batches after `keepAfter` stay.
 */
export async function prune(
  database: SqlDatabase,
  nowMs: number,
  retention: Retention,
  keepAfter = Number.MAX_SAFE_INTEGER,
): Promise<PruneReport> {
  const beforeMs = nowMs - Math.max(MIN_SHARE_RETENTION_MS, retention.sharesMs);
  const batches = await pruneBatches(database, { nowMs, beforeMs, keepAfter });
  const rows = await pruneRows(database, {
    stats_minute: Math.floor((nowMs - retention.minutesMs) / 1000),
    stats_hour: Math.floor((nowMs - retention.hoursMs) / 1000),
  });
  const workers = await database.transaction((session) =>
    session.run('DELETE FROM subjects WHERE kind = $1 AND last_ms < $2', [
      SUBJECT_KIND.worker,
      nowMs - Math.max(retention.minutesMs, retention.hoursMs) - 3_600_000,
    ]),
  );
  return { batches, rows, workers };
}

/** A batch dated later than this from now was written by a clock that was ahead: its time says nothing. */
const MAX_AHEAD_MS = 3_600_000;

/**
 * Ids follow the commits, so the oldest come first and the search ends at the first that stays. Batches of a clock that
 * was ahead go with the old ones after them.
 */
async function pruneBatches(
  database: SqlDatabase,
  { nowMs, beforeMs, keepAfter }: { readonly nowMs: number; readonly beforeMs: number; readonly keepAfter: number },
): Promise<number> {
  let removed = 0;
  let after = 0;
  for (;;) {
    const page = await database.read((session) =>
      session.query(
        `SELECT id, committed_ms FROM share_batches WHERE id > $1 AND id <= $2 AND id <= (SELECT min(position) FROM fold_state)
         ORDER BY id LIMIT ${PRUNE_BATCHES}`,
        [after, keepAfter],
      ),
    );
    let last: number | undefined;
    let isOver = page.length < PRUNE_BATCHES;
    for (const row of page) {
      const committedMs = numberIn(row, 'committed_ms');
      after = numberIn(row, 'id');
      if (committedMs < beforeMs) last = after;
      else if (committedMs <= nowMs + MAX_AHEAD_MS) {
        isOver = true;
        break;
      }
    }
    if (last !== undefined) removed += await removeUpTo(database, last);
    if (isOver) return removed;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

async function removeUpTo(database: SqlDatabase, id: number): Promise<number> {
  let removed = 0;
  for (;;) {
    const rows = await database.transaction((session) =>
      session.run(
        `DELETE FROM share_batches WHERE id IN
           (SELECT id FROM share_batches WHERE id <= $1 ORDER BY id LIMIT ${PRUNE_BATCHES})`,
        [id],
      ),
    );
    removed += rows;
    if (rows < PRUNE_BATCHES) return removed;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

async function pruneRows(
  database: SqlDatabase,
  before: Readonly<Record<'stats_minute' | 'stats_hour', number>>,
): Promise<number> {
  let removed = 0;
  let after = 0;
  for (;;) {
    const subjects = await database.read((session) =>
      session.query(`SELECT id FROM subjects WHERE id > $1 ORDER BY id LIMIT ${PRUNE_SUBJECTS}`, [after]),
    );
    const last = subjects.at(-1);
    if (last === undefined) return removed;
    const ids = subjects.map((row) => numberIn(row, 'id'));
    removed += await database.transaction(async (session) => {
      let rows = 0;
      // One subject at a time is a range of the key; all at once would be a look at every row.
      for (const id of ids) {
        rows += await session.run('DELETE FROM stats_minute WHERE subject = $1 AND start < $2', [
          id,
          before.stats_minute,
        ]);
        rows += await session.run('DELETE FROM stats_hour WHERE subject = $1 AND start < $2', [id, before.stats_hour]);
      }
      return rows;
    });
    after = numberIn(last, 'id');
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
