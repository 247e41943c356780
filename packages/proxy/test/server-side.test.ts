import { reject } from '@headframe/primitives';
import { afterEach, describe, expect, it } from 'vitest';
import { MINER_DIFFICULTY, makeJob, POOL_DIFFICULTY, ProxyBench, quiet } from './harness.js';
import { notifyParams, RawPool } from './raw-pool.js';

let bench: ProxyBench;
afterEach(() => bench.close());

/** A bench whose only upstream says what the test wants. */
async function withRawPool(): Promise<RawPool> {
  const holder: { pool?: RawPool } = {};
  bench = new ProxyBench({
    modules: { connect: () => holder.pool?.connect() ?? Promise.reject(new Error('not yet')) },
  });
  const pool = new RawPool(bench.clock);
  holder.pool = pool;
  await bench.start();
  return pool;
}

describe('a proxy is a server', () => {
  it('answers custom methods, in any namespace', async () => {
    bench = new ProxyBench();
    await bench.start();
    bench.proxy.method('farm.room', { handler: ({ session }) => `room of ${session.remoteAddress}` });
    const miner = await bench.miner();
    expect(await bench.outcome(miner.client.request('farm.room', []))).toBe('room of 10.0.0.1');
  });

  it('hooks see requests and shares, and may refuse', async () => {
    bench = new ProxyBench();
    await bench.start();
    const seen: string[] = [];
    bench.proxy.hook('onRequest', ({ method }) => {
      seen.push(method);
    });
    bench.proxy.hook('beforeShare', ({ account }) =>
      account.id === 'rig0' ? reject('unauthorized', 'resting') : undefined,
    );
    const refused = await bench.miner();
    const welcome = await bench.miner();
    expect(await bench.outcome(refused.client.submit(refused.find()))).toMatchObject({
      accepted: false,
      error: { reason: 'resting' },
    });
    expect((await bench.outcome(welcome.client.submit(welcome.find()))).accepted).toBe(true);
    expect(seen).toContain('mining.subscribe');
    expect(seen).toContain('mining.submit');
  });

  it('decides who may mine, and runs plugins', async () => {
    bench = new ProxyBench();
    await bench.start();
    bench.proxy.use(
      (proxy, { only }: { only: string }) =>
        proxy.decide('authorize', ({ username, name, password }) =>
          username === only ? { id: username, worker: name.worker, password } : reject('unauthorized', 'strangers'),
        ),
      { only: 'friend.1' },
    );
    const friend = await bench.miner({ username: 'friend.1' });
    const stranger = await bench.miner({ username: 'stranger.1' });
    expect([friend.client.ready, stranger.client.ready]).toEqual([true, false]);
    await friend.mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.pool().shares.map(({ worker }) => worker)).toEqual(['user0.1']);
  });

  it('tells of what happens by events, its own and those of the server', async () => {
    bench = new ProxyBench();
    const told: string[] = [];
    bench.proxy.on('upstream', ({ name }) => told.push(`upstream ${name}`));
    bench.proxy.on('authorized', ({ worker }) => told.push(`authorized ${worker.name}`));
    bench.proxy.on('share', ({ worker }) => told.push(`share ${worker}`));
    bench.proxy.on('forwarded', ({ worker, sent }) => told.push(`forwarded ${worker} ${sent}`));
    bench.proxy.on('verdict', ({ worker, accepted }) => told.push(`verdict ${worker} ${accepted}`));
    const off = bench.proxy.on('notice', ({ text }) => told.push(`notice ${text}`));
    await bench.start();
    const miner = await bench.miner();
    await miner.mine({ difficulty: POOL_DIFFICULTY });
    bench.pool().server.notifyAll('client.show_message', ['maintenance at noon']);
    await quiet();
    off();
    bench.pool().server.notifyAll('client.show_message', ['again']);
    await quiet();
    expect(told).toEqual([
      'upstream pool0',
      'authorized rig0',
      'forwarded rig0 true',
      'share rig0',
      'verdict rig0 true',
      'notice maintenance at noon',
    ]);
  });
});

describe('difficulty and version bits', () => {
  it('vardiff of miners never rises above the difficulty of the upstream', async () => {
    bench = new ProxyBench({
      config: {
        listeners: [{ host: '127.0.0.1', port: 0, difficulty: { start: MINER_DIFFICULTY, min: 1e-9, target: 60 } }],
      },
    });
    await bench.start();
    const miner = await bench.miner();
    for (let i = 0; i < 60; i++) {
      await bench.outcome(miner.client.submit(miner.find()));
      await bench.advance(200);
    }
    expect(miner.client.difficulty).toBeGreaterThan(MINER_DIFFICULTY);
    expect(miner.client.difficulty).toBeLessThanOrEqual(POOL_DIFFICULTY);
  });

  it('follows the upstream to another difficulty with the next job', async () => {
    const pool = await withRawPool();
    const miner = await bench.miner();
    const old = miner.job;
    pool.session.push('mining.set_difficulty', [8e-7]);
    pool.session.push('mining.notify', notifyParams('harder', { clean: false }));
    await quiet();
    // Judged by the job that the share names.
    await miner.mine({ job: old, difficulty: POOL_DIFFICULTY });
    await miner.mine({ difficulty: 8e-7 });
    const jobs = pool.session.received
      .filter(({ method }) => method === 'mining.submit')
      .map(({ params }) => params?.[1]);
    expect(jobs).toContain('a1');
    expect(jobs).toContain('harder');
  });

  it('another version mask of the upstream reaches miners, within what they were granted', async () => {
    const pool = await withRawPool();
    const miner = await bench.miner();
    const plain = await bench.miner({ rolling: false });
    pool.session.push('mining.set_version_mask', ['00ffe000']);
    pool.session.push('mining.notify', notifyParams('narrow'));
    await quiet();
    expect(miner.job.versionMask).toBe(0x00ffe000);
    expect(plain.job.versionMask).toBe(0);
    pool.session.push('mining.set_version_mask', ['ffffffff']);
    pool.session.push('mining.notify', notifyParams('wide'));
    await quiet();
    expect(miner.job.versionMask).toBe(0x1fffe000);
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY, versionBits: 0x1000_0000 })).accepted).toBe(true);
    const submit = pool.session.received.findLast(({ method }) => method === 'mining.submit');
    // All bits that the upstream lets roll, those of the job's version included.
    expect(submit?.params?.[5]).toBe('30000000');
  });

  it('late shares go up only for as long as the configuration says', async () => {
    bench = new ProxyBench({ config: { submit: { lateSeconds: 5 } } });
    await bench.start();
    const miner = await bench.miner();
    const old = miner.job;
    bench.pool().server.publishJob(makeJob({ id: 2, tip: 2 }));
    await quiet();
    await miner.mine({ job: old, difficulty: POOL_DIFFICULTY });
    expect(bench.pool().rejected.map(({ code }) => code)).toEqual(['stale']);
    await bench.advance(6000);
    await miner.mine({ job: old, difficulty: POOL_DIFFICULTY });
    expect(bench.pool().rejected).toHaveLength(1);
  });
});
