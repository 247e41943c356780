import { afterEach, describe, expect, it } from 'vitest';
import { type BenchOptions, makeJob, POOL_DIFFICULTY, ProxyBench, quiet } from './harness.js';

let bench: ProxyBench;
afterEach(() => bench.close());

async function start(options: BenchOptions = {}): Promise<ProxyBench> {
  bench = new ProxyBench({ pools: [{}, {}], ...options });
  return bench.start();
}

describe('fail-over', () => {
  it('moves miners to the next upstream without dropping or telling them', async () => {
    await start();
    const told = await bench.miner();
    const untold = await bench.miner({ extranonce: false });
    const before = told.job;
    expect(bench.proxy.upstream?.name).toBe('pool0');
    bench.pool(0).refuse = true;
    bench.pool(0).cut();
    await bench.advance(3000);
    expect(bench.proxy.upstream?.name).toBe('pool1');
    expect([told.disconnects, untold.disconnects]).toEqual([0, 0]);
    expect(told.job.extranonce1).toEqual(before.extranonce1);
    expect(told.job.notify.clean).toBe(true);
    for (const miner of [told, untold]) expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    expect(bench.pool(1).shares.map(({ worker }) => worker)).toEqual(['user1.rig0', 'user1.rig1']);
  });

  it('returns to the preferred upstream once that was well for a while', async () => {
    await start();
    const miner = await bench.miner();
    bench.pool(0).refuse = true;
    bench.pool(0).cut();
    await bench.advance(3000);
    const fallback = miner.job;
    bench.pool(0).refuse = false;
    await bench.advance(50_000);
    expect(bench.proxy.upstream?.name).toBe('pool1');
    await bench.advance(70_000);
    expect(bench.proxy.upstream?.name).toBe('pool0');
    expect(miner.disconnects).toBe(0);
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    expect(bench.pool(0).shares).toHaveLength(1);
    expect(fallback.jobId).not.toBe(miner.job.jobId);
  });

  it('shares of the upstream that was left are still taken while it lingers', async () => {
    await start({ config: { failover: { returnAfterSeconds: 0, lingerSeconds: 10 } } });
    const miner = await bench.miner();
    bench.pool(0).refuse = true;
    bench.pool(0).cut();
    await bench.advance(1000);
    const fallback = miner.job;
    bench.pool(0).refuse = false;
    for (let i = 0; i < 30 && bench.proxy.upstream?.name !== 'pool0'; i++) await bench.advance(1000);
    expect(bench.proxy.upstream?.name).toBe('pool0');
    expect((await miner.mine({ job: fallback, difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    expect(bench.pool(1).shares).toHaveLength(1);
    await bench.advance(11_000);
    expect(bench.pool(1).server.stats().sessions.sessions).toBe(0);
  });

  it('tells miners of another size of extranonce2, and sends those away that cannot be told', async () => {
    await start({ pools: [{}, { listeners: [{ port: 0, extranonce2Size: 4 }] }], jobs: false });
    bench.pool(0).server.publishJob(makeJob({ id: 1 }));
    const small = bench.pool(1);
    small.server.publishJob(makeJob({ id: 1, extranonceLength: 8 }));
    const told = await bench.miner();
    const untold = await bench.miner({ extranonce: false });
    expect(told.job.extranonce2Size).toBe(4);
    bench.pool(0).refuse = true;
    bench.pool(0).cut();
    await bench.advance(3000);
    expect(told.disconnects).toBe(0);
    expect(untold.disconnects).toBe(1);
    for (const miner of [told, untold]) {
      expect([miner.job.extranonce1.length, miner.job.extranonce2Size]).toEqual([2, 2]);
      expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    }
    expect(small.shares).toHaveLength(2);
  });

  it('a share without an answer is sent again when the upstream comes back and knows us', async () => {
    await start({ pools: [{}], config: { submit: { wait: true } } });
    const miner = await bench.miner();
    const share = miner.find({ difficulty: POOL_DIFFICULTY });
    // The pool has it, and its answer is lost with the line.
    let cut = false;
    bench.pool().server.hook('beforeShare', () => {
      if (!cut) bench.pool().cut();
      cut = true;
    });
    expect(await bench.outcome(miner.client.submit(share))).toEqual({ accepted: true });
    expect(bench.proxy.stats().total).toMatchObject({ accepted: 1, lost: 0, rejected: {} });
  });

  it('no share that a miner was told to be accepted is lost, when it waits for the upstream', async () => {
    await start({ config: { submit: { wait: true } } });
    const miner = await bench.miner();
    let accepted = 0;
    for (let i = 0; i < 20; i++) {
      if (i === 7) {
        bench.pool(0).refuse = true;
        bench.pool(0).cut();
      }
      const share = miner.find({ difficulty: POOL_DIFFICULTY });
      if ((await bench.outcome(miner.client.submit(share))).accepted) accepted++;
    }
    expect(accepted).toBeGreaterThan(15);
    expect(bench.pool(0).shares.length + bench.pool(1).shares.length).toBe(accepted);
    expect(bench.proxy.stats().total.accepted).toBe(accepted);
  });
});

describe('an outage', () => {
  async function outage(): Promise<void> {
    bench.pool().refuse = true;
    bench.pool().cut();
    await bench.advance(61_000);
  }

  it('takes work back after a while, and miners wait', async () => {
    await start({ pools: [{}] });
    const miner = await bench.miner();
    const { job } = miner;
    const outages: number[] = [];
    bench.proxy.on('outage', ({ seconds }) => outages.push(seconds));
    await outage();
    expect(outages).toEqual([60]);
    expect(miner.disconnects).toBe(0);
    expect(await miner.mine({ job })).toMatchObject({ accepted: false, error: { rejectCode: 'stale' } });
    const late = await bench.miner();
    expect(late.client.ready).toBe(true);
    expect(late.client.job).toBeUndefined();
    bench.pool().refuse = false;
    await bench.advance(120_000);
    expect((await late.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
  });

  it('closes and refuses miners where the configuration says so', async () => {
    await start({ pools: [{}], config: { outage: { miners: 'refuse', jobSeconds: 60 } } });
    const miner = await bench.miner();
    await outage();
    expect(miner.client.ready).toBe(false);
    expect(bench.proxy.stats().server.sessions.sessions).toBe(0);
    bench.pool().refuse = false;
    await bench.advance(180_000);
    await quiet();
    expect(miner.client.ready).toBe(true);
  });
});
