import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { MiningClient, type MiningClientOptions, type StratumEndpoint } from '../src/index.js';
import { FakePool } from './fake-pool.js';

const open: MiningClient[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});

interface Setup {
  readonly clock: FakeClock;
  /** In the order of preference. */
  readonly pools: readonly FakePool[];
  readonly client: MiningClient;
  /** What happened, in short. */
  readonly log: string[];
}

function setup(count: number, options: Partial<MiningClientOptions> = {}): Setup {
  const clock = new FakeClock();
  const pools = Array.from({ length: count }, () => new FakePool({ clock }));
  const client = new MiningClient({
    clock,
    random: () => 0.5,
    workers: [{ username: 'alice.rig' }],
    pools: pools.map((pool) => ({ connect: pool.connect })),
    ...options,
  });
  const log: string[] = [];
  client.on('ready', ({ pool, resumed }) => log.push(`ready ${pool}${resumed ? ' resumed' : ''}`));
  client.on('disconnected', ({ pool, retryInMs }) => log.push(`lost ${pool}, ${retryInMs}`));
  open.push(client);
  return { clock, pools, client, log };
}

function poolAt({ pools }: Setup, index: number): FakePool {
  const pool = pools[index];
  if (pool === undefined) throw new Error(`no pool ${index}`);
  return pool;
}

describe('a list of pools', () => {
  it('uses the first one, and the next when that cannot be had, without waiting', async () => {
    const all = setup(3);
    poolAt(all, 0).refuse = true;
    poolAt(all, 1).methods.set('mining.authorize', () => false);
    await all.client.start();
    expect(all.log).toEqual(['lost 0, 0', 'lost 1, 0', 'ready 2']);
    expect(all.client.pool).toBe(2);
  });

  it('begins again with the first after the last, with growing waits', async () => {
    const all = setup(2);
    for (const pool of all.pools) pool.refuse = true;
    void all.client.start().catch(() => {});
    await all.clock.advanceAsync(4000, 50);
    expect(all.log.slice(0, 6)).toEqual([
      'lost 0, 0',
      'lost 1, 500',
      'lost 0, 0',
      'lost 1, 1000',
      'lost 0, 0',
      'lost 1, 2000',
    ]);
  });

  it('tries the same pool again after a long connection, and the next after a short one', async () => {
    const all = setup(2, { preferred: { checkEveryMs: Number.POSITIVE_INFINITY } });
    poolAt(all, 0).methods.set('mining.subscribe', () => [[['mining.notify', 'first']], '01', 4]);
    await all.client.start();
    await all.clock.advanceAsync(31_000, 1000);
    poolAt(all, 0).session.connection.destroy();
    await all.clock.advanceAsync(600, 50);
    expect(all.log).toEqual(['ready 0', 'lost 0, 500', 'ready 0 resumed']);
    poolAt(all, 0).session.connection.destroy();
    await all.clock.advanceAsync(100, 50);
    expect(all.log.slice(3)).toEqual(['lost 0, 0', 'ready 1']);
  });

  it('comes back to the preferred pool when that has held a connection for a while', async () => {
    const all = setup(2, { preferred: { checkEveryMs: 10_000, stableMs: 5000 } });
    const [preferred, fallback] = [poolAt(all, 0), poolAt(all, 1)];
    preferred.refuse = true;
    await all.client.start();
    const jobs: string[] = [];
    all.client.on('job', ({ jobId, difficulty }) => jobs.push(`${jobId} ${difficulty}`));
    await all.clock.advanceAsync(25_000, 500);
    expect(all.client.pool).toBe(1);
    preferred.refuse = false;
    await all.clock.advanceAsync(7000, 500);
    // On trial: connected, and silent for whoever listens.
    expect(preferred.session.calls('mining.authorize').length).toBe(1);
    expect(all.client.pool).toBe(1);
    expect(jobs).toEqual([]);
    await all.clock.advanceAsync(5000, 500);
    expect(all.log).toEqual(['lost 0, 0', 'ready 1', 'ready 0']);
    expect(all.client.pool).toBe(0);
    expect(jobs).toEqual(['6abc0001 0.001']);
    expect(all.client.ready).toBe(true);
    expect(fallback.session.connection.closing).toBe(true);
    expect(
      await all.client.submit({ jobId: '1', extranonce2: new Uint8Array(8), ntime: 1, nonce: 1, versionBits: 0 }),
    ).toEqual({
      accepted: true,
    });
    expect(preferred.session.calls('mining.submit').length).toBe(1);
  });

  it('does not come back to a pool that drops connections', async () => {
    const all = setup(2, { preferred: { checkEveryMs: 10_000, stableMs: 5000 }, idleTimeoutMs: 1e9 });
    const preferred = poolAt(all, 0);
    preferred.refuse = true;
    await all.client.start();
    preferred.refuse = false;
    preferred.methods.set('mining.authorize', (_params, session) => {
      all.clock.setTimeout(() => session.connection.destroy(), 3000);
      return true;
    });
    await all.clock.advanceAsync(120_000, 500);
    expect(all.log).toEqual(['lost 0, 0', 'ready 1']);
    expect(preferred.sessions.length).toBeGreaterThan(5);
  });

  it('uses the pool on trial at once when the other one is lost', async () => {
    const all = setup(2, { preferred: { checkEveryMs: 10_000, stableMs: 600_000 } });
    poolAt(all, 0).refuse = true;
    await all.client.start();
    poolAt(all, 0).refuse = false;
    await all.clock.advanceAsync(20_000, 500);
    poolAt(all, 1).session.connection.destroy();
    await settle();
    expect(all.log).toEqual(['lost 0, 0', 'ready 1', 'ready 0']);
  });

  it('ends with a pool on trial', async () => {
    const all = setup(2, { preferred: { checkEveryMs: 10_000, stableMs: 600_000 } });
    poolAt(all, 0).refuse = true;
    await all.client.start();
    poolAt(all, 0).refuse = false;
    await all.clock.advanceAsync(20_000, 500);
    await all.client.close();
    expect(poolAt(all, 0).session.connection.closing).toBe(true);
    expect(poolAt(all, 1).session.connection.closing).toBe(true);
    expect(all.log).toEqual(['lost 0, 0', 'ready 1']);
  });

  it('authorizes the workers of each pool', async () => {
    const clock = new FakeClock();
    const pools = [new FakePool({ clock }), new FakePool({ clock })] as const;
    const all = setup(2, {
      clock,
      pools: [{ connect: pools[0].connect }, { connect: pools[1].connect, workers: [{ username: 'bob' }] }],
    });
    await all.client.start();
    await all.client.authorize({ username: 'alice.two' });
    pools[0].refuse = true;
    pools[0].session.connection.destroy();
    await clock.advanceAsync(100, 50);
    expect(pools[1].session.calls('mining.authorize').map(({ params }) => params?.[0])).toEqual(['bob']);
    await all.client.submit({ jobId: '1', extranonce2: new Uint8Array(8), ntime: 1, nonce: 1, versionBits: 0 });
    expect(pools[1].session.calls('mining.submit')[0]?.params?.[0]).toBe('bob');
  });

  it('resumes with each pool its own session', async () => {
    const all = setup(2, { preferred: { checkEveryMs: Number.POSITIVE_INFINITY } });
    poolAt(all, 0).methods.set('mining.subscribe', () => [[['mining.notify', 'first']], '01', 4]);
    poolAt(all, 1).methods.set('mining.subscribe', () => [[['mining.notify', 'second']], '02', 4]);
    await all.client.start();
    poolAt(all, 0).session.connection.destroy();
    await all.clock.advanceAsync(100, 50);
    poolAt(all, 1).session.connection.destroy();
    await all.clock.advanceAsync(2000, 50);
    expect(poolAt(all, 1).session.calls('mining.subscribe')[0]?.params?.[1]).toBeUndefined();
    expect(poolAt(all, 0).session.calls('mining.subscribe')[0]?.params?.[1]).toBe('first');
    expect(all.log.at(-1)).toBe('ready 0 resumed');
  });

  it('refuses lists that are none', () => {
    const make = (options: Partial<MiningClientOptions>): MiningClient =>
      new MiningClient({ workers: [{ username: 'x' }], ...options });
    for (const options of [
      { pools: [] },
      { pools: [{ url: 'nonsense' }] },
      { pools: [{ url: 'a:1' }], url: 'b:2' },
      {},
    ]) {
      expect(() => make(options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});

describe('client.reconnect', () => {
  function redirecting(options: Partial<MiningClientOptions> = {}): Setup & { readonly dialled: string[] } {
    const clock = new FakeClock();
    const pool = new FakePool({ clock });
    const dialled: string[] = [];
    const all = setup(1, {
      clock,
      pools: [
        {
          url: 'stratum+ssl://eu.pool.co.uk:3333',
          connect: (endpoint: StratumEndpoint | undefined) => {
            dialled.push(`${endpoint?.host}:${endpoint?.port} ${endpoint?.secure}`);
            return pool.connect();
          },
        },
      ],
      ...options,
    });
    return { ...all, clock, pools: [pool], dialled };
  }

  it('leads within the registrable domain, and keeps TLS', async () => {
    const all = redirecting();
    const refused: unknown[] = [];
    all.client.on('redirectRefused', ({ host }) => refused.push(host));
    await all.client.start();
    poolAt(all, 0).session.push('client.reconnect', ['evil.co.uk', '1', '0']);
    poolAt(all, 0).session.push('client.reconnect', ['us.pool.co.uk', '4444', '0']);
    await all.clock.advanceAsync(1000, 100);
    expect(refused).toEqual(['evil.co.uk']);
    expect(all.dialled).toEqual(['eu.pool.co.uk:3333 true', 'us.pool.co.uk:4444 true']);
  });

  it.each([
    ['any', 2],
    ['never', 1],
  ] as const)('with redirect %s makes %i connections', async (redirect, count) => {
    const all = redirecting({ redirect });
    await all.client.start();
    poolAt(all, 0).session.push('client.reconnect', ['elsewhere.example', '1', '0']);
    await all.clock.advanceAsync(1000, 100);
    expect(all.dialled.length).toBe(count);
  });

  it('does not dial in a loop when the pool sends it away each time', async () => {
    const all = redirecting();
    poolAt(all, 0).methods.set('mining.extranonce.subscribe', (_params, session) => {
      queueMicrotask(() => session.push('client.reconnect', []));
      return true;
    });
    await all.client.start();
    await all.clock.advanceAsync(60_000, 100);
    expect(all.dialled.length).toBeLessThan(12);
    expect(all.dialled.length).toBeGreaterThan(3);
  });

  it('waits an hour at most, and no second one lengthens the wait', async () => {
    const all = redirecting({ idleTimeoutMs: 1e9 });
    await all.client.start();
    poolAt(all, 0).session.push('client.reconnect', ['us.pool.co.uk', '4444', '99999999']);
    poolAt(all, 0).session.push('client.reconnect', ['us.pool.co.uk', '4445', '99999999']);
    await all.clock.advanceAsync(3_590_000, 60_000);
    expect(all.dialled.length).toBe(1);
    await all.clock.advanceAsync(20_000, 1000);
    expect(all.dialled[1]).toBe('us.pool.co.uk:4444 true');
  });
});
