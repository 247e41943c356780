import type { Ledger, SubjectSummary } from '@headframe/ledger';
import { PoolError } from '@headframe/primitives';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { WindowCheck } from '../src/window-check.js';

const DAY_MS = 86_400_000;
const HASHES = 2 ** 32;

function makeCheck(summary: Ledger['summary']) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const options = { window: 2, retentionMs: 3 * DAY_MS, hashesPerDifficulty: HASHES };
  return { clock, log, check: new WindowCheck(options, { ledger: { summary }, clock, log }) };
}

/** A pool that does so much difficulty a day. */
const pace = (difficultyPerDay: number) => async () =>
  ({ hashrate: { tenMinutes: 0, hour: 0, day: (difficultyPerDay * HASHES) / 86_400 } }) as SubjectSummary;

describe('the PPLNS window', () => {
  it('that is longer than shares are kept is warned of, once a day', async () => {
    const { check, log, clock } = makeCheck(pace(100));
    // Two times 200 are four days of work.
    await check.look(200);
    await check.look(200);
    expect(log.lines).toMatchObject([{ level: 'warn', details: { windowDays: 4, shareDays: 3, window: 2 } }]);
    clock.advance(DAY_MS);
    await check.look(200);
    expect(log.lines).toHaveLength(2);
  });

  it('that fits, or of which nothing is known, is not', async () => {
    for (const summary of [
      pace(100),
      pace(0),
      async () => undefined,
      () => Promise.reject(new PoolError('storage_failed', 'away')),
    ]) {
      const { check, log } = makeCheck(summary);
      await check.look(150);
      expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
    }
  });
});
