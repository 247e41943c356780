import { resolveCoin } from '@headframe/coins';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { type ReportedPool, startStatusReports } from '../src/status-report.js';

/** A pool whose numbers are what the test says. */
function fakePool(coin: 'bitcoin' | 'litecoin') {
  const shares = { accepted: 0, work: 0, rejected: {} as Record<string, number> };
  const state = { shares, job: undefined as { height: number; createdAtMs: number } | undefined, ready: true };
  const pool = {
    coin: resolveCoin(coin, 'regtest'),
    status: () => ({
      sessions: 3,
      server: { workers: 5, shares: state.shares },
      job: state.job,
      node: { ready: state.ready, reason: state.ready ? undefined : 'no node is up' },
    }),
  };
  return { state, pool: pool as unknown as ReportedPool };
}

describe('status reports', () => {
  it('tell once a minute how the pool is doing', () => {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const { state, pool } = fakePool('bitcoin');
    const stop = startStatusReports(pool, log, clock);
    state.job = { height: 102, createdAtMs: clock.now() + 48_000 };
    state.shares = { accepted: 10, work: 60, rejected: { stale: 2, duplicate: 1 } };
    clock.advance(60_000);
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'status',
        details: {
          hashrate: '4.29 GH/s',
          sessions: 3,
          workers: 5,
          accepted: 10,
          rejected: 3,
          height: 102,
          jobAgeSeconds: 12,
        },
      },
    ]);
    state.shares = { accepted: 15, work: 60, rejected: { stale: 2, duplicate: 1 } };
    clock.advance(60_000);
    expect(log.lines[1]?.details).toMatchObject({ hashrate: '2.15 GH/s', accepted: 5, rejected: 0 });
    stop();
    clock.advance(600_000);
    expect(log.lines).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('average over ten minutes, in hashes of the algorithm', () => {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const { state, pool } = fakePool('litecoin');
    startStatusReports(pool, log, clock);
    for (let minute = 1; minute <= 30; minute++) {
      state.shares = { ...state.shares, work: minute <= 15 ? minute * 60 : 15 * 60 };
      clock.advance(60_000);
    }
    // 1 difficulty a second is 65536 hashes a second for scrypt.
    expect(log.lines[14]?.details).toMatchObject({ hashrate: '65.5 kH/s' });
    expect(log.lines[19]?.details).toMatchObject({ hashrate: '32.8 kH/s' });
    expect(log.lines[29]?.details).toMatchObject({ hashrate: '0.00 H/s' });
  });

  it('say so when there is no job and no node', () => {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const { state, pool } = fakePool('bitcoin');
    state.ready = false;
    startStatusReports(pool, log, clock);
    clock.advance(60_000);
    expect(log.lines[0]?.details).toMatchObject({ height: null, jobAgeSeconds: null, node: 'no node is up' });
  });
});
