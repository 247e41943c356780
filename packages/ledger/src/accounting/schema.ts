import type { SqlEngine } from '../sql/types.js';

/**
 * Amounts are 64-bit integers, which both engines add exactly and compare by value; text would have to be added outside
 * of the database, where another process may add at the same time. SQLite turns a sum beyond 64 bits into a float
 * without a word: so no amount and no balance reaches 2^62, and the sum of two is exact whatever they are.
 */
const MAX_MONEY_SQL = '4611686018427387903';

const money = (name: string): string =>
  `${name} BIGINT NOT NULL DEFAULT 0 CHECK (${name} >= -${MAX_MONEY_SQL} AND ${name} <= ${MAX_MONEY_SQL})`;

/** A row with any of these is listed with the balances. The partial index is used where a question repeats it. */
export const HAS_BALANCE = '(available <> 0 OR immature <> 0 OR reserved <> 0 OR paid <> 0)';

/** Step 3: payments that a person settled, and no transaction for two payments. */
export const SETTLED_BY_HAND: readonly string[] = [
  'ALTER TABLE payments ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0',
  // Payments without a transaction do not count: NULL is different from NULL.
  'CREATE UNIQUE INDEX payments_txid ON payments (txid)',
];

interface EngineWords {
  /** Key that the database numbers. */
  readonly serial: string;
  /** Rows in the order of their key. */
  readonly clustered: string;
}

/** Step 2 of the schema: who is owed what, and what was paid. */
export function accountingTables(engine: SqlEngine, { serial, clustered }: EngineWords): readonly string[] {
  // Ordered by bytes on both engines, so that a cursor means the same whatever the server's language is.
  const name = engine === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    // Settings and balance in one row: who is due is one look at one index.
    `CREATE TABLE accounts (account ${name} PRIMARY KEY, address_set TEXT, address_seen TEXT,
       seen_ms BIGINT NOT NULL DEFAULT 0, minimum BIGINT, donation_ppm INTEGER NOT NULL DEFAULT 0,
       held INTEGER NOT NULL DEFAULT 0, ${['immature', 'available', 'reserved', 'paid'].map(money).join(', ')}) ${clustered}`,
    `CREATE INDEX accounts_available ON accounts (available, account) WHERE ${HAS_BALANCE}`,
    'CREATE INDEX accounts_minimum ON accounts (account) WHERE minimum IS NOT NULL',
    'CREATE INDEX accounts_donation ON accounts (account) WHERE donation_ppm <> 0',
    `CREATE TABLE bookings (id ${serial}, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, time_ms BIGINT NOT NULL,
       state_ms BIGINT NOT NULL, note TEXT, entries INTEGER NOT NULL, totals TEXT NOT NULL)`,
    `CREATE TABLE booking_entries (booking BIGINT NOT NULL, ordinal INTEGER NOT NULL, account ${name} NOT NULL,
       kind TEXT NOT NULL, ${money('amount')}, time_ms BIGINT NOT NULL, PRIMARY KEY (booking, ordinal)) ${clustered}`,
    'CREATE INDEX booking_entries_account ON booking_entries (account, time_ms, booking, ordinal)',
    // What is left to do of large bookings, in order.
    `CREATE TABLE booking_work (id ${serial}, booking BIGINT NOT NULL, data TEXT NOT NULL)`,
    `CREATE TABLE carries (account ${name} NOT NULL, kind TEXT NOT NULL, carry TEXT NOT NULL, PRIMARY KEY (account, kind)) ${clustered}`,
    `CREATE TABLE cursors (name TEXT PRIMARY KEY, position BIGINT NOT NULL) ${clustered}`,
    `CREATE TABLE payments (number ${serial}, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, ${money('total')},
       txid TEXT, transaction_hex TEXT, fee BIGINT, confirmations BIGINT NOT NULL DEFAULT 0, reason TEXT,
       created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL)`,
    'CREATE INDEX payments_status ON payments (status, number)',
    `CREATE TABLE payment_parts (payment BIGINT NOT NULL, ordinal INTEGER NOT NULL, account ${name} NOT NULL,
       address TEXT NOT NULL, ${money('amount')}, time_ms BIGINT NOT NULL, PRIMARY KEY (payment, ordinal)) ${clustered}`,
    'CREATE INDEX payment_parts_account ON payment_parts (account, time_ms, payment, ordinal)',
    `CREATE TABLE heights (height BIGINT PRIMARY KEY, network_target TEXT NOT NULL, network_difficulty DOUBLE PRECISION NOT NULL,
       ${['reward', 'subsidy', 'fees'].map(money).join(', ')}, time_ms BIGINT NOT NULL)`,
  ];
}
