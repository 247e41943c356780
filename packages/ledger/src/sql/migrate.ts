import { PoolError } from '@headframe/primitives';
import { numberIn } from './row.js';
import type { SqlDatabase, SqlEngine, SqlSession } from './types.js';

/** One step of the schema. Steps are never changed once released: a change is a further step. */
export interface Migration {
  readonly version: number;
  statements(engine: SqlEngine): readonly string[];
}

/** Any number that no other program uses for its advisory locks: "hfld". */
const MIGRATION_LOCK = 0x68666c64;

/**
 * The schema of a database; 0 when it has none yet.
 * @throws PoolError `storage_failed` when it was made by a later version of this program
 */
export async function schemaVersion(session: SqlSession, newest: number): Promise<number> {
  const tables = await session.query(
    session.engine === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
      : "SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false)) AND table_name = 'schema_version'",
  );
  if (tables.length === 0) return 0;
  const [row] = await session.query('SELECT coalesce(max(version), 0) AS version FROM schema_version');
  const version = numberIn(row, 'version');
  if (version > newest) {
    throw new PoolError(
      'storage_failed',
      `the database has schema ${version}, this program knows up to ${newest}: it was used by a later version`,
      { details: { reason: 'failed' } },
    );
  }
  return version;
}

export interface MigrateOptions {
  readonly nowMs: number;
  /** After each step, with what is done of all of them, up to 1. */
  onProgress?(part: number): void;
}

/**
 * Brings the schema up to the last step, all steps in one transaction; of two programs that start together one does it.
 * @returns the version before and after
 * @throws PoolError `storage_failed` when the database was made by a later version of this program
 */
export async function migrate(
  database: SqlDatabase,
  migrations: readonly Migration[],
  { nowMs, onProgress = () => {} }: MigrateOptions,
): Promise<{ readonly from: number; readonly to: number }> {
  const to = migrations.at(-1)?.version ?? 0;
  return database.transaction(async (session) => {
    if (session.engine === 'postgres') await session.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    const from = await schemaVersion(session, to);
    if (from === 0) {
      await session.run(
        'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_ms BIGINT NOT NULL)',
      );
    }
    const steps = migrations.filter(({ version }) => version > from);
    for (const [i, migration] of steps.entries()) {
      for (const statement of migration.statements(session.engine)) await session.run(statement);
      await session.run('INSERT INTO schema_version (version, applied_ms) VALUES ($1, $2)', [migration.version, nowMs]);
      onProgress((i + 1) / steps.length);
    }
    return { from, to };
  });
}
