// The ledger fails, hangs or crawls. Nothing that was answered `true` may be missing from it, nothing may be in it twice,
// miners are slowed down and not cut, and a block never waits for any of it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JournalFile, openBlockJournal } from '@headframe/daemon';
import { silentLogger } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, bench, EASY_BITS, makeJob } from '../support/bench-server.js';
import { PoolBench } from '../support/pool-bench.js';
import { waitFor } from '../support/wait.js';
import type { SearchOptions, WireMiner } from '../support/wire-miner.js';

/** Only root may make a small file system. */
function canMount(): boolean {
  if (process.getuid?.() === 0 && process.platform === 'linux') {
    const folder = mkdtempSync(join(tmpdir(), 'headframe-mount-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
      execFileSync('umount', [folder]);
      return true;
    } catch {
      // Not here: in a container, say.
    } finally {
      rmdirSync(folder);
    }
  }
  console.log('skipping a test: a full disk for real needs root and tmpfs');
  return false;
}

let b: Bench;
const pools: PoolBench[] = [];
afterEach(async () => {
  await b?.close();
  for (const pool of pools.splice(0)) await pool.close();
});

/** Writes `count` shares without waiting; their ids. */
function pour(miner: WireMiner, count: number, tag: string, search: SearchOptions = {}): string[] {
  const ids = Array.from({ length: count }, (_, i) => `${tag}${i}`);
  miner.write(ids.map((id) => miner.submitLine(miner.search(search), id)).join(''));
  return ids;
}

function answers(miner: WireMiner, ids: readonly string[]): number {
  const wanted = new Set<unknown>(ids);
  return miner.lines.filter((line) => wanted.has(line.id) && line.result === true).length;
}

describe('a ledger that', () => {
  it('fails for a minute: sockets pause, then everything is answered and booked once', async () => {
    b = await bench({ options: { limits: { uncommittedShares: 100, requestBurst: 1e6 } } });
    const miners = await Promise.all([1, 2, 3].map((n) => b.connect({ clientAddress: `10.0.0.${n}` }).start()));
    let isDown = true;
    b.beforeCommit = () => {
      if (isDown) throw new Error('connection refused');
    };
    const ids = miners.map((miner) => pour(miner, 300, 'a'));
    await b.clock.advanceAsync(60_000);
    expect(miners.map((miner, i) => answers(miner, ids[i] ?? []))).toEqual([0, 0, 0]);
    const { uncommitted, commitFailures } = b.server.stats().shares;
    expect(commitFailures).toBeGreaterThan(5);
    // Bounded: the limit and what one turn of three sessions still brought.
    expect(uncommitted).toBeLessThan(1000);
    expect(miners.some(({ closed }) => closed)).toBe(false);
    isDown = false;
    await b.clock.advanceAsync(30_000);
    expect(miners.map((miner, i) => answers(miner, ids[i] ?? []))).toEqual([300, 300, 300]);
    expect(b.accepted()).toHaveLength(900);
    expect(new Set(b.accepted().map(({ achieved }) => achieved)).size).toBe(900);
    expect((await miners[0]?.mine())?.result).toBe(true);
  });

  it('hangs: the batch goes again under its number and counts once', async () => {
    b = await bench();
    const miner = await b.connect().start();
    const held: (() => void)[] = [];
    b.beforeCommit = () => new Promise<void>((resolve) => held.push(resolve));
    const ids = pour(miner, 5, 'h');
    await b.clock.advanceAsync(35_000);
    expect(held.length).toBeGreaterThan(2);
    expect(answers(miner, ids)).toBe(0);
    for (const release of held.splice(0)) release();
    b.beforeCommit = () => {};
    await settle();
    expect(answers(miner, ids)).toBe(5);
    expect(b.accepted()).toHaveLength(5);
  });

  it('takes two seconds a time: batches grow, nothing is lost, order is kept', async () => {
    b = await bench({ options: { limits: { requestBurst: 1e6 } } });
    const miner = await b.connect().start();
    b.beforeCommit = () => new Promise<void>((resolve) => b.clock.setTimeout(resolve, 2000));
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) {
      ids.push(...pour(miner, 20, `w${i}-`));
      await b.clock.advanceAsync(500, 100);
    }
    await b.clock.advanceAsync(10_000, 100);
    expect(miner.lines.filter(({ id }) => typeof id === 'string').map(({ id }) => id)).toEqual(ids);
    expect(b.accepted()).toHaveLength(200);
    expect(b.batches.length).toBeLessThan(10);
  });

  it('answers after its miner has gone: booked once, and a duplicate for whoever resumes', async () => {
    b = await bench();
    const miner = await b.connect().start();
    const share = miner.search();
    const held: (() => void)[] = [];
    b.beforeCommit = () => new Promise<void>((resolve) => held.push(resolve));
    miner.write(miner.submitLine(share, 1));
    await settle();
    const [session] = b.server.sessions;
    if (session !== undefined) b.server.kick(session);
    await b.clock.advanceAsync(40_000);
    for (const release of held.splice(0)) release();
    b.beforeCommit = () => {};
    await settle();
    const again = await b.connect().start(miner.sessionId);
    expect(again.extranonce1).toBe(miner.extranonce1);
    expect((await again.submit(share)).error).toEqual([22, 'Duplicate share', null]);
    expect(b.accepted()).toHaveLength(1);
  });

  it('Miningcore#1719, btcpool#431: is down when a block is found: the block is out in the same turn', async () => {
    b = await bench({ job: makeJob({ id: 1, bits: EASY_BITS }), options: { difficulty: 1e-9 } });
    const miner = await b.connect().start();
    b.beforeCommit = () => {
      throw new Error('the database is gone');
    };
    const share = miner.search();
    miner.write(miner.submitLine(share, 1));
    await settle();
    expect(b.candidates.map(({ hash }) => Buffer.from(hash).reverse().toString('hex'))).toEqual([share.hash]);
    expect(miner.lines.some(({ id }) => id === 1)).toBe(false);
    b.beforeCommit = () => {};
    await b.clock.advanceAsync(5000);
    expect(await miner.answer(1)).toMatchObject({ result: true });
    expect(b.accepted()).toMatchObject([{ blockHash: share.hash }]);
  });

  it('is full when a paused miner leaves, and others come: nobody stays paused', async () => {
    b = await bench({ options: { limits: { uncommittedShares: 10, requestBurst: 1e6 } } });
    const leaver = await b.connect().start();
    let isDown = true;
    b.beforeCommit = () => {
      if (isDown) throw new Error('down');
    };
    pour(leaver, 100, 'l');
    await settle();
    leaver.connection.destroy();
    const stayer = await b.connect().start();
    const ids = pour(stayer, 50, 's');
    await b.clock.advanceAsync(3000);
    isDown = false;
    await b.clock.advanceAsync(30_000);
    expect(answers(stayer, ids)).toBe(50);
    expect(b.server.stats().shares).toMatchObject({ pending: 0, uncommitted: 0, commitFailures: 0 });
    expect((await stayer.mine()).result).toBe(true);
  });
});

describe('a disk that is full', () => {
  async function pools1(): Promise<PoolBench> {
    const made = await PoolBench.create();
    pools.push(made);
    return made;
  }

  it('stops no block: it is in the chain, and its share is answered once there is room', {
    timeout: 30_000,
  }, async () => {
    const world = await pools1();
    const node = await world.node();
    let isFull = true;
    const written: number[] = [];
    const pool = await world.pool(
      [node],
      {},
      {
        log: silentLogger,
        shareSink: {
          commit: (batch) => {
            if (isFull) return Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
            written.push(...batch.shares.map(() => batch.sequence));
            return Promise.resolve();
          },
          close: () => Promise.resolve(),
        },
      },
    );
    const found = new Promise((resolve) => pool.on('block', resolve));
    await waitFor('a job', () => pool.status().job !== undefined);
    const miner = await world.connect(pool).start();
    const share = miner.search({ meets: 4.7e-10 });
    miner.write(miner.submitLine(share, 1));
    await found;
    expect(node.height).toBe(1);
    expect(node.tipHash).toBe(share.hash);
    expect(miner.lines.some(({ id }) => id === 1)).toBe(false);
    isFull = false;
    await waitFor('the answer', () => miner.lines.find(({ id }) => id === 1), 8000);
    expect(written).toHaveLength(1);
  });

  it.skipIf(!canMount())(
    'for real: shares wait for room, and the log reads back whole',
    { timeout: 30_000 },
    async () => {
      const world = await pools1();
      const data = join(world.folder, 'data');
      await mkdir(data);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', data]);
      world.later(() => execFileSync('umount', [data]));
      const node = await world.node({ bits: 0x1f0fffff });
      const pool = await world.pool([node]);
      await waitFor('a job', () => pool.status().job !== undefined);
      const miner = await world.connect(pool).start();
      const easy = { meets: 1e-9, misses: 9.6e-7 };
      expect((await miner.mine(easy)).result).toBe(true);
      const filler = join(data, 'filler');
      await writeFile(filler, new Uint8Array(256 * 1024)).catch(() => {});
      // What fits into the last page still does; then nothing is answered any more.
      const sent: string[] = [];
      await waitFor('the disk to be full', () => {
        sent.push(...pour(miner, 20, `f${sent.length}-`, easy));
        return pool.status().server.shares.commitFailures > 0;
      });
      expect(miner.closed).toBe(false);
      // A block goes out all the same.
      const block = miner.search({ meets: 9.5e-7 });
      miner.write(miner.submitLine(block, 'block'));
      await waitFor('the block', () => node.tipHash === block.hash);
      expect(answers(miner, ['block'])).toBe(0);
      await rm(filler);
      await waitFor('all answers', () => answers(miner, [...sent, 'block']) === sent.length + 1);
      await pool.close();
      expect((await world.logged()).filter(({ result }) => result === 'accepted')).toHaveLength(sent.length + 2);
    },
  );

  it('is no reason for the block journal to give up: the next entry is whole', async () => {
    const world = await pools1();
    let isFull = true;
    const disk: string[] = [];
    const file: JournalFile = {
      appendFile: (text) => {
        // Half of it fits.
        disk.push(isFull ? text.slice(0, text.length >> 1) : text);
        return isFull ? Promise.reject(new Error('ENOSPC')) : Promise.resolve();
      },
      datasync: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const journal = await openBlockJournal(
      { path: `${world.folder}/blocks.journal` },
      { openFile: () => Promise.resolve(file) },
    );
    const entry = (hash: string) =>
      ({ type: 'status', hash: hash.repeat(32), status: 'confirmed', timeMs: 1 }) as const;
    await expect(journal.append(entry('aa'))).rejects.toMatchObject({ code: 'storage_failed' });
    isFull = false;
    await journal.append(entry('bb'));
    await journal.close();
    const lines = disk.join('').split('\n');
    expect(lines.some((line) => line.includes('bbbb') && JSON.parse(line).hash === 'bb'.repeat(32))).toBe(true);
  });
});
