import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPoolError } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { booking, plan, reward, signed } from '../src/compliance/book-samples.js';
import { batch, hashOf, outcome, START_MS, share } from '../src/compliance/samples.js';
import { backupLedger, type Ledger, migrateLedger, openLedger, SCHEMA_VERSION, verifyLedger } from '../src/index.js';
import { openSqliteHandle } from '../src/sql/sqlite-handle.js';
import { type Folder, makeFolder, WORKER_URL } from './support.js';

const FIXTURES = new URL('./fixtures/', import.meta.url);

let folder: Folder;
let ledger: Ledger | undefined;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(async () => {
  await ledger?.close();
  ledger = undefined;
  await folder.remove();
});

const where = () => ({ url: folder.url, workerUrl: WORKER_URL });

async function open(url = folder.url): Promise<Ledger> {
  ledger = await openLedger({ url, workerUrl: WORKER_URL });
  return ledger;
}

async function raw(statement: string): Promise<void> {
  const handle = await openSqliteHandle(join(folder.path, 'pool.db'));
  handle.exec(statement);
  handle.close();
}

/** Shares, a block, bookings and a payment under way. */
async function fill(own: Ledger): Promise<void> {
  await own.commit(batch(1, [share({ address: 'addr-alice' }), share({ account: 'bob', blockHash: hashOf(1) })]));
  await own.fold();
  await own.recordBlock(outcome(1, 'confirmed'));
  await own.accounting.book(
    booking('block:1', [reward('alice', 100n), reward('bob', 2n ** 60n + 1n)], {
      cursor: { name: 'shares', from: 0, to: 1 },
      carries: [{ account: 'alice', kind: 'reward', carry: { numerator: 1n, denominator: 3n } }],
    }),
  );
  await own.accounting.planPayment(plan('p1', { alice: 40n }));
  await own.accounting.stepPayment('p1', ['approved'], signed);
  await own.commit(batch(2, [share()]));
}

describe('migrateLedger', () => {
  it('tells what it would do without touching anything, then does it', async () => {
    expect(await migrateLedger({ ...where(), dryRun: true })).toEqual({ from: 0, to: SCHEMA_VERSION });
    expect(await readdir(folder.path)).toEqual([]);
    await copyFile(new URL('schema-1.db', FIXTURES), join(folder.path, 'pool.db'));
    expect(await migrateLedger({ ...where(), dryRun: true })).toEqual({ from: 1, to: SCHEMA_VERSION });
    await expect(verifyLedger(where())).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('schema 1'),
    });
    const progress: number[] = [];
    const onProgress = (part: number) => progress.push(part);
    expect(await migrateLedger({ ...where(), onProgress })).toEqual({ from: 1, to: SCHEMA_VERSION });
    expect([progress[0], progress.at(-1)]).toEqual([0, 1]);
    expect(await migrateLedger(where())).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION });
    expect(await verifyLedger(where())).toEqual([]);
  });

  it('refuses a database of a later version, and so does everything else', async () => {
    await migrateLedger(where());
    await raw('INSERT INTO schema_version (version, applied_ms) VALUES (999, 0)');
    const all = [
      () => migrateLedger(where()),
      () => migrateLedger({ ...where(), dryRun: true }),
      () => verifyLedger(where()),
      () => open(),
    ];
    for (const work of all) {
      await expect(work()).rejects.toMatchObject({ code: 'storage_failed', message: expect.stringContaining('999') });
    }
    await expect(migrateLedger({ ...where(), url: 'mysql://x' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('verifyLedger', () => {
  it('finds nothing wrong beside a running ledger, and tells how far it is', async () => {
    const own = await open();
    await fill(own);
    const progress: number[] = [];
    const verified = verifyLedger({ ...where(), onProgress: (part) => progress.push(part) });
    for (let sequence = 3; sequence < 40; sequence++) await own.commit(batch(sequence, [share()]));
    expect(await verified).toEqual([]);
    expect([progress[0], progress.at(-1)]).toEqual([0, 1]);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('compares the statistics with the share log, also where the beginning of it is pruned', async () => {
    const own = await open();
    await fill(own);
    for (let hour = 1; hour < 6; hour++) {
      const shares = [share({ timeMs: START_MS + hour * 3_600_000 }), share({ account: 'bob', result: 'stale' })];
      await own.commit(batch(2 + hour, shares));
    }
    await own.fold();
    await own.close();
    expect(await verifyLedger(where())).toEqual([]);
    await raw(`UPDATE stats_hour SET accepted = accepted + 1 WHERE start = ${START_MS / 1000 + 4 * 3600}`);
    const [pool, account] = await verifyLedger(where());
    expect(pool).toEqual({ part: 'shares', message: expect.stringMatching(/^the hour of 2023-11-15T02:00/) });
    expect(account).toEqual({ part: 'shares', message: expect.stringMatching(/^alice/) });
    // Batches 3 and 4 were committed with hours 1 and 2; what is left covers hours 4 and 5 whole.
    await raw(
      `UPDATE share_batches SET committed_ms = ${START_MS} + (sequence - 2) * 3600000; DELETE FROM share_batches WHERE id < 5`,
    );
    expect(await verifyLedger(where())).toHaveLength(2);
    await raw('DELETE FROM share_batches WHERE id < 7');
    expect(await verifyLedger(where())).toEqual([]);
  });

  it('finds broken files and broken books', async () => {
    const own = await open();
    await fill(own);
    await own.close();
    await raw("UPDATE accounts SET available = 0 WHERE account = 'alice'");
    expect(await verifyLedger(where())).toEqual([{ part: 'balance', message: expect.stringMatching(/^alice/) }]);
    await raw('PRAGMA wal_checkpoint(TRUNCATE)');
    const path = join(folder.path, 'pool.db');
    const bytes = await readFile(path);
    // Rows of an index that point nowhere: a page in the middle of the file.
    for (let page = 10; page < bytes.length / 4096; page++) bytes.fill(0, page * 4096 + 100, page * 4096 + 4000);
    await writeFile(path, bytes);
    const broken = await verifyLedger(where()).then(
      (problems) => problems.map(({ part }) => part)[0],
      (error: unknown) => (isPoolError(error) ? error.code : error),
    );
    // What is told depends on the page that is missed first.
    expect(['files', 'storage_failed']).toContain(broken);
    await rm(path);
    await expect(verifyLedger(where())).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await readdir(folder.path)).not.toContain('pool.db');
  });
});

describe('backupLedger', () => {
  it('copies a ledger in use; the copy restores with its books', async () => {
    const own = await open();
    await fill(own);
    const copy = join(folder.path, 'backups', 'copy.db');
    const progress: number[] = [];
    const { bytes } = await backupLedger({ ...where(), path: copy, onProgress: (part) => progress.push(part) });
    expect(bytes).toBeGreaterThan(4096);
    expect([progress[0], progress.at(-1)]).toEqual([0, 1]);
    // What comes later is not in it.
    await own.accounting.setBookingState('block:1', 'reversed', START_MS);
    await own.close();
    // Restoring: in the place of the other, whose log goes with it.
    for (const suffix of ['', '-wal', '-shm']) await rm(join(folder.path, `pool.db${suffix}`), { force: true });
    await copyFile(copy, join(folder.path, 'pool.db'));
    expect(await verifyLedger(where())).toEqual([]);
    const { accounting } = await open();
    expect(await accounting.balance('alice')).toMatchObject({ available: 60n, reserved: 40n });
    expect(await accounting.balance('bob')).toMatchObject({ available: 2n ** 60n + 1n });
    expect(await accounting.payment('p1')).toMatchObject({ status: 'signed', txid: signed.txid });
    expect(await accounting.settings('alice')).toMatchObject({ address: 'bcrt1qexample' });
    expect(await accounting.cursor('shares')).toBe(1);
    expect(await accounting.carries()).toHaveLength(1);
    // It goes on where it was: what was booked is known.
    expect(await accounting.book(booking('block:1', [reward('alice', 100n)]))).toBe(false);
    expect(await accounting.stepPayment('p1', ['signed'], { to: 'sent', timeMs: START_MS })).toBe(true);
    expect(await accounting.verify()).toEqual([]);
  });

  it('replaces no file, makes no database, and leaves PostgreSQL to its own program', async () => {
    const path = join(folder.path, 'copy.db');
    await expect(backupLedger({ ...where(), path })).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await readdir(folder.path)).toEqual([]);
    await (await open()).close();
    await writeFile(path, 'mine');
    await expect(backupLedger({ ...where(), path })).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect((await readdir(folder.path)).filter((name) => name.includes('partial'))).toEqual([]);
    await expect(backupLedger({ ...where(), url: 'postgres://127.0.0.1/x', path })).rejects.toMatchObject({
      code: 'not_supported',
      message: expect.stringContaining('pg_dump'),
    });
  });
});

describe('the state of a ledger', () => {
  it('has the time of commits, the lag of folds and the size of the database', async () => {
    const own = await open();
    expect(await own.stats()).toMatchObject({ lastCommitMs: undefined, commitLatencyMs: undefined, foldLagMs: 0 });
    await own.commit(batch(1, [share()]));
    const { lastCommitMs = 0, commitLatencyMs = -1, foldLagMs, databaseBytes } = await own.stats();
    expect(Date.now() - lastCommitMs).toBeLessThan(60_000);
    expect(commitLatencyMs).toBeGreaterThanOrEqual(0);
    expect(foldLagMs).toBeGreaterThanOrEqual(0);
    expect(databaseBytes).toBeGreaterThan(4096);
  });
});
