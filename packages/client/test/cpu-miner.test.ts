import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { CpuMiner, type CpuMinerOptions, MiningClient, shareTarget } from '../src/index.js';
import { FakePool, NOTIFY } from './fake-pool.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function setup(
  options: CpuMinerOptions = {},
  difficulty = 1e-7,
): Promise<{ pool: FakePool; client: MiningClient; miner: CpuMiner }> {
  const pool = new FakePool();
  pool.methods.set('mining.authorize', (_params, session) => {
    queueMicrotask(() => {
      session.push('mining.set_difficulty', [difficulty]);
      session.push('mining.notify', NOTIFY);
    });
    return true;
  });
  const client = new MiningClient({ connect: pool.connect, workers: [{ username: 'w' }] });
  const miner = new CpuMiner(client, { sliceMs: 5, ...options });
  stops.push(
    () => miner.stop(),
    () => client.close(),
  );
  await client.start();
  return { pool, client, miner };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    if (condition()) return;
    await settle();
  }
  throw new Error(`waited in vain: ${what}`);
}

describe('CpuMiner', () => {
  it('finds shares that meet their target and are all different', async () => {
    const { miner, pool } = await setup();
    let found = 0;
    miner.on('found', ({ share, difficulty }) => {
      found++;
      expect(
        Buffer.from(share.hash)
          .reverse()
          .compare(Buffer.from(shareTarget(difficulty)).reverse()),
      ).toBeLessThanOrEqual(0);
    });
    miner.start();
    miner.start();
    await until(() => miner.stats.accepted >= 20, '20 shares');
    await miner.stop();
    const submits = pool.session.calls('mining.submit').map(({ params }) => JSON.stringify(params));
    expect(submits.length).toBe(found);
    expect(new Set(submits).size).toBe(found);
    expect(miner.stats).toMatchObject({ accepted: found, rejected: 0, lost: 0 });
    expect(miner.stats.hashes).toBeGreaterThan(found);
  });

  it('counts rejects and lost shares apart', async () => {
    const { miner, pool } = await setup();
    const reasons: string[] = [];
    const problems: Error[] = [];
    miner.on('rejected', ({ error }) => reasons.push(error.reason));
    miner.on('problem', ({ error }) => problems.push(error));
    pool.methods.set('mining.submit', () => {
      throw [21, 'Stale share', null];
    });
    miner.start();
    await until(() => miner.stats.rejected >= 2, 'two rejects');
    expect(reasons[0]).toBe('Stale share');
    pool.methods.set('mining.submit', () => undefined);
    const before = pool.session.calls('mining.submit').length;
    await until(() => pool.session.calls('mining.submit').length > before, 'a share without an answer');
    pool.session.connection.destroy();
    await until(() => miner.stats.lost > 0, 'a lost share');
    expect(problems.length).toBeGreaterThan(0);
  });

  it('changes over to a new job', async () => {
    const { miner, pool } = await setup();
    miner.start();
    await until(() => miner.stats.accepted >= 1, 'a share');
    pool.session.push('mining.notify', ['7', ...NOTIFY.slice(1)]);
    await until(
      () => pool.session.calls('mining.submit').some(({ params }) => params?.[1] === '7'),
      'a share of job 7',
    );
  });

  it('keeps to the rate it was given', async () => {
    const clock = new FakeClock();
    const { miner, pool } = await setup({ maxSharesPerSecond: 2, clock }, 1e-9);
    miner.start();
    await until(() => pool.session.calls('mining.submit').length === 2, 'the burst');
    for (let i = 0; i < 50; i++) await settle();
    expect(pool.session.calls('mining.submit').length).toBe(2);
    await clock.advanceAsync(3000, 250);
    await until(() => pool.session.calls('mining.submit').length >= 6, 'more');
    expect(pool.session.calls('mining.submit').length).toBeLessThanOrEqual(9);
  });

  it('mines scrypt', async () => {
    const { miner } = await setup({ algorithm: 'scrypt' }, 0.0001);
    miner.start();
    await until(() => miner.stats.accepted >= 3, 'three scrypt shares');
  });

  it('honours the choice not to roll', async () => {
    const { miner, pool } = await setup({ rollVersion: false, rollNtime: false });
    miner.start();
    await until(() => miner.stats.accepted >= 5, 'five shares');
    for (const { params } of pool.session.calls('mining.submit')) {
      expect(params?.[3]).toBe(NOTIFY[7]);
      expect(params?.[5]).toBe('00000000');
    }
  });

  it('waits for a job and stops while waiting', async () => {
    const pool = new FakePool();
    const client = new MiningClient({ connect: pool.connect, workers: [{ username: 'w' }] });
    const miner = new CpuMiner(client);
    miner.start();
    await settle();
    await miner.stop();
    expect(miner.stats.hashes).toBe(0);
    await client.close();
  });
});

// Node 20 cannot start a thread from TypeScript: the built package, as users get it.
const built = new URL('../dist/index.js', import.meta.url);
describe('CpuMiner with threads', () => {
  it('finds shares on other threads', async () => {
    expect(existsSync(fileURLToPath(built)), 'build the package first').toBe(true);
    const { CpuMiner: BuiltMiner, ThreadSearcher }: typeof import('../src/index.js') = await import(built.href);
    const searcher = new ThreadSearcher();
    const request = {
      header: new Uint8Array(80),
      target: new Uint8Array(32).fill(255),
      algorithm: 'sha256d',
      startNonce: 5,
      maxNonces: 1,
    } as const;
    const first = searcher.search(request);
    await expect(searcher.search(request)).rejects.toMatchObject({ code: 'queue_full' });
    expect((await first).nonce).toBe(5);
    // A request that kills its thread is reported, and the next one gets a new thread.
    await expect(searcher.search({ ...request, header: new Uint8Array(3) })).rejects.toMatchObject({
      code: 'worker_failed',
    });
    expect((await searcher.search(request)).nonce).toBe(5);
    await searcher.close();
    await expect(searcher.search(request)).rejects.toMatchObject({ code: 'closed' });

    const { client, pool } = await setup();
    const miner = new BuiltMiner(client, { threads: 2, sliceMs: 10 });
    stops.unshift(() => miner.stop());
    const extranonces = new Set<string>();
    const bothFound = new Promise<void>((resolve) => {
      miner.on('accepted', ({ share }) => {
        extranonces.add(Buffer.from(share.extranonce2).toString('hex'));
        if (extranonces.size > 1) resolve();
      });
    });
    miner.start();
    await bothFound;
    await miner.stop();
    const submits = pool.session.calls('mining.submit').map(({ params }) => JSON.stringify(params));
    expect(new Set(submits).size).toBe(submits.length);
  });
});
