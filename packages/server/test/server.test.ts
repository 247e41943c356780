import { createConnection } from 'node:net';
import { createDirectBus, type JobRecord } from '@headframe/mining';
import { reject } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createMemoryPair } from '@headframe/transport/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createServer, type DefaultAccount, type MiningServer } from '../src/index.js';
import { makeJob } from './fixtures.js';
import { harness, Miner } from './harness.js';

interface Account {
  readonly id: number;
  readonly suspended: boolean;
}

describe('types', () => {
  it('the account is what authorize returns', () => {
    const accounts = new Map<string, Account>();
    const server = createServer({
      authorize: ({ username }) => accounts.get(username) ?? reject('unauthorized', 'unknown account'),
    });
    expectTypeOf(server).toEqualTypeOf<MiningServer<Account>>();
    server.on('share', ({ account }) => expectTypeOf(account).toEqualTypeOf<Account>());
    server.on('rejected', ({ account }) => expectTypeOf(account).toEqualTypeOf<Account | undefined>());
    server.hook('beforeShare', ({ account }) => {
      expectTypeOf(account).toEqualTypeOf<Account>();
      return account.suspended ? reject('unauthorized', 'suspended') : undefined;
    });
    server.hook('onRequest', ({ account, method }) => {
      expectTypeOf(account).toEqualTypeOf<Account | undefined>();
      expectTypeOf(method).toEqualTypeOf<string>();
    });
    // @ts-expect-error there is no such event
    server.on('shares', () => {});
    // @ts-expect-error listeners get the account type of the server
    server.on('share', ({ account }) => account.balance);
    server.destroy();
  });

  it('an asynchronous handler gives the same type', () => {
    const server = createServer({
      authorize: async ({ username }): Promise<Account | ReturnType<typeof reject>> =>
        username === 'x' ? reject('unauthorized') : { id: 1, suspended: false },
    });
    expectTypeOf(server).toEqualTypeOf<MiningServer<Account>>();
    server.destroy();
  });

  it('without a handler there is a default account', () => {
    const server = createServer({});
    expectTypeOf(server).toEqualTypeOf<MiningServer<DefaultAccount>>();
    server.destroy();
  });

  it('a method gets what its schema returns', () => {
    const server = createServer({});
    server.method('vendor.add', {
      params: sumSchema,
      handler: ({ params, channel }) => {
        expectTypeOf(params).toEqualTypeOf<readonly number[]>();
        return params.length + channel.workers.size;
      },
    });
    server.destroy();
  });
});

/** A Standard Schema by hand: a list of numbers. */
const sumSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) =>
      Array.isArray(value) && value.every((item): item is number => typeof item === 'number')
        ? { value: value as readonly number[] }
        : { issues: [{ message: 'expected numbers' }] },
  },
} as const;

describe('methods of one\u2019s own', () => {
  it('any name, checked by its schema', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    h.server.method('vendor.add', {
      params: sumSchema,
      phase: 'authorized',
      handler: ({ params, account }) => ({ sum: params.reduce((a, b) => a + b, 0), for: account?.id }),
    });
    const miner = h.connect();
    expect((await miner.call('vendor.add', [1, 2])).error).toEqual([24, 'Unauthorized worker', null]);
    await miner.start();
    expect((await miner.call('vendor.add', [1, 2])).result).toEqual({ sum: 3, for: 'alice' });
    expect((await miner.call('vendor.add', ['x'])).error).toMatchObject([20, expect.stringMatching(/numbers/), null]);
    await h.close();
  });

  it('every built-in one can be replaced, and put back', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    const miner = await h.connect().start();
    const seen: unknown[] = [];
    const undo = h.server.method('mining.submit', {
      phase: 'authorized',
      handler: ({ params }) => {
        seen.push(params);
        return reject('other', 'closed for lunch');
      },
    });
    const work = miner.mine();
    expect((await miner.submit(work)).error).toEqual([20, 'closed for lunch', null]);
    expect(seen).toEqual([miner.params(work)]);
    undo();
    expect((await miner.submit(work)).result).toBe(true);
    await h.close();
  });

  it('a login of one\u2019s own may take the place of subscribe and authorize', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    h.server.method('login', {
      changesPhase: true,
      handler: async (context) => {
        const [name]: readonly unknown[] = Array.isArray(context.params) ? context.params : [];
        await Promise.resolve();
        const subscribed = context.subscribe();
        if ('code' in subscribed) return subscribed;
        const answer = context.authorize(String(name), { id: `own-${name}` });
        if (answer !== true) return answer;
        return [[['mining.notify', subscribed.sessionId]], Buffer.from(subscribed.extranonce1).toString('hex'), 8];
      },
    });
    const miner = h.connect();
    miner.takeSubscription((await miner.call('login', ['carol'])).result);
    await settle();
    expect(miner.lines.map(({ method }) => method)).toEqual([undefined, 'mining.set_difficulty', 'mining.notify']);
    // The job came with the very reply that named the extranonce.
    const job = { ...miner.job, extranonce1: miner.extranonce1 };
    expect((await miner.submit(miner.mine({ job }), job, 'carol')).result).toBe(true);
    expect(h.core.accepted()[0]?.account).toBe('own-carol');
    await h.close();
  });

  it('plugins are functions, decisions can be set later, session state is theirs', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    h.server.use(
      (server, options: { readonly only: string }) => {
        server.decide('authorize', ({ username }) =>
          username.startsWith(options.only) ? { id: username } : reject('unauthorized', 'not here'),
        );
      },
      { only: 'alice' },
    );
    const miner = h.connect();
    await miner.subscribe();
    expect((await miner.authorize('bob')).error).toEqual([24, 'not here', null]);
    expect((await miner.authorize('alice')).result).toBe(true);
    expect(() => h.server.decide('nothing' as 'admit', () => true)).toThrow(/no question/);
    await h.close();
  });
});

describe('events', () => {
  it('tell the life of a session', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    const seen: string[] = [];
    for (const event of ['connected', 'subscribed', 'authorized', 'share', 'rejected', 'closed'] as const) {
      h.server.on(event, () => seen.push(event));
    }
    h.server.on('share', () => {
      throw new Error('a listener that fails harms nobody');
    });
    const miner = await h.connect().start();
    await miner.submit(miner.mine());
    await miner.submit(miner.mine({ below: miner.difficulty }));
    miner.connection.destroy();
    await settle();
    expect(seen).toEqual(['connected', 'subscribed', 'authorized', 'share', 'rejected', 'closed']);
    await h.close();
  });

  it('say what was accepted and what was refused', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    const seen: object[] = [];
    h.server.on('share', ({ account, worker, difficulty, jobId, height }) =>
      seen.push({ account, worker, difficulty, jobId, height }),
    );
    h.server.on('rejected', ({ account, worker, code, reason, difficulty, jobId }) =>
      seen.push({ account, worker, code, reason, difficulty, jobId }),
    );
    const miner = await h.connect().start();
    const work = miner.mine();
    await miner.submit(work);
    await miner.submit(work);
    await miner.submit(miner.mine(), miner.job, 'nobody');
    await miner.call('mining.submit', ['alice.rig1', 'ff', '00', '00', '00']);
    expect(seen).toEqual([
      { account: { id: 'alice' }, worker: 'alice.rig1', difficulty: 1e-8, jobId: 1, height: 101 },
      {
        account: { id: 'alice' },
        worker: 'alice.rig1',
        code: 'duplicate',
        reason: undefined,
        difficulty: 1e-8,
        jobId: 1,
      },
      { account: undefined, worker: 'nobody', code: 'unauthorized', reason: undefined, difficulty: 1e-8, jobId: 1 },
      {
        account: { id: 'alice' },
        worker: 'alice.rig1',
        code: 'job-not-found',
        reason: undefined,
        difficulty: 0,
        jobId: 255,
      },
    ]);
    const { accepted, rejected, work: done } = h.server.stats().shares;
    expect({ accepted, rejected, done }).toEqual({
      accepted: 1,
      rejected: { duplicate: 1, unauthorized: 1, 'job-not-found': 1 },
      done: 1e-8,
    });
    await h.close();
  });

  it('pass on what the core says of blocks', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }) });
    const seen: string[] = [];
    h.server.on('block', ({ hash }) => seen.push(`block ${hash}`));
    h.server.on('blockMatured', ({ hash }) => seen.push(`matured ${hash}`));
    h.server.on('blockOrphaned', ({ hash }) => seen.push(`orphaned ${hash}`));
    const outcome = {
      height: 1,
      account: 'a',
      worker: 'a',
      reward: 1n,
      confirmations: 1,
      nodes: {},
      timeMs: 0,
    };
    for (const [hash, status] of [
      ['a', 'candidate'],
      ['b', 'confirmed'],
      ['c', 'matured'],
      ['d', 'orphaned'],
      ['e', 'rejected'],
    ] as const) {
      h.bus.publish('block', { ...outcome, hash, status });
    }
    expect(seen).toEqual(['block b', 'matured c', 'orphaned d']);
    await h.close();
  });
});

describe('bad shares', () => {
  it('lead to a ban that other miners behind the address do not share', async () => {
    const h = await harness({
      job: makeJob({ id: 1, clean: true }),
      options: { bans: { minBad: 10 } },
    });
    const good = h.connect();
    good.worker = 'good.rig';
    await good.start();
    for (let i = 0; i < 40; i++) await good.submit(good.mine());
    const bad = h.connect();
    bad.worker = 'bad.rig';
    await bad.start();
    for (let i = 0; i < 20 && !bad.closed; i++) {
      bad.send({ id: i, method: 'mining.submit', params: bad.params(bad.mine({ below: bad.difficulty })) });
      await settle();
    }
    expect(bad.closed).toBe(true);
    expect(bad.lines.filter(({ error }) => Array.isArray(error) && error[0] === 23).length).toBe(10);
    expect(h.server.bans.list()).toMatchObject([{ scope: 'account', key: 'bad' }]);
    expect((await good.submit(good.mine())).result).toBe(true);
    await h.close();
  });

  it('a block change makes nobody bad', async () => {
    const h = await harness({ job: makeJob({ id: 1, clean: true }), options: { bans: { minBad: 5 } } });
    const miner = await h.connect().start();
    const { job } = miner;
    const works = Array.from({ length: 20 }, () => miner.mine());
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    await settle();
    for (const work of works) expect((await miner.submit(work, job)).error).toEqual([21, 'Stale share', null]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    await h.close();
  });
});

describe('accounts', () => {
  it.each([
    ['text', 'carol', { account: 'carol', address: '' }],
    ['a number', 42, { account: '42', address: '' }],
    ['an object with id and address', { id: 7, address: 'bc1q' }, { account: '7', address: 'bc1q' }],
    ['an object with an address', { address: 'bc1q' }, { account: 'bc1q', address: 'bc1q' }],
  ])('%s is booked under its key', async (_name, account, booked) => {
    const h = await harness<unknown>({ job: makeJob({ id: 1, clean: true }), options: { authorize: () => account } });
    const miner = await h.connect().start();
    await miner.submit(miner.mine());
    expect(h.core.accepted()).toMatchObject([booked]);
    await h.close();
  });

  it('or by functions for it', async () => {
    const h = await harness<{ readonly row: number }>({
      job: makeJob({ id: 1, clean: true }),
      options: {
        authorize: () => ({ row: 5 }),
        accountKey: ({ row }) => `row-${row}`,
        accountAddress: ({ row }) => `address-${row}`,
      },
    });
    const miner = await h.connect().start();
    await miner.submit(miner.mine());
    expect(h.core.accepted()).toMatchObject([{ account: 'row-5', address: 'address-5' }]);
    await h.close();
  });
});

describe('over TCP', () => {
  it('listens, serves, closes', async () => {
    const server = createServer({ listeners: [{ host: '127.0.0.1', port: 0, difficulty: 2.32831e-10 }] });
    const nowS = Math.floor(Date.now() / 1000);
    const job: JobRecord = makeJob({ id: 1, clean: true, ntime: nowS });
    server.publishJob(job);
    const [listener] = await server.listen();
    const socket = createConnection({ host: '127.0.0.1', port: listener?.port ?? 0 });
    const lines: string[] = [];
    let text = '';
    const until = (count: number) =>
      new Promise<void>((resolve, fail) => {
        const look = () => {
          if (lines.length >= count) {
            socket.off('data', look);
            resolve();
          }
        };
        socket.on('data', look);
        socket.once('error', fail);
        look();
      });
    socket.on('data', (chunk) => {
      text += chunk.toString();
      const parts = text.split('\n');
      text = parts.pop() ?? '';
      lines.push(...parts);
    });
    socket.write(
      '{"id":1,"method":"mining.subscribe","params":[]}\n{"id":2,"method":"mining.authorize","params":["a"]}\n',
    );
    await until(4);
    const ntime = nowS.toString(16).padStart(8, '0');
    const submits = Array.from(
      { length: 100 },
      (_, i) =>
        `{"id":${i + 10},"method":"mining.submit","params":["a","00000001","0000000000000000","${ntime}","${i.toString(16)}"]}\n`,
    );
    socket.write(submits.join(''));
    await until(104);
    expect(lines.slice(4).filter((line) => line.includes('"result":true')).length).toBeGreaterThan(95);
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await server.close({ drainMs: 2_000 });
    socket.end();
    await ended;
    await expect(server.listen()).rejects.toMatchObject({ code: 'closed' });
  });

  it('refuses a listener it cannot open', async () => {
    const server = createServer({ listeners: [{ host: '256.0.0.1', port: 0 }] });
    await expect(server.listen()).rejects.toMatchObject({ code: 'listen_failed' });
    await server.close();
  });
});

describe('joining the core', () => {
  it('waits for it, and gives out no extranonce before', async () => {
    const clock = new FakeClock(1_700_000_000_000);
    const bus = createDirectBus();
    let ready = false;
    bus.answer('join', ({ edge }) => {
      if (!ready) throw new Error('starting');
      expect(edge).toBe('edge-7');
      return { instance: 0x55, job: makeJob({ id: 1, clean: true }) };
    });
    const server = createServer({ edge: 'edge-7', difficulty: 1e-8 }, { clock, bus });
    const listening = server.listen();
    await settle();
    const connect = () => {
      const { client, server: end } = createMemoryPair({ clock });
      server.attach(end);
      return new Miner(client);
    };
    expect((await connect().call('mining.subscribe', [])).error).toEqual([20, 'No extranonce to give', null]);
    ready = true;
    await clock.advanceAsync(2_000);
    await listening;
    const miner = await connect().start();
    expect(miner.extranonce1).toMatch(/^55/);
    expect(miner.jobs).toHaveLength(1);
    server.destroy();
  });
});
