// The clock of the machine is set while the server runs. Nothing but what is shown to people may follow it.
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, bench, makeJob } from '../support/bench-server.js';

/** A clock whose time of day can be set; what has passed stays passed. */
class SettableClock extends FakeClock {
  offsetMs = 0;

  override now(): number {
    return super.now() + this.offsetMs;
  }
}

let b: Bench;
afterEach(() => b.close());

const DAY_MS = 86_400_000;

describe.each([
  ['forward by a day', DAY_MS],
  ['back by a day', -DAY_MS],
  ['back to 1970', -1_700_000_000_000],
])('a clock set %s', (_name, offsetMs) => {
  it('ends no session and no lease, refuses no share, repeats no job id', async () => {
    const clock = new SettableClock(1_700_000_000_000);
    b = await bench({ clock, options: { difficulty: { start: 4e-9, min: 1e-9, max: 4e-8, target: 5 } } });
    const stays = await b.connect().start();
    const leaves = await b.connect().start();
    leaves.connection.destroy();
    await settle();
    const early = stays.search();
    clock.offsetMs = offsetMs;
    await clock.advanceAsync(90_000);
    expect(stays.closed).toBe(false);
    expect((await stays.submit(early)).error).toBeNull();
    expect((await stays.mine()).error).toBeNull();
    const back = await b.connect().start(leaves.sessionId);
    expect(back.extranonce1).toBe(leaves.extranonce1);
    b.publish(makeJob({ id: 2, tip: 2, ntime: 1_700_000_100 }));
    await settle();
    expect((await stays.mine()).error).toBeNull();
    const ids = [...stays.jobs, ...back.jobs].map(({ id }) => id);
    const derived = ids.filter((id) => Number.parseInt(id, 16) >= 2 ** 31);
    expect(new Set(derived).size).toBe(derived.length);
    expect(new Set(stays.jobs.map(({ id }) => id)).size).toBe(stays.jobs.length);
  });

  it('lets a ban last as long as it was meant to', async () => {
    const clock = new SettableClock(1_700_000_000_000);
    b = await bench({ clock });
    b.server.bans.add('account', 'mallory', { reason: 'test', durationMs: 600_000 });
    clock.offsetMs = offsetMs;
    expect(b.server.bans.findAccount('mallory')).toBeDefined();
    expect(b.server.bans.list()).toHaveLength(1);
    await clock.advanceAsync(599_000, 10_000);
    expect(b.server.bans.findAccount('mallory')).toBeDefined();
    await clock.advanceAsync(2_000, 1000);
    expect(b.server.bans.findAccount('mallory')).toBeUndefined();
    expect(b.server.bans.list()).toEqual([]);
  });

  it('forgives bad shares no later', async () => {
    const clock = new SettableClock(1_700_000_000_000);
    b = await bench({ clock, options: { bans: { minBad: 10, halfLifeMs: 60_000, badRatio: 0.1 } } });
    const miner = await b.connect().start();
    const bad = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await miner.mine({ misses: miner.job.difficulty });
    };
    await bad(8);
    clock.offsetMs = offsetMs;
    // Three half-lives: one of the eight is left to count.
    await clock.advanceAsync(180_000, 10_000);
    await bad(8);
    expect(b.server.bans.size).toBe(0);
    expect(miner.closed).toBe(false);
  });
});
