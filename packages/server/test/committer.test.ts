import type { ShareBatch, ShareRecord } from '@headframe/mining';
import { silentLogger } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { Committer } from '../src/committer.js';
import { MINING_LIMITS } from '../src/index.js';

const RATE = MINING_LIMITS.commitsPerSecond.default;

const record: ShareRecord = {
  timeMs: 0,
  account: 'a',
  worker: 'a.1',
  address: '',
  jobId: 1,
  height: 1,
  result: 'accepted',
  difficulty: 1,
  achieved: 1,
  blockHash: undefined,
};

function setUp(sharesPerCommit = 4096) {
  const clock = new FakeClock();
  const batches: ShareBatch[] = [];
  const answered: number[] = [];
  const committer = new Committer<number>({
    commit: async (batch) => {
      batches.push(batch);
    },
    clock,
    log: silentLogger,
    capacity: 65_536,
    sharesPerCommit,
    commitsPerSecond: RATE,
    timeoutMs: 10_000,
    onCommitted: (entries) => answered.push(...entries),
    onRoom: () => {},
  });
  let next = 0;
  /** One share at a time, each with its own flush: what a thousand slow miners do. */
  const share = async (): Promise<void> => {
    committer.add(record, next++);
    committer.flush();
    await settle();
  };
  return { clock, batches, answered, committer, share };
}

describe('pace of commits', () => {
  it('commits at once while shares come seldom', async () => {
    const { clock, batches, answered, share } = setUp();
    for (let i = 0; i < 500; i++) {
      await share();
      expect(answered.length, `share ${i}`).toBe(i + 1);
      clock.advance(1000 / RATE);
    }
    expect(batches.length).toBe(500);
  });

  it('gathers shares when they come faster than commitsPerSecond, and none waits long', async () => {
    const { clock, batches, answered, share } = setUp();
    const seconds = 2;
    for (let ms = 0; ms < seconds * 1000; ms++) {
      for (let i = 0; i < 3; i++) await share();
      clock.advance(1);
      await settle();
      // Two milliseconds of shares are what may wait.
      expect(ms * 3 + 3 - answered.length).toBeLessThanOrEqual(6);
    }
    expect(batches.length).toBeLessThanOrEqual(seconds * RATE + 64);
    clock.advance(5);
    await settle();
    expect(answered).toEqual(Array.from({ length: seconds * 3000 }, (_, i) => i));
  });

  it('does not make a full batch wait', async () => {
    const { batches, committer, share } = setUp(10);
    for (let i = 0; i < 300; i++) await share();
    expect(committer.pending).toBeLessThan(10);
    expect(batches.at(-1)?.shares.length).toBe(10);
  });

  it('does not wait when the server closes', async () => {
    const { committer, answered, share } = setUp();
    for (let i = 0; i < 100; i++) await share();
    expect(committer.pending).toBeGreaterThan(0);
    expect(await committer.drain(1000)).toBe(true);
    expect(answered.length).toBe(100);
  });
});
