import { accountingTables, SETTLED_BY_HAND } from '../accounting/schema.js';
import type { Migration } from '../sql/migrate.js';
import type { SqlEngine } from '../sql/types.js';

const serial = (engine: SqlEngine): string =>
  // AUTOINCREMENT: numbers of rows that were pruned are not given again.
  engine === 'sqlite' ? 'INTEGER PRIMARY KEY AUTOINCREMENT' : 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY';
const blob = (engine: SqlEngine): string => (engine === 'sqlite' ? 'BLOB' : 'BYTEA');
/** Rows in the order of their key: the rows of one subject lie together. */
const clustered = (engine: SqlEngine): string => (engine === 'sqlite' ? 'WITHOUT ROWID' : '');

/** Counts of shares, and work as whole difficulty plus 10^-15 parts (less than one whole). */
const TALLY = `accepted BIGINT NOT NULL, stale BIGINT NOT NULL, duplicate BIGINT NOT NULL, low BIGINT NOT NULL,
  invalid BIGINT NOT NULL, work BIGINT NOT NULL, work_parts BIGINT NOT NULL, best DOUBLE PRECISION NOT NULL`;

const statsTable = (name: string, engine: SqlEngine): string =>
  `CREATE TABLE ${name} (subject BIGINT NOT NULL, start BIGINT NOT NULL, ${TALLY}, PRIMARY KEY (subject, start)) ${clustered(engine)}`;

/** Times ending in `_ms` are unix milliseconds, `start` is unix seconds; amounts are base units: decimal text in step 1, integers from step 2 on. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    statements: (engine) => [
      `CREATE TABLE share_batches (id ${serial(engine)}, epoch TEXT NOT NULL, sequence BIGINT NOT NULL,
         shares INTEGER NOT NULL, committed_ms BIGINT NOT NULL, data ${blob(engine)} NOT NULL, UNIQUE (epoch, sequence))`,
      // Each part of the accounts, and the pool as the last part: up to which batch its statistics go.
      'CREATE TABLE fold_state (bucket INTEGER PRIMARY KEY, position BIGINT NOT NULL, round BIGINT NOT NULL)',
      `INSERT INTO fold_state (bucket, position, round) VALUES ${Array.from({ length: 65 }, (_, i) => `(${i}, 0, 1)`).join(', ')}`,
      // kind: 0 the pool, 1 an account, 2 a worker.
      `CREATE TABLE subjects (id ${serial(engine)}, kind INTEGER NOT NULL, account TEXT NOT NULL, worker TEXT NOT NULL,
         first_ms BIGINT NOT NULL, last_ms BIGINT NOT NULL, ${TALLY}, UNIQUE (kind, account, worker))`,
      statsTable('stats_minute', engine),
      statsTable('stats_hour', engine),
      `CREATE TABLE rounds (id BIGINT PRIMARY KEY, opened_ms BIGINT NOT NULL, closed_ms BIGINT, block_hash TEXT,
         closed_batch BIGINT, closed_index INTEGER, accepted BIGINT NOT NULL, work BIGINT NOT NULL, work_parts BIGINT NOT NULL)`,
      'CREATE INDEX rounds_block ON rounds (block_hash)',
      `CREATE TABLE round_work (round BIGINT NOT NULL, account TEXT NOT NULL, accepted BIGINT NOT NULL, work BIGINT NOT NULL,
         work_parts BIGINT NOT NULL, PRIMARY KEY (round, account)) ${clustered(engine)}`,
      `CREATE TABLE blocks (hash TEXT PRIMARY KEY, height BIGINT NOT NULL, status TEXT NOT NULL, account TEXT NOT NULL,
         worker TEXT NOT NULL, reward TEXT NOT NULL, confirmations BIGINT NOT NULL, nodes TEXT NOT NULL,
         network_difficulty DOUBLE PRECISION, found_ms BIGINT NOT NULL, said_ms BIGINT NOT NULL)`,
      'CREATE INDEX blocks_height ON blocks (height, hash)',
    ],
  },
  {
    version: 2,
    statements: (engine) => accountingTables(engine, { serial: serial(engine), clustered: clustered(engine) }),
  },
  { version: 3, statements: () => SETTLED_BY_HAND },
];

/** The schema this program writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.at(-1)?.version ?? 0;
