/** What the driver needs of a synchronous SQLite library; `node:sqlite` and `libsql` both have it. */
export interface SqliteStatement {
  all(...values: readonly unknown[]): unknown[];
  run(...values: readonly unknown[]): { readonly changes: number | bigint };
}

export interface SqliteHandle {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

type OpenSqlite = (path: string) => SqliteHandle;

/** Which SQLite library is used. */
export type SqliteLibrary = 'node:sqlite' | 'libsql';

/**
 * Opens a file with `node:sqlite` where Node has it (22.13 and later), else with `libsql`. One process must not open a
 * file with both: locks of files belong to processes, so that the libraries would not see each other's.
 * @param library asks for one of them
 */
export async function openSqliteHandle(path: string, library?: SqliteLibrary): Promise<SqliteHandle> {
  if (library !== 'libsql') {
    // Not an import: bundlers and older Nodes would refuse the name.
    const builtin = process.getBuiltinModule?.('node:sqlite') as
      | { DatabaseSync: new (path: string) => SqliteHandle }
      | undefined;
    if (builtin !== undefined) return new builtin.DatabaseSync(path);
    if (library === 'node:sqlite') throw new Error('this Node has no node:sqlite');
  }
  const { default: Database } = await import('libsql');
  const open: OpenSqlite = (file) => new Database(file);
  return open(path);
}
