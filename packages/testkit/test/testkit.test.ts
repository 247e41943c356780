import { createDevNode } from '@headframe/devnode';
import { reject } from '@headframe/primitives';
import { createServer } from '@headframe/server';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createFleet,
  createMemoryMiner,
  createMemorySink,
  createRandom,
  createTestJob,
  createTestPool,
  FakeClock,
  type TestPool,
  until,
} from '../src/index.js';

const LOWEST = 2.5e-10;

describe('createTestPool', () => {
  let test: Pick<TestPool<never>, 'close'> | undefined;
  afterEach(async () => {
    await test?.close();
    test = undefined;
  });

  it('mines blocks with transactions in them through a memory miner', async () => {
    const started = await createTestPool();
    test = started;
    started.node.addMempoolTransaction({ count: 3 });
    const miner = await started.miner({ username: 'alice.rig' });
    const hash = await started.mineBlock(miner);
    expect(started.node.tipHash).toBe(hash);
    await started.mineBlock(miner);
    expect(started.node.height).toBe(103);
    expect(started.outcomes.map(({ status }) => status)).toEqual(['confirmed', 'confirmed']);
    expect(started.shares.shares).toMatchObject([
      { account: 'alice', worker: 'alice.rig', result: 'accepted', height: 102, blockHash: hash },
      { account: 'alice', height: 103 },
    ]);
  });

  it('tells accepted from refused shares', async () => {
    const started = await createTestPool();
    test = started;
    const miner = await started.miner();
    const share = miner.solve({ want: 'share' });
    expect(await miner.submit(share)).toMatchObject({ accepted: true });
    expect(await miner.submit(share)).toMatchObject({ accepted: false, code: 22, rejectCode: 'duplicate' });
    expect(await miner.submit(miner.solve({ want: 'miss' }))).toMatchObject({ accepted: false, code: 23 });
    expect(await miner.submit({ ...share, jobId: 'ffffffff' })).toMatchObject({ accepted: false, code: 21 });
  });

  it('takes handlers, with the type of the account', async () => {
    const started = await createTestPool({
      authorize: ({ name }) => (name.account === 'bob' ? { id: 'bob', level: 3 } : reject('unauthorized', 'who?')),
    });
    test = started;
    const levels: number[] = [];
    started.pool.on('share', ({ account }) => levels.push(account.level));
    const bob = await started.miner({ username: 'bob' });
    await bob.submit(bob.solve({ want: 'share' }));
    expect(levels).toEqual([3]);
    await expect(started.miner({ username: 'eve' })).rejects.toThrow(/who/);
  });

  it('plays scrypt chains too', async () => {
    const started = await createTestPool({ coin: 'litecoin', config: { validation: 'inline' } });
    test = started;
    const miner = await started.miner();
    const hash = await started.mineBlock(miner);
    expect(started.node.tipHash).toBe(hash);
  });

  it('lets a test break the node', async () => {
    const started = await createTestPool();
    test = started;
    const miner = await started.miner();
    started.node.override('submitblock', () => 'rejected');
    const { accepted, hash } = await miner.mineBlock();
    expect(accepted).toBe(true);
    expect(started.node.tipHash).not.toBe(hash);
    expect(started.outcomes.some(({ status }) => status === 'confirmed')).toBe(false);
  });

  it('cleans up when the pool cannot start', async () => {
    await expect(createTestPool({ config: { network: 'nowhere' } })).rejects.toMatchObject({ code: 'invalid_config' });
  });
});

describe('memory miners on a bare server', () => {
  it('get jobs by publishJob and read their lines in pieces', async () => {
    const node = createDevNode();
    const server = createServer({ difficulty: LOWEST });
    server.publishJob(createTestJob({ node, id: 1 }));
    const miner = await createMemoryMiner(server, { chunkBytes: 3, username: 'carol' });
    expect((await miner.mine(20)).every(({ accepted }) => accepted)).toBe(true);
    const old = miner.job;
    node.mineBlocks(1);
    const next = miner.nextJob(({ notify }) => notify.clean);
    server.publishJob(createTestJob({ node, id: 2 }));
    expect((await next).jobId).not.toBe(old.jobId);
    expect(await miner.submit(miner.solve({ job: old, want: 'share' }))).toMatchObject({ rejectCode: 'stale' });
    await miner.close();
    server.destroy();
  });
});

describe('createFleet', () => {
  it('finds shares as often as the hash rates say, and the same ones in every run', async () => {
    const run = async (): Promise<readonly number[]> => {
      const clock = new FakeClock();
      const node = createDevNode({ clock });
      const server = createServer({ difficulty: 4.6e-10 }, { clock });
      server.publishJob(createTestJob({ node, id: 1 }));
      const fleet = await createFleet(server, { clock, miners: [{ hashrate: 1 }, { hashrate: 4 }], seed: 7 });
      await fleet.run(100);
      await fleet.close();
      server.destroy();
      return fleet.members.map(({ accepted }) => accepted);
    };
    const first = await run();
    // About 1.98 hashes a share: 51 and 202 shares expected, give or take four deviations.
    expect(Math.abs((first[0] ?? 0) - 51)).toBeLessThan(29);
    expect(Math.abs((first[1] ?? 0) - 202)).toBeLessThan(57);
    expect(await run()).toEqual(first);
  });

  it('shows vardiff settling at its target', async () => {
    const clock = new FakeClock();
    const node = createDevNode({ clock, bits: 0x1d00ffff });
    const server = createServer({ difficulty: { start: 1e-6, min: 1e-9, target: 10 } }, { clock });
    server.publishJob(createTestJob({ node, id: 1 }));
    const fleet = await createFleet(server, { clock, miners: [{ hashrate: 200 }, { hashrate: 1_000 }] });
    await fleet.run(1_800);
    const before = fleet.members.map(({ accepted }) => accepted);
    await fleet.run(600);
    for (const [i, { miner, hashrate, accepted, rejected }] of fleet.members.entries()) {
      expect(rejected.size).toBe(0);
      const ideal = (hashrate * 10) / 2 ** 32;
      expect(miner.job.difficulty / ideal).toBeGreaterThan(0.4);
      expect(miner.job.difficulty / ideal).toBeLessThan(2.5);
      const rate = (accepted - (before[i] ?? 0)) / 60;
      expect(rate).toBeGreaterThan(0.4);
      expect(rate).toBeLessThan(2.5);
    }
    await fleet.close();
    server.destroy();
  });
});

describe('the small parts', () => {
  it('createRandom repeats itself and has the right mean', () => {
    const [a, b] = [createRandom(5), createRandom(5)];
    const draws = Array.from({ length: 10_000 }, () => a.exponential(3));
    expect(draws.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => b.exponential(3)));
    expect(draws.reduce((sum, x) => sum + x, 0) / draws.length).toBeCloseTo(3, 0);
    expect(createRandom(6).next()).not.toBe(createRandom(5).next());
  });

  it('createMemorySink fails, waits and recognises a repeated batch on demand', async () => {
    const sink = createMemorySink();
    const batch = { epoch: 'e', sequence: 1, shares: [] };
    sink.failNext(1);
    await expect(sink.commit(batch)).rejects.toThrow(/told to fail/);
    const release = sink.hold();
    const commit = sink.commit(batch);
    await Promise.resolve();
    expect(sink.batches).toHaveLength(0);
    release();
    await commit;
    await sink.commit(batch);
    expect(sink.batches).toHaveLength(1);
  });

  it('until says what it waited for', async () => {
    await expect(until('godot', () => false, 20)).rejects.toThrow('waited 20 ms in vain for godot');
  });
});
