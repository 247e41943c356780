import type { SqliteHandle } from '@headframe/ledger/sqlite';
import { PoolError } from '@headframe/primitives';

/** Version of the tables below. A file of another version is not touched: an index can always be made again. */
const SCHEMA_VERSION = 1;

/**
 * `tx.id` grows with height and position, so that ordering by it is the order of the chain. `txo.value` is an integer,
 * or text where JavaScript could not hold it exactly. Hashes in internal order; a script hash as SHA-256 gives it.
 */
const TABLES = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE block (height INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL);
CREATE TABLE tx (id INTEGER PRIMARY KEY, txid BLOB NOT NULL, height INTEGER NOT NULL, pos INTEGER NOT NULL, raw BLOB NOT NULL);
CREATE INDEX tx_txid ON tx (txid);
CREATE INDEX tx_height ON tx (height, pos);
CREATE TABLE txo (tx INTEGER NOT NULL, n INTEGER NOT NULL, scripthash BLOB NOT NULL, value NOT NULL, spender INTEGER, PRIMARY KEY (tx, n)) WITHOUT ROWID;
CREATE INDEX txo_scripthash ON txo (scripthash);
CREATE INDEX txo_spender ON txo (spender) WHERE spender IS NOT NULL;
`;

/**
 * Makes the file ready: tables when it is new, settings of the connection.
 * @param chain name of coin and network; a file of another chain is refused
 * @throws PoolError `invalid_config` for a file of another chain or version
 */
export function prepareDatabase(handle: SqliteHandle, chain: string): void {
  handle.exec('PRAGMA journal_mode = WAL');
  // NORMAL: a power cut may take the last transactions, never the consistency; they are fetched again.
  handle.exec('PRAGMA synchronous = NORMAL');
  handle.exec('PRAGMA temp_store = MEMORY');
  handle.exec('PRAGMA cache_size = -65536');
  handle.exec('PRAGMA busy_timeout = 5000');
  const [table] = handle.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'").all();
  if (table === undefined) {
    handle.exec('BEGIN IMMEDIATE');
    handle.exec(TABLES);
    const insert = handle.prepare('INSERT INTO meta (name, value) VALUES (?1, ?2)');
    insert.run('version', String(SCHEMA_VERSION));
    insert.run('chain', chain);
    handle.exec('COMMIT');
    return;
  }
  const meta = new Map(
    handle
      .prepare('SELECT name, value FROM meta')
      .all()
      .map((row) => {
        const { name, value } = row as { readonly name: string; readonly value: string };
        return [name, value] as const;
      }),
  );
  if (meta.get('version') !== String(SCHEMA_VERSION)) {
    throw new PoolError('invalid_config', `the index was made by another version (${meta.get('version')}); delete it`);
  }
  if (meta.get('chain') !== chain) {
    throw new PoolError('invalid_config', `the index is of ${meta.get('chain')}, not of ${chain}`);
  }
}
