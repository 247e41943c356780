import { PoolError } from '@headframe/primitives';
import { MAX_POINTS } from '../limits.js';
import { numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import type {
  AccountPage,
  Hashrates,
  PageRequest,
  SeriesPoint,
  SeriesRequest,
  Subject,
  SubjectSummary,
} from '../types.js';
import { hashrateOf } from '../work.js';
import { SUBJECT_KIND } from './fold.js';
import { nameForQuery } from './fold-groups.js';
import { pageLimit } from './paging.js';
import { sumTally, sumWork, tallyIn, workIn } from './tally.js';

const MINUTE = 60;
const HOUR = 3600;
/** Windows of hashrate: how long, and in rows of which table. Longer ones would read thousands of minutes per worker. */
const WINDOWS = [
  { name: 'tenMinutes', table: 'stats_minute', step: MINUTE, seconds: 10 * MINUTE },
  { name: 'hour', table: 'stats_minute', step: MINUTE, seconds: HOUR },
  { name: 'day', table: 'stats_hour', step: HOUR, seconds: 24 * HOUR },
] as const;
/** The first shares of somebody new say little of the pace: they are taken for those of a minute. */
const YOUNGEST_SECONDS = MINUTE;
const NO_HASHRATES: Hashrates = { tenMinutes: 0, hour: 0, day: 0 };

function keyOf({ account, worker }: Subject): [kind: number, account: string, worker: string] {
  if (account === undefined) {
    if (worker !== undefined) throw new PoolError('invalid_argument', 'a worker is asked for with its account');
    return [SUBJECT_KIND.pool, '', ''];
  }
  if (worker === undefined) return [SUBJECT_KIND.account, nameForQuery(account), ''];
  return [SUBJECT_KIND.worker, nameForQuery(account), nameForQuery(worker)];
}

/** One row's own tally under the names of a sum. */
const OWN = `id, kind, account, worker, first_ms, last_ms, ${sumTally()}`;

/** What the database can tell of the pool, accounts and workers. */
export class Subjects {
  readonly #database: SqlDatabase;
  readonly #hashesPerDifficulty: number;

  constructor(database: SqlDatabase, hashesPerDifficulty: number) {
    this.#database = database;
    this.#hashesPerDifficulty = hashesPerDifficulty;
  }

  summary(subject: Subject, nowMs: number): Promise<SubjectSummary | undefined> {
    return this.#database.read(async (session) => {
      const rows = await session.query(
        `SELECT ${OWN} FROM subjects WHERE kind = $1 AND account = $2 AND worker = $3 GROUP BY id`,
        keyOf(subject),
      );
      return (await this.#summaries(session, rows, nowMs))[0];
    });
  }

  account(account: string, page: PageRequest, nowMs: number): Promise<AccountPage | undefined> {
    const limit = pageLimit(page.limit);
    const name = nameForQuery(account);
    return this.#database.read(async (session) => {
      const own = await session.query(
        `SELECT ${OWN} FROM subjects WHERE kind = $1 AND account = $2 AND worker = $3 GROUP BY id`,
        keyOf({ account }),
      );
      // Ordered by bytes on both engines, so that a cursor means the same whatever the server's language is.
      const bytes = session.engine === 'postgres' ? 'COLLATE "C"' : '';
      const after = page.after === undefined ? '' : `AND worker ${bytes} > $3`;
      const rows = await session.query(
        `SELECT ${OWN} FROM subjects WHERE kind = $1 AND account = $2 ${after} GROUP BY id ORDER BY worker ${bytes} LIMIT ${limit + 1}`,
        [SUBJECT_KIND.worker, name, ...(page.after === undefined ? [] : [nameForQuery(page.after)])],
      );
      const [count] = await session.query('SELECT count(*) AS n FROM subjects WHERE kind = $1 AND account = $2', [
        SUBJECT_KIND.worker,
        name,
      ]);
      const shown = rows.slice(0, limit);
      const [summary, ...workers] = await this.#summaries(session, [...own, ...shown], nowMs);
      if (summary === undefined || own.length === 0) return undefined;
      const next = rows.length > limit ? workers.at(-1)?.worker : undefined;
      return { ...summary, workers: { items: workers, next }, workerCount: numberIn(count, 'n') };
    });
  }

  topAccounts(limit: number, nowMs: number): Promise<readonly SubjectSummary[]> {
    const most = pageLimit(limit);
    return this.#database.read(async (session) => {
      const ids = await session.query(
        `SELECT s.id AS id, sum(h.work) AS whole, sum(h.work_parts) AS parts FROM subjects s JOIN stats_hour h ON h.subject = s.id
         WHERE s.kind = $1 AND h.start >= $2 GROUP BY s.id ORDER BY whole DESC, parts DESC, id LIMIT ${most}`,
        [SUBJECT_KIND.account, windowStart(nowMs, 24 * HOUR, HOUR)],
      );
      if (ids.length === 0) return [];
      const order = new Map(ids.map((row, i) => [numberIn(row, 'id'), i]));
      const rows = await session.query(
        `SELECT ${OWN} FROM subjects WHERE id IN (${placeholders(ids.length)}) GROUP BY id`,
        [...order.keys()],
      );
      const place = (row: SqlRow): number => order.get(numberIn(row, 'id')) ?? 0;
      return this.#summaries(
        session,
        [...rows].sort((a, b) => place(a) - place(b)),
        nowMs,
      );
    });
  }

  active(sinceMs: number): Promise<{ readonly accounts: number; readonly workers: number }> {
    return this.#database.read(async (session) => {
      const rows = await session.query(
        'SELECT kind, count(*) AS n FROM subjects WHERE last_ms >= $1 AND kind > 0 GROUP BY kind',
        [sinceMs],
      );
      const of = (kind: number): number => {
        const row = rows.find((one) => numberIn(one, 'kind') === kind);
        return row === undefined ? 0 : numberIn(row, 'n');
      };
      return { accounts: of(SUBJECT_KIND.account), workers: of(SUBJECT_KIND.worker) };
    });
  }

  series(request: SeriesRequest): Promise<readonly SeriesPoint[]> {
    const step = request.resolution === 'hour' ? HOUR : MINUTE;
    const table = request.resolution === 'hour' ? 'stats_hour' : 'stats_minute';
    const [from, to] = [Math.floor(request.fromMs / 1000), Math.ceil(request.toMs / 1000)];
    return this.#database.read(async (session) => {
      const rows = await session.query(
        `SELECT t.start AS start, ${sumTally('t.')} FROM ${table} t JOIN subjects s ON s.id = t.subject
         WHERE s.kind = $1 AND s.account = $2 AND s.worker = $3 AND t.start >= $4 AND t.start < $5
         GROUP BY t.start ORDER BY t.start LIMIT ${MAX_POINTS}`,
        [...keyOf(request), from, to],
      );
      return rows.map((row) => {
        const tally = tallyIn(row);
        const hashrate = hashrateOf(tally.work, step, this.#hashesPerDifficulty);
        return { startMs: numberIn(row, 'start') * 1000, ...tally, hashrate };
      });
    });
  }

  async #summaries(session: SqlSession, rows: readonly SqlRow[], nowMs: number): Promise<SubjectSummary[]> {
    const rates = await this.#hashrates(
      session,
      new Map(rows.map((row) => [numberIn(row, 'id'), numberIn(row, 'first_ms')])),
      nowMs,
    );
    return rows.map((row) => {
      const kind = numberIn(row, 'kind');
      return {
        account: kind === SUBJECT_KIND.pool ? undefined : textIn(row, 'account'),
        worker: kind === SUBJECT_KIND.worker ? textIn(row, 'worker') : undefined,
        firstMs: numberIn(row, 'first_ms'),
        lastMs: numberIn(row, 'last_ms'),
        total: tallyIn(row),
        hashrate: rates.get(numberIn(row, 'id')) ?? NO_HASHRATES,
      };
    });
  }

  /**
   * A window begins with a whole minute or hour, and the work in it is divided by the time since then: exact, if up to
   * one step longer than its name says. Of somebody who came later, by the time since the first share.
   */
  async #hashrates(
    session: SqlSession,
    firstMs: ReadonlyMap<number, number>,
    nowMs: number,
  ): Promise<Map<number, Hashrates>> {
    const ids = [...firstMs.keys()];
    const rates = new Map<number, { -readonly [Name in keyof Hashrates]: number }>();
    if (ids.length === 0) return rates;
    for (const { name, table, step, seconds } of WINDOWS) {
      const start = windowStart(nowMs, seconds, step);
      const rows = await session.query(
        `SELECT subject, ${sumWork()} FROM ${table} WHERE subject IN (${placeholders(ids.length)}) AND start >= $${ids.length + 1} GROUP BY subject`,
        [...ids, start],
      );
      for (const row of rows) {
        const subject = numberIn(row, 'subject');
        const own = rates.get(subject) ?? { ...NO_HASHRATES };
        const began = Math.max(start, (firstMs.get(subject) ?? 0) / 1000);
        const forSeconds = Math.max(YOUNGEST_SECONDS, nowMs / 1000 - began);
        own[name] = hashrateOf(workIn(row), forSeconds, this.#hashesPerDifficulty);
        rates.set(subject, own);
      }
    }
    return rates;
  }
}

const placeholders = (count: number): string => Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');

/** Unix seconds of the step in which a window that ends now began. */
const windowStart = (nowMs: number, seconds: number, step: number): number =>
  Math.floor((nowMs / 1000 - seconds) / step) * step;
