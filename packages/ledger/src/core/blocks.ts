import type { BlockOutcome, BlockStatus } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';
import { numberIn, optionalNumberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import type { BlockDetails, BlockRecord, Page, PageRequest } from '../types.js';
import { pageLimit } from './paging.js';

const STATUSES: readonly BlockStatus[] = ['candidate', 'confirmed', 'matured', 'orphaned', 'rejected'];
/**
 * How much a status proves. A higher one is not taken back by a lower one, whatever came first. Confirmed and orphaned
 * are equal, since a block can leave the chain and come back: of these the one said later holds.
 */
const PROOF: Readonly<Record<BlockStatus, number>> = {
  candidate: 0,
  rejected: 1,
  confirmed: 2,
  orphaned: 2,
  matured: 3,
};

/** True when `next` is to replace `known`. Pure; the order of arrival does not matter. */
export function supersedes(
  next: { readonly status: BlockStatus; readonly saidMs: number; readonly confirmations: number },
  known: { readonly status: BlockStatus; readonly saidMs: number; readonly confirmations: number },
): boolean {
  if (PROOF[next.status] !== PROOF[known.status]) return PROOF[next.status] > PROOF[known.status];
  if (next.saidMs !== known.saidMs) return next.saidMs > known.saidMs;
  if (next.status !== known.status) return next.status === 'orphaned';
  return next.confirmations >= known.confirmations;
}

function statusIn(row: SqlRow): BlockStatus {
  const text = textIn(row, 'status');
  const status = STATUSES.find((one) => one === text);
  if (status === undefined) throw new PoolError('invalid_data', `database: ${text} is no status of a block`);
  return status;
}

function nodesIn(row: SqlRow): Record<string, string> {
  const value: unknown = JSON.parse(textIn(row, 'nodes'));
  if (typeof value !== 'object' || value === null) throw new PoolError('invalid_data', 'database: nodes of a block');
  return Object.fromEntries(Object.entries(value).map(([name, answer]) => [name, String(answer)]));
}

export function blockIn(row: SqlRow): BlockRecord {
  return {
    hash: textIn(row, 'hash'),
    height: numberIn(row, 'height'),
    status: statusIn(row),
    account: textIn(row, 'account'),
    worker: textIn(row, 'worker'),
    reward: BigInt(textIn(row, 'reward')),
    confirmations: numberIn(row, 'confirmations'),
    nodes: nodesIn(row),
    networkDifficulty: optionalNumberIn(row, 'network_difficulty'),
    foundMs: numberIn(row, 'found_ms'),
    saidMs: numberIn(row, 'said_ms'),
  };
}

async function blockAt(session: SqlSession, hash: string): Promise<BlockRecord | undefined> {
  const [row] = await session.query('SELECT * FROM blocks WHERE hash = $1', [clean(hash)]);
  return row === undefined ? undefined : blockIn(row);
}

const clean = (text: string): string => text.replaceAll('\0', '\ufffd');

/** Stores what was said of a block, unless what is known already proves more. */
export function recordBlock(database: SqlDatabase, outcome: BlockOutcome, details: BlockDetails): Promise<void> {
  return database.transaction(async (session) => {
    // The row must be there before it can be locked against another writer.
    await session.run(
      `INSERT INTO blocks (hash, height, status, account, worker, reward, confirmations, nodes, network_difficulty, found_ms, said_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (hash) DO NOTHING`,
      [
        outcome.hash,
        outcome.height,
        outcome.status,
        clean(outcome.account),
        clean(outcome.worker),
        `${outcome.reward}`,
        outcome.confirmations,
        clean(JSON.stringify(outcome.nodes)),
        details.networkDifficulty ?? null,
        outcome.timeMs,
        outcome.timeMs,
      ],
    );
    await session.run(
      `UPDATE blocks SET found_ms = CASE WHEN $1 < found_ms THEN $1 ELSE found_ms END,
       network_difficulty = coalesce(network_difficulty, $2) WHERE hash = $3`,
      [outcome.timeMs, details.networkDifficulty ?? null, outcome.hash],
    );
    const known = await blockAt(session, outcome.hash);
    const next = { status: outcome.status, saidMs: outcome.timeMs, confirmations: outcome.confirmations };
    if (known === undefined || !supersedes(next, known)) return;
    await session.run('UPDATE blocks SET status = $1, said_ms = $2, confirmations = $3, nodes = $4 WHERE hash = $5', [
      outcome.status,
      outcome.timeMs,
      outcome.confirmations,
      clean(JSON.stringify(outcome.nodes)),
      outcome.hash,
    ]);
  });
}

/** A block by its hash. */
export function findBlock(database: SqlDatabase, hash: string): Promise<BlockRecord | undefined> {
  return database.read((session) => blockAt(session, hash));
}

const CURSOR = /^(\d+)-([0-9a-f]{1,64})$/;

/** Blocks from the highest down, by (height, hash). */
export function listBlocks(database: SqlDatabase, page: PageRequest): Promise<Page<BlockRecord>> {
  const limit = pageLimit(page.limit);
  const match = page.after === undefined ? undefined : CURSOR.exec(page.after);
  if (match === null) return Promise.reject(new PoolError('invalid_argument', 'no cursor of this list'));
  return database.read(async (session) => {
    const rows =
      match === undefined
        ? await session.query(`SELECT * FROM blocks ORDER BY height DESC, hash DESC LIMIT ${limit + 1}`)
        : await session.query(
            `SELECT * FROM blocks WHERE height < $1 OR (height = $1 AND hash < $2) ORDER BY height DESC, hash DESC LIMIT ${limit + 1}`,
            [Number(match[1]), match[2] ?? ''],
          );
    const items = rows.slice(0, limit).map(blockIn);
    const last = items.at(-1);
    return { items, next: rows.length > limit && last !== undefined ? `${last.height}-${last.hash}` : undefined };
  });
}
