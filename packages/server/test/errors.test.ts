import { reject } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { type Harness, harness } from './harness.js';

let h: Harness;
afterEach(() => h.close());

const job = makeJob({ id: 1, clean: true });

describe('error codes', () => {
  it('20: an ntime outside the window', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const hex = (seconds: number) => seconds.toString(16).padStart(8, '0');
    const now = Math.floor(h.clock.now() / 1000);
    expect((await miner.submit(miner.mine({ ntime: hex(job.minTime - 1) }))).error).toEqual([
      20,
      'Ntime too old',
      null,
    ]);
    expect((await miner.submit(miner.mine({ ntime: hex(now + 7201) }))).error).toEqual([20, 'Ntime too new', null]);
    expect((await miner.submit(miner.mine({ ntime: hex(job.minTime) }))).result).toBe(true);
    expect((await miner.submit(miner.mine({ ntime: hex(now + 7200) }))).result).toBe(true);
  });

  it('20: fields that are no hex, or too long', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const good = miner.params(miner.mine()) as string[];
    for (const [at, value] of [
      [2, 'xx00000000000000'],
      [3, 'nothex'],
      [3, '000000001'],
      [4, ''],
      [4, '1234567890'],
      [4, 5],
      [1, 7],
      [0, 7],
    ] as const) {
      const params: unknown[] = [...good];
      params[at] = value;
      expect((await miner.call('mining.submit', params)).error, `${at}: ${value}`).toMatchObject([
        20,
        expect.any(String),
        null,
      ]);
    }
    expect((await miner.call('mining.submit', [...good, 'zz'])).error).toMatchObject([20, expect.any(String), null]);
    expect((await miner.call('mining.submit', good)).result).toBe(true);
  });

  it('21: a job that was never given, or is forgotten', async () => {
    h = await harness({ job, options: { limits: { jobsPerChannel: 8 } } });
    const miner = h.connect();
    await miner.start();
    const first = miner.job;
    const work = miner.mine();
    for (const id of ['ffffffff', '0', 'zz', '123456789', '']) {
      const answer = await miner.call('mining.submit', ['alice.rig1', id, ...miner.params(work).slice(2)]);
      expect(answer.error, id).toEqual([21, 'Job not found', null]);
    }
    for (let id = 2; id <= 8; id++) h.core.publish(makeJob({ id }));
    await settle();
    expect((await miner.submit(work, first)).result, 'the eighth newest is still good').toBe(true);
    h.core.publish(makeJob({ id: 9 }));
    await settle();
    expect((await miner.submit(miner.mine({ job: first }), first)).error).toEqual([21, 'Job not found', null]);
  });

  it('21: stale, in other words', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const old = miner.job;
    const work = miner.mine();
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    await settle();
    expect((await miner.submit(work, old)).error).toEqual([21, 'Stale share', null]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(h.core.shares().map((share) => share.result)).toEqual(['stale', 'accepted']);
  });

  it('21: a job of another session is none of ours', async () => {
    h = await harness({ job, options: { difficulty: { start: 1e-8, min: 1e-9 } } });
    const miner = h.connect();
    const other = h.connect();
    await miner.start();
    await other.start();
    await other.call('mining.suggest_difficulty', [1e-9]);
    await settle();
    const theirs = other.job;
    expect((await miner.submit(miner.mine(), theirs)).error).toEqual([21, 'Job not found', null]);
  });

  it('22: duplicate', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const work = miner.mine();
    expect((await miner.submit(work)).result).toBe(true);
    expect((await miner.submit(work)).error).toEqual([22, 'Duplicate share', null]);
  });

  it('23: low difficulty', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const answer = await miner.submit(miner.mine({ below: miner.difficulty }));
    expect(answer.error).toEqual([23, 'Low difficulty share', null]);
    expect(h.core.shares()).toMatchObject([{ result: 'low-difficulty', account: 'alice', difficulty: 1e-8 }]);
  });

  it('24: not authorized: the session, the worker', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.subscribe();
    const params = ['alice.rig1', '00000001', '00'.repeat(8), '6553f100', '00000000'];
    expect((await miner.call('mining.submit', params)).error).toEqual([24, 'Unauthorized worker', null]);
    await miner.authorize();
    await settle();
    const work = miner.mine();
    expect((await miner.submit(work, miner.job, 'mallory')).error).toEqual([24, 'Unauthorized worker', null]);
    expect((await miner.submit(work)).result, 'and the share is not used up').toBe(true);
  });

  it('25: not subscribed', async () => {
    h = await harness({ job });
    const miner = h.connect();
    const params = ['alice.rig1', '00000001', '00'.repeat(8), '6553f100', '00000000'];
    expect((await miner.call('mining.submit', params)).error).toEqual([25, 'Not subscribed', null]);
    await miner.authorize();
    expect((await miner.call('mining.submit', params)).error).toEqual([25, 'Not subscribed', null]);
    expect((await miner.call('mining.get_transactions', ['1'])).error).toEqual([25, 'Not subscribed', null]);
  });

  it('the old negative numbers, when configured', async () => {
    h = await harness({ job, options: { errorCodes: 'legacy' } });
    const miner = h.connect();
    await miner.start();
    expect((await miner.call('no.such', [])).error).toEqual([-3, 'Unknown method', null]);
    expect((await miner.submit(miner.mine({ below: miner.difficulty }))).error).toEqual([
      -23,
      'Low difficulty share',
      null,
    ]);
  });

  it('methods that only we send are not offered', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    expect((await miner.call('mining.notify', [])).error).toEqual([20, 'Not supported', null]);
  });
});

describe('submits that kill other pools', () => {
  it.each([
    [[1, 2, 3, 4]],
    [['a', 'b', 'c', 'd']],
    [null],
    [{}],
    [undefined],
    ['text'],
    [[]],
    [[[], [], [], [], []]],
    [[null, null, null, null, null]],
    [['a', 'b', 'c', 'd', 'e', 'f', 'g']],
    [{ length: 5 }],
  ])('params %j', async (params) => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const answer = await miner.call('mining.submit', params);
    expect(answer.error).toMatchObject([20, expect.any(String), null]);
    for (const method of ['mining.authorize', 'mining.subscribe', 'mining.configure', 'mining.suggest_difficulty']) {
      expect(await miner.call(method, params)).toHaveProperty('error');
    }
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });

  it('200 pipelined in one packet are answered in order', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const before = miner.lines.length;
    const works = Array.from({ length: 200 }, (_, i) =>
      i % 20 === 7 ? miner.mine({ below: miner.difficulty }) : miner.mine(),
    );
    miner.send(...works.map((work, i) => ({ id: 1000 + i, method: 'mining.submit', params: miner.params(work) })));
    await miner.answer(1199);
    const answers = miner.lines.slice(before);
    expect(answers.map((line) => line.id)).toEqual(works.map((_, i) => 1000 + i));
    for (const [i, { result }] of answers.entries()) expect(result).toBe(i % 20 === 7 ? null : true);
    expect(h.core.accepted()).toHaveLength(190);
  });

  it('a share and everything before it in one packet', async () => {
    h = await harness({ job });
    const first = h.connect();
    await first.start();
    const work = first.mine();
    const lost = first.params(work);
    first.connection.destroy();
    await settle();
    const miner = h.connect();
    miner.send(
      { id: 1, method: 'mining.subscribe', params: ['test/1', first.sessionId] },
      { id: 2, method: 'mining.authorize', params: ['alice.rig1', 'x'] },
      { id: 3, method: 'mining.submit', params: lost },
    );
    expect((await miner.answer(3)).result).toBe(true);
    expect(miner.lines.filter(({ method }) => method === undefined).map((line) => line.id)).toEqual([1, 2, 3]);
  });

  it('10,000 worker names under one account', async () => {
    h = await harness({ job, options: { limits: { requestBurst: 1e9, requestBurstPerAddress: 1e9 } } });
    const miner = h.connect();
    await miner.start();
    const names = Array.from({ length: 10_000 }, (_, i) => `alice.w${i}`);
    for (let at = 0; at < names.length; at += 200) {
      miner.send(
        ...names
          .slice(at, at + 200)
          .map((name, i) => ({ id: at + i + 1e6, method: 'mining.authorize', params: [name] })),
      );
      await settle();
    }
    await miner.answer(1e6 + 9_999);
    expect(h.server.stats().workers).toBe(10_001);
    for (const worker of ['alice.rig1', 'alice.w0', 'alice.w9999', 'ALICE.W5000']) {
      expect((await miner.submit(miner.mine(), miner.job, worker)).result, worker).toBe(true);
    }
    expect(h.core.accepted().map((share) => share.account)).toEqual(['alice', 'alice', 'alice', 'alice']);
  });

  it('limits the workers of a session and of the server', async () => {
    h = await harness({ job, options: { limits: { workersPerChannel: 3, workers: 4 } } });
    const miner = h.connect();
    await miner.start();
    expect((await miner.authorize('b')).result).toBe(true);
    expect((await miner.authorize('c')).result).toBe(true);
    expect((await miner.authorize('d')).error).toEqual([20, 'Too many workers', null]);
    expect((await miner.authorize('b')).result, 'again').toBe(true);
    const other = h.connect();
    await other.start();
    expect((await other.authorize('e')).error).toEqual([20, 'Too many workers', null]);
    miner.connection.destroy();
    await settle();
    expect((await other.authorize('e')).result).toBe(true);
  });
});

describe('hooks', () => {
  it('beforeShare refuses by returning, throwing, or later', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const refuse: (() => unknown)[] = [
      () => reject('unauthorized', 'suspended'),
      () => {
        throw new Error('boom');
      },
      () => Promise.resolve(reject('other', 'not today')),
      () => Promise.reject(new Error('later boom')),
    ];
    const errors = [
      [24, 'suspended', null],
      [20, 'Internal error', null],
      [20, 'not today', null],
      [20, 'Internal error', null],
    ];
    for (const [i, hook] of refuse.entries()) {
      const remove = h.server.hook('beforeShare', hook as () => undefined);
      expect((await miner.submit(miner.mine())).error).toEqual(errors[i]);
      remove();
    }
    const seen: unknown[] = [];
    h.server.hook('beforeShare', ({ account, worker, difficulty, jobId }) => {
      seen.push([account.id, worker, difficulty, jobId]);
    });
    h.server.hook('beforeShare', async () => {});
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(seen).toEqual([['alice', 'alice.rig1', 1e-8, 1]]);
  });

  it('one that hangs is answered for, and only so many may hang', async () => {
    h = await harness({ job, options: { limits: { pendingVerdicts: 2 } } });
    h.server.hook('beforeShare', () => new Promise(() => {}));
    const miner = h.connect();
    await miner.start();
    const works = [miner.mine(), miner.mine(), miner.mine()];
    miner.send(...works.map((work, id) => ({ id, method: 'mining.submit', params: miner.params(work) })));
    await h.clock.advanceAsync(11_000);
    expect((await miner.answer(0)).error).toEqual([20, 'Timed out', null]);
    expect((await miner.answer(1)).error).toEqual([20, 'Timed out', null]);
    expect((await miner.answer(2)).error).toEqual([20, 'Server busy', null]);
    expect(h.server.stats().shares.pending).toBe(0);
  });

  it('onRequest and beforeReply see submits, too', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const seen: unknown[] = [];
    const remove = h.server.hook('onRequest', ({ method, channel }) => {
      seen.push(method, channel.workers.size);
      return method === 'mining.submit' ? reject('other', 'closed today') : undefined;
    });
    expect((await miner.submit(miner.mine())).error).toEqual([20, 'closed today', null]);
    remove();
    h.server.hook('beforeReply', ({ method, result }) => {
      seen.push(method, result);
    });
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(seen).toEqual(['mining.submit', 1, 'mining.submit', true]);
    expect(() => h.server.hook('nothing' as 'beforeShare', () => {})).toThrow(/no hook/);
  });
});
