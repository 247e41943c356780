import { INSERT_ROWS } from '../limits.js';
import type { SqlRow, SqlSession, SqlValue } from './types.js';

export interface InsertShape {
  readonly table: string;
  readonly columns: readonly string[];
  /** What follows VALUES. */
  readonly onConflict: string;
  /** Columns to give back. */
  readonly returning?: readonly string[];
}

/** Statement texts of full groups, by shape: they are used over and over. */
const fullGroups = new WeakMap<InsertShape, string>();

function textOf(shape: InsertShape, rows: number): string {
  const { table, columns, onConflict, returning } = shape;
  const tuples: string[] = [];
  for (let row = 0; row < rows; row++) {
    tuples.push(`(${columns.map((_, i) => `$${row * columns.length + i + 1}`).join(', ')})`);
  }
  const back = returning === undefined ? '' : ` RETURNING ${returning.join(', ')}`;
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${tuples.join(', ')} ${onConflict}${back}`;
}

/** Inserts many rows in as few statements as the engines allow; resolves with the returned rows. */
export async function insertRows(
  session: SqlSession,
  shape: InsertShape,
  rows: readonly (readonly SqlValue[])[],
): Promise<SqlRow[]> {
  const returned: SqlRow[] = [];
  for (let start = 0; start < rows.length; start += INSERT_ROWS) {
    const group = rows.slice(start, start + INSERT_ROWS);
    let text = group.length === INSERT_ROWS ? fullGroups.get(shape) : undefined;
    if (text === undefined) {
      text = textOf(shape, group.length);
      if (group.length === INSERT_ROWS) fullGroups.set(shape, text);
    }
    const values = group.flat();
    if (shape.returning === undefined) await session.run(text, values);
    else for (const row of await session.query(text, values)) returned.push(row);
  }
  return returned;
}
