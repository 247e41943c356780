import { PoolError } from '@headframe/primitives';
import { numberIn } from './row.js';
import type { SqlDatabase, SqlEngine } from './types.js';

/** One step of the schema. Steps are never changed once released: a change is a further step. */
export interface Migration {
  readonly version: number;
  statements(engine: SqlEngine): readonly string[];
}

/** Any number that no other program uses for its advisory locks: "hfld". */
const MIGRATION_LOCK = 0x68666c64;

/**
 * Brings the schema up to the last step, all steps in one transaction; of two programs that start together one does it.
 * @returns the version before and after
 * @throws PoolError `storage_failed` when the database was made by a later version of this program
 */
export async function migrate(
  database: SqlDatabase,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<{ readonly from: number; readonly to: number }> {
  const to = migrations.at(-1)?.version ?? 0;
  return database.transaction(async (session) => {
    if (session.engine === 'postgres') await session.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await session.run(
      'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_ms BIGINT NOT NULL)',
    );
    const [row] = await session.query('SELECT coalesce(max(version), 0) AS version FROM schema_version');
    const from = numberIn(row, 'version');
    if (from > to) {
      throw new PoolError('storage_failed', `the database has schema ${from}, this program knows up to ${to}`, {
        details: { reason: 'failed' },
      });
    }
    for (const migration of migrations) {
      if (migration.version <= from) continue;
      for (const statement of migration.statements(session.engine)) await session.run(statement);
      await session.run('INSERT INTO schema_version (version, applied_ms) VALUES ($1, $2)', [migration.version, nowMs]);
    }
    return { from, to };
  });
}
