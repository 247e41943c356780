import { isPoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { isStratumError } from '@headframe/stratum-v1';
import { afterEach, describe, expect, it } from 'vitest';
import { type MinerJob, MiningClient, type MiningClientOptions, type StratumEndpoint } from '../src/index.js';
import { FakePool, NOTIFY } from './fake-pool.js';

const open: MiningClient[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});

function setup(options: Partial<MiningClientOptions> = {}): {
  clock: FakeClock;
  pool: FakePool;
  client: MiningClient;
  jobs: MinerJob[];
} {
  const clock = new FakeClock();
  const pool = new FakePool({ clock });
  const client = new MiningClient({
    connect: pool.connect,
    clock,
    random: () => 0.5,
    workers: [{ username: 'alice.rig' }],
    agent: 'test/1',
    ...options,
  });
  const jobs: MinerJob[] = [];
  client.on('job', (job) => jobs.push(job));
  open.push(client);
  return { clock, pool, client, jobs };
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('resolved');
}

describe('MiningClient', () => {
  it('introduces itself in the usual order and keeps the job', async () => {
    const { client, pool, jobs } = setup({ suggestDifficulty: 2 });
    await client.start();
    expect(pool.session.received.map(({ method }) => method)).toEqual([
      'mining.configure',
      'mining.subscribe',
      'mining.authorize',
      'mining.extranonce.subscribe',
      'mining.suggest_difficulty',
    ]);
    expect(pool.session.received.map(({ params }) => params)).toEqual([
      [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }],
      ['test/1'],
      ['alice.rig', 'x'],
      [],
      [2],
    ]);
    expect(client.ready).toBe(true);
    expect(jobs.length).toBe(1);
    expect(client.job).toBe(jobs[0]);
    expect(client.job).toMatchObject({
      jobId: NOTIFY[0],
      difficulty: 0.001,
      extranonce2Size: 8,
      versionMask: 0x1fffe000,
    });
    expect(Buffer.from(client.job?.extranonce1 ?? []).toString('hex')).toBe('0c7ab011');
  });

  it('takes jobs that come in one chunk with the subscribe answer', async () => {
    const { client, pool, jobs } = setup();
    pool.methods.set('mining.subscribe', (_params, session) => {
      queueMicrotask(() => {
        session.push('mining.set_difficulty', [4]);
        session.push('mining.notify', NOTIFY);
      });
      return [[['mining.notify', 's']], 'ffee', 6];
    });
    pool.methods.set('mining.authorize', () => true);
    await client.start();
    expect(jobs[0]).toMatchObject({ difficulty: 4, extranonce2Size: 6, versionMask: 0x1fffe000 });
    expect(Buffer.from(jobs[0]?.extranonce1 ?? []).toString('hex')).toBe('ffee');
  });

  it('sends the handshake in one write when told to', async () => {
    const { client, pool } = setup({ pipeline: true, subscribeExtranonce: false });
    await client.start();
    expect(pool.session.received.map(({ method, id }) => [id, method])).toEqual([
      [1, 'mining.configure'],
      [2, 'mining.subscribe'],
      [3, 'mining.authorize'],
    ]);
  });

  it('mines without extensions where there are none', async () => {
    const { client, pool } = setup();
    pool.methods.delete('mining.configure');
    pool.methods.delete('mining.extranonce.subscribe');
    await client.start();
    expect(client.job?.versionMask).toBe(0);
  });

  it('applies difficulty, extranonce and mask from the next notify on', async () => {
    const { client, pool, jobs } = setup();
    await client.start();
    const first = client.job;
    pool.session.push('mining.set_difficulty', [8]);
    pool.session.push('mining.set_extranonce', ['aabbccdd', 4]);
    pool.session.push('mining.set_version_mask', ['00006000']);
    await settle();
    expect(client.job).toBe(first);
    expect(first?.difficulty).toBe(0.001);
    pool.session.push('mining.notify', ['2', ...NOTIFY.slice(1)]);
    await settle();
    expect(jobs[1]).toMatchObject({ jobId: '2', difficulty: 8, extranonce2Size: 4, versionMask: 0x6000 });
  });

  it('tells of extranonce, mask, difficulty and notices, and of every message', async () => {
    const { client, pool } = setup();
    const seen: unknown[] = [];
    client.on('difficulty', (difficulty) => seen.push(difficulty));
    client.on('extranonce', ({ extranonce1, extranonce2Size }) => seen.push([extranonce1.length, extranonce2Size]));
    client.on('versionMask', (mask) => seen.push(mask));
    client.on('notice', (text) => seen.push(text));
    await client.start();
    expect(seen).toEqual([0.001]);
    client.on('message', ({ method }) => seen.push(method));
    pool.session.push('mining.set_extranonce', ['aabbcc', 4]);
    pool.session.push('mining.set_version_mask', ['00006000']);
    pool.session.push('client.show_message', ['hello']);
    pool.session.send({ id: 7, method: 'vendor.ask', params: [] });
    await settle();
    expect(seen.slice(1)).toEqual([
      'mining.set_extranonce',
      [3, 4],
      'mining.set_version_mask',
      0x6000,
      'client.show_message',
      'hello',
      'vendor.ask',
    ]);
    expect(client.versionMask).toBe(0x6000);
    expect(client.extranonce?.extranonce2Size).toBe(4);
    expect(client.difficulty).toBe(0.001);
  });

  it('keeps its handlers over connections', async () => {
    const { client, pool, clock } = setup();
    client.handle('ask.first', () => null);
    await client.start();
    const remove = client.handle('ask.second', () => 2);
    client.handle('client.get_version', () => 'mine');
    const ask = async (): Promise<unknown[]> => {
      const { session } = pool;
      for (const [id, method] of ['ask.first', 'ask.second', 'client.get_version'].entries()) {
        session.send({ id: `s${id}`, method, params: [] });
      }
      await settle();
      return session.received.slice(-3).map(({ result, error }) => error ?? result);
    };
    expect(await ask()).toEqual([null, 2, 'mine']);
    pool.session.connection.destroy();
    await clock.advanceAsync(1000);
    expect(await ask()).toEqual([null, 2, 'mine']);
    remove();
    expect(await ask()).toEqual([null, [20, 'Unknown method', null], 'mine']);
  });

  it('knows which jobs are current, live and stale', async () => {
    const { client, pool } = setup();
    expect(client.jobStatus(NOTIFY[0])).toBe('unknown');
    await client.start();
    const push = async (jobId: string, clean: boolean): Promise<void> => {
      pool.session.push('mining.notify', [jobId, ...NOTIFY.slice(1, 8), clean]);
      await settle();
    };
    await push('2', false);
    expect([NOTIFY[0], '2', '3'].map((id) => client.jobStatus(id))).toEqual(['live', 'current', 'unknown']);
    await push('3', true);
    expect([NOTIFY[0], '2', '3'].map((id) => client.jobStatus(id))).toEqual(['stale', 'stale', 'current']);
  });

  it('does not submit or authorize before it is introduced', async () => {
    const { client, pool } = setup();
    const share = { jobId: '1', extranonce2: new Uint8Array(8), ntime: 1, nonce: 1, versionBits: undefined };
    const code = async (promise: Promise<unknown>): Promise<string> => {
      const error = await errorOf(promise);
      return isPoolError(error) ? error.code : 'none';
    };
    expect(await code(client.submit(share))).toBe('connection_closed');
    expect(await code(client.authorize({ username: 'bob' }))).toBe('connection_closed');
    expect(() => client.notify('a', [])).toThrow(expect.objectContaining({ code: 'connection_closed' }));
    pool.methods.set('mining.authorize', () => undefined);
    const started = errorOf(client.start());
    await settle();
    // Connected, and not let in yet; the connection itself may send what it likes.
    expect(await code(client.submit(share))).toBe('connection_closed');
    expect(await client.connection?.request('mining.submit', ['x', '1', '00', '00', '00'])).toBe(true);
    await client.close();
    await started;
  });

  it('wishes for a difficulty and for a target', async () => {
    const { client, pool } = setup({ suggestTarget: Uint8Array.of(255, ...new Uint8Array(31)) });
    pool.methods.set('mining.suggest_difficulty', () => true);
    pool.methods.set('mining.suggest_target', () => true);
    await client.start();
    await client.suggestDifficulty(0.5);
    await client.suggestTarget(Uint8Array.of(1, 2, ...new Uint8Array(30)));
    expect(pool.session.calls('mining.suggest_difficulty')[0]?.params).toEqual([0.5]);
    expect(pool.session.calls('mining.suggest_target').map(({ params }) => params)).toEqual([
      [`${'0'.repeat(62)}ff`],
      [`${'0'.repeat(60)}0201`],
    ]);
    expect(isPoolError(await errorOf(client.suggestTarget(new Uint8Array(5))), 'invalid_argument')).toBe(true);
  });

  it('submits with 6 params where bits may roll, else with 5', async () => {
    const { client, pool } = setup();
    await client.start();
    const share = { jobId: '1a', extranonce2: Uint8Array.of(1, 2), ntime: 0x504e86ed, nonce: 0xab };
    await client.submit({ ...share, versionBits: 0x2000 });
    await client.submit({ ...share, versionBits: undefined }, 'alice.other');
    expect(pool.session.calls('mining.submit').map(({ params }) => params)).toEqual([
      ['alice.rig', '1a', '0102', '504e86ed', '000000ab', '00002000'],
      ['alice.other', '1a', '0102', '504e86ed', '000000ab'],
    ]);
    pool.methods.set('mining.submit', () => {
      throw [22, 'Duplicate share', null];
    });
    expect(await client.submit({ ...share, versionBits: undefined })).toMatchObject({
      accepted: false,
      error: { rejectCode: 'duplicate', stratumCode: 22, reason: 'Duplicate share' },
    });
    pool.methods.set('mining.submit', () => false);
    expect(await client.submit({ ...share, versionBits: undefined })).toMatchObject({ accepted: false });
  });

  it('comes back after a loss, waits longer each time, and resumes its session', async () => {
    const { client, pool, clock } = setup();
    const waits: (number | undefined)[] = [];
    const resumed: boolean[] = [];
    client.on('disconnected', ({ retryInMs }) => waits.push(retryInMs));
    client.on('ready', (event) => resumed.push(event.resumed));
    pool.methods.set('mining.subscribe', () => [[['mining.notify', 'ab'.repeat(16)]], '0c7ab001', 8]);
    await client.start();
    pool.refuse = true;
    pool.session.connection.destroy();
    await settle();
    expect(client.ready).toBe(false);
    expect(client.job).toBeUndefined();
    expect(
      isPoolError(
        await errorOf(
          client.submit({ jobId: '1', extranonce2: new Uint8Array(8), ntime: 1, nonce: 1, versionBits: undefined }),
        ),
        'connection_closed',
      ),
    ).toBe(true);
    await clock.advanceAsync(500);
    await clock.advanceAsync(1000);
    await clock.advanceAsync(2000);
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    pool.refuse = false;
    await clock.advanceAsync(4000);
    expect(client.ready).toBe(true);
    expect(pool.session.calls('mining.subscribe')[0]?.params).toEqual(['test/1', 'ab'.repeat(16)]);
    expect(resumed).toEqual([false, true]);
    await clock.advanceAsync(30_000, 10_000);
    pool.session.connection.destroy();
    await settle();
    expect(waits.at(-1)).toBe(500);
  });

  it('never waits longer than the maximum', async () => {
    const { client, pool, clock } = setup({ reconnect: { minDelayMs: 10, maxDelayMs: 100 }, random: () => 0.999 });
    pool.refuse = true;
    const waits: number[] = [];
    client.on('disconnected', ({ retryInMs }) => waits.push(retryInMs ?? -1));
    void client.start().catch(() => {});
    await clock.advanceAsync(3000, 50);
    expect(waits.length).toBeGreaterThan(20);
    expect(Math.max(...waits)).toBeLessThanOrEqual(100);
    expect(Math.min(...waits)).toBeGreaterThan(5);
  });

  it('gives up after as many failures as it was told', async () => {
    const { client, pool, clock } = setup({ reconnect: { maxFailures: 3 } });
    pool.refuse = true;
    const waits: (number | undefined)[] = [];
    client.on('disconnected', ({ retryInMs }) => waits.push(retryInMs));
    const end = errorOf(client.start());
    await clock.advanceAsync(10_000, 500);
    expect(await end).toMatchObject({ message: 'refused' });
    expect(waits).toEqual([500, 1000, undefined]);
  });

  it('stops at the first failure when told not to reconnect', async () => {
    const { client, pool } = setup({ reconnect: false });
    pool.methods.set('mining.authorize', () => false);
    let end: Error | undefined;
    client.on('closed', ({ error }) => {
      end = error;
    });
    const error = await errorOf(client.start());
    expect(isStratumError(error) && error.rejectCode).toBe('unauthorized');
    expect(end).toBe(error);
    expect(pool.sessions.length).toBe(1);
  });

  it.each([
    [
      'an error',
      (): never => {
        throw [24, 'Unauthorized worker', null];
      },
    ],
    ['null', () => null],
  ])('takes %s as a refusal to authorize, pipelined as well', async (_name, answer) => {
    for (const pipeline of [false, true]) {
      const { client, pool } = setup({ reconnect: false, pipeline });
      pool.methods.set('mining.authorize', answer);
      expect(isStratumError(await errorOf(client.start()))).toBe(true);
    }
  });

  it('fails on a subscribe answer that makes no sense', async () => {
    const { client, pool } = setup({ reconnect: false, pipeline: true });
    pool.methods.set('mining.subscribe', () => [[], 'zz', 4]);
    expect(isPoolError(await errorOf(client.start()), 'invalid_data')).toBe(true);
  });

  it('gives a silent pool up', async () => {
    const { client, pool, clock } = setup({ idleTimeoutMs: 60_000 });
    await client.start();
    const errors: unknown[] = [];
    client.on('disconnected', ({ error }) => errors.push(error));
    await clock.advanceAsync(45_000, 5000);
    pool.session.push('client.show_message', ['still here']);
    await clock.advanceAsync(45_000, 5000);
    expect(errors).toEqual([]);
    await clock.advanceAsync(30_000, 5000);
    expect(isPoolError(errors[0], 'request_timeout')).toBe(true);
  });

  it('ends when closed or aborted, in every state', async () => {
    const ready = setup();
    await ready.client.start();
    await ready.client.close();
    await ready.client.close();
    expect(ready.client.ready).toBe(false);

    const waiting = setup();
    waiting.pool.refuse = true;
    const started = errorOf(waiting.client.start());
    await settle();
    await waiting.client.close();
    expect(isPoolError(await started, 'closed')).toBe(true);

    const handshaking = setup();
    handshaking.pool.methods.set('mining.configure', () => undefined);
    const begun = errorOf(handshaking.client.start());
    await settle();
    await handshaking.client.close();
    expect(isPoolError(await begun, 'closed')).toBe(true);

    const abort = new AbortController();
    const aborted = setup({ signal: abort.signal });
    await aborted.client.start();
    let ends = 0;
    aborted.client.on('closed', () => ends++);
    abort.abort();
    await settle();
    expect(ends).toBe(1);
    expect(isPoolError(await errorOf(setup({ signal: abort.signal }).client.start()), 'closed')).toBe(true);
  });

  it('follows client.reconnect within the domain only', async () => {
    const endpoints: string[] = [];
    const { client, pool, clock } = setup({
      url: 'stratum+tcp://eu.pool.example:3333',
      connect: (endpoint: StratumEndpoint | undefined) => {
        endpoints.push(`${endpoint?.host}:${endpoint?.port}`);
        return pool.connect();
      },
    });
    await client.start();
    pool.session.push('client.reconnect', ['evil.example', '1', '0']);
    await clock.advanceAsync(5000);
    expect(endpoints).toEqual(['eu.pool.example:3333']);
    pool.session.push('client.reconnect', ['us.pool.example', '3334', '2']);
    await clock.advanceAsync(1000);
    expect(endpoints.length).toBe(1);
    await clock.advanceAsync(2000);
    expect(endpoints).toEqual(['eu.pool.example:3333', 'us.pool.example:3334']);
    expect(client.ready).toBe(true);
    pool.session.push('client.reconnect', []);
    await clock.advanceAsync(1000, 100);
    expect(endpoints.slice(2)).toEqual(['us.pool.example:3334']);
    pool.session.connection.destroy();
    await clock.advanceAsync(1000, 100);
    expect(endpoints.slice(3)).toEqual(['eu.pool.example:3333']);
  });

  it('asks for transactions, pings and adds workers', async () => {
    const { client, pool, clock } = setup();
    pool.methods.set('mining.get_transactions', () => ['00', '01']);
    pool.methods.set('mining.ping', () => 'pong');
    await client.start();
    expect(await client.getTransactions('1')).toEqual(['00', '01']);
    pool.methods.set('mining.get_transactions', () => 5);
    expect(isPoolError(await errorOf(client.getTransactions('1')), 'invalid_data')).toBe(true);
    expect(await client.ping()).toBe(0);
    pool.methods.delete('mining.ping');
    expect(await client.ping()).toBe(0);
    await client.suggestDifficulty(5).catch(() => {});
    await client.authorize({ username: 'bob', password: 'd=2' });
    expect(pool.session.calls('mining.authorize')[1]?.params).toEqual(['bob', 'd=2']);
    pool.session.connection.destroy();
    await clock.advanceAsync(2000);
    expect(pool.session.calls('mining.authorize').map(({ params }) => params?.[0])).toEqual(['alice.rig', 'bob']);
  });

  it('does not hoard what a pool pushes before it answers', async () => {
    const { client, pool } = setup({ reconnect: false });
    pool.methods.set('mining.configure', (_params, session) => {
      for (let i = 0; i < 100; i++) session.push('mining.set_difficulty', [1]);
      return undefined;
    });
    await errorOf(client.start());
    expect(pool.sessions.length).toBe(1);
  });
});
