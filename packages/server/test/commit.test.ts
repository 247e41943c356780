import type { ShareBatch } from '@headframe/mining';
import { Histogram } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { createInlineValidator } from '@headframe/validator';
import { afterEach, describe, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { type Harness, type HarnessOptions, harness, type Miner } from './harness.js';

let h: Harness;
afterEach(() => h.close());

const none = new Histogram().snapshot();
const job = makeJob({ id: 1, clean: true });

async function begin(setup: HarnessOptions<{ readonly id: string }> = {}): Promise<Miner> {
  h = await harness({ job, ...setup });
  return h.connect().start();
}

const submits = (miner: Miner, count: number, firstId = 0) =>
  Array.from({ length: count }, (_, i) => ({
    id: firstId + i,
    method: 'mining.submit',
    params: miner.params(miner.mine()),
  }));

describe('accepted means durable', () => {
  it('true is only said after the commit; refusals wait their turn', async () => {
    const miner = await begin();
    let done: () => void = () => {};
    h.core.onCommit = () =>
      new Promise((resolve) => {
        done = () => resolve(null);
      });
    const before = miner.lines.length;
    const low = { id: 2, method: 'mining.submit', params: miner.params(miner.mine({ below: miner.difficulty })) };
    miner.send(...submits(miner, 2), low, { id: 3, method: 'mining.ping', params: [] });
    await settle();
    expect(miner.lines).toHaveLength(before);
    done();
    await miner.answer(3);
    expect(miner.lines.slice(before).map(({ id, result }) => [id, result])).toEqual([
      [0, true],
      [1, true],
      [2, null],
      [3, 'pong'],
    ]);
  });

  it('one commit at a time; what comes meanwhile makes up the next', async () => {
    const miner = await begin();
    const batches: ShareBatch[] = [];
    const done: (() => void)[] = [];
    h.core.onCommit = (batch) => {
      batches.push(batch);
      return new Promise((resolve) => done.push(() => resolve(null)));
    };
    for (let i = 0; i < 5; i++) {
      miner.send(...submits(miner, 3, i * 3));
      await settle();
    }
    expect(batches).toHaveLength(1);
    expect(h.server.stats().shares.uncommitted).toBe(15);
    done[0]?.();
    await settle();
    expect(batches.map(({ sequence, shares }) => [sequence, shares.length])).toEqual([
      [1, 3],
      [2, 12],
    ]);
    done[1]?.();
    await miner.answer(14);
    expect(h.server.stats().shares.uncommitted).toBe(0);
  });

  it('a failed commit is sent again under the same number until it works', async () => {
    const miner = await begin();
    const seen: string[] = [];
    h.core.onCommit = ({ epoch, sequence }) => {
      seen.push(`${epoch}/${sequence}`);
      if (seen.length < 4) throw new Error('disk full');
      return null;
    };
    miner.send(...submits(miner, 1, 40));
    await h.clock.advanceAsync(2_000, 50);
    expect((await miner.answer(40)).result).toBe(true);
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(1);
    expect(h.core.accepted()).toHaveLength(1);
  });

  it('a commit that is never answered is sent again, and counts once', async () => {
    const miner = await begin();
    let calls = 0;
    h.core.onCommit = () => (++calls === 1 ? new Promise(() => {}) : null);
    miner.send(...submits(miner, 2, 40));
    await h.clock.advanceAsync(12_000, 500);
    expect((await miner.answer(41)).result).toBe(true);
    expect(calls).toBe(2);
    expect(h.core.accepted()).toHaveLength(2);
  });

  it('large batches are split, and every share gets its own answer', async () => {
    const miner = await begin({ options: { limits: { sharesPerCommit: 10 } } });
    const ids = Array.from({ length: 47 }, (_, id) => id);
    const messages = submits(miner, 47);
    for (const at of [5, 6, 20, 46]) {
      messages[at] = { id: at, method: 'mining.submit', params: miner.params(miner.mine({ below: miner.difficulty })) };
    }
    miner.send(...messages);
    await miner.answer(46);
    const answers = miner.lines.filter(({ id }) => typeof id === 'number' && id < 47 && id !== 10 && id !== 11);
    expect(answers.filter(({ result }) => result === true)).toHaveLength(41);
    expect(
      miner.lines
        .filter(({ method }) => method === undefined)
        .slice(2)
        .map(({ id }) => id),
    ).toEqual(ids);
    expect(h.core.batches.every(({ shares }) => shares.length <= 10)).toBe(true);
    expect(h.core.accepted()).toHaveLength(43);
  });
});

describe('when a queue is full', () => {
  it('a ledger that is down stops the reading, and nothing is lost', async () => {
    const miner = await begin({ options: { limits: { uncommittedShares: 20 } } });
    const other = h.connect();
    await other.start();
    let broken = true;
    h.core.onCommit = () => {
      if (broken) throw new Error('down');
      return null;
    };
    for (let i = 0; i < 10; i++) {
      miner.send(...submits(miner, 10, i * 10));
      await settle();
    }
    const { uncommitted } = h.server.stats().shares;
    expect(uncommitted).toBeGreaterThanOrEqual(20);
    expect(uncommitted).toBeLessThan(45);
    expect((await other.call('mining.ping', [])).result, 'others are served').toBe('pong');
    broken = false;
    for (let i = 0; i < 20; i++) await h.clock.advanceAsync(1_000, 100);
    expect((await miner.answer(99)).result).toBe(true);
    expect(h.core.accepted()).toHaveLength(100);
  });

  it('a validator that is full, too', async () => {
    const miner = await begin({ modules: { validator: (listener) => createInlineValidator({ listener, queue: 4 }) } });
    const others = await Promise.all([h.connect().start(), h.connect().start()]);
    for (const each of [miner, ...others]) each.send(...submits(each, 50, 100));
    for (const each of [miner, ...others]) {
      expect((await each.answer(149)).result).toBe(true);
      expect(each.lines.filter(({ id }) => Number(id) >= 100).map(({ id }) => id)).toEqual(
        Array.from({ length: 50 }, (_, i) => 100 + i),
      );
    }
    expect(h.core.accepted()).toHaveLength(150);
    expect(h.server.stats().shares.pending).toBe(0);
  });

  it('sessions that leave meanwhile do no harm', async () => {
    const miner = await begin({ modules: { validator: (listener) => createInlineValidator({ listener, queue: 2 }) } });
    miner.send(...submits(miner, 30));
    await Promise.resolve();
    miner.connection.destroy();
    for (let i = 0; i < 20; i++) await settle();
    expect(h.server.stats().shares.pending).toBe(0);
    expect(h.server.sessionCount).toBe(0);
    expect((await h.connect().start()).jobs).toHaveLength(1);
  });
});

describe('a share that cannot be judged', () => {
  it('is refused as an internal error', async () => {
    h = await harness({
      job,
      modules: {
        validator: (listener) => ({
          mode: 'inline',
          backend: 'node',
          pending: 0,
          stats: () => ({
            evaluated: 0,
            failed: 0,
            inThreads: 0,
            workerRestarts: 0,
            pending: 0,
            wait: none,
            evaluation: none,
          }),
          submit: (share) => {
            setImmediate(() => {
              listener.failed(share, new Error('no thread'));
              listener.batchDone();
            });
            return true;
          },
          close: () => Promise.resolve(),
        }),
      },
    });
    const miner = await h.connect().start();
    expect((await miner.submit(miner.mine())).error).toEqual([20, 'Internal error', null]);
  });
});

describe('close', () => {
  it('lets every share that was taken reach the ledger, and tells miners', async () => {
    const miner = await begin();
    miner.send(...submits(miner, 20, 100));
    await Promise.resolve();
    const closed = h.server.close({ drainMs: 1_000, message: 'maintenance' });
    await h.clock.advanceAsync(3_000, 100);
    await closed;
    expect(h.core.accepted()).toHaveLength(20);
    expect(miner.lines.filter(({ result }) => result === true).length).toBeGreaterThanOrEqual(21);
    expect(miner.received('client.show_message')[0]?.params).toEqual(['maintenance']);
    expect(miner.received('client.reconnect')[0]?.params).toEqual([]);
    await h.server.close();
    expect(h.clock.pending, 'no timer is left').toBe(0);
  });

  it('says what it could not hand over', async () => {
    const miner = await begin();
    h.core.onCommit = () => {
      throw new Error('down');
    };
    miner.send(...submits(miner, 1, 100));
    await settle();
    const closed = h.server.close({ drainMs: 100 });
    await h.clock.advanceAsync(1_000, 50);
    await closed;
    expect(h.server.stats().shares.uncommitted).toBe(1);
  });
});
