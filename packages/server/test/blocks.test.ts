import { createSerialisingBus } from '@headframe/mining';
import { reject } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { difficultyOf, EASY_NBITS, headerOf, makeJob, sha256d } from './fixtures.js';
import { type Harness, type HarnessOptions, harness, type Miner } from './harness.js';

let h: Harness<{ readonly id: string; readonly address?: string }>;
afterEach(() => h.close());

/** A network on which every second hash is a block, and shares are harder than blocks: the first hash found is one. */
const job = makeJob({ id: 1, clean: true, nbits: EASY_NBITS });
const BLOCK = job.networkDifficulty;

async function begin(setup: HarnessOptions<{ readonly id: string; readonly address?: string }> = {}): Promise<Miner> {
  h = await harness({ job, ...setup });
  return h.connect().start();
}

const candidateHeaders = () => h.core.candidates.map(({ header }) => Buffer.from(header).toString('hex'));

describe('a block', () => {
  it('is answered true and credited, even below the share difficulty', async () => {
    const miner = await begin({ options: { difficulty: 1 } });
    const work = miner.mine({ difficulty: BLOCK });
    const header = headerOf(miner.job, work);
    const seen: unknown[] = [];
    h.server.on('blockCandidate', ({ height }) => seen.push(height));
    h.server.on('share', ({ blockHash }) => seen.push(blockHash));
    expect((await miner.submit(work)).result).toBe(true);
    const hash = sha256d(header).reverse().toString('hex');
    expect(candidateHeaders()).toEqual([header.toString('hex')]);
    expect(h.core.candidates[0]).toMatchObject({
      baseJobId: 1,
      height: 101,
      account: 'alice',
      worker: 'alice.rig1',
      difficulty: 1,
      reward: 5_000_000_000n,
    });
    expect(h.core.candidates[0]?.achieved).toBeCloseTo(difficultyOf(header), 12);
    expect(h.core.accepted()).toMatchObject([{ blockHash: hash, difficulty: 1 }]);
    expect(seen).toEqual([101, hash]);
  });

  it('is sent once, however often it is handed in', async () => {
    const miner = await begin();
    const work = miner.mine();
    expect((await miner.submit(work)).result).toBe(true);
    expect((await miner.submit(work)).error).toEqual([22, 'Duplicate share', null]);
    const params = miner.params(work).map((value) => String(value).toUpperCase());
    expect((await miner.call('mining.submit', params)).error).toEqual([22, 'Duplicate share', null]);
    expect(h.core.candidates).toHaveLength(1);
    expect(h.server.stats().candidates).toBe(1);
  });

  it('goes out in the same turn as its verdict, before the share is in the ledger', async () => {
    const miner = await begin();
    let committed = false;
    h.core.onCommit = () => {
      expect(h.core.candidates).toHaveLength(1);
      committed = true;
      return null;
    };
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(committed).toBe(true);
  });

  it('arrives the same over a bus that serialises', async () => {
    const miner = await begin({ bus: createSerialisingBus() });
    const work = miner.mine();
    expect((await miner.submit(work)).result).toBe(true);
    expect(candidateHeaders()).toEqual([headerOf(miner.job, work).toString('hex')]);
  });

  it('carries a coinbase that hashes into its header', async () => {
    const miner = await begin();
    await miner.submit(miner.mine());
    const [candidate] = h.core.candidates;
    let root = sha256d(candidate?.coinbase ?? new Uint8Array());
    for (let at = 0; at < job.merkleBranch.length; at += 32) {
      root = sha256d(Buffer.concat([root, job.merkleBranch.subarray(at, at + 32)]));
    }
    expect(Buffer.from(candidate?.header ?? []).subarray(36, 68)).toEqual(root);
  });

  it('of a derived job names the job of the core', async () => {
    const miner = await begin({ options: { difficulty: { start: 4.6e-10, min: 2.4e-10 } } });
    await miner.call('mining.suggest_difficulty', [3e-10]);
    await settle();
    expect(miner.job.id).toMatch(/^[89a-f]/);
    expect((await miner.submit(miner.mine({ difficulty: BLOCK }))).result).toBe(true);
    expect(h.core.candidates).toMatchObject([{ baseJobId: 1 }]);
  });

  it('is not stale for the tip it made while a hook was asked', async () => {
    const miner = await begin();
    let answer = (): void => {};
    const asked = new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
    h.server.hook('beforeShare', () => asked);
    const params = miner.params(miner.mine());
    miner.send({ id: 700, method: 'mining.submit', params });
    await settle();
    expect(h.core.candidates).toHaveLength(1);
    // What comes after the new tip on the same job is judged by it.
    const late = miner.params(miner.mine());
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true, nbits: EASY_NBITS }));
    answer();
    expect(await miner.answer(700)).toMatchObject({ result: true, error: null });
    expect(h.core.accepted()).toHaveLength(1);
    miner.send({ id: 701, method: 'mining.submit', params: late });
    expect((await miner.answer(701)).error).toMatchObject([21, expect.any(String), null]);
  });
});

describe('a block in a share that is refused still goes to the core', () => {
  it('stale', async () => {
    const miner = await begin();
    const work = miner.mine();
    const old = miner.job;
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true, nbits: EASY_NBITS }));
    await settle();
    expect((await miner.submit(work, old)).error).toEqual([21, 'Stale share', null]);
    expect(candidateHeaders()).toEqual([headerOf(old, work).toString('hex')]);
    expect(h.core.shares()).toMatchObject([{ result: 'stale', blockHash: expect.any(String) }]);
  });

  it('stale by several blocks', async () => {
    const miner = await begin();
    const work = miner.mine();
    const old = miner.job;
    for (let tip = 2; tip < 9; tip++) h.core.publish(makeJob({ id: tip, tip, clean: true, nbits: EASY_NBITS }));
    await settle();
    expect((await miner.submit(work, old)).error).toEqual([21, 'Stale share', null]);
    expect(h.core.candidates).toHaveLength(1);
  });

  it('unauthorized worker', async () => {
    const miner = await begin();
    expect((await miner.submit(miner.mine(), miner.job, 'nobody')).error).toEqual([24, 'Unauthorized worker', null]);
    expect(h.core.candidates).toMatchObject([{ worker: 'nobody', account: 'alice' }]);
  });

  it('a resumed session that has not authorized', async () => {
    const first = await begin();
    const params = first.params(first.mine());
    first.connection.destroy();
    await settle();
    const miner = h.connect();
    await miner.subscribe(first.sessionId);
    expect((await miner.call('mining.submit', params)).error).toEqual([24, 'Unauthorized worker', null]);
    expect(h.core.candidates).toHaveLength(1);
  });

  it.each([
    ['refuses', () => reject('unauthorized', 'suspended')],
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['hangs', () => new Promise<undefined>(() => {})],
  ])('a beforeShare hook that %s', async (_name, hook) => {
    const miner = await begin();
    h.server.hook('beforeShare', hook);
    const id = 700;
    miner.send({ id, method: 'mining.submit', params: miner.params(miner.mine()) });
    await settle();
    expect(h.core.candidates).toHaveLength(1);
    await h.clock.advanceAsync(11_000);
    expect((await miner.answer(id)).error).not.toBeNull();
    expect(h.core.candidates).toHaveLength(1);
  });

  it.each([
    ['refuses', () => reject('other', 'closed')],
    ['hangs', () => new Promise<undefined>(() => {})],
  ])('an onRequest hook that %s', async (_name, hook) => {
    const miner = await begin();
    h.server.hook('onRequest', ({ method }) => (method === 'mining.submit' ? hook() : undefined));
    miner.send({ id: 700, method: 'mining.submit', params: miner.params(miner.mine()) });
    await settle();
    expect(h.core.candidates).toHaveLength(1);
  });

  it('a ban of the account', async () => {
    const miner = await begin();
    const params = miner.params(miner.mine());
    miner.send({ id: 700, method: 'mining.submit', params });
    // The line is read before the ban is: it is judged after it.
    h.server.hook('beforeShare', () => {
      h.server.bans.add('account', 'alice', { reason: 'test' });
    });
    expect((await miner.answer(700)).error).toEqual([24, 'Banned', null]);
    expect(h.core.candidates).toHaveLength(1);
    await settle();
    expect(miner.closed).toBe(true);
  });

  it.each([
    ['low', job.minTime - 1000],
    ['high', 1_700_000_000 + 10_000],
  ])('an ntime that is too %s', async (_name, seconds) => {
    const miner = await begin();
    const work = miner.mine({ ntime: seconds.toString(16).padStart(8, '0') });
    expect((await miner.submit(work)).error).toMatchObject([20, expect.stringMatching(/^Ntime too/), null]);
    expect(h.core.candidates).toHaveLength(1);
  });

  it('a session that has gone before the verdict', async () => {
    const miner = await begin();
    miner.send({ id: 700, method: 'mining.submit', params: miner.params(miner.mine()) });
    await Promise.resolve();
    miner.connection.end();
    await settle();
    expect(h.core.candidates).toHaveLength(1);
    expect(h.core.accepted()).toHaveLength(1);
  });

  it('a full duplicate set', async () => {
    const miner = await begin({ options: { difficulty: 1e-9, limits: { duplicatesPerJob: 2 } } });
    const old = miner.job;
    for (let i = 0; i < 2; i++) expect((await miner.submit(miner.mine({ job: old }), old)).result).toBe(true);
    const answer = await miner.submit(miner.mine({ job: old }), old);
    expect(answer.error).toEqual([20, 'Too many shares for one job', null]);
    expect(h.core.candidates).toHaveLength(3);
  });
});

describe('without a bus', () => {
  it('a block is an event', async () => {
    const { createServer } = await import('../src/index.js');
    const { createMemoryPair } = await import('@headframe/transport/testing');
    const { FakeClock } = await import('@headframe/primitives/testing');
    const { Miner: TestMiner } = await import('./harness.js');
    h = await harness({ job });
    const clock = new FakeClock(1_700_000_000_000);
    const server = createServer({ difficulty: 1e-8, instance: 3 }, { clock });
    const blocks: string[] = [];
    server.on('blockCandidate', ({ worker }) => blocks.push(worker));
    server.publishJob(job);
    const { client, server: end } = createMemoryPair({ clock });
    server.attach(end);
    const miner = await new TestMiner(client).start();
    expect(miner.extranonce1).toMatch(/^03/);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(blocks).toEqual(['alice.rig1']);
    await server.close({ drainMs: 0 });
  });
});
