import { afterEach, describe, expect, it } from 'vitest';
import { MINER_DIFFICULTY, POOL_DIFFICULTY, ProxyBench, quiet } from './harness.js';
import { notifyParams, RawPool } from './raw-pool.js';

let bench: ProxyBench;
let evil: RawPool;
afterEach(() => bench.close());

/** A hostile upstream first in the list, a good one behind it. */
async function start(prepare: (pool: RawPool) => void = () => {}): Promise<void> {
  const holder: { pool?: RawPool } = {};
  bench = new ProxyBench({
    pools: [{}, {}],
    modules: {
      connect: (endpoint) => {
        const { pool } = holder;
        if (pool === undefined) throw new Error('not yet');
        return endpoint?.host === 'pool0.test' ? pool.connect() : bench.pool(1).connect();
      },
    },
  });
  evil = new RawPool(bench.clock);
  holder.pool = evil;
  prepare(evil);
  await bench.start();
}

describe('a hostile upstream', () => {
  it.each([
    [
      'difficulty 1e300',
      (pool: RawPool) => {
        pool.difficulty = 1e300;
      },
    ],
    [
      'nbits of nothing',
      (pool: RawPool) => {
        pool.methods.set('mining.authorize', (_, session) => {
          queueMicrotask(() => session.push('mining.notify', notifyParams('x', { bits: '00000000' })));
          return true;
        });
      },
    ],
    [
      'a coinbase of 60 kB',
      (pool: RawPool) => {
        pool.methods.set('mining.authorize', (_, session) => {
          queueMicrotask(() => session.push('mining.notify', notifyParams('x', { coinbase2: '00'.repeat(60_000) })));
          return true;
        });
      },
    ],
    [
      'no room for extranonces',
      (pool: RawPool) => {
        pool.extranonce2Size = 2;
      },
    ],
    [
      'an answer to subscribe that is none',
      (pool: RawPool) => {
        pool.methods.set('mining.subscribe', () => ({ hello: 1 }));
      },
    ],
    [
      'no job at all',
      (pool: RawPool) => {
        pool.methods.set('mining.authorize', () => true);
      },
    ],
    [
      'a name that is not known',
      (pool: RawPool) => {
        pool.methods.set('mining.authorize', () => false);
      },
    ],
  ])('with %s is left for the next one', async (_what, prepare) => {
    await start(prepare);
    await bench.advance(15_000);
    expect(bench.proxy.upstream?.name).toBe('pool1');
    const miner = await bench.miner();
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
  });

  it('difficulty 0, garbage and notifications of wrong types change nothing', async () => {
    await start();
    const miner = await bench.miner();
    const { jobId } = miner.job;
    evil.session.push('mining.set_difficulty', [0]);
    evil.session.push('mining.set_difficulty', ['-1']);
    evil.session.push('mining.set_extranonce', [7, 'x']);
    evil.session.push('mining.notify', [1, 2, 3]);
    evil.session.send('{"id":\n[]\n"text"\n');
    await quiet();
    expect(miner.job.jobId).toBe(jobId);
    expect(bench.proxy.upstream?.name).toBe('pool0');
    expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
  });

  it('that sends nothing but garbage is left', async () => {
    await start();
    for (let i = 0; i < 30; i++) evil.session.push('mining.notify', [i]);
    await bench.advance(3000);
    expect(bench.proxy.upstream?.name).toBe('pool1');
  });

  it('a new extranonce1 at every job costs miners nothing', async () => {
    await start();
    const miner = await bench.miner({ extranonce: false });
    const { extranonce1 } = miner.job;
    for (let i = 0; i < 20; i++) {
      evil.session.push('mining.set_extranonce', [`aabbcc${(16 + i).toString(16)}`, 8]);
      evil.session.push('mining.notify', notifyParams(`b${i}`));
      await quiet();
    }
    expect(miner.disconnects).toBe(0);
    expect(miner.job.extranonce1).toEqual(extranonce1);
    await miner.mine({ difficulty: POOL_DIFFICULTY });
    const [submit] = evil.session.received.filter(({ method }) => method === 'mining.submit');
    expect(submit?.params?.[1]).toBe('b19');
  });

  it('that changes the size of extranonce2 again and again is left, before miners are thrown out twice', async () => {
    await start();
    const miner = await bench.miner({ extranonce: false });
    for (const size of [4, 3, 8, 4]) {
      evil.session.push('mining.set_extranonce', ['aabbccdd', size]);
      evil.session.push('mining.notify', notifyParams(`s${size}`));
      await bench.advance(3000);
    }
    expect(miner.disconnects).toBeLessThanOrEqual(2);
    expect(bench.proxy.upstream?.name).toBe('pool1');
  });

  it('reconnects without end: it is left alone', async () => {
    await start((pool) => {
      pool.methods.set('mining.authorize', (_params, session) => {
        queueMicrotask(() => {
          session.push('mining.notify', notifyParams('r'));
          session.push('client.reconnect', []);
        });
        return true;
      });
    });
    await bench.advance(60_000);
    expect(evil.sessions.length).toBeLessThan(40);
    const miner = await bench.miner();
    await miner.mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.pool(1).shares.length).toBeGreaterThan(0);
  });

  it('that sends us to another domain is not followed', async () => {
    await start();
    evil.session.push('client.reconnect', ['evil.example', 3333, 0]);
    await bench.advance(5000);
    expect(evil.sessions).toHaveLength(1);
  });

  it('that refuses every share is left', async () => {
    await start((pool) => {
      pool.methods.set('mining.submit', () => {
        throw [20, 'no', null];
      });
    });
    const miner = await bench.miner();
    for (let i = 0; i < 60 && bench.proxy.upstream?.name === 'pool0'; i++)
      await miner.mine({ difficulty: POOL_DIFFICULTY });
    await bench.advance(2000);
    expect(bench.proxy.upstream?.name).toBe('pool1');
    expect(bench.proxy.stats().total.rejected).toEqual({ other: 50 });
  });

  it('that refuses the shares of one worker among several is not left', async () => {
    await start((pool) => {
      pool.methods.set('mining.submit', ([name]) => {
        if (name === 'user0.rig0') throw [20, 'not you', null];
        return true;
      });
    });
    const bad = await bench.miner();
    const good = await bench.miner();
    await good.mine({ difficulty: POOL_DIFFICULTY });
    for (let i = 0; i < 60; i++) await bad.mine({ difficulty: POOL_DIFFICULTY });
    expect(bench.proxy.upstream?.name).toBe('pool0');
    expect(bench.proxy.stats().total).toMatchObject({ accepted: 1, rejected: { other: 60 } });
  });

  it('that never answers a share holds nobody up', async () => {
    await start((pool) => {
      pool.methods.set('mining.submit', () => undefined);
    });
    const miner = await bench.miner();
    for (let i = 0; i < 5; i++) expect((await miner.mine({ difficulty: POOL_DIFFICULTY })).accepted).toBe(true);
    await bench.advance(40_000);
    expect(bench.proxy.stats().total.lost).toBe(5);
  });
});

describe('waiting for a hostile upstream', () => {
  it('a share that is never answered is refused in time', async () => {
    const holder: { pool?: RawPool } = {};
    bench = new ProxyBench({
      config: { submit: { wait: true } },
      modules: { connect: () => holder.pool?.connect() ?? Promise.reject(new Error('not yet')) },
    });
    const pool = new RawPool(bench.clock);
    pool.methods.set('mining.submit', () => undefined);
    holder.pool = pool;
    await bench.start();
    const miner = await bench.miner();
    const outcome = await bench.outcome(miner.client.submit(miner.find({ difficulty: POOL_DIFFICULTY })));
    expect(outcome.accepted).toBe(false);
  });
});

describe('a hostile miner', () => {
  it('cannot be paid twice for a share, not under a derived job either', async () => {
    bench = new ProxyBench({ pools: [{ listeners: [{ port: 0, extranonce2Size: 4 }] }], jobs: false });
    const { makeJob } = await import('./harness.js');
    bench.pool().server.publishJob(makeJob({ id: 1, extranonceLength: 8 }));
    await bench.start();
    const miner = await bench.miner();
    // No room for a stamp: the derived job is the same work.
    expect(bench.proxy.stats().split).toMatchObject({ stamp: 0, extranonce2Size: 2 });
    const first = miner.find({ difficulty: POOL_DIFFICULTY });
    expect((await bench.outcome(miner.client.submit(first))).accepted).toBe(true);
    const [session] = bench.proxy.server.sessions;
    if (session === undefined) throw new Error('no session');
    bench.proxy.server.setDifficulty(session, MINER_DIFFICULTY * 2);
    await quiet();
    expect(miner.job.jobId).not.toBe(first.jobId);
    const again = await bench.outcome(miner.client.submit({ ...first, jobId: miner.job.jobId }));
    expect(again).toMatchObject({ accepted: false, error: { rejectCode: 'duplicate' } });
    expect(bench.pool().shares).toHaveLength(1);
  });

  it('that never logged in sends nothing upstream', async () => {
    bench = new ProxyBench();
    await bench.start();
    const miner = await bench.miner();
    const outcome = await bench.outcome(
      miner.client.submit(miner.find({ difficulty: POOL_DIFFICULTY }), 'somebody.else'),
    );
    expect(outcome).toMatchObject({ accepted: false, error: { rejectCode: 'unauthorized' } });
    expect(bench.pool().shares).toEqual([]);
    expect(bench.proxy.stats().total.dropped).toEqual({ 'unknown worker': 1 });
  });

  it('low shares and junk stay here, and get it banned', async () => {
    bench = new ProxyBench({ config: { bans: { enabled: true, allow: [] } } });
    await bench.start();
    const miner = await bench.miner();
    const { jobId, notify, extranonce2Size } = miner.job;
    for (let i = 0; i < 130; i++) {
      miner.client
        .submit({
          jobId,
          extranonce2: new Uint8Array(extranonce2Size),
          ntime: notify.ntime,
          nonce: i,
          versionBits: undefined,
        })
        .catch(() => {});
      await quiet();
    }
    expect(bench.proxy.stats().server.sessions.bans).toBe(1);
    expect(bench.pool().rejected).toEqual([]);
  });
});
