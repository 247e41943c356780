import { describe, expect, it } from 'vitest';
import { createHarness, defer, settle } from './harness.js';

const echo = (id: number) => ({ id, method: 'echo', params: [] });

/** A server with so many sessions; what each was told, by second. */
async function crowd(count: number) {
  const told: number[] = [];
  const harness = createHarness({
    bans: { allow: ['192.0.2.77'] },
    limits: {
      connectionsPerAddress: 1e6,
      unauthorizedPerAddress: 1e6,
      connections: 1e6,
      idleTimeoutMs: 1e9,
      authorizeTimeoutMs: 1e9,
    },
    settings: { shutdown: () => told.push(harness.clock.monotonic()) },
  });
  const peers = Array.from({ length: count }, () => harness.connect());
  for (const peer of peers) peer.send(echo(1));
  await settle();
  expect(harness.server.sessionCount).toBe(count);
  return { harness, peers, told };
}

describe('a close with a spread', () => {
  it('sends ten thousand miners off evenly, and nobody new gets in meanwhile', async () => {
    const { harness, told } = await crowd(10_000);
    const closing = harness.server.close({ spreadMs: 20_000, drainMs: 1000 });
    await settle();
    const late = harness.connect();
    await settle();
    expect(late.closed).toBe(true);
    await harness.clock.advanceAsync(30_000);
    await closing;
    expect(told).toHaveLength(10_000);
    const perSecond = new Map<number, number>();
    for (const atMs of told) perSecond.set(Math.floor(atMs / 1000), (perSecond.get(Math.floor(atMs / 1000)) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(550);
    expect(perSecond.size).toBeGreaterThanOrEqual(19);
    expect(harness.server.sessionCount).toBe(0);
    expect(harness.server.stats().closed.shutdown).toBeGreaterThanOrEqual(10_000);
  });

  it('lets the others work until their turn', async () => {
    const { harness, peers, told } = await crowd(1000);
    const closing = harness.server.close({ spreadMs: 10_000, drainMs: 1000 });
    await harness.clock.advanceAsync(5000);
    const open = peers.filter((peer) => !peer.closed);
    expect(open.length).toBeGreaterThan(300);
    expect(told.length).toBeLessThan(700);
    for (const peer of open) peer.send(echo(2));
    await settle();
    expect(open.filter((peer) => peer.ids().includes(2)).length).toBe(open.length);
    expect(open.every((peer) => !peer.closed)).toBe(true);
    await harness.clock.advanceAsync(10_000);
    await closing;
    expect(peers.every((peer) => peer.closed)).toBe(true);
  });

  it('takes less with few sessions, and no time with a handful', async () => {
    const { harness, told } = await crowd(9);
    const closing = harness.server.close({ spreadMs: 600_000, drainMs: 1000 });
    await settle();
    expect(told).toHaveLength(9);
    await harness.clock.advanceAsync(1);
    await closing;
  });

  it('answers what is under way when its turn comes, and then closes', async () => {
    const { harness, peers } = await crowd(200);
    const slow = defer<string>();
    harness.methods.register('slow', { handler: () => slow.promise });
    const [first] = peers;
    first?.send({ id: 7, method: 'slow', params: [] });
    await settle();
    const closing = harness.server.close({ spreadMs: 2000, drainMs: 5000 });
    await harness.clock.advanceAsync(1000);
    expect(first?.closed).toBe(false);
    slow.resolve('done');
    await settle();
    expect(first?.ids()).toContain(7);
    expect(first?.closed).toBe(true);
    await harness.clock.advanceAsync(3000);
    await closing;
  });

  it('ends when everybody is gone, without waiting for its time', async () => {
    const { harness, peers } = await crowd(1000);
    const closing = harness.server.close({ spreadMs: 600_000, drainMs: 1000 });
    for (const peer of peers) peer.connection.destroy();
    await closing;
    expect(harness.clock.pending).toBe(0);
  });

  it('ends at once by destroy', async () => {
    const { harness, peers } = await crowd(1000);
    const closing = harness.server.close({ spreadMs: 60_000 });
    await harness.clock.advanceAsync(1000);
    harness.server.destroy();
    await harness.clock.advanceAsync(1);
    await closing;
    await settle();
    expect(peers.every((peer) => peer.closed)).toBe(true);
    expect(harness.clock.pending).toBe(0);
  });
});
