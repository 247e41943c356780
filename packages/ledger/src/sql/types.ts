/** What statements take. 64-bit integers beyond 2^53 go as decimal text; both engines turn it into a number. */
export type SqlValue = string | number | Uint8Array | null;
/** A row by column name. Big sums are selected as text. */
export type SqlRow = Readonly<Record<string, unknown>>;
export type SqlEngine = 'sqlite' | 'postgres';

/** Runs statements, written in what SQLite and PostgreSQL have in common, with `$1`, `$2` ... for values. */
export interface SqlSession {
  readonly engine: SqlEngine;
  /** Rows of a SELECT or of a RETURNING clause. */
  query(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Runs a statement; resolves with the number of rows it changed. */
  run(sql: string, values?: readonly SqlValue[]): Promise<number>;
}

export interface BackupOptions {
  /** Whether a file of that name may be replaced. */
  readonly replace: boolean;
}

/**
 * One database, in either engine. Every failure is a PoolError `storage_failed` whose details give a `reason`:
 * `full`, `locked`, `unavailable` or `failed`.
 */
export interface SqlDatabase {
  readonly engine: SqlEngine;
  /** Runs `work` in a transaction that is durable when the promise resolves, and undone when `work` rejects. */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** Runs `work` on one consistent view of the data. */
  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** Writes a whole copy to a new file while others read and write. @throws PoolError `not_supported`, `conflict` */
  backup(path: string, options: BackupOptions): Promise<void>;
  /** What is wrong with the files as such; empty when nothing is, or when the engine cannot tell. Takes a while. */
  check(): Promise<readonly string[]>;
  close(): Promise<void>;
}
