import { isPoolError } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { type Harness, harness } from './harness.js';

let h: Harness;
afterEach(() => h.close());

const job = makeJob({ id: 1, clean: true });
const range = (start: number, min: number, max: number) => ({ start, min, max, target: 10, variance: 0.3 });

describe('another difficulty while miners are connected', () => {
  it('moves those outside of the new range into it, with fresh work, and new ones start by it', async () => {
    h = await harness({
      job,
      options: { listeners: [{ host: '127.0.0.1', port: 0, difficulty: range(1e-8, 1e-8, 1) }] },
    });
    const inside = await h.connect().start();
    await inside.call('mining.suggest_difficulty', [1e-3]);
    const outside = await h.connect().start();
    await settle();
    expect(inside.job.difficulty).toBe(1e-3);
    expect(outside.job.difficulty).toBe(1e-8);
    const jobsBefore = inside.jobs.length;

    h.server.setDifficultyPolicy(0, range(1e-4, 1e-5, 1));
    await settle();
    expect(outside.job.difficulty).toBe(1e-5);
    expect(inside.jobs).toHaveLength(jobsBefore);
    const later = await h.connect().start();
    expect(later.job.difficulty).toBe(1e-4);

    // Work given before is judged by what it was given with.
    const [first] = outside.jobs;
    if (first === undefined) throw new Error('no job');
    expect((await outside.submit(outside.mine({ job: first }), first)).result).toBe(true);
  });

  it('turns vardiff on and off', async () => {
    h = await harness({ job, options: { listeners: [{ host: '127.0.0.1', port: 0, difficulty: 1e-8 }] } });
    const miner = await h.connect().start();
    h.server.setDifficultyPolicy(0, range(1e-6, 1e-6, 1));
    await settle();
    expect(miner.job.difficulty).toBe(1e-6);
    h.server.setDifficultyPolicy(0, 1e-7);
    await settle();
    expect(miner.job.difficulty).toBe(1e-7);
  });

  it('refuses what no listener can have, and changes nothing then', async () => {
    h = await harness({ job, options: { listeners: [{ host: '127.0.0.1', port: 0, difficulty: 1e-8 }] } });
    const miner = await h.connect().start();
    const code = (change: () => void): string => {
      try {
        change();
      } catch (error) {
        if (isPoolError(error)) return error.code;
      }
      return 'none';
    };
    expect(code(() => h.server.setDifficultyPolicy(1, 1))).toBe('invalid_argument');
    expect(code(() => h.server.setDifficultyPolicy(0, 1e-30))).toBe('invalid_config');
    await settle();
    expect(miner.job.difficulty).toBe(1e-8);
    expect(miner.jobs).toHaveLength(1);
  });
});
