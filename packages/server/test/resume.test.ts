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

async function leave(miner: Miner): Promise<void> {
  miner.connection.destroy();
  await settle();
}

describe('session resume', () => {
  it('gives back extranonce1, jobs, difficulties and what was paid', async () => {
    const first = await begin({ options: { difficulty: { start: 1e-8, min: 1e-8, max: 1 } } });
    const oldJob = first.job;
    const paid = first.mine();
    const open = first.mine();
    expect((await first.submit(paid)).result).toBe(true);
    await first.call('mining.suggest_difficulty', [2e-8]);
    await settle();
    await leave(first);

    const miner = h.connect();
    await miner.start(first.sessionId);
    expect(miner.sessionId).toBe(first.sessionId);
    expect(miner.extranonce1).toBe(first.extranonce1);
    expect(miner.difficulty).toBe(2e-8);
    expect((await miner.submit(paid, oldJob)).error).toEqual([22, 'Duplicate share', null]);
    expect((await miner.submit(open, oldJob)).result).toBe(true);
    expect(h.core.accepted().map((share) => share.difficulty)).toEqual([1e-8, 1e-8]);
    expect(
      first.jobs.map(({ id }) => id),
      'work is fresh',
    ).not.toContain(miner.job.id);
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });

  it('keeps the version mask of old jobs', async () => {
    h = await harness({ job });
    const first = h.connect();
    await first.call('mining.configure', [['version-rolling'], {}]);
    await first.start();
    const oldJob = first.job;
    const work = first.mine({ bits: 0x2000 });
    await leave(first);
    const miner = await h.connect().start(first.sessionId);
    const params = [...miner.params(work, oldJob), '00002000'];
    expect((await miner.call('mining.submit', params)).result).toBe(true);
    // The mask was agreed on the other connection.
    const rolled = miner.mine({ bits: 0x2000 });
    const refused = await miner.call('mining.submit', [...miner.params(rolled), '00002000']);
    expect(refused.error).toMatchObject([20, expect.any(String), null]);
  });

  it('needs the name again', async () => {
    const first = await begin();
    const { job: oldJob } = first;
    const work = first.mine();
    await leave(first);
    const miner = h.connect();
    await miner.subscribe(first.sessionId);
    expect((await miner.submit(work, oldJob)).error).toEqual([24, 'Unauthorized worker', null]);
    await miner.authorize();
    expect((await miner.submit(work, oldJob)).result).toBe(true);
  });

  it('is refused while the session lives', async () => {
    const first = await begin();
    const thief = h.connect();
    await thief.subscribe(first.sessionId);
    expect(thief.sessionId).not.toBe(first.sessionId);
    expect(thief.extranonce1).not.toBe(first.extranonce1);
    await leave(first);
    const one = h.connect();
    const two = h.connect();
    await one.subscribe(first.sessionId);
    await two.subscribe(first.sessionId);
    expect(one.extranonce1).toBe(first.extranonce1);
    expect(two.extranonce1, 'given out once').not.toBe(first.extranonce1);
  });

  it.each(['ae6812eb4cd7735a302a8a9dd95cf71f', 'deadbeef', '0'.repeat(32), 'x', ''])(
    'a session id that is none of ours (%s) starts a new session without an error',
    async (id) => {
      h = await harness({ job });
      const miner = h.connect();
      expect((await miner.subscribe(id)).error).toBeNull();
      expect(miner.sessionId).toMatch(/^[0-9a-f]{32}$/);
      expect(miner.sessionId).not.toBe(id);
    },
  );

  it('ends after ten minutes', async () => {
    const first = await begin();
    await leave(first);
    await h.clock.advanceAsync(599_000, 60_000);
    expect(h.server.stats().leases).toBe(1);
    const miner = await h.connect().start(first.sessionId);
    expect(miner.extranonce1).toBe(first.extranonce1);
    await leave(miner);
    await h.clock.advanceAsync(601_000, 60_000);
    expect(h.server.stats().leases).toBe(0);
    const late = await h.connect().start(first.sessionId);
    expect(late.extranonce1).not.toBe(first.extranonce1);
  });

  it('leases are bounded, and an extranonce is not given out again too soon', async () => {
    const first = await begin({ options: { limits: { leases: 3, extranonces: 10 } } });
    const used = new Set([first.extranonce1]);
    await leave(first);
    for (let i = 0; i < 9; i++) {
      const miner = await h.connect().start();
      expect(used.has(miner.extranonce1)).toBe(false);
      used.add(miner.extranonce1);
      await leave(miner);
    }
    expect(h.server.stats()).toMatchObject({ leases: 3, extranonces: 10 });
    const full = h.connect();
    const answer = await full.call('mining.subscribe', []);
    expect(answer.error).toEqual([20, 'No extranonce to give', null]);
    await h.clock.advanceAsync(601_000, 60_000);
    await h.connect().start();
  });

  it('a session that got no work leaves nothing behind', async () => {
    h = await harness({ job });
    for (let i = 0; i < 5; i++) {
      const miner = h.connect();
      await miner.subscribe();
      await leave(miner);
    }
    expect(h.server.stats()).toMatchObject({ leases: 0, extranonces: 0, workers: 0, channels: 0 });
  });

  it('over a change of block, old work is stale and new work counts', async () => {
    const first = await begin();
    const oldJob = first.job;
    const work = first.mine();
    await leave(first);
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    const miner = await h.connect().start(first.sessionId);
    expect((await miner.submit(work, oldJob)).error).toEqual([21, 'Stale share', null]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });

  it('does not bring back a job that was forgotten, with what was paid on it', async () => {
    // Found by the sequences property: the job of the moment can be the oldest a channel was given.
    const first = await begin({ options: { limits: { jobsPerChannel: 3 } } });
    const { job: oldJob } = first;
    const paid = first.mine();
    expect((await first.submit(paid)).result).toBe(true);
    for (const session of h.server.sessions) {
      for (let i = 1; i <= 4; i++) h.server.setDifficulty(session, 1e-8 + i * 1e-9);
    }
    await leave(first);
    const miner = await h.connect().start(first.sessionId);
    expect(miner.job.id).not.toBe(oldJob.id);
    expect((await miner.submit(paid, oldJob)).error).toEqual([21, 'Job not found', null]);
    expect(h.core.accepted()).toHaveLength(1);
  });

  it('a share whose answer was lost with the connection is not paid twice', async () => {
    const first = await begin();
    let release: () => void = () => {};
    h.core.onCommit = () =>
      new Promise((resolve) => {
        release = () => resolve(null);
      });
    const oldJob = first.job;
    const work = first.mine();
    first.send({ id: 70, method: 'mining.submit', params: first.params(work) });
    await settle();
    await leave(first);
    // It waited for its reply; a miner that is gone is not waited for longer than the linger time.
    await h.clock.advanceAsync(6_000);
    const miner = await h.connect().start(first.sessionId);
    expect(miner.extranonce1).toBe(first.extranonce1);
    h.core.onCommit = () => null;
    expect((await miner.submit(work, oldJob)).error).toEqual([22, 'Duplicate share', null]);
    release();
    await settle();
    expect(h.core.accepted()).toHaveLength(1);
  });
});
