import { isPoolError, PoolError } from '@headframe/primitives';
import { storeSeenAddresses } from '../accounting/accounts.js';
import { decodeShares } from '../batch-codec.js';
import { FOLD_READ_BATCHES, FOLD_SHARES, FOLD_SUBJECTS } from '../limits.js';
import { type InsertShape, insertRows } from '../sql/insert.js';
import { bytesIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlSession, SqlValue } from '../sql/types.js';
import type { FoldReport } from '../types.js';
import {
  FoldCaches,
  FoldGroups,
  hoursOf,
  type Minutes,
  POOL_BUCKET,
  type RoundSlice,
  sumOf,
  totalOf,
} from './fold-groups.js';
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
 * Adds the share log to the statistics. Accounts are spread over parts; the rows of a part and its position in the log
 * change in one transaction, so that a crash leaves both or neither, and no share is counted twice. Many small
 * transactions instead of one, because commits of shares have to wait for each.
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

  /** One run of batches: read and added up outside of the transactions that store the sums. */
  async #some(): Promise<FoldReport & { isLast: boolean }> {
    const positions = await this.#database.read(readPositions);
    const from = Math.min(...positions);
    const groups = new FoldGroups(positions, this.#caches);
    let to = from;
    let batches = 0;
    let isLast = false;
    // After a crash some parts are ahead: they must not be left behind again.
    const ahead = Math.max(...positions);
    while (!isLast && (groups.shares < FOLD_SHARES || to < ahead)) {
      const rows = await this.#database.read((session) =>
        session.query(`SELECT id, data FROM share_batches WHERE id > $1 ORDER BY id LIMIT ${FOLD_READ_BATCHES}`, [to]),
      );
      for (const row of rows) {
        to = numberIn(row, 'id');
        groups.add(decodeShares(bytesIn(row, 'data')), to);
        await commitsFirst();
      }
      batches += rows.length;
      isLast = rows.length < FOLD_READ_BATCHES;
    }
    if (to === from) return { batches: 0, shares: 0, isLast: true };
    for (const part of partsOf(groups, positions)) {
      const isStored = await this.#database
        .transaction((session) => storePart(session, part, { to, groups }))
        .catch(unlessRaced);
      // Somebody else folded these: look again.
      if (!isStored) return { batches: 0, shares: 0, isLast: false };
      await commitsFirst();
    }
    return { batches, shares: groups.shares, isLast };
  }
}

const RACED = { reason: 'raced' } as const;

function unlessRaced(error: unknown): false {
  if (isPoolError(error, 'storage_failed') && error.details.reason === RACED.reason) return false;
  throw error;
}

/** Lets commits that came meanwhile get in between two transactions. */
const commitsFirst = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function readPositions(session: SqlSession): Promise<number[]> {
  const rows = await session.query('SELECT position FROM fold_state ORDER BY bucket');
  return rows.map((row) => numberIn(row, 'position'));
}

/** Buckets next to each other that are stored in one transaction. */
interface Part {
  readonly first: number;
  last: number;
  /** Where in the log all of them are. */
  readonly position: number;
  readonly entries: Entry[];
}

function entriesOf(groups: FoldGroups, bucket: number): Entry[] {
  if (bucket === POOL_BUCKET) {
    return groups.pool.size === 0 ? [] : [{ kind: SUBJECT_KIND.pool, account: '', worker: '', minutes: groups.pool }];
  }
  const entries: Entry[] = [];
  for (const [account, workers] of groups.workers[bucket] ?? []) {
    entries.push({ kind: SUBJECT_KIND.account, account, worker: '', minutes: sumOf(workers.values()) });
    for (const [worker, minutes] of workers) entries.push({ kind: SUBJECT_KIND.worker, account, worker, minutes });
  }
  return entries;
}

/** Few transactions for a small pool, short ones for a large one. */
function partsOf(groups: FoldGroups, positions: readonly number[]): Part[] {
  const parts: Part[] = [];
  for (const [bucket, position] of positions.entries()) {
    const entries = entriesOf(groups, bucket);
    const part = parts.at(-1);
    if (part?.position === position && part.entries.length + entries.length <= FOLD_SUBJECTS) {
      part.last = bucket;
      part.entries.push(...entries);
    } else parts.push({ first: bucket, last: bucket, position, entries });
  }
  return parts;
}

async function storePart(
  session: SqlSession,
  part: Part,
  { to, groups }: { readonly to: number; readonly groups: FoldGroups },
): Promise<true> {
  const { first, last, position, entries } = part;
  // The first statement locks the rows: a second folder waits, and then finds other positions.
  const moved = await session.run(
    'UPDATE fold_state SET position = $1 WHERE bucket >= $2 AND bucket <= $3 AND position = $4',
    [to, first, last, position],
  );
  // Thrown, so that what has moved is undone.
  if (moved !== last - first + 1) throw new PoolError('storage_failed', 'another program folds', { details: RACED });
  await storeStatistics(session, entries);
  const seen = groups.addresses.slice(first, last + 1).flatMap((addresses) => [...addresses.values()]);
  await storeSeenAddresses(session, seen);
  if (last === POOL_BUCKET) await storeRounds(session, groups.rounds);
  return true;
}

async function storeStatistics(session: SqlSession, entries: readonly Entry[]): Promise<void> {
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

async function storeRounds(session: SqlSession, slices: readonly RoundSlice[]): Promise<void> {
  const closed = slices.filter(({ end }) => end !== undefined).length;
  const [state] = await session.query('UPDATE fold_state SET round = round + $1 WHERE bucket = $2 RETURNING round', [
    closed,
    POOL_BUCKET,
  ]);
  const firstRound = numberIn(state, 'round') - closed;
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
