import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { type Harness, type HarnessOptions, harness, type Miner } from './harness.js';

let h: Harness;
afterEach(() => h.close());

const job = makeJob({ id: 1, clean: true });

async function begin(setup: HarnessOptions<{ readonly id: string }> = {}): Promise<Miner> {
  h = await harness({ job, ...setup });
  return h.connect().start();
}

describe('jobs', () => {
  it('a new block reaches every miner in the tick it comes, clean and in one write each', async () => {
    const first = await begin();
    const miners = [first, ...(await Promise.all(Array.from({ length: 20 }, () => h.connect().start())))];
    const before = miners.map((miner) => miner.writes.length);
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    await Promise.resolve();
    await Promise.resolve();
    for (const [i, miner] of miners.entries()) {
      expect(miner.writes.length - (before[i] ?? 0)).toBe(1);
      expect(miner.job.id).toBe('00000002');
      expect(miner.job.clean).toBe(true);
    }
  });

  it('a new previous block is clean even when the flag was forgotten', async () => {
    const miner = await begin();
    h.core.publish(makeJob({ id: 2, tip: 2, clean: false }));
    await settle();
    expect(miner.job.clean).toBe(true);
  });

  it('a refresh is spread over the interval and cut short by a block', async () => {
    const first = await begin({ options: { refreshSpreadMs: 1_000 } });
    const miners = [first, ...(await Promise.all(Array.from({ length: 39 }, () => h.connect().start())))];
    const reached = (id: string) => miners.filter((miner) => miner.job.id === id).length;
    h.core.publish(makeJob({ id: 2 }));
    await settle();
    expect(reached('00000002')).toBe(2);
    await h.clock.advanceAsync(450, 50);
    expect(reached('00000002')).toBe(20);
    h.core.publish(makeJob({ id: 3, tip: 2, clean: true }));
    await settle();
    expect(reached('00000003')).toBe(40);
    await h.clock.advanceAsync(2_000, 50);
    expect(reached('00000003')).toBe(40);
    h.core.publish(makeJob({ id: 4, tip: 2 }));
    await h.clock.advanceAsync(1_000, 50);
    expect(reached('00000004')).toBe(40);
    expect(miners.every((miner) => !miner.job.clean)).toBe(true);
  });

  it('a reader that is behind gets only the newest, with `clean` kept', async () => {
    const miner = await begin({ options: { difficulty: { start: 1e-8, min: 1e-8, max: 1 } } });
    miner.connection.freeze();
    // Fills the socket, so that what follows has to wait.
    h.server.notifyAll('client.show_message', ['x'.repeat(70_000)]);
    await settle();
    const before = miner.jobs.length;
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    for (const session of h.server.sessions) h.server.setDifficulty(session, 2e-8);
    h.core.publish(makeJob({ id: 3, tip: 2 }));
    await settle();
    miner.connection.thaw();
    await settle();
    expect(miner.jobs.slice(before).map(({ id, clean, difficulty }) => [id, clean, difficulty])).toEqual([
      ['00000003', true, 2e-8],
    ]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });

  it('a job without a variant for a miner is logged, and harms nobody else', async () => {
    h = await harness({
      job,
      options: { listeners: [{ port: 0, extranonce2Size: 8 }] },
    });
    const miner = await h.connect().start();
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true, lengths: [16] }));
    await settle();
    expect(miner.jobs).toHaveLength(1);
    h.core.publish(makeJob({ id: 3, tip: 3, clean: true }));
    await settle();
    expect(miner.job.id).toBe('00000003');
  });

  it('publishJob does the same without a bus', async () => {
    const miner = await begin();
    const seen: unknown[] = [];
    h.server.on('job', (event) => seen.push([event.job.id, event.clean]));
    h.server.publishJob(makeJob({ id: 9, tip: 9, clean: true }));
    await settle();
    expect(miner.job.id).toBe('00000009');
    expect(h.server.job?.id).toBe(9);
    expect(seen).toEqual([[9, true]]);
  });

  it('works with no job at all: miners are kept, and served when one comes', async () => {
    h = await harness();
    const miner = h.connect();
    await miner.start();
    expect(miner.jobs).toHaveLength(0);
    h.core.publish(job);
    await settle();
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });
});

describe('vardiff on the wire', () => {
  it('raises a fast miner, step by step, and credits each share by its job', async () => {
    const miner = await begin({ options: { difficulty: { start: 1e-9, min: 1e-9, max: 1e-7, target: 10 } } });
    const retargets: number[] = [];
    h.server.on('retargeted', ({ to }) => retargets.push(to));
    for (let i = 0; i < 40; i++) {
      const { job: current } = miner;
      expect((await miner.submit(miner.mine())).result).toBe(true);
      expect(h.core.accepted().at(-1)?.difficulty).toBe(current.difficulty);
      await h.clock.advanceAsync(200);
    }
    expect(miner.difficulty).toBeGreaterThan(1e-9);
    expect(retargets.at(-1)).toBe(miner.difficulty);
    const ids = miner.jobs.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(miner.jobs.slice(1).every(({ clean }) => !clean)).toBe(true);
  });

  it('lowers a silent one by time alone', async () => {
    const miner = await begin({ options: { difficulty: { start: 1e6, min: 1, target: 10 } } });
    await h.clock.advanceAsync(500_000, 5_000);
    expect(miner.difficulty).toBeLessThan(10);
  });

  it('does not blame a miner for having no job', async () => {
    h = await harness({ options: { difficulty: { start: 1000, min: 1, target: 10 } } });
    const miner = await h.connect().start();
    await h.clock.advanceAsync(500_000, 5_000);
    h.core.publish(job);
    await settle();
    expect(miner.difficulty).toBe(1000);
    await h.clock.advanceAsync(20_000, 5_000);
    expect(miner.difficulty, 'the clock starts with the work').toBe(1000);
  });

  it('never goes above the network, also when that sinks', async () => {
    const easy = (id: number, nbits: number) => makeJob({ id, tip: id, clean: true, nbits });
    const miner = await begin({ job: easy(1, 0x1d00ffff), options: { difficulty: { start: 1024, min: 1e-9 } } });
    expect(miner.difficulty).toBe(1);
    h.core.publish(easy(2, 0x207fffff));
    await settle();
    expect(miner.difficulty).toBeLessThanOrEqual(makeJob({ id: 1, nbits: 0x207fffff }).networkDifficulty * 3);
    expect(miner.received('mining.set_difficulty')).toHaveLength(2);
  });

  it('repeated wishes that change nothing are no message', async () => {
    const miner = await begin({ options: { difficulty: { start: 1e-8, min: 1e-9 } } });
    for (let i = 0; i < 5; i++) {
      expect((await miner.call('mining.suggest_difficulty', [0.00015])).result).toBe(true);
    }
    await settle();
    expect(miner.received('mining.set_difficulty')).toHaveLength(2);
    expect(miner.difficulty).toBe(0.00015);
  });

  it.each([
    ['mining.suggest_difficulty', [512], 512],
    ['mining.suggest_difficulty', ['512.000000'], 512],
    ['mining.suggest_difficulty(512)', [], 512],
    ['mining.suggest_difficulty(512', null, 512],
    ['mining.suggest_difficulty', [1e-30], 2],
    ['mining.suggest_difficulty', [1e30], 4096],
    ['mining.suggest_target', ['0000000000ffff'.padEnd(64, '0')], 256],
    ['mining.suggest_target', ['f'.repeat(64)], 2],
  ])('%s %j gives %d', async (method, params, difficulty) => {
    h = await harness({ job, options: { difficulty: { start: 8, min: 2, max: 4096 } } });
    const miner = h.connect();
    expect((await miner.call(method, params)).result).toBe(true);
    await miner.start();
    expect(miner.difficulty).toBe(difficulty);
    expect(miner.jobs).toHaveLength(1);
  });

  it.each([[[]], [['x']], [[0]], [[-5]], [[null]], [{}]])('a wish of %j is refused', async (params) => {
    const miner = await begin();
    for (const method of ['mining.suggest_difficulty', 'mining.suggest_target']) {
      expect((await miner.call(method, params)).error).toMatchObject([20, expect.any(String), null]);
    }
  });

  it('a minimum difficulty is promised within the range, and kept', async () => {
    h = await harness({ job, options: { difficulty: { start: 8, min: 2, max: 4096, target: 10 } } });
    const miner = h.connect();
    const promise = await miner.call('mining.configure', [['minimum-difficulty'], { 'minimum-difficulty.value': 64 }]);
    expect(promise.result).toEqual({ 'minimum-difficulty': true });
    await miner.start();
    expect(miner.difficulty).toBe(64);
    await h.clock.advanceAsync(500_000, 5_000);
    expect(miner.difficulty).toBe(64);
    const refused = await miner.call('mining.configure', [['minimum-difficulty'], { 'minimum-difficulty.value': 1e9 }]);
    expect(refused.result).toEqual({ 'minimum-difficulty': false });
  });

  it('a wrong policy is refused before anything is opened', async () => {
    h = await harness({ job });
    for (const [difficulty, text] of [
      [1e-30, /listeners\[0\].difficulty: .*lowest/],
      [{ start: 5, min: 10 }, /difficulty.start: is not between/],
      [{ min: 10, max: 5 }, /difficulty.min: is above max/],
      [{ target: 0 }, /difficulty.target/],
      [{ variance: 1 }, /difficulty.variance/],
    ] as const) {
      await expect(harness({ options: { listeners: [{ port: 0, difficulty }] } })).rejects.toThrow(text);
    }
    await expect(harness({ options: { limits: { nonsense: 1 } as object } })).rejects.toThrow(/no limit 'nonsense'/);
    await expect(harness({ options: { limits: { leases: -1 } } })).rejects.toThrow(/leases/);
  });
});

describe('a duplicate set that fills', () => {
  it('moves the channel to fresh work at half, with a higher difficulty, and refuses at the end', async () => {
    const miner = await begin({
      options: { difficulty: { start: 1e-8, min: 1e-8, target: 0.001 }, limits: { duplicatesPerJob: 8 } },
    });
    const old = miner.job;
    for (let i = 0; i < 4; i++) expect((await miner.submit(miner.mine({ job: old }), old)).result).toBe(true);
    await settle();
    expect(miner.job.id).not.toBe(old.id);
    expect(miner.difficulty).toBe(2e-8);
    for (let i = 0; i < 4; i++) expect((await miner.submit(miner.mine({ job: old }), old)).result).toBe(true);
    expect((await miner.submit(miner.mine({ job: old }), old)).error).toEqual([
      20,
      'Too many shares for one job',
      null,
    ]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(h.core.accepted()).toHaveLength(9);
  });
});

describe('what the operator can do', () => {
  it('sets a difficulty for good', async () => {
    const miner = await begin({ options: { difficulty: { start: 1e-8, min: 1e-8, max: 100, target: 10 } } });
    const [session] = [...h.server.sessions];
    if (!session) throw new Error('no session');
    expect(h.server.setDifficulty(session, 50).text).toBe('50');
    expect(h.server.setDifficulty(h.server.channelOf(session), 5000).text).toBe('100');
    await settle();
    expect(miner.difficulty).toBe(100);
    await h.clock.advanceAsync(500_000, 5_000);
    expect(miner.difficulty).toBe(100);
    expect(() => h.server.setDifficulty(session, -1)).toThrow();
  });

  it('gives another extranonce to those who can take it', async () => {
    const miner = await begin();
    const [session] = [...h.server.sessions];
    if (!session) throw new Error('no session');
    expect(h.server.renewExtranonce(session)).toBe(false);
    await miner.call('mining.extranonce.subscribe', []);
    const { extranonce1, job: old } = miner;
    const work = miner.mine();
    expect(h.server.renewExtranonce(session)).toBe(true);
    await settle();
    expect(miner.extranonce1).not.toBe(extranonce1);
    expect(miner.writes.at(-1)).toMatch(/mining\.set_extranonce.*\n.*mining\.notify.*true\]\}\n$/);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect((await miner.submit(work, old)).result, 'old work keeps the old one').toBe(true);
  });

  it('asks, tells, sends away', async () => {
    const miner = await begin();
    const [session] = [...h.server.sessions];
    if (!session) throw new Error('no session');
    const version = session.request('client.get_version', []);
    await settle();
    const [asked] = miner.received('client.get_version');
    miner.send({ id: asked?.id, result: 'cgminer/4.11.1', error: null });
    expect(await version).toBe('cgminer/4.11.1');
    const ping = h.server.channelOf(session).request('mining.ping', []);
    await settle();
    miner.send({ id: miner.received('mining.ping')[0]?.id, result: null, error: [20, 'no', null] });
    await expect(ping).rejects.toMatchObject({ code: 'request_failed' });
    expect(h.server.notifyAll('client.show_message', ['hi'], (one) => one.id === session.id)).toBe(1);
    h.server.reconnect(session);
    h.server.reconnect(session, { host: 'other.example', port: 3333, waitSeconds: 5 });
    await settle();
    expect(miner.received('client.show_message')[0]?.params).toEqual(['hi']);
    expect(miner.received('client.reconnect').map(({ params }) => params)).toEqual([
      [],
      ['other.example', '3333', '5'],
    ]);
    const never = expect(session.request('client.get_version', [])).rejects.toMatchObject({
      code: 'connection_closed',
    });
    h.server.kick(session);
    await settle();
    await never;
    expect(miner.closed).toBe(true);
  });

  it('announces the version mask when told to', async () => {
    h = await harness({ job, options: { announceVersionMask: true, versionMask: 0x00ffe000 } });
    const miner = h.connect();
    const answer = await miner.call('mining.configure', [['version-rolling'], {}]);
    expect(answer.result).toEqual({ 'version-rolling': true, 'version-rolling.mask': '00ffe000' });
    await miner.start();
    expect(miner.mask).toBe(0x00ffe000);
    expect(miner.lines.slice(-3).map(({ method }) => method)).toEqual([
      'mining.set_version_mask',
      'mining.set_difficulty',
      'mining.notify',
    ]);
  });
});

describe('the rest of the methods', () => {
  it.each([
    ['mining.ping', [], 'pong'],
    ['mining.extranonce.subscribe', [], true],
    ['mining.multi_version', [1], true],
    ['mining.hashrate', ['0x1', 'id'], true],
    ['mining.submit_hashrate', [1, 'id'], true],
    ['eth_submitHashrate', [1, 'id'], true],
    ['mining.capabilities', [{}], null],
    ['mining.pong', [], null],
    ['pong', {}, null],
    ['mining.get_version', [], 'headframe'],
    ['agent.get_capabilities', [], { capabilities: [] }],
  ])('%s', async (method, params, result) => {
    const miner = await begin();
    expect(await miner.call(method, params)).toMatchObject({ result, error: null });
  });

  it('configure answers what was asked and nothing else', async () => {
    const miner = await begin();
    for (const [params, result] of [
      [
        [['version-rolling'], { 'version-rolling.mask': '1fffe000', 'version-rolling.min-bit-count': 16 }],
        { 'version-rolling': true, 'version-rolling.mask': '1fffe000' },
      ],
      [[['subscribe-extranonce', 'info'], { 'info.hw-id': 'x' }], { 'subscribe-extranonce': true, info: true }],
      [[['unknown']], { unknown: false }],
      [[[]], {}],
    ] as const) {
      expect((await miner.call('mining.configure', params)).result).toEqual(result);
    }
  });

  it('get_transactions asks the core, once per job', async () => {
    const miner = await begin();
    h.bus.answer('transactions', ({ jobId }) => (jobId === 1 ? [Uint8Array.of(1, 2), Uint8Array.of(255)] : null));
    const { id } = miner.job;
    expect((await miner.call('mining.get_transactions', [id], 'txlist1')).result).toEqual(['0102', 'ff']);
    expect((await miner.call('mining.get_transactions', [id])).error).toEqual([20, 'Too many requests', null]);
    expect((await miner.call('mining.get_transactions', ['77'])).error).toEqual([21, 'Job not found', null]);
    h.core.publish(makeJob({ id: 2 }));
    await settle();
    expect((await miner.call('mining.get_txnhashes', [miner.job.id])).error).toEqual([21, 'Job not found', null]);
    expect((await miner.call('mining.get_transactions', [id])).error).toEqual([20, 'Too many requests', null]);
  });

  it('get_transactions is bounded', async () => {
    const miner = await begin({ options: { limits: { transactionsBytes: 100 } } });
    h.bus.answer('transactions', () => [new Uint8Array(200)]);
    expect((await miner.call('mining.get_transactions', [miner.job.id])).error).toEqual([
      20,
      'Too many transactions',
      null,
    ]);
  });

  it('get_txnhashes', async () => {
    const miner = await begin();
    h.bus.answer('transactions', () => [new TextEncoder().encode('abc')]);
    expect((await miner.call('mining.get_txnhashes', [miner.job.id])).result).toEqual([
      Buffer.from('4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358', 'hex').reverse().toString('hex'),
    ]);
  });
});
