import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { booking, reward } from '../src/compliance/book-samples.js';
import { batch, hashOf, share } from '../src/compliance/samples.js';
import { MIGRATIONS } from '../src/core/schema.js';
import { type Ledger, openLedger, SCHEMA_VERSION } from '../src/index.js';
import { type Migration, migrate } from '../src/sql/migrate.js';
import { openDatabase } from '../src/sql/open.js';
import type { SqlDatabase } from '../src/sql/types.js';
import { type Folder, makeFolder, WORKER_URL } from './support.js';

/**
 * One database per schema that was ever released, `schema-N.db`, each made by `fixtures/make.mjs` of its time: a round
 * with block 1, ended by account bob, and a batch that was not folded; from schema 2 on also books with a payment.
 */
const FIXTURES = new URL('./fixtures/', import.meta.url);

/** The books of a fixture; one from before there were any can be booked on. */
async function expectBooks({ accounting }: Ledger, version: number): Promise<void> {
  expect(await accounting.verify()).toEqual([]);
  if (version < 2) {
    expect(await accounting.totals()).toEqual({ immature: 0n, available: 0n, reserved: 0n, paid: 0n });
    expect(await accounting.book(booking('block:1', [reward('alice', 5n)]))).toBe(true);
    expect(await accounting.balance('alice')).toMatchObject({ available: 5n });
    return;
  }
  expect(await accounting.balance('alice')).toMatchObject({ available: 9_007_199_254_739_993n, reserved: 1_000n });
  expect(await accounting.settings('alice')).toMatchObject({
    address: 'bcrt1qexample',
    minimumPayout: 5_000n,
    donationPpm: 10_000,
  });
  expect(await accounting.cursor('shares')).toBe(1);
  expect(await accounting.carries()).toHaveLength(1);
  expect((await accounting.statement('alice')).items).toHaveLength(2);
  expect((await accounting.payments()).items[0]).toMatchObject({ status: 'signed', total: 1_000n, fee: 10n });
  expect((await accounting.heights(0, 10))[0]).toMatchObject({ height: 101, fees: 3n });
}

let folder: Folder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

describe('a database of an older schema', () => {
  for (let version = 1; version <= SCHEMA_VERSION; version++) {
    it(`${version} opens with everything in it`, async () => {
      await copyFile(new URL(`schema-${version}.db`, FIXTURES), join(folder.path, 'pool.db'));
      const ledger = await openLedger({ url: folder.url, workerUrl: WORKER_URL });
      try {
        expect(await ledger.stats()).toMatchObject({ schemaVersion: SCHEMA_VERSION, unfoldedBatches: 1 });
        expect((await ledger.summary())?.total).toMatchObject({ accepted: 2, stale: 1 });
        expect((await ledger.roundOf(hashOf(1)))?.accounts.map(({ account }) => account)).toEqual(['alice', 'bob']);
        expect(await ledger.block(hashOf(1))).toMatchObject({ status: 'confirmed', reward: 9_007_199_254_740_993n });
        await expectBooks(ledger, version);
        await ledger.commit(batch(2, [share()], 'fixture'));
        expect(await ledger.fold()).toEqual({ batches: 1, shares: 1 });
        expect((await ledger.summary())?.total.accepted).toBe(3);
      } finally {
        await ledger.close();
      }
    });
  }

  it('is kept for every version', async () => {
    const names = await readdir(FIXTURES);
    expect(names.filter((name) => name.endsWith('.db'))).toHaveLength(SCHEMA_VERSION);
  });
});

describe('steps of the schema', () => {
  let database: SqlDatabase;
  beforeEach(async () => {
    const spec = { url: folder.url, readOnly: false, maxBytes: undefined, busyTimeoutMs: undefined };
    database = await openDatabase(spec, silentLogger);
  });
  afterEach(() => database.close());

  const step = (version: number, ...statements: string[]): Migration => ({ version, statements: () => statements });
  const columns = (): Promise<readonly unknown[]> =>
    database.read((session) => session.query("SELECT name FROM pragma_table_info('t') ORDER BY cid"));

  it('run once each, in order', async () => {
    const first = [step(1, 'CREATE TABLE t (a INTEGER)')];
    const second = [...first, step(2, 'ALTER TABLE t ADD COLUMN b TEXT', 'INSERT INTO t VALUES (1, NULL)')];
    expect(await migrate(database, first, { nowMs: 1 })).toEqual({ from: 0, to: 1 });
    expect(await migrate(database, second, { nowMs: 2 })).toEqual({ from: 1, to: 2 });
    expect(await migrate(database, second, { nowMs: 3 })).toEqual({ from: 2, to: 2 });
    expect(await columns()).toHaveLength(2);
    await expect(migrate(database, first, { nowMs: 4 })).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('leave the database as it was when one fails', async () => {
    const bad = [step(1, 'CREATE TABLE t (a INTEGER)'), step(2, 'ALTER TABLE nowhere ADD COLUMN b TEXT')];
    await expect(migrate(database, bad, { nowMs: 1 })).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await columns()).toEqual([]);
    expect(await migrate(database, MIGRATIONS, { nowMs: 1 })).toEqual({ from: 0, to: SCHEMA_VERSION });
  });

  it('count up from one', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
  });
});
