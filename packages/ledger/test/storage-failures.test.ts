import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeClock } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { booking, plan, reward } from '../src/compliance/book-samples.js';
import { batch, share } from '../src/compliance/samples.js';
import { type Ledger, type LedgerOptions, openLedger } from '../src/index.js';
import { openSqliteHandle } from '../src/sql/sqlite-handle.js';
import { type Folder, makeFolder, WORKER_URL } from './support.js';

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

async function open(options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  ledger = await openLedger({ url: folder.url, workerUrl: WORKER_URL, ...options });
  return ledger;
}

/** By the library that the ledger uses: locks of one process are not seen by another library in it. */
const openRaw = () => openSqliteHandle(join(folder.path, 'pool.db'));

describe('a SQLite ledger in trouble', () => {
  it('refuses a commit while another process holds the lock, and takes it afterwards', async () => {
    const own = await open({ busyTimeoutMs: 50 });
    const other = await openRaw();
    other.exec('BEGIN IMMEDIATE');
    await expect(own.commit(batch(1, [share()]))).rejects.toMatchObject({
      code: 'storage_failed',
      details: { reason: 'locked' },
    });
    // Questions do not wait for writers.
    expect(await own.shareLog()).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
    await own.commit(batch(1, [share()]));
    expect(await own.shareLog()).toHaveLength(1);
  });

  it('refuses to book while another process holds the lock, answers questions, and books once when tried again', async () => {
    const own = await open({ busyTimeoutMs: 50 });
    await own.accounting.book(booking('block:1', [reward('alice', 100n)]));
    const other = await openRaw();
    other.exec('BEGIN IMMEDIATE');
    const tries = [
      () => own.accounting.book(booking('block:2', [reward('alice', 1n)])),
      () => own.accounting.setBookingState('block:1', 'immature', 1),
      () => own.accounting.planPayment(plan('p1', { alice: 5n })),
      () => own.accounting.changeSettings('alice', { isHeld: true }),
    ];
    for (const one of tries) {
      await expect(one()).rejects.toMatchObject({ code: 'storage_failed', details: { reason: 'locked' } });
    }
    expect(await own.accounting.balance('alice')).toMatchObject({ available: 100n });
    other.exec('ROLLBACK');
    other.close();
    expect(await tries[0]?.()).toBe(true);
    expect(await tries[0]?.()).toBe(false);
    expect(await own.accounting.balance('alice')).toMatchObject({ available: 101n });
    expect(await own.accounting.verify()).toEqual([]);
  });

  it('refuses to book when the disk is full, and leaves nothing half done that a reader would see', async () => {
    const own = await open({ maxBytes: 400 * 1024 });
    const entries = Array.from({ length: 900 }, (_, i) => reward(`account${i}`.padStart(60, 'x'), 1n));
    let refusal: unknown;
    let booked = 0;
    for (; refusal === undefined && booked < 1000; booked++) {
      refusal = await own.accounting.book(booking(`block:${booked}`, entries)).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(refusal).toMatchObject({ code: 'storage_failed', details: { reason: 'full' } });
    await own.close();
    const roomy = await open();
    // Written down before the disk was full, or not at all: repeating it makes it whole either way.
    await roomy.accounting.book(booking(`block:${booked - 1}`, entries));
    expect(await roomy.accounting.totals()).toMatchObject({ available: BigInt(booked * entries.length) });
    expect(await roomy.accounting.verify()).toEqual([]);
  });

  it('waits for a lock that is soon given back', async () => {
    const own = await open();
    const other = await openRaw();
    other.exec('BEGIN IMMEDIATE');
    const commit = own.commit(batch(1, [share()]));
    await own.shareLog();
    other.exec('COMMIT');
    other.close();
    await commit;
    expect(await own.shareLog()).toHaveLength(1);
  });

  it('refuses commits when the disk is full, keeps what it has, and goes on when there is room', async () => {
    const own = await open({ maxBytes: 256 * 1024 });
    const names = Array.from({ length: 400 }, (_, i) => `${i}`.padStart(40, 'x'));
    const large = (n: number) =>
      batch(
        n,
        names.map((worker) => share({ worker: worker + n })),
      );
    let taken = 0;
    let refusal: unknown;
    while (refusal === undefined && taken < 1000) {
      await own.commit(large(taken + 1)).then(
        () => taken++,
        (error: unknown) => {
          refusal = error;
        },
      );
    }
    expect(refusal).toMatchObject({ code: 'storage_failed', details: { reason: 'full' } });
    await expect(own.commit(large(taken + 1))).rejects.toMatchObject({ details: { reason: 'full' } });
    await expect(own.fold()).rejects.toMatchObject({ details: { reason: 'full' } });
    await own.close();
    const roomy = await open();
    await roomy.commit(large(taken + 1));
    await roomy.fold();
    expect((await roomy.summary())?.total.accepted).toBe((taken + 1) * names.length);
  });

  it('counts a batch once whose acknowledgement died with the thread', async () => {
    const clock = new FakeClock();
    const own = await open({ workerUrl: new URL('./lossy-worker.mjs', import.meta.url), clock });
    await own.commit(batch(1, [share()]));
    await writeFile(join(folder.path, 'die'), '');
    await expect(own.commit(batch(2, [share()]))).rejects.toMatchObject({
      code: 'storage_failed',
      details: { reason: 'unavailable' },
    });
    // For a moment nothing is tried; then a new thread takes over.
    await expect(own.commit(batch(2, [share()]))).rejects.toMatchObject({ code: 'storage_failed' });
    clock.advance(1000);
    await own.commit(batch(2, [share()]));
    await own.commit(batch(3, [share()]));
    await own.fold();
    expect((await own.shareLog()).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect((await own.summary())?.total.accepted).toBe(3);
    expect((await own.stats()).threadRestarts).toBe(1);
  });

  it('settles everything when it is closed in the middle of work', async () => {
    const own = await open();
    const calls = [
      ...Array.from({ length: 200 }, (_, i) => own.commit(batch(i, [share()]))),
      own.fold(),
      own.summary(),
      own.prune(),
    ];
    const closing = own.close();
    const settled = await Promise.allSettled(calls);
    await closing;
    const done = settled.slice(0, 200).filter(({ status }) => status === 'fulfilled').length;
    const again = await open();
    let stored = 0;
    for (let after = 0; ; ) {
      const page = await again.shareLog(after);
      stored += page.length;
      after = page.at(-1)?.id ?? after;
      if (page.length === 0) break;
    }
    expect(stored).toBe(done);
  });

  it('holds a bounded number of commits', async () => {
    const own = await open({ busyTimeoutMs: 2000 });
    const other = await openRaw();
    other.exec('BEGIN IMMEDIATE');
    const commits = Array.from({ length: 1100 }, (_, i) => own.commit(batch(i, [share()])));
    const refused = commits.slice(1024);
    for (const one of await Promise.allSettled(refused)) expect(one).toMatchObject({ reason: { code: 'queue_full' } });
    expect((await own.stats()).pendingCommits).toBe(1024);
    other.exec('ROLLBACK');
    other.close();
    expect((await Promise.allSettled(commits.slice(0, 1024))).every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  it('says what is wrong with a place it cannot open', async () => {
    await writeFile(join(folder.path, 'file'), '');
    const below = join(folder.path, 'file', 'pool.db');
    await expect(open({ url: `sqlite:${below}` })).rejects.toMatchObject({ code: 'storage_failed' });
    await writeFile(join(folder.path, 'pool.db'), 'this is no database, whatever its name says'.repeat(100));
    await expect(open()).rejects.toMatchObject({ code: 'storage_failed' });
    for (const url of ['mysql://x', 'sqlite:', 'sqlite::memory:', './pool.db']) {
      await expect(open({ url })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
  });

  it('refuses a database of a later version', async () => {
    await (await open()).close();
    const raw = await openRaw();
    raw.exec('INSERT INTO schema_version (version, applied_ms) VALUES (999, 0)');
    raw.close();
    await expect(open()).rejects.toMatchObject({ code: 'storage_failed', message: expect.stringContaining('999') });
  });
});

describe('a backup of a SQLite ledger', () => {
  it('is whole, made while shares come in, and opens as a ledger', async () => {
    const own = await open();
    await own.commit(batch(1, [share(), share({ account: 'bob' })]));
    await own.fold();
    const copy = join(folder.path, 'backups', 'copy.db');
    let isDone = false;
    const backup = own.backup(copy).finally(() => {
      isDone = true;
    });
    let sequence = 1;
    while (!isDone) await own.commit(batch(++sequence, [share()]));
    await backup;
    expect(sequence).toBeGreaterThan(1);
    await own.close();
    const restored = await open({ url: `sqlite:${copy}` });
    const log = await restored.shareLog();
    expect(log[0]?.shares).toHaveLength(2);
    expect(log.length).toBeLessThanOrEqual(sequence);
    expect((await restored.summary())?.total.accepted).toBe(2);
    await restored.fold();
    // The restored ledger recognises what it already has.
    await restored.commit(batch(1, [share(), share({ account: 'bob' })]));
    expect(await restored.fold()).toEqual({ batches: 0, shares: 0 });
  });

  it('replaces an older backup only when it is whole, and reports a place it cannot write', async () => {
    const own = await open();
    const copy = join(folder.path, 'copy.db');
    await own.backup(copy);
    await own.commit(batch(1, [share()]));
    await own.backup(copy);
    await expect(own.backup(join(copy, 'copy.db'))).rejects.toMatchObject({ code: 'storage_failed' });
    await own.close();
    expect(await (await open({ url: `sqlite:${copy}` })).shareLog()).toHaveLength(1);
  });
});
