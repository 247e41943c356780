import { decodeShares } from '../batch-codec.js';
import { FOLD_READ_BATCHES, FOLD_SHARES } from '../limits.js';
import { type InsertShape, insertRows } from '../sql/insert.js';
import { bytesIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlSession, SqlValue } from '../sql/types.js';
import type { FoldReport } from '../types.js';
import { FoldCaches, FoldGroups, hoursOf, type Minutes, type RoundSlice, totalOf } from './fold-groups.js';
import { addTally, addWork, TALLY_COLUMNS, type Tally, workColumns } from './tally.js';

const SUBJECTS: InsertShape = {
  table: 'subjects',
  columns: ['kind', 'account', 'worker', 'first_ms', 'last_ms', ...TALLY_COLUMNS],
  onConflict: `ON CONFLICT (kind, account, worker) DO UPDATE SET
    first_ms = CASE WHEN excluded.first_ms < subjects.first_ms THEN excluded.first_ms ELSE subjects.first_ms END,
    last_ms = CASE WHEN excluded.last_ms > subjects.last_ms THEN excluded.last_ms ELSE subjects.last_ms END,
    ${addTally('subjects')}`,
  returning: ['id', 'kind', 'account', 'worker'],
};
const statsShape = (table: string): InsertShape => ({
  table,
  columns: ['subject', 'start', ...TALLY_COLUMNS],
  onConflict: `ON CONFLICT (subject, start) DO UPDATE SET ${addTally(table)}`,
});
const MINUTE_ROWS: InsertShape = statsShape('stats_minute');
const HOUR_ROWS: InsertShape = statsShape('stats_hour');
const ROUND_ROWS: InsertShape = {
  table: 'rounds',
  columns: [
    'id',
    'opened_ms',
    'closed_ms',
    'block_hash',
    'closed_batch',
    'closed_index',
    'accepted',
    'work',
    'work_parts',
  ],
  onConflict: `ON CONFLICT (id) DO UPDATE SET closed_ms = excluded.closed_ms, block_hash = excluded.block_hash,
    closed_batch = excluded.closed_batch, closed_index = excluded.closed_index,
    accepted = rounds.accepted + excluded.accepted, ${addWork('rounds')}`,
};
const ROUND_WORK_ROWS: InsertShape = {
  table: 'round_work',
  columns: ['round', 'account', 'accepted', 'work', 'work_parts'],
  onConflict: `ON CONFLICT (round, account) DO UPDATE SET accepted = round_work.accepted + excluded.accepted, ${addWork('round_work')}`,
};

/** Which kind of row a subject has. */
export const SUBJECT_KIND = { pool: 0, account: 1, worker: 2 } as const;

interface Entry {
  readonly kind: number;
  readonly account: string;
  readonly worker: string;
  readonly minutes: Minutes;
}

const keyOf = (kind: number, account: string, worker: string): string => `${kind}\0${account}\0${worker}`;

/**
 * Adds the share log to the statistics. The rows of a run of batches and the position up to which the log is folded
 * change in one transaction, so that a crash leaves both or neither, and no share is counted twice.
 */
export class Fold {
  readonly #database: SqlDatabase;
  readonly #caches = new FoldCaches();
  #running: Promise<FoldReport> | undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Folds until the log is done. Two calls at a time share one run. */
  fold(): Promise<FoldReport> {
    this.#running ??= this.#all().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #all(): Promise<FoldReport> {
    let batches = 0;
    let shares = 0;
    for (;;) {
      const done = await this.#some();
      batches += done.batches;
      shares += done.shares;
      if (done.isLast) return { batches, shares };
    }
  }

  /** One run of batches: read and added up outside of the transaction that stores the sums. */
  async #some(): Promise<FoldReport & { isLast: boolean }> {
    const from = await this.#database.read((session) => position(session));
    const groups = new FoldGroups(this.#caches);
    let to = from;
    let batches = 0;
    let isLast = false;
    while (!isLast && groups.shares < FOLD_SHARES) {
      const rows = await this.#database.read((session) =>
        session.query(`SELECT id, data FROM share_batches WHERE id > $1 ORDER BY id LIMIT ${FOLD_READ_BATCHES}`, [to]),
      );
      for (const row of rows) {
        to = numberIn(row, 'id');
        groups.add(decodeShares(bytesIn(row, 'data')), to);
      }
      batches += rows.length;
      isLast = rows.length < FOLD_READ_BATCHES;
      // Commits that came meanwhile go first.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (to === from) return { batches: 0, shares: 0, isLast: true };
    const isStored = await this.#database.transaction((session) => store(session, { from, to, groups }));
    // Somebody else folded these: look again.
    return isStored ? { batches, shares: groups.shares, isLast } : { batches: 0, shares: 0, isLast: false };
  }
}

async function position(session: SqlSession): Promise<number> {
  const [row] = await session.query('SELECT position FROM fold_state WHERE id = 1');
  return numberIn(row, 'position');
}

async function store(
  session: SqlSession,
  { from, to, groups }: { readonly from: number; readonly to: number; readonly groups: FoldGroups },
): Promise<boolean> {
  const closed = groups.rounds.filter(({ end }) => end !== undefined).length;
  // The first statement takes the row's lock: a second folder waits, and then finds another position.
  const [state] = await session.query(
    `UPDATE fold_state SET position = $1, round = round + $2, folds = folds + 1 WHERE id = 1 AND position = $3 RETURNING round`,
    [to, closed, from],
  );
  if (state === undefined) return false;
  await storeStatistics(session, groups);
  await storeRounds(session, groups.rounds, numberIn(state, 'round') - closed);
  return true;
}

async function storeStatistics(session: SqlSession, groups: FoldGroups): Promise<void> {
  const { accounts, pool } = groups.sums();
  const entries: Entry[] = [];
  if (pool.size > 0) entries.push({ kind: SUBJECT_KIND.pool, account: '', worker: '', minutes: pool });
  for (const [account, minutes] of accounts) entries.push({ kind: SUBJECT_KIND.account, account, worker: '', minutes });
  for (const [account, workers] of groups.workers) {
    for (const [worker, minutes] of workers) entries.push({ kind: SUBJECT_KIND.worker, account, worker, minutes });
  }
  const subjects = await insertRows(session, SUBJECTS, entries.map(subjectRow));
  const ids = new Map(
    subjects.map((row) => [keyOf(numberIn(row, 'kind'), textIn(row, 'account'), textIn(row, 'worker')), row]),
  );
  const rows = (bySubject: (minutes: Minutes) => Map<number, Tally>, seconds: number): SqlValue[][] =>
    entries.flatMap(({ kind, account, worker, minutes }) => {
      const subject = numberIn(ids.get(keyOf(kind, account, worker)), 'id');
      return [...bySubject(minutes)].map(([start, tally]) => [subject, start * seconds, ...tally.columns()]);
    });
  await insertRows(
    session,
    MINUTE_ROWS,
    rows((minutes) => minutes, 60),
  );
  await insertRows(session, HOUR_ROWS, rows(hoursOf, 3600));
}

function subjectRow({ kind, account, worker, minutes }: Entry): SqlValue[] {
  const total = totalOf(minutes);
  return [kind, account, worker, total.firstMs, total.lastMs, ...total.columns()];
}

async function storeRounds(session: SqlSession, slices: readonly RoundSlice[], firstRound: number): Promise<void> {
  const rounds: SqlValue[][] = [];
  const work: SqlValue[][] = [];
  for (const [i, { openedMs, accounts, end }] of slices.entries()) {
    const round = firstRound + i;
    let accepted = 0;
    let sum = 0n;
    for (const [account, part] of accounts) {
      accepted += part.accepted;
      sum += part.work;
      work.push([round, account, part.accepted, ...workColumns(part.work)]);
    }
    const closing: SqlValue[] =
      end === undefined ? [null, null, null, null] : [end.closedMs, end.blockHash, end.batch, end.index];
    rounds.push([round, openedMs, ...closing, accepted, ...workColumns(sum)]);
  }
  await insertRows(session, ROUND_ROWS, rounds);
  await insertRows(session, ROUND_WORK_ROWS, work);
}
