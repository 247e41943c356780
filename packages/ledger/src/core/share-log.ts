import { decodeShares } from '../batch-codec.js';
import { bytesIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase } from '../sql/types.js';
import type { StoredBatch } from '../types.js';

/** Batches of one page: a few megabytes at most. */
const PAGE_BATCHES = 64;

/** Batches of the share log in the order of their commit, after the one with id `after`. */
export async function readShareLog(database: SqlDatabase, after: number): Promise<readonly StoredBatch[]> {
  const rows = await database.read((session) =>
    session.query(
      `SELECT id, epoch, sequence, data FROM share_batches WHERE id > $1 ORDER BY id LIMIT ${PAGE_BATCHES}`,
      [after],
    ),
  );
  return rows.map((row) => ({
    id: numberIn(row, 'id'),
    epoch: textIn(row, 'epoch'),
    sequence: numberIn(row, 'sequence'),
    shares: decodeShares(bytesIn(row, 'data')),
  }));
}
