import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256 } from '@headframe/hashing';
import { openSqliteHandle, type SqliteHandle, type SqliteStatement } from '@headframe/ledger/sqlite';
import { equalBytes, PoolError, toDisplayHex } from '@headframe/primitives';
import { HeaderChain } from './headers.js';
import type { IndexedBlock } from './parse-block.js';
import { prepareDatabase } from './schema.js';

const OP_RETURN = 0x6a;

/** A confirmed transaction of a script. */
export interface ConfirmedItem {
  /** Display hex. */
  readonly txid: string;
  readonly height: number;
}

/** A confirmed output that no confirmed transaction has spent. */
export interface ConfirmedOutput extends ConfirmedItem {
  readonly index: number;
  /** Base units. */
  readonly value: bigint;
}

/** A transaction of the chain. */
export interface StoredTransaction {
  readonly raw: Uint8Array;
  readonly height: number;
  readonly pos: number;
}

/** An output by its outpoint. */
export interface StoredOutput {
  /** Display hex. */
  readonly scripthash: string;
  readonly value: bigint;
}

type Row = Readonly<Record<string, unknown>>;

/** One library hands out blobs as ArrayBuffer, the other as Uint8Array. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new PoolError('storage_failed', 'the index holds something else than bytes');
}

function storedValue(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}

/** True for outputs that can never be spent and that no wallet asks for. */
export function isUnspendable(script: Uint8Array): boolean {
  return script[0] === OP_RETURN;
}

/** What wallets call a script: display hex of its SHA-256. */
function scripthashHex(digest: Uint8Array): string {
  return toDisplayHex(digest);
}

/**
 * The index of a chain in one SQLite file. Synchronous: within one call everything is of one moment. Writes belong
 * between {@link ChainStore.transaction}; the headers in memory follow the committed state.
 */
export class ChainStore {
  readonly headers: HeaderChain = new HeaderChain();
  readonly #handle: SqliteHandle;
  readonly #statements = new Map<string, SqliteStatement>();
  #nextId = 1;

  private constructor(handle: SqliteHandle) {
    this.#handle = handle;
  }

  /**
   * Opens or makes a file.
   * @param chain name of coin and network
   * @throws PoolError `invalid_config` for a file of another chain or version, `storage_failed`
   */
  static async open(path: string, chain: string): Promise<ChainStore> {
    let handle: SqliteHandle | undefined;
    try {
      if (path !== ':memory:') await mkdir(dirname(path), { recursive: true });
      handle = await openSqliteHandle(path);
      prepareDatabase(handle, chain);
      const store = new ChainStore(handle);
      store.#load();
      return store;
    } catch (error) {
      handle?.close();
      if (error instanceof PoolError) throw error;
      throw new PoolError('storage_failed', `cannot open the index ${path}`, { cause: error });
    }
  }

  /** Height of the last indexed block; -1 without any. */
  get height(): number {
    return this.headers.length - 1;
  }
  /** Display hex of the last indexed block; undefined without any. */
  get tipHash(): string | undefined {
    return this.height < 0 ? undefined : toDisplayHex(this.headers.hash(this.height));
  }

  close(): void {
    this.#statements.clear();
    this.#handle.close();
  }

  /** Runs `work` in one SQL transaction: all of it is on disk, or nothing, whenever the process ends. */
  transaction<T>(work: () => T): T {
    this.#handle.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#handle.exec('COMMIT');
      return result;
    } catch (error) {
      try {
        this.#handle.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself (disk full, I/O error).
      }
      // Blocks taken off within it are read again; those put on are forgotten.
      this.#load();
      throw error;
    }
  }

  /**
   * Puts the next block on. Adds the script hashes it touches to `touched`.
   * @throws PoolError `conflict` when it does not follow the tip, `storage_failed` when it spends what is not there
   */
  apply(block: IndexedBlock, touched: Set<string> | undefined): void {
    const height = this.height + 1;
    const linked = height === 0 || equalBytes(block.previousHash, this.headers.hash(height - 1));
    if (!linked) throw new PoolError('conflict', `block ${toDisplayHex(block.hash)} does not follow the index`);
    this.#run('INSERT INTO block (height, hash, header) VALUES (?1, ?2, ?3)', height, block.hash, block.header);
    const firstId = this.#nextId;
    this.#nextId += block.transactions.length;
    // All outputs first: some chains order transactions by id, so that a child may stand before its parent.
    block.transactions.forEach((transaction, pos) => {
      const id = firstId + pos;
      const { txid, raw, outputs } = transaction;
      this.#run('INSERT INTO tx (id, txid, height, pos, raw) VALUES (?1, ?2, ?3, ?4, ?5)', id, txid, height, pos, raw);
      outputs.forEach(({ script, value }, n) => {
        if (isUnspendable(script)) return;
        const digest = sha256(script);
        touched?.add(scripthashHex(digest));
        const sql = 'INSERT INTO txo (tx, n, scripthash, value) VALUES (?1, ?2, ?3, ?4)';
        this.#run(sql, id, n, digest, storedValue(value));
      });
    });
    block.transactions.forEach(({ inputs }, pos) => {
      for (const { txid, index } of inputs) {
        const owner = this.#idOf(txid);
        const sql = 'UPDATE txo SET spender = ?1 WHERE tx = ?2 AND n = ?3 RETURNING scripthash';
        const [spent] = owner === undefined ? [] : this.#all(sql, firstId + pos, owner, index);
        if (spent === undefined) {
          throw new PoolError('storage_failed', `block ${toDisplayHex(block.hash)} spends what is not indexed`);
        }
        touched?.add(scripthashHex(bytesOf(spent.scripthash)));
      }
    });
    this.headers.push(block.header, block.hash);
  }

  /** Takes the last block off. Adds the script hashes it touched to `touched`. */
  undo(touched: Set<string> | undefined): void {
    const { height } = this;
    if (height < 0) throw new PoolError('invalid_argument', 'the index is empty');
    const [range] = this.#all('SELECT min(id) AS first, max(id) AS last FROM tx WHERE height = ?1', height);
    const first = Number(range?.first);
    const last = Number(range?.last);
    if (touched !== undefined) {
      const sql =
        'SELECT scripthash FROM txo WHERE tx BETWEEN ?1 AND ?2 UNION SELECT scripthash FROM txo WHERE spender BETWEEN ?1 AND ?2';
      for (const row of this.#all(sql, first, last)) touched.add(scripthashHex(bytesOf(row.scripthash)));
    }
    this.#run('UPDATE txo SET spender = NULL WHERE spender BETWEEN ?1 AND ?2', first, last);
    this.#run('DELETE FROM txo WHERE tx BETWEEN ?1 AND ?2', first, last);
    this.#run('DELETE FROM tx WHERE id BETWEEN ?1 AND ?2', first, last);
    this.#run('DELETE FROM block WHERE height = ?1', height);
    this.#nextId = first;
    this.headers.truncate(height);
  }

  /**
   * True when more than `limit` transactions pay the script: its history is longer, too. Reads no more than that, however
   * long it is, while `history` has to sort everything before it can cut.
   */
  isPaidByMoreThan(digest: Uint8Array, limit: number): boolean {
    const sql = 'SELECT count(*) AS count FROM (SELECT DISTINCT tx FROM txo WHERE scripthash = ?1 LIMIT ?2)';
    return Number(this.#all(sql, digest, limit + 1)[0]?.count) > limit;
  }

  /**
   * Confirmed transactions of a script in the order of the chain, `limit` at most.
   * @param digest SHA-256 of the script
   */
  history(digest: Uint8Array, limit: number): ConfirmedItem[] {
    const sql = `SELECT tx.txid, tx.height FROM tx JOIN (
      SELECT tx AS id FROM txo WHERE scripthash = ?1
      UNION SELECT spender FROM txo WHERE scripthash = ?1 AND spender IS NOT NULL
    ) AS touching ON tx.id = touching.id ORDER BY tx.id LIMIT ?2`;
    return this.#all(sql, digest, limit).map(itemOf);
  }

  /** Sum of the confirmed outputs of a script that no confirmed transaction has spent. */
  balance(digest: Uint8Array): bigint {
    const sql =
      'SELECT CAST(sum(CAST(value AS INTEGER)) AS TEXT) AS sum FROM txo WHERE scripthash = ?1 AND spender IS NULL LIMIT ?2';
    const sum = this.#all(sql, digest, 1)[0]?.sum;
    return typeof sum === 'string' ? BigInt(sum) : 0n;
  }

  /** Confirmed outputs of a script that no confirmed transaction has spent, in the order of the chain. */
  unspent(digest: Uint8Array, limit: number): ConfirmedOutput[] {
    const sql = `SELECT tx.txid, tx.height, txo.n, txo.value FROM txo JOIN tx ON tx.id = txo.tx
      WHERE txo.scripthash = ?1 AND txo.spender IS NULL ORDER BY txo.tx, txo.n LIMIT ?2`;
    return this.#all(sql, digest, limit).map((row) => ({
      ...itemOf(row),
      index: Number(row.n),
      value: amountOf(row.value),
    }));
  }

  /** An output that no confirmed transaction has spent. */
  coin(txid: Uint8Array, index: number): StoredOutput | undefined {
    const owner = this.#idOf(txid);
    if (owner === undefined) return undefined;
    const sql = 'SELECT scripthash, value FROM txo WHERE tx = ?1 AND n = ?2 AND spender IS NULL';
    const [row] = this.#all(sql, owner, index);
    if (row === undefined) return undefined;
    return { scripthash: scripthashHex(bytesOf(row.scripthash)), value: amountOf(row.value) };
  }

  transactionOf(txid: Uint8Array): StoredTransaction | undefined {
    const [row] = this.#all('SELECT raw, height, pos FROM tx WHERE txid = ?1 ORDER BY id DESC LIMIT ?2', txid, 1);
    return row === undefined ? undefined : { raw: bytesOf(row.raw), height: Number(row.height), pos: Number(row.pos) };
  }

  /** Ids of the transactions of a block in their order, internal byte order. Empty above the tip. */
  txidsAt(height: number): Uint8Array[] {
    return this.#all('SELECT txid FROM tx WHERE height = ?1 ORDER BY pos', height).map((row) => bytesOf(row.txid));
  }

  #idOf(txid: Uint8Array): number | undefined {
    // Two coinbases of 2010 have the ids of earlier ones (BIP 30): the later one counts.
    const [row] = this.#all('SELECT id FROM tx WHERE txid = ?1 ORDER BY id DESC LIMIT ?2', txid, 1);
    return row === undefined ? undefined : Number(row.id);
  }

  #load(): void {
    this.headers.truncate(0);
    const page = 'SELECT height, hash, header FROM block WHERE height >= ?1 ORDER BY height LIMIT 10000';
    for (;;) {
      const rows = this.#all(page, this.headers.length);
      if (rows.length === 0) break;
      for (const row of rows) {
        if (Number(row.height) !== this.headers.length) {
          throw new PoolError('storage_failed', `the index has no block ${this.headers.length}; delete it`);
        }
        this.headers.push(bytesOf(row.header), bytesOf(row.hash));
      }
    }
    this.#nextId = Number(this.#all('SELECT coalesce(max(id), 0) AS last FROM tx')[0]?.last) + 1;
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#handle.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
  /** Never one byte array alone: a library takes that for the list of values. Hence some `LIMIT ?2`. */
  #all(sql: string, ...values: readonly unknown[]): readonly Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }
  #run(sql: string, ...values: readonly unknown[]): void {
    this.#statement(sql).run(...values);
  }
}

function itemOf(row: Row): ConfirmedItem {
  return { txid: toDisplayHex(bytesOf(row.txid)), height: Number(row.height) };
}

function amountOf(value: unknown): bigint {
  return BigInt(typeof value === 'string' ? value : Number(value));
}
