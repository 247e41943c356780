// Connections that freeze, half close, vanish, change all the time or come and go: nothing is left behind, nobody else
// notices, and what is honest counts.
import { createConnection } from 'node:net';
import { settle } from '@headframe/primitives/testing';
import { createMemoryPair } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, type BenchOptions, bench, EASY_DIFFICULTY, makeJob } from '../support/bench-server.js';
import { WireMiner } from '../support/wire-miner.js';

let b: Bench;
afterEach(() => b.close());

async function begin(setup: BenchOptions<{ readonly id: string }> = {}): Promise<Bench> {
  b = await bench(setup);
  return b;
}

describe('a reader that does not read', () => {
  it('keeps nobody from a new block, and is cut', async () => {
    await begin();
    const frozen = b.pair({ windowBytes: 1024, clientAddress: '10.0.0.3' });
    const slow = await new WireMiner(frozen.client).start();
    const miner = await b.connect().start();
    frozen.client.freeze();
    for (let i = 2; i < 200; i++) {
      b.publish(makeJob({ id: i, tip: i }));
      await settle();
      expect(b.server.stats().channels, 'still counted while it may come back').toBeGreaterThan(0);
    }
    // The one that reads has them all, the other costs a bounded number of bytes.
    expect(miner.jobs).toHaveLength(199);
    expect(frozen.server.unsentBytes).toBeLessThan(16_384);
    expect((await miner.mine()).result).toBe(true);
    await b.clock.advanceAsync(40_000);
    expect(b.server.stats().sessions.closed['slow-reader']).toBe(1);
    expect(slow.closed).toBe(false);
  });

  it('gets the newest job when it wakes up in time, with its difficulty, and its shares count', async () => {
    await begin({ options: { difficulty: { start: 4e-9, min: 1e-9, max: 4e-8, target: 5 } } });
    const frozen = b.pair({ windowBytes: 256 });
    const miner = await new WireMiner(frozen.client).start();
    frozen.client.freeze();
    const [session] = b.server.sessions;
    if (session === undefined) throw new Error('no session');
    for (let i = 2; i < 20; i++) {
      b.publish(makeJob({ id: i, tip: i >> 2, clean: i % 4 === 0 }));
      b.server.setDifficulty(session, (i % 2 === 0 ? 8 : 2) * 1e-9);
    }
    await b.clock.advanceAsync(5000);
    const before = miner.jobs.length;
    frozen.client.thaw();
    await miner.until('the newest job', () => miner.jobs.length > before && miner.job.params[1] !== undefined);
    await settle();
    expect(miner.job.difficulty).toBe(2e-9);
    expect((await miner.mine()).result).toBe(true);
    expect(b.accepted().at(-1)?.difficulty).toBe(2e-9);
  });
});

describe('a half-open connection', () => {
  it('one that sends everything and says it is done gets its answers', async () => {
    await begin({ options: { listeners: [{ host: '127.0.0.1', port: 0 }] } });
    const known = await b.connect().start();
    const share = known.search();
    known.connection.destroy();
    await settle();
    const [{ port } = { port: 0 }] = await b.server.listen();
    const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    const ended = new Promise((resolve) => socket.once('end', resolve));
    const lines = [
      { id: 1, method: 'mining.subscribe', params: ['t', known.sessionId] },
      { id: 2, method: 'mining.authorize', params: ['alice.rig1'] },
      { id: 3, method: 'mining.submit', params: known.params(share) },
    ];
    socket.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await ended;
    socket.destroy();
    const answers = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    expect([1, 2, 3].map((id) => answers.find((line) => line.id === id)?.error)).toEqual([null, null, null]);
    expect(b.accepted()).toHaveLength(1);
  });

  it('one whose peer vanished is gone after ten minutes', async () => {
    await begin();
    await b.connect().start();
    await b.clock.advanceAsync(620_000, 10_000);
    expect(b.server.sessionCount).toBe(0);
    expect(b.server.stats().sessions.closed['idle-timeout']).toBe(1);
  });
});

describe('1,000 changes of the difficulty', () => {
  it('leave a bounded number of jobs, each judged by its own difficulty', { timeout: 60_000 }, async () => {
    await begin({ options: { difficulty: { start: 4e-9, min: 1e-9, max: 4e-8, target: 5 } } });
    const miner = await b.connect().start();
    const [session] = b.server.sessions;
    if (session === undefined) throw new Error('no session');
    for (let i = 0; i < 1000; i++) {
      b.server.setDifficulty(session, (1 + (i % 9)) * 1e-9);
      await settle();
      if (i % 50 !== 0) continue;
      const job = miner.jobs.at(-1 - (i % 3));
      const answer = await miner.mine(job === undefined ? {} : { job });
      expect(answer.result, JSON.stringify(answer.error)).toBe(true);
      expect(b.accepted().at(-1)?.difficulty).toBe(job?.difficulty);
    }
    expect(new Set(miner.jobs.map(({ id }) => id)).size).toBe(miner.jobs.length);
    expect(b.server.channelOf(session).jobCount).toBeLessThanOrEqual(24);
  });
});

describe('sessions that come and go', () => {
  it('1,000 resumes and 1,000 reconnects leave no session, timer or extranonce behind', {
    timeout: 60_000,
  }, async () => {
    await begin({ options: { limits: { connectsPerSecondPerAddress: 1e6, connectBurstPerAddress: 1e6 } } });
    const timers = b.clock.pending;
    const first = await b.connect().start();
    let sessionId = first.sessionId;
    first.connection.destroy();
    await settle();
    for (let i = 0; i < 1000; i++) {
      const resumed = await b.connect().start(sessionId);
      expect(resumed.extranonce1).toBe(first.extranonce1);
      sessionId = resumed.sessionId;
      if (i % 100 === 0) expect((await resumed.mine()).result).toBe(true);
      resumed.connection.destroy();
      const other = await b.connect().start();
      expect(other.extranonce1).not.toBe(first.extranonce1);
      other.connection.destroy();
      await settle();
    }
    expect(b.server.stats()).toMatchObject({ channels: 0, workers: 0, leases: 1001 });
    expect(b.server.sessionCount).toBe(0);
    // The leases end, their extranonces rest as long again, and nothing is left.
    await b.clock.advanceAsync(1_300_000, 10_000);
    const probe = await b.connect().start();
    probe.connection.destroy();
    await settle();
    expect(b.server.stats()).toMatchObject({ leases: 1, extranonces: 1 });
    expect(b.server.stats().sessions).toMatchObject({ sessions: 0, opening: 0 });
    expect(b.clock.pending).toBe(timers + 1);
  });
});

describe('a connection that is attached to a closed server', () => {
  it('is closed', async () => {
    await begin({ options: { difficulty: EASY_DIFFICULTY } });
    await b.server.close();
    const pair = createMemoryPair();
    b.server.attach(pair.server, { index: 0 });
    const miner = new WireMiner(pair.client);
    await miner.until('the end', () => miner.closed);
  });
});
