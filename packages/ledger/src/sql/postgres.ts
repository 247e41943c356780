import { errorMessage, type Logger, PoolError } from '@headframe/primitives';
import pg from 'pg';
import { CONNECT_TIMEOUT_MS, POSTGRES_CONNECTIONS, STATEMENT_TIMEOUT_MS } from '../limits.js';
import { storageFailure } from './failure.js';
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from './types.js';

/** Object ids of int8 and float8 in PostgreSQL's catalogue. */
const INT8 = 20;
/** The ledger's own integers stay below 2^53; what may not is selected as text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format ?? 'text'),
};

export interface PostgresOptions {
  /** `postgres://user:password@host/database` */
  readonly url: string;
  readonly log: Logger;
}

/** Opens a PostgreSQL database. Connections are made when needed, so a server that is down shows at the first use. */
export function openPostgres(options: PostgresOptions): SqlDatabase {
  return new PostgresDatabase(options);
}

class PostgresDatabase implements SqlDatabase {
  readonly engine = 'postgres';
  readonly #pool: pg.Pool;
  #closing: Promise<void> | undefined;

  constructor({ url, log }: PostgresOptions) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: POSTGRES_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'headframe',
      types,
      // A commit waits for the disk whatever the server's default is; a client that vanished holds no lock for long.
      options: `-c synchronous_commit=on -c statement_timeout=${STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=${STATEMENT_TIMEOUT_MS}`,
    });
    // A connection that breaks while idle is replaced at the next use.
    this.#pool.on('error', (error) => log.warn({ error: errorMessage(error) }, 'lost a connection to PostgreSQL'));
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#within('BEGIN', work);
  }

  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work);
  }

  async #within<T>(begin: string, work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new PoolError('closed', 'the database is closed');
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw storageFailure(error);
    }
    // Between connect and release an error of the connection reaches the client, not the pool.
    const ignore = (): void => {};
    client.on('error', ignore);
    let broken = true;
    try {
      await client.query(begin);
      const result = await work(new PostgresSession(client));
      await client.query('COMMIT');
      broken = false;
      return result;
    } catch (error) {
      const failure = storageFailure(error);
      // An answer that did not come is not waited for again.
      if (failure.details.reason !== 'unavailable') {
        broken = await client.query('ROLLBACK').then(
          () => false,
          () => true,
        );
      }
      throw failure;
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }

  backup(): Promise<void> {
    return Promise.reject(new PoolError('not_supported', 'PostgreSQL is backed up by its own pg_dump'));
  }

  /** Its own checks need an extension that not every server has. */
  check(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }
}

class PostgresSession implements SqlSession {
  readonly engine = 'postgres';
  readonly #client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async query(sql: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    const result = await this.#client.query<SqlRow>(sql, [...values]);
    return result.rows;
  }

  async run(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    const result = await this.#client.query(sql, [...values]);
    return result.rowCount ?? 0;
  }
}
