import { decodeShares } from '../batch-codec.js';
import { FOLD_READ_BATCHES } from '../limits.js';
import { bytesIn, numberIn, optionalNumberIn, optionalTextIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import type { AccountWork, Luck, RoundRecord, RoundShares, WorkWindow } from '../types.js';
import { workOfDifficulty, workToNumber } from '../work.js';
import { nameForQuery } from './fold-groups.js';
import { pageLimit } from './paging.js';
import { sumWork, workIn } from './tally.js';

/** Rows of rounds (r) whose block pays, or may yet pay (b is its block). */
const ENDED_WITH_PAY = `r.block_hash IS NOT NULL AND (b.status IS NULL OR b.status NOT IN ('orphaned', 'rejected'))`;
const WITH_BLOCK = 'rounds r LEFT JOIN blocks b ON b.hash = r.block_hash';

/** Consecutive rows that make one round, the last of them with its block. */
const SPAN = `min(r.opened_ms) AS opened_ms, CAST(coalesce(sum(r.accepted), 0) AS BIGINT) AS accepted, ${sumWork('r.')}`;

interface Span {
  /** Id of the row before the first, and of the last row. */
  readonly after: number;
  readonly last: number;
}

function effortOf(work: bigint, networkDifficulty: number | undefined): number | undefined {
  return networkDifficulty === undefined || networkDifficulty <= 0 ? undefined : workToNumber(work) / networkDifficulty;
}

async function lastPaying(session: SqlSession, before: number): Promise<number> {
  const [row] = await session.query(
    `SELECT r.id AS id FROM ${WITH_BLOCK} WHERE r.id < $1 AND ${ENDED_WITH_PAY} ORDER BY r.id DESC LIMIT 1`,
    [before],
  );
  return row === undefined ? 0 : numberIn(row, 'id');
}

async function closedRound(session: SqlSession, span: Span): Promise<RoundRecord> {
  const [sums] = await session.query(`SELECT ${SPAN} FROM rounds r WHERE r.id > $1 AND r.id <= $2`, [
    span.after,
    span.last,
  ]);
  const [end] = await session.query(
    `SELECT r.block_hash AS block_hash, r.closed_ms AS closed_ms, b.network_difficulty AS difficulty FROM ${WITH_BLOCK} WHERE r.id = $1`,
    [span.last],
  );
  const work = workIn(sums);
  return {
    blockHash: end === undefined ? undefined : optionalTextIn(end, 'block_hash'),
    openedMs: numberIn(sums, 'opened_ms'),
    closedMs: end === undefined ? undefined : optionalNumberIn(end, 'closed_ms'),
    accepted: numberIn(sums, 'accepted'),
    work,
    effort: effortOf(work, end === undefined ? undefined : optionalNumberIn(end, 'difficulty')),
  };
}

/** The round under way: everything since the last block that pays. */
export function currentRound(
  database: SqlDatabase,
  networkDifficulty: number | undefined,
  nowMs: number,
): Promise<RoundRecord> {
  return database.read(async (session) => {
    const after = await lastPaying(session, Number.MAX_SAFE_INTEGER);
    const [sums] = await session.query(`SELECT ${SPAN} FROM rounds r WHERE r.id > $1`, [after]);
    const [before] = await session.query('SELECT closed_ms FROM rounds WHERE id = $1', [after]);
    const work = workIn(sums);
    // Before its first share a round has no row: it began with the block.
    const began = before === undefined ? undefined : optionalNumberIn(before, 'closed_ms');
    const opened = sums === undefined ? undefined : optionalNumberIn(sums, 'opened_ms');
    return {
      blockHash: undefined,
      openedMs: began ?? opened ?? nowMs,
      closedMs: undefined,
      accepted: numberIn(sums, 'accepted'),
      work,
      effort: effortOf(work, networkDifficulty),
    };
  });
}

/** Rounds that ended with a block that counts, latest first. */
export function listRounds(database: SqlDatabase, limit: number): Promise<readonly RoundRecord[]> {
  const most = pageLimit(limit);
  return database.read((session) => latestRounds(session, most));
}

async function latestRounds(session: SqlSession, limit: number): Promise<RoundRecord[]> {
  const rows = await session.query(
    `SELECT r.id AS id FROM ${WITH_BLOCK} WHERE ${ENDED_WITH_PAY} ORDER BY r.id DESC LIMIT ${limit + 1}`,
  );
  const ends = rows.map((row) => numberIn(row, 'id'));
  const rounds: RoundRecord[] = [];
  for (const [i, last] of ends.slice(0, limit).entries()) {
    rounds.push(await closedRound(session, { after: ends[i + 1] ?? 0, last }));
  }
  return rounds;
}

/** How the last blocks came against what was to be expected. Rounds of unknown network difficulty do not count. */
export function luckOf(database: SqlDatabase, blocks: number): Promise<Luck> {
  const most = pageLimit(blocks);
  return database.read(async (session) => {
    let expected = 0;
    let done = 0;
    let counted = 0;
    for (const { effort, work } of await latestRounds(session, most)) {
      if (effort === undefined || effort === 0) continue;
      done += workToNumber(work);
      expected += workToNumber(work) / effort;
      counted++;
    }
    return { blocks: counted, luck: done > 0 ? expected / done : undefined };
  });
}

async function roundRow(session: SqlSession, blockHash: string): Promise<SqlRow | undefined> {
  const [row] = await session.query('SELECT id, closed_batch, closed_index FROM rounds WHERE block_hash = $1', [
    nameForQuery(blockHash),
  ]);
  return row;
}

/** A block's round by account, with the rounds before it whose blocks came to nothing. */
export function roundOfBlock(database: SqlDatabase, blockHash: string): Promise<RoundShares | undefined> {
  return database.read(async (session) => {
    const row = await roundRow(session, blockHash);
    if (row === undefined) return undefined;
    const last = numberIn(row, 'id');
    const after = await lastPaying(session, last);
    const accounts = await session.query(
      `SELECT w.account AS account, CAST(sum(w.accepted) AS BIGINT) AS accepted, ${sumWork('w.')} FROM round_work w
       WHERE w.round > $1 AND w.round <= $2 GROUP BY w.account`,
      [after, last],
    );
    return {
      ...(await closedRound(session, { after, last })),
      accounts: byName(
        accounts.map((one) => ({
          account: textIn(one, 'account'),
          accepted: numberIn(one, 'accepted'),
          work: workIn(one),
        })),
      ),
    };
  });
}

/** By code units, the same on every machine. */
function byName(accounts: AccountWork[]): AccountWork[] {
  return accounts.sort((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : 0));
}

/** Walks the share log back from a block's share until `work` is found. */
export async function windowBefore(
  database: SqlDatabase,
  blockHash: string,
  work: bigint,
): Promise<WorkWindow | undefined> {
  const row = await database.read((session) => roundRow(session, blockHash));
  if (row === undefined) return undefined;
  const closedBatch = numberIn(row, 'closed_batch');
  const closedIndex = numberIn(row, 'closed_index');
  const parts = new Map<string, { accepted: number; work: bigint }>();
  let missing = work;
  let before = closedBatch + 1;
  while (missing > 0n) {
    const rows = await database.read((session) =>
      session.query(`SELECT id, data FROM share_batches WHERE id < $1 ORDER BY id DESC LIMIT ${FOLD_READ_BATCHES}`, [
        before,
      ]),
    );
    if (rows.length === 0) break;
    for (const batch of rows) {
      before = numberIn(batch, 'id');
      const shares = decodeShares(bytesIn(batch, 'data'));
      const last = before === closedBatch ? closedIndex : shares.length - 1;
      for (let i = last; i >= 0 && missing > 0n; i--) {
        const share = shares[i];
        if (share?.result !== 'accepted') continue;
        const worth = workOfDifficulty(share.difficulty);
        let counted = missing;
        if (worth < missing) counted = worth;
        missing -= counted;
        const account = nameForQuery(share.account);
        const part = parts.get(account);
        if (part === undefined) parts.set(account, { accepted: 1, work: counted });
        else {
          part.accepted++;
          part.work += counted;
        }
      }
      if (missing === 0n) break;
    }
  }
  return {
    accounts: byName([...parts].map(([account, part]) => ({ account, ...part }))),
    work: work - missing,
    isFull: missing === 0n,
  };
}
