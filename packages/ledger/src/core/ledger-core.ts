import type { BlockOutcome } from '@headframe/mining';
import { AccountingCore } from '../accounting/core.js';
import { type MigrateOptions, migrate, schemaVersion } from '../sql/migrate.js';
import { numberIn } from '../sql/row.js';
import type { BackupOptions, SqlDatabase } from '../sql/types.js';
import type { BlockDetails, PageRequest, SeriesRequest, Subject } from '../types.js';
import { findBlock, listBlocks, recordBlock } from './blocks.js';
import type { LedgerCalls, PackedBatch, Retention, StorageStats } from './calls.js';
import { Commits } from './commits.js';
import { coveredStatistics } from './covered-statistics.js';
import { Fold } from './fold.js';
import { prune } from './prune.js';
import { currentRound, listRounds, luckOf, roundOfBlock, windowBefore } from './rounds.js';
import { MIGRATIONS, SCHEMA_VERSION } from './schema.js';
import { readShareLog } from './share-log.js';
import { Subjects } from './subjects.js';

/** The ledger on one database, without threads: what a database thread runs. */
export class LedgerCore implements LedgerCalls {
  readonly accounting: AccountingCore;
  readonly #database: SqlDatabase;
  readonly #commits: Commits;
  readonly #fold: Fold;
  readonly #subjects: Subjects;

  constructor(database: SqlDatabase, hashesPerDifficulty: number) {
    this.accounting = new AccountingCore(database);
    this.#database = database;
    this.#commits = new Commits(database);
    this.#fold = new Fold(database);
    this.#subjects = new Subjects(database, hashesPerDifficulty);
  }

  migrate = (options: MigrateOptions) => migrate(this.#database, MIGRATIONS, options);
  schemaVersion = () => this.#database.read((session) => schemaVersion(session, SCHEMA_VERSION));
  commit = (batch: PackedBatch) => this.#commits.commit(batch);
  recordBlock = (outcome: BlockOutcome, details: BlockDetails) => recordBlock(this.#database, outcome, details);
  fold = () => this.#fold.fold();
  prune = (nowMs: number, retention: Retention, keepAfter: number | undefined) =>
    prune(this.#database, nowMs, retention, keepAfter);
  backup = (path: string, options: BackupOptions) => this.#database.backup(path, options);
  checkFiles = () => this.#database.check();
  coveredStatistics = () => coveredStatistics(this.#database);
  blocks = (page: PageRequest) => listBlocks(this.#database, page);
  block = (hash: string) => findBlock(this.#database, hash);
  summary = (subject: Subject, nowMs: number) => this.#subjects.summary(subject, nowMs);
  account = (account: string, page: PageRequest, nowMs: number) => this.#subjects.account(account, page, nowMs);
  topAccounts = (limit: number, nowMs: number) => this.#subjects.topAccounts(limit, nowMs);
  active = (sinceMs: number) => this.#subjects.active(sinceMs);
  series = (request: SeriesRequest) => this.#subjects.series(request);
  currentRound = (networkDifficulty: number | undefined, nowMs: number) =>
    currentRound(this.#database, networkDifficulty, nowMs);
  rounds = (limit: number) => listRounds(this.#database, limit);
  luck = (blocks: number) => luckOf(this.#database, blocks);
  roundOf = (blockHash: string) => roundOfBlock(this.#database, blockHash);
  windowBefore = (blockHash: string, work: bigint) => windowBefore(this.#database, blockHash, work);
  shareLog = (after: number) => readShareLog(this.#database, after);

  stats(): Promise<StorageStats> {
    return this.#database.read(async (session) => {
      const [version] = await session.query('SELECT max(version) AS n FROM schema_version');
      const [unfolded] = await session.query(
        'SELECT count(*) AS n FROM share_batches WHERE id > (SELECT min(position) FROM fold_state)',
      );
      const [oldest] = await session.query(
        `SELECT committed_ms FROM share_batches WHERE id > (SELECT min(position) FROM fold_state) ORDER BY id LIMIT 1`,
      );
      const [size] = await session.query(
        session.engine === 'sqlite'
          ? 'SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()'
          : 'SELECT pg_database_size(current_database()) AS bytes',
      );
      return {
        schemaVersion: numberIn(version, 'n'),
        unfoldedBatches: numberIn(unfolded, 'n'),
        oldestUnfoldedMs: oldest === undefined ? undefined : numberIn(oldest, 'committed_ms'),
        databaseBytes: numberIn(size, 'bytes'),
      };
    });
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    await this.#database.close();
  }
}
