import { reject } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { type Harness, harness } from './harness.js';

let h: Harness<{ readonly id: string }>;
afterEach(() => h.close());

const job = makeJob({ id: 0x1a, clean: true });

describe('the reference handshake of a Bitaxe', () => {
  it('byte for byte, everything in one segment', async () => {
    const printed = makeJob({ id: 0x1a, clean: true, ntime: 0x67890abc, nbits: 0x17023a04 });
    h = await harness({ job: printed, options: { difficulty: { start: 1000, min: 1000 } } });
    const miner = h.connect();
    miner.send(
      '{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}',
      '{"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.9.0"]}',
      '{"id":3,"method":"mining.authorize","params":["bc1qexample.rig","x"]}',
    );
    await miner.answer(3);
    await settle();
    const session = /"mining.notify","([0-9a-f]{32})"/.exec(miner.raw[1] ?? '')?.[1];
    const extranonce1 = /"(07[0-9a-f]{6})",8\]/.exec(miner.raw[1] ?? '')?.[1];
    const notify = miner.raw[4] ?? '';
    expect(miner.writes).toEqual([
      '{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}\n' +
        `{"id":2,"result":[[["mining.set_difficulty","${session}"],["mining.notify","${session}"]],"${extranonce1}",8],"error":null}\n` +
        '{"id":3,"result":true,"error":null}\n' +
        '{"id":null,"method":"mining.set_difficulty","params":[1000]}\n' +
        `${notify}\n`,
    ]);
    expect(notify).toMatch(
      /^\{"id":null,"method":"mining.notify","params":\["0000001a","[0-9a-f]{64}","[0-9a-f]+","[0-9a-f]+",\["[0-9a-f]{64}","[0-9a-f]{64}"\],"20000000","17023a04","67890abc",true\]\}$/,
    );
    miner.send('{"id":4,"method":"mining.suggest_difficulty","params":[1000]}');
    await miner.answer(4);
    await settle();
    expect(miner.raw.slice(5)).toEqual(['{"id":4,"result":true,"error":null}']);
    expect([...h.server.sessions][0]?.agent).toBe('bitaxe/BM1370/v2.9.0');
  });

  it('the share after it', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.call('mining.configure', [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }]);
    await miner.start();
    const work = miner.mine({ bits: 0x00a2c000 });
    miner.send({ id: 5, method: 'mining.submit', params: [...miner.params(work), '00a2c000'] });
    await miner.answer(5);
    expect(miner.raw.at(-1)).toBe('{"id":5,"result":true,"error":null}');
  });
});

describe('order of the handshake', () => {
  it('authorize before subscribe: work comes when both are done', async () => {
    h = await harness({ job });
    const miner = h.connect();
    expect((await miner.authorize()).result).toBe(true);
    await settle();
    expect(miner.lines).toHaveLength(1);
    await miner.subscribe();
    await settle();
    expect(miner.lines.map((line) => line.method)).toEqual([
      undefined,
      undefined,
      'mining.set_difficulty',
      'mining.notify',
    ]);
  });

  it('a repeated subscribe gets the same answer', async () => {
    h = await harness({ job });
    const miner = h.connect();
    const first = await miner.subscribe();
    await miner.authorize();
    const again = await miner.call('mining.subscribe', ['other/2', first.result]);
    expect(again.result).toEqual(first.result);
    await settle();
    expect(miner.jobs).toHaveLength(1);
  });

  it('several sessions never share an extranonce or a session id', async () => {
    h = await harness({ job });
    const miners = await Promise.all(Array.from({ length: 50 }, () => h.connect().start()));
    expect(new Set(miners.map((miner) => miner.extranonce1)).size).toBe(50);
    expect(new Set(miners.map((miner) => miner.sessionId)).size).toBe(50);
    for (const miner of miners) expect(miner.extranonce1).toMatch(/^07/);
  });

  it('a slow authorize holds back nothing but what depends on it', async () => {
    let answer: (account: { id: string }) => void = () => {};
    h = await harness({
      job,
      options: { authorize: () => new Promise<{ id: string }>((resolve) => (answer = resolve)) },
    });
    const miner = h.connect();
    miner.send(
      { id: 1, method: 'mining.subscribe', params: [] },
      { id: 2, method: 'mining.authorize', params: ['alice.rig1', 'x'] },
      { id: 3, method: 'mining.ping', params: [] },
      { id: 4, method: 'mining.submit', params: ['alice.rig1', 'ffffffff', '00'.repeat(8), '67890abc', '00000000'] },
    );
    await settle();
    expect(miner.lines.map((line) => line.id)).toEqual([1]);
    answer({ id: 'alice' });
    await miner.answer(4);
    await settle();
    expect(miner.lines.map((line) => line.id ?? line.method)).toEqual([
      1,
      2,
      3,
      'mining.set_difficulty',
      'mining.notify',
      4,
    ]);
    expect(miner.lines[5]?.error).toEqual([21, 'Job not found', null]);
  });

  it('a share of a worker whose authorize is under way waits for it', async () => {
    let answer: (account: { id: string }) => void = () => {};
    h = await harness({
      job,
      options: {
        authorize: ({ username }) =>
          username.endsWith('2')
            ? new Promise<{ id: string }>((resolve) => (answer = resolve))
            : Promise.resolve({ id: 'alice' }),
      },
    });
    const miner = h.connect();
    await miner.start();
    const work = miner.mine();
    miner.send(
      { id: 50, method: 'mining.authorize', params: ['alice.rig2', 'x'] },
      { id: 51, method: 'mining.submit', params: miner.params(work, miner.job, 'alice.rig2') },
    );
    await settle();
    expect(miner.lines.some((line) => line.id === 51)).toBe(false);
    answer({ id: 'alice' });
    expect((await miner.answer(51)).result).toBe(true);
    expect(h.core.accepted()[0]?.worker).toBe('alice.rig2');
  });
});

describe('authorize', () => {
  it('many workers on one session; a later one gets only its reply', async () => {
    h = await harness({ job });
    const miner = h.connect();
    await miner.start();
    const before = miner.lines.length;
    expect((await miner.authorize('bob.rig2', 'd=5')).result).toBe(true);
    await settle();
    expect(miner.lines).toHaveLength(before + 1);
    for (const [worker, account] of [
      ['alice.rig1', 'alice'],
      ['bob.rig2', 'bob'],
      [' bob.rig2 ', 'bob'],
      ['BOB.rig2', 'bob'],
    ] as const) {
      expect((await miner.submit(miner.mine(), miner.job, worker)).result, worker).toBe(true);
      expect(h.core.accepted().at(-1)?.account).toBe(account);
    }
  });

  it('a worker that the program forgets hands in no more shares; the others do', async () => {
    h = await harness({ job });
    const miner = await h.connect().start();
    await miner.authorize('bob.rig2');
    const [session] = [...h.server.sessions];
    if (session === undefined) throw new Error('no session');
    const channel = h.server.channelOf(session);
    expect(h.server.stats().workers).toBe(2);
    expect(h.server.mining.forgetWorker(channel, 'bob.rig2')).toBe(true);
    expect(h.server.mining.forgetWorker(channel, 'bob.rig2')).toBe(false);
    expect(h.server.stats().workers).toBe(1);
    expect((await miner.submit(miner.mine(), miner.job, 'bob.rig2')).error).toEqual([24, 'Unauthorized worker', null]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    miner.connection.destroy();
    await settle();
    expect(h.server.stats().workers).toBe(0);
  });

  it.each([
    ['rejects', () => reject('unauthorized', 'unknown account'), [24, 'unknown account', null]],
    ['rejects later', () => Promise.resolve(reject('unauthorized')), [24, 'Unauthorized worker', null]],
    ['rejects with text that is not ASCII', () => reject('other', 'd\u00e9sol\u00e9'), [20, 'd\u00e9sol\u00e9', null]],
    [
      'throws',
      () => {
        throw new Error('database is down');
      },
      [20, 'Internal error', null],
    ],
    ['rejects its promise', () => Promise.reject(new Error('secret')), [20, 'Internal error', null]],
    ['finds nobody', () => undefined as unknown as { id: string }, [24, 'Unauthorized worker', null]],
  ] as const)('a handler that %s', async (_name, authorize, error) => {
    h = await harness<{ readonly id: string }>({ job, options: { authorize } });
    const miner = h.connect();
    await miner.subscribe();
    const answer = await miner.authorize();
    expect(answer).toEqual({ id: 11, result: null, error });
    await settle();
    expect(miner.jobs).toHaveLength(0);
    expect(miner.closed).toBe(false);
  });

  it('a handler that hangs is answered for', async () => {
    h = await harness<{ readonly id: string }>({ job, options: { authorize: () => new Promise(() => {}) } });
    const miner = h.connect();
    await miner.subscribe();
    miner.send({ id: 9, method: 'mining.authorize', params: ['a', 'b'] });
    await h.clock.advanceAsync(12_000);
    expect((await miner.answer(9)).error).toEqual([20, 'Timed out', null]);
  });

  it.each([[[]], [null], [{}], [[5]], [['']], [['   ']], [['a'.repeat(128)]], [['a\u0000b']], [[null, 'x']]])(
    'params %j are refused, and nothing breaks',
    async (params) => {
      h = await harness({ job });
      const miner = h.connect();
      await miner.subscribe();
      expect((await miner.call('mining.authorize', params)).error).toMatchObject([20, expect.any(String), null]);
      expect((await miner.authorize()).result).toBe(true);
    },
  );

  it('password options: start, floor and fixed, within the range of the listener', async () => {
    h = await harness({ job, options: { difficulty: { start: 8, min: 2, max: 4096 } } });
    for (const [password, difficulty] of [
      ['x', 8],
      ['d=64', 64],
      ['d=64;md=100', 100],
      ['md=1', 8],
      ['fd=1', 2],
      ['diff=1000000', 4096],
      ['d=0.5', 2],
      ['d=-1', 8],
      ['d=abc,junk', 8],
      ['x,d=64 c=BTC', 64],
    ] as const) {
      const miner = h.connect();
      await miner.subscribe();
      await miner.authorize('alice.rig1', password);
      await settle();
      expect(miner.difficulty, password).toBe(difficulty);
      expect(miner.received('mining.set_difficulty'), password).toHaveLength(1);
    }
  });

  it('a fixed listener stays fixed', async () => {
    h = await harness({ job, options: { difficulty: 32 } });
    const miner = h.connect();
    await miner.subscribe();
    await miner.authorize('alice.rig1', 'd=64,md=100,fd=5');
    await miner.call('mining.suggest_difficulty', [500]);
    await settle();
    expect(miner.difficulty).toBe(32);
    expect(miner.jobs).toHaveLength(1);
  });

  it('a banned account is told so', async () => {
    h = await harness({ job });
    h.server.bans.add('account', 'alice', { reason: 'test' });
    const miner = h.connect();
    await miner.subscribe();
    expect((await miner.authorize()).error).toEqual([24, 'Banned', null]);
    expect((await miner.authorize('bob')).result).toBe(true);
  });
});

describe('the socket', () => {
  it('is only taken when `admit` says so', async () => {
    h = await harness({ job, options: { admit: ({ remoteAddress }) => remoteAddress !== '10.0.0.66' } });
    const bad = h.connect('10.0.0.66');
    bad.send({ id: 1, method: 'mining.subscribe', params: [] });
    await settle();
    expect(bad.closed).toBe(true);
    h.server.decide('admit', () => true);
    await h.connect('10.0.0.66').start();
  });

  it('binary junk and HTTP do no harm', async () => {
    h = await harness({ job });
    const http = h.connect();
    http.connection.start({
      data: (chunk) => http.writes.push(Buffer.from(chunk).toString()),
      drain: () => {},
      closed: () => {
        http.closed = true;
      },
    });
    http.connection.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const junk = h.connect();
    junk.connection.write(Uint8Array.from({ length: 600 }, (_, i) => (i * 73) & 255));
    await settle();
    expect(http.writes.join('')).toMatch(/^HTTP\/1\.1 [\s\S]*X-Stratum: stratum\+tcp:\/\//);
    await h.connect().start();
  });
});
