import { reject } from '@headframe/primitives';
import { afterEach, describe, expect, it } from 'vitest';
import { type BenchOptions, EASY_BITS, makeJob, POOL_DIFFICULTY, ProxyBench, quiet } from './harness.js';

let bench: ProxyBench;
afterEach(() => bench.close());

async function start(options: BenchOptions = {}): Promise<ProxyBench> {
  bench = new ProxyBench(options);
  return bench.start();
}

describe('an aggregated proxy', () => {
  it('gives the job of its upstream to miners, with a number of their own each', async () => {
    const { proxy, pools } = await start();
    const miners = [await bench.miner(), await bench.miner()];
    const [a, b] = miners.map(({ job }) => job);
    expect(pools[0]?.server.stats().sessions.sessions).toBe(1);
    expect([a?.extranonce1.length, a?.extranonce2Size]).toEqual([2, 4]);
    expect(a?.extranonce1).not.toEqual(b?.extranonce1);
    expect(a?.notify.previousHash).toEqual(makeJob({ id: 1 }).previousHash);
    expect(proxy.stats().split).toEqual({ padding: 0, stamp: 2, extranonce1Size: 2, extranonce2Size: 4 });
  });

  it('sends only the shares upstream that meet its difficulty', async () => {
    await start();
    const miner = await bench.miner();
    const pool = bench.pool();
    let accepted = 0;
    for (let i = 0; i < 100; i++) if ((await miner.mine()).accepted) accepted++;
    const stats = bench.proxy.stats();
    expect(accepted).toBe(100);
    expect(pool.rejected).toEqual([]);
    expect(pool.shares.length).toBeGreaterThan(0);
    expect(pool.shares.length).toBeLessThan(60);
    expect(pool.shares.every(({ achieved }) => achieved >= POOL_DIFFICULTY)).toBe(true);
    expect(stats.total.accepted).toBe(pool.shares.length);
    expect(stats.server.shares.accepted).toBe(100);
  });

  it('rolls versions within the mask of the upstream', async () => {
    await start();
    const miner = await bench.miner();
    expect(miner.job.versionMask).toBe(0x1fffe000);
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY, versionBits: 0x00a0_2000 })).accepted).toBe(true);
    expect(bench.pool().shares).toHaveLength(1);
  });

  it('serves miners that roll no versions on an upstream that lets roll', async () => {
    await start();
    const miner = await bench.miner({ rolling: false });
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    expect(bench.pool().shares).toHaveLength(1);
  });

  it('a hash that is a block goes up at once, and the upstream finds it', async () => {
    await start({ jobs: false });
    bench.pool().server.publishJob(makeJob({ id: 1, bits: EASY_BITS }));
    const miner = await bench.miner();
    const verdicts: boolean[] = [];
    bench.proxy.on('verdict', ({ isBlock }) => verdicts.push(isBlock));
    await miner.mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.pool().candidates).toHaveLength(1);
    expect(verdicts).toEqual([true]);
    expect(bench.proxy.stats().total.blocks).toBe(1);
  });

  it('new jobs of the upstream reach all miners, and old ones end with a new block', async () => {
    await start();
    const miner = await bench.miner();
    const first = miner.job;
    bench.pool().server.publishJob(makeJob({ id: 2 }));
    await quiet();
    const second = miner.job;
    expect(second.jobId).not.toBe(first.jobId);
    expect(second.notify.clean).toBe(false);
    expect((await miner.mine({ job: first, difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    bench.pool().server.publishJob(makeJob({ id: 3, tip: 2 }));
    await quiet();
    expect(miner.job.notify.clean).toBe(true);
    const stale = await miner.mine({ job: first, difficulty: POOL_DIFFICULTY });
    expect(stale).toMatchObject({ accepted: false, error: { rejectCode: 'stale' } });
    expect(bench.pool().shares).toHaveLength(1);
    expect(bench.pool().rejected).toEqual([]);
    expect(bench.proxy.stats().total.dropped).toEqual({ stale: 1 });
  });
});

describe('accounts', () => {
  it('append: each miner is a worker of the one user', async () => {
    await start();
    const miner = await bench.miner({ username: 'anything.rig7' });
    await miner.mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.pool().usernames).toEqual(['user0', 'user0.rig7']);
    expect(bench.pool().shares.map(({ worker }) => worker)).toEqual(['user0.rig7']);
    expect(bench.proxy.stats().workers.map(({ worker, accepted }) => [worker, accepted])).toEqual([
      ['anything.rig7', 1],
    ]);
  });

  it('fixed: all shares are of the one user', async () => {
    await start({ config: { accounts: { mode: 'fixed' } } });
    await (await bench.miner({ username: 'a.b' })).mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.pool().shares.map(({ worker }) => worker)).toEqual(['user0']);
  });

  it('pass-through: the upstream decides who may mine', async () => {
    await start({
      config: { accounts: { mode: 'pass-through' } },
      pools: [{}],
    });
    bench
      .pool()
      .server.decide('authorize', ({ username }) =>
        username === 'mallory.x' ? reject('unauthorized', 'not you') : { id: username },
      );
    const good = await bench.miner({ username: 'alice.x' });
    const bad = await bench.miner({ username: 'mallory.x' });
    await good.mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.pool().shares.map(({ worker }) => worker)).toEqual(['alice.x']);
    expect(bad.client.ready).toBe(false);
  });

  it('pass-through: a name with a wrong password neither lets in nor keeps out the one with the right one', async () => {
    await start({ config: { accounts: { mode: 'pass-through' } } });
    bench
      .pool()
      .server.decide('authorize', ({ username, password }) =>
        username === 'alice.x' && password !== 'secret' ? reject('unauthorized', 'wrong password') : { id: username },
      );
    const before = await bench.miner({ username: 'alice.x', password: 'guess' });
    const alice = await bench.miner({ username: 'alice.x', password: 'secret' });
    const after = await bench.miner({ username: 'alice.x', password: 'guess' });
    expect([before, alice, after].map(({ client }) => client.ready)).toEqual([false, true, false]);
    expect((await alice.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    expect(bench.pool().shares.map(({ worker }) => worker)).toEqual(['alice.x']);
  });
});

describe('waiting for the upstream', () => {
  it('tells the miner what the upstream said', async () => {
    await start({ config: { submit: { wait: true } } });
    const miner = await bench.miner();
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    bench.pool().server.hook('beforeShare', () => reject('other', 'we do not like it'));
    const refused = await miner.mine({ difficulty: POOL_DIFFICULTY });
    expect(refused).toMatchObject({ accepted: false, error: { rejectCode: 'other', reason: 'we do not like it' } });
    expect(bench.proxy.stats().total).toMatchObject({ accepted: 1, rejected: { other: 1 } });
  });
});
