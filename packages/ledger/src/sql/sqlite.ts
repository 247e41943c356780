import { existsSync } from 'node:fs';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BoundedMap, PoolError } from '@headframe/primitives';
import { BUSY_TIMEOUT_MS, STATEMENT_CACHE } from '../limits.js';
import { codeOf, storageFailure } from './failure.js';
import { openSqliteHandle, type SqliteHandle, type SqliteLibrary, type SqliteStatement } from './sqlite-handle.js';
import type { BackupOptions, SqlDatabase, SqlRow, SqlSession, SqlValue } from './types.js';

export interface SqliteOptions {
  readonly path: string;
  /** Refuses to write. */
  readonly readOnly?: boolean;
  /** The file does not grow past this; commits fail with reason `full` instead. */
  readonly maxBytes?: number;
  readonly busyTimeoutMs?: number;
  readonly library?: SqliteLibrary;
}

/**
 * Opens a SQLite file: WAL, and every commit synced before it returns. Statements block the thread, so a pool opens it
 * in a thread of its own.
 */
export async function openSqlite(options: SqliteOptions): Promise<SqlDatabase> {
  try {
    await mkdir(dirname(options.path), { recursive: true });
    const handle = await openSqliteHandle(options.path, options.library);
    try {
      return new SqliteDatabase(handle, options);
    } catch (error) {
      handle.close();
      throw error;
    }
  } catch (error) {
    throw storageFailure(error);
  }
}

/** Name of a copy while it is written. */
export const partialOf = (path: string): string => `${path}.partial`;

function exists(path: string): PoolError {
  return new PoolError('conflict', `${path} exists and is not replaced`);
}

class SqliteDatabase implements SqlDatabase, SqlSession {
  readonly engine = 'sqlite';
  readonly #handle: SqliteHandle;
  readonly #statements = new BoundedMap<string, SqliteStatement>(STATEMENT_CACHE);
  /** One transaction at a time on the one connection. */
  #tail: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  constructor(handle: SqliteHandle, { readOnly = false, maxBytes, busyTimeoutMs = BUSY_TIMEOUT_MS }: SqliteOptions) {
    this.#handle = handle;
    this.#pragma(`busy_timeout = ${Math.round(busyTimeoutMs)}`);
    const mode = this.#pragma('journal_mode = WAL');
    if (mode !== 'wal') throw new PoolError('storage_failed', `SQLite cannot use a write-ahead log here (${mode})`);
    // FULL: the log is synced at every commit, so that a commit survives a power cut.
    this.#pragma('synchronous = FULL');
    if (Number(this.#pragma('synchronous')) !== 2) throw new PoolError('storage_failed', 'SQLite refused synchronous');
    this.#pragma('temp_store = MEMORY');
    // 32 MiB: the rows of 5,000 workers' current minutes and hours stay in memory.
    this.#pragma('cache_size = -32768');
    if (readOnly) this.#pragma('query_only = ON');
    if (maxBytes !== undefined) {
      const pageSize = Number(this.#pragma('page_size'));
      this.#pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
    }
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#exclusive('BEGIN IMMEDIATE', work);
  }

  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#exclusive('BEGIN', work);
  }

  #exclusive<T>(begin: string, work: (session: SqlSession) => Promise<T>): Promise<T> {
    const done = this.#tail.then(async () => {
      if (!this.#isOpen) throw new PoolError('closed', 'the database is closed');
      try {
        this.#handle.exec(begin);
      } catch (error) {
        throw storageFailure(error);
      }
      try {
        const result = await work(this);
        this.#handle.exec('COMMIT');
        return result;
      } catch (error) {
        this.#rollback();
        throw storageFailure(error);
      }
    });
    this.#tail = done.catch(() => {});
    return done;
  }

  #rollback(): void {
    try {
      this.#handle.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself (disk full, I/O error).
    }
  }

  query(sql: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    try {
      return Promise.resolve(this.#statement(sql).all(...values) as SqlRow[]);
    } catch (error) {
      return Promise.reject(storageFailure(error));
    }
  }

  run(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    try {
      return Promise.resolve(Number(this.#statement(sql).run(...values).changes));
    } catch (error) {
      return Promise.reject(storageFailure(error));
    }
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      // `$1` would be a name to SQLite; `?1` is its numbered form.
      statement = this.#handle.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #pragma(text: string): unknown {
    const [row] = this.#handle.prepare(`PRAGMA ${text}`).all();
    return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
  }

  /** The copy appears under its name when it is whole and on disk. */
  async backup(path: string, { replace }: BackupOptions): Promise<void> {
    const partial = partialOf(path);
    try {
      if (!replace && existsSync(path)) throw exists(path);
      await mkdir(dirname(path), { recursive: true });
      await rm(partial, { force: true });
      this.#handle.prepare('VACUUM INTO ?1').run(partial);
      const file = await open(partial, 'r+');
      await file.sync();
      await file.close();
      if (replace) await rename(partial, path);
      else {
        // A name that was taken meanwhile is not replaced either.
        await link(partial, path).catch((error: unknown) => {
          throw codeOf(error) === 'EEXIST' ? exists(path) : error;
        });
        await rm(partial);
      }
      const folder = await open(dirname(path), 'r');
      await folder.sync();
      await folder.close();
    } catch (error) {
      await rm(partial, { force: true });
      throw storageFailure(error);
    }
  }

  async check(): Promise<readonly string[]> {
    const rows = await this.read((session) => session.query('PRAGMA integrity_check'));
    const messages = rows.map((row) => String(Object.values(row)[0]));
    return messages.length === 1 && messages[0] === 'ok' ? [] : messages;
  }

  async close(): Promise<void> {
    await this.#tail;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#statements.clear();
    this.#handle.close();
  }
}
