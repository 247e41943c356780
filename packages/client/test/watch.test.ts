import { isPoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createMemoryPair, type MemoryConnection } from '@headframe/transport/testing';
import { describe, expect, it } from 'vitest';
import { StratumClient, type StratumClientOptions } from '../src/index.js';
import { FakePool, PoolSession } from './fake-pool.js';

function setup(options: StratumClientOptions): {
  clock: FakeClock;
  client: StratumClient;
  session: PoolSession;
  server: MemoryConnection;
  ends: (Error | undefined)[];
} {
  const clock = new FakeClock();
  const pair = createMemoryPair({ clock });
  const session = new PoolSession(pair.server, new FakePool().methods);
  const client = new StratumClient(pair.client, { clock, ...options });
  const ends: (Error | undefined)[] = [];
  client.on('closed', ({ error }) => ends.push(error));
  return { clock, client, session, server: pair.server, ends };
}

describe('a connection that nobody closed', () => {
  it('is given up when nothing is heard for the idle timeout, and not before', async () => {
    const { clock, session, ends } = setup({ idleTimeoutMs: 60_000 });
    await clock.advanceAsync(50_000, 5000);
    session.push('mining.set_difficulty', [1]);
    await settle();
    await clock.advanceAsync(50_000, 5000);
    expect(ends).toEqual([]);
    await clock.advanceAsync(30_000, 5000);
    expect(isPoolError(ends[0], 'request_timeout')).toBe(true);
  });

  it('rejects what waits on a half-open connection', async () => {
    const { clock, client, server, ends } = setup({ idleTimeoutMs: 20_000, requestTimeoutMs: 600_000 });
    server.freeze();
    const waiting = client.request('mining.submit', []).catch((error: unknown) => error);
    await clock.advanceAsync(30_000, 1000);
    expect(ends.length).toBe(1);
    const error = await waiting;
    expect(isPoolError(error, 'connection_closed') && isPoolError(error.cause, 'request_timeout')).toBe(true);
  });

  it('is asked whether it is there before it is given up', async () => {
    const { clock, session, ends } = setup({ idleTimeoutMs: 60_000, keepaliveMs: 20_000 });
    await clock.advanceAsync(300_000, 1000);
    expect(ends).toEqual([]);
    // An error is an answer.
    const pings = session.calls('mining.ping').length;
    expect(pings).toBeGreaterThanOrEqual(10);
    expect(pings).toBeLessThanOrEqual(15);
  });

  it('is asked with the method it was told to', async () => {
    const { clock, session } = setup({ keepaliveMs: 1000, keepalive: { method: 'server.ping', params: [1] } });
    await clock.advanceAsync(3000, 100);
    expect(session.calls('server.ping')[0]?.params).toEqual([1]);
  });

  it('is given up when the pool does not read for the drain timeout', async () => {
    const { clock, client, server, ends } = setup({ drainTimeoutMs: 30_000 });
    server.freeze();
    client.connection.write(new Uint8Array(2_000_000));
    await clock.advanceAsync(60_000, 1000);
    expect(isPoolError(ends[0], 'queue_full')).toBe(true);
  });

  it('refuses to pile up what the pool does not read', async () => {
    const { client, server } = setup({ maxUnsentBytes: 10_000, maxPending: 100_000 });
    server.freeze();
    const results = Array.from({ length: 2000 }, () =>
      client.request('mining.submit', ['x'.repeat(100)]).catch((error: unknown) => error),
    );
    expect(() => client.notify('x', ['y'.repeat(20_000)])).toThrow(expect.objectContaining({ code: 'queue_full' }));
    expect(() => client.sendRaw(`${'z'.repeat(20)}\n`)).toThrow(expect.objectContaining({ code: 'queue_full' }));
    client.destroy();
    const codes = (await Promise.all(results)).map((error) => (isPoolError(error) ? error.code : 'none'));
    expect(new Set(codes)).toEqual(new Set(['connection_closed', 'queue_full']));
    // 150 bytes each.
    expect(codes.filter((code) => code === 'connection_closed').length).toBeLessThan(100);
    expect(client.pendingRequests).toBe(0);
  });
});
