import { MiningClient } from '@headframe/client';
import { reject } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import { createProxy, type ProxyOptions, type RelayProxy } from '@headframe/proxy';
import { createMemoryPair } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { quiet } from './harness.js';
import { notifyParams, RawPool } from './raw-pool.js';

let clock: FakeClock;
let pools: RawPool[];
let down: Set<number>;
let proxy: RelayProxy;
let clients: MiningClient[] = [];

function start(config: Partial<ProxyOptions> = {}): void {
  clock = new FakeClock();
  pools = [new RawPool(clock), new RawPool(clock)];
  down = new Set();
  proxy = createProxy(
    {
      upstreams: [0, 1].map((i) => ({ name: `pool${i}`, url: `pool${i}.test:3333`, user: 'nobody' })),
      ...config,
      mode: 'one-to-one',
      limits: { overloadDelayMs: 1e9 },
    },
    {
      clock,
      connect: (endpoint) => {
        const index = Number(endpoint?.host[4]);
        return down.has(index) ? Promise.reject(new Error('refused')) : pool(index).connect();
      },
    },
  );
}

function pool(index = 0): RawPool {
  const found = pools[index];
  if (found === undefined) throw new Error(`no pool ${index}`);
  return found;
}

async function connect(
  options: { readonly extranonce?: boolean; readonly username?: string } = {},
): Promise<MiningClient> {
  const client = new MiningClient({
    connect: () => {
      const pair = createMemoryPair({ clock, clientAddress: '10.0.0.9' });
      proxy.attach(pair.server);
      return Promise.resolve(pair.client);
    },
    workers: [{ username: options.username ?? 'me.rig' }],
    clock,
    idleTimeoutMs: 1e9,
    random: () => 0,
    subscribeExtranonce: options.extranonce ?? true,
  });
  clients.push(client);
  client.start().catch(() => {});
  await quiet();
  return client;
}

const SHARE = { jobId: 'a1', extranonce2: new Uint8Array(8), ntime: 1, nonce: 2, versionBits: undefined };

async function advance(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    clock.advance(1000);
    await quiet();
  }
}

afterEach(async () => {
  for (const client of clients) void client.close();
  clients = [];
  proxy.destroy();
  await quiet();
});

describe('a one-to-one proxy', () => {
  it('gives each miner a connection, job and extranonce of its own, under its own name', async () => {
    start();
    const a = await connect({ username: 'a.1' });
    const b = await connect({ username: 'b.2' });
    expect([a.ready, b.ready]).toEqual([true, true]);
    expect(a.job?.jobId).toBe('a1');
    expect(a.job?.extranonce1).not.toEqual(b.job?.extranonce1);
    expect(a.job?.versionMask).toBe(0x1fffe000);
    expect(
      pool().sessions.map(({ received }) => received.find(({ method }) => method === 'mining.authorize')?.params),
    ).toEqual([
      ['a.1', 'x'],
      ['b.2', 'x'],
    ]);
  });

  it('passes on methods that nobody here knows, with their errors, both ways', async () => {
    start();
    const client = await connect();
    pool().methods.set('acme.balance', ([who]) => ({ who, coins: 7 }));
    pool().methods.set('acme.no', () => {
      throw [24, 'Not for you', null];
    });
    expect(await client.request('acme.balance', ['me'])).toEqual({ who: 'me', coins: 7 });
    await expect(client.request('acme.no', [])).rejects.toMatchObject({
      rejectCode: 'unauthorized',
      reason: 'Not for you',
    });
    const heard: unknown[] = [];
    client.on('message', ({ method, params }) => heard.push([method, params]));
    client.connection?.handle('acme.ask', (params) => ({ heard: params }));
    pool().session.push('acme.news', [1, 'two']);
    pool().session.send('{"id":77,"method":"acme.ask","params":["x"]}\n');
    await quiet();
    expect(heard).toContainEqual(['acme.news', [1, 'two']]);
    expect(pool().session.received).toContainEqual(expect.objectContaining({ id: 77, result: { heard: ['x'] } }));
  });

  it('counts shares by worker and reason', async () => {
    start();
    const client = await connect();
    const verdicts: unknown[] = [];
    proxy.on('verdict', ({ accepted, code, worker }) => verdicts.push([worker, accepted, code]));
    expect(await client.submit(SHARE)).toEqual({ accepted: true });
    pool().methods.set('mining.submit', () => {
      throw [22, 'Duplicate', null];
    });
    expect(await client.submit(SHARE)).toMatchObject({
      accepted: false,
      error: { rejectCode: 'duplicate', reason: 'Duplicate' },
    });
    expect(proxy.stats().workers).toMatchObject([
      { worker: 'me.rig', accepted: 1, work: 8e-8, rejected: { duplicate: 1 } },
    ]);
    expect(verdicts).toEqual([
      ['me.rig', true, undefined],
      ['me.rig', false, 'duplicate'],
    ]);
  });

  it('answers methods of its own, and lets hooks refuse', async () => {
    start();
    const client = await connect();
    proxy.method('proxy.hello', { handler: () => 'here' });
    proxy.hook('onRequest', ({ method }) => (method === 'acme.secret' ? reject('unauthorized', 'no') : undefined));
    expect(await client.request('proxy.hello', [])).toBe('here');
    await expect(client.request('acme.secret', [])).rejects.toMatchObject({ reason: 'no' });
    expect(pool().session.received.some(({ method }) => method === 'proxy.hello' || method === 'acme.secret')).toBe(
      false,
    );
  });

  it('moves a miner to the next upstream by set_extranonce when its own is lost', async () => {
    start();
    const client = await connect();
    let lost = 0;
    client.on('disconnected', () => lost++);
    const before = client.job?.extranonce1;
    down.add(0);
    pool(1).methods.set('mining.subscribe', () => [[['mining.notify', 'cd']], 'feedbeef', 6]);
    pool(1).methods.set('mining.authorize', (_params, session) => {
      queueMicrotask(() => session.push('mining.notify', notifyParams('from1')));
      return true;
    });
    pool(0).session.connection.destroy();
    await advance(5000);
    expect(lost).toBe(0);
    expect(client.job?.jobId).toBe('from1');
    expect(client.job?.extranonce1).not.toEqual(before);
    expect([...(client.job?.extranonce1 ?? [])]).toEqual([0xfe, 0xed, 0xbe, 0xef]);
    expect(client.job?.extranonce2Size).toBe(6);
    expect(await client.submit({ ...SHARE, jobId: 'from1', extranonce2: new Uint8Array(6) })).toEqual({
      accepted: true,
    });
    expect(pool(1).session.received.map(({ method }) => method)).toContain('mining.submit');
  });

  it('sends a miner away that cannot be told, and it comes back to the next upstream', async () => {
    start();
    const client = await connect({ extranonce: false });
    let lost = 0;
    client.on('disconnected', () => lost++);
    down.add(0);
    pool(1).methods.set('mining.subscribe', () => [[['mining.notify', 'cd']], 'feedbeef', 8]);
    pool(0).session.connection.destroy();
    await advance(8000);
    expect(lost).toBe(1);
    expect(client.ready).toBe(true);
    expect(pool(1).sessions.length).toBeGreaterThan(0);
  });

  it('returns to the preferred upstream', async () => {
    start({ failover: { returnAfterSeconds: 30, restSeconds: 20 } });
    down.add(0);
    const client = await connect();
    await advance(3000);
    expect(proxy.stats().upstreams.map(({ active }) => active)).toEqual([false, true]);
    down.clear();
    await advance(60_000);
    expect(proxy.stats().upstreams.map(({ active }) => active)).toEqual([true, false]);
    expect(client.ready).toBe(true);
  });

  it('while no upstream is there, requests are refused in time and miners may be refused', async () => {
    start({ outage: { miners: 'refuse', jobSeconds: 30 } });
    down = new Set([0, 1]);
    const client = await connect();
    await advance(45_000);
    expect(client.ready).toBe(false);
    expect(proxy.stats().sessions.sessions).toBe(0);
    down.clear();
    await advance(120_000);
    expect(client.ready).toBe(true);
  });

  it('does not dial an upstream in a loop that drops miners again and again', async () => {
    start();
    pool(0).methods.set('mining.authorize', (_params, session) => {
      queueMicrotask(() => session.push('client.reconnect', []));
      return true;
    });
    await connect();
    await advance(60_000);
    expect(pool(0).sessions.length).toBeLessThan(40);
  });

  it('a miner whose name an upstream refuses by now costs the others nothing, and is told', async () => {
    start();
    const mallory = await connect({ username: 'mallory.x' });
    const welcome = pool().methods.get('mining.authorize');
    for (const each of pools) {
      each.methods.set('mining.authorize', (params, session) => {
        if (params[0] === 'mallory.x') throw [24, 'Not any more', null];
        return welcome?.(params, session);
      });
    }
    let losses = 0;
    mallory.on('disconnected', () => losses++);
    pool().session.connection.destroy();
    await advance(10_000);
    expect(losses).toBeGreaterThan(0);
    expect(mallory.ready).toBe(false);
    expect(proxy.stats().upstreams.map(({ state }) => state)).not.toContain('ill');
    await connect({ username: 'alice.x' });
    expect(pool().session.received.map(({ params }) => params?.[0])).toContain('alice.x');
    expect(
      pools.reduce((dials, { sessions }) => dials + sessions.length, 0),
      'dials',
    ).toBeLessThan(20);
  });

  it('does not let an upstream send the miner away, nor flood it', async () => {
    start();
    const client = await connect();
    const heard: string[] = [];
    client.on('message', ({ method }) => heard.push(method));
    pool().session.push('client.reconnect', ['evil.example', 1, 0]);
    await advance(5000);
    expect(heard).not.toContain('client.reconnect');
    expect(pool().sessions.length).toBeGreaterThan(1);
    pool().session.send('{"id":null,"method":"x.y","params":[]}\n'.repeat(5000));
    await advance(5000);
    expect(client.ready).toBe(true);
  });
});
