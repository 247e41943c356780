import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock } from '../src/state/clock.js';
import { RANGE_NAMES, RANGES } from '../src/state/range.js';
import {
  addRecent,
  MAX_RECENT,
  memoryStorage,
  readRecent,
  removeRecent,
  type TextStorage,
} from '../src/state/recent.js';
import { lineOf, rejectLineOf, summaryOf } from '../src/state/series.js';
import { sortBy, sorted } from '../src/state/sort.js';
import { nextTheme, readTheme, writeTheme } from '../src/state/theme.js';
import { kindWords, schemeWords } from '../src/state/words.js';

const MINUTE = 60_000;

function point(startMs: number, hashrate: number, stale = 0) {
  return { startMs, hashrate, accepted: 10, stale, duplicate: 0, low: 0, invalid: 0, work: 1, best: 1 };
}

describe('series', () => {
  const toMs = 100_000 * MINUTE + 25_000;

  it('fills gaps with zero, and leaves out the minute under way and the time before the first share', () => {
    const last = 100_000 * MINUTE;
    const points = [point(last - 4 * MINUTE, 100), point(last - 2 * MINUTE, 300), point(last, 5)];
    const line = lineOf({ resolution: 'minute', fromMs: last - 10 * MINUTE, toMs, points }, '10m');
    expect(line.hashrates).toEqual([0, 100, 0, 300, 0]);
    expect(line.times[0]).toBe((last - 5 * MINUTE) / 1000);
    expect(summaryOf(line)).toEqual({ mean: 80, highest: 300, lowest: 0, latest: 0 });
  });

  it('gathers minutes of a day into steps of ten', () => {
    const fromMs = toMs - 86_400_000;
    const points = Array.from({ length: 1_440 }, (_, index) => point(fromMs - (fromMs % MINUTE) + index * MINUTE, 50));
    const line = lineOf({ resolution: 'minute', fromMs, toMs, points }, '24h');
    expect(line.times.length).toBeGreaterThan(140);
    expect(line.hashrates.slice(1, -1).every((value) => value === 50)).toBe(true);
  });

  it('draws a young series by the minute', () => {
    const last = 100_000 * MINUTE;
    const points = [3, 2, 1].map((age) => point(last - age * MINUTE, 100 * age));
    const line = lineOf({ resolution: 'minute', fromMs: last - 1_440 * MINUTE, toMs, points }, '24h');
    expect(line.hashrates).toEqual([0, 300, 200, 100]);
  });

  it('is nothing without shares', () => {
    const line = lineOf({ resolution: 'hour', fromMs: 0, toMs, points: [] }, '7d');
    expect(line.times).toEqual([]);
    expect(summaryOf(line)).toBeUndefined();
  });

  it('keeps times even and work whole, whatever comes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...RANGE_NAMES), fc.array(fc.tuple(fc.nat(10_000), fc.nat(1_000))), (range, list) => {
        const { spanMs, stepMs, resolution } = RANGES[range];
        const fromMs = toMs - spanMs;
        const size = resolution === 'hour' ? 60 * MINUTE : MINUTE;
        const points = list.map(([offset, rate]) => point(fromMs - (fromMs % size) + ((offset * size) % spanMs), rate));
        const { times, hashrates } = lineOf({ resolution, fromMs, toMs, points }, range);
        expect(times).toHaveLength(hashrates.length);
        expect(times.length).toBeLessThanOrEqual(spanMs / size);
        for (let index = 1; index < times.length; index++) {
          expect([stepMs, size]).toContain(((times[index] ?? 0) - (times[index - 1] ?? 0)) * 1000);
        }
      }),
    );
  });

  it('tells the rejected part', () => {
    const last = 100_000 * MINUTE;
    const points = [point(last - 3 * MINUTE, 1, 10), point(last - 2 * MINUTE, 1), point(last - MINUTE, 1)];
    const line = rejectLineOf({ resolution: 'minute', fromMs: last - 10 * MINUTE, toMs, points }, '10m');
    expect(line.ratios).toEqual([0, 0.5, 0, 0]);
    expect(line.mean).toBe(0.25);
  });
});

describe('what the browser keeps', () => {
  const broken: TextStorage = {
    getItem: () => {
      throw new Error('forbidden');
    },
    setItem: () => {
      throw new Error('forbidden');
    },
    removeItem: () => {
      throw new Error('forbidden');
    },
  };

  it('remembers accounts, latest first, each once, not too many', () => {
    const storage = memoryStorage();
    for (let index = 0; index < 12; index++) addRecent(storage, `a${index}`);
    addRecent(storage, 'a10');
    expect(readRecent(storage).slice(0, 3)).toEqual(['a10', 'a11', 'a9']);
    expect(readRecent(storage)).toHaveLength(MAX_RECENT);
    removeRecent(storage, 'a10');
    expect(readRecent(storage)[0]).toBe('a11');
  });

  it.each(['{', '"x"', '[1,null,""]', `["${'a'.repeat(300)}"]`])('reads %s as nothing', (text) => {
    const storage = memoryStorage();
    storage.setItem('headframe.recent', text);
    expect(readRecent(storage)).toEqual([]);
  });

  it('goes on without storage', () => {
    expect(addRecent(broken, 'a')).toEqual(['a']);
    expect(readRecent(broken)).toEqual([]);
    expect(readTheme(broken)).toBe('system');
    expect(() => writeTheme(broken, 'dark')).not.toThrow();
  });

  it('keeps the colours', () => {
    const storage = memoryStorage();
    writeTheme(storage, 'dark');
    expect(readTheme(storage)).toBe('dark');
    writeTheme(storage, 'system');
    expect(storage.getItem('headframe.theme')).toBeNull();
    storage.setItem('headframe.theme', 'purple');
    expect(readTheme(storage)).toBe('system');
    expect([nextTheme('system'), nextTheme('light'), nextTheme('dark')]).toEqual(['light', 'dark', 'system']);
  });
});

describe('sorting', () => {
  it('turns round on the same column and begins anew on another', () => {
    const first = { column: 'a', direction: 'descending' } as const;
    expect(sortBy<'a' | 'b'>(first, 'a', 'descending').direction).toBe('ascending');
    expect(sortBy<'a' | 'b'>(first, 'b', 'ascending')).toEqual({ column: 'b', direction: 'ascending' });
  });

  it('puts the unknown last either way', () => {
    const items = [3, null, 1, 2];
    expect(sorted(items, (item) => item, 'ascending')).toEqual([1, 2, 3, null]);
    expect(sorted(items, (item) => item, 'descending')).toEqual([3, 2, 1, null]);
  });

  it('sorts numbers in names as numbers', () => {
    expect(sorted(['rig10', 'rig9'], (item) => item, 'ascending')).toEqual(['rig9', 'rig10']);
  });
});

describe('clock and words', () => {
  it("follows the server's time when this machine's is off", () => {
    const clock = new Clock(() => 1_000_000);
    clock.adjust(1_002_000);
    expect(clock.now()).toBe(1_000_000);
    clock.adjust(4_000_000);
    expect(clock.now()).toBe(4_000_000);
  });

  it('tells those who listen', () => {
    const clock = new Clock(() => 0);
    let ticks = 0;
    const leave = clock.onTick(() => {
      ticks++;
    });
    clock.tick();
    leave();
    clock.tick();
    expect(ticks).toBe(1);
  });

  it('names schemes and kinds, unknown ones too', () => {
    expect(schemeWords('solo', false).meaning).toMatch(/coinbase/);
    expect(schemeWords('solo', true).meaning).toMatch(/less the fee/);
    expect(schemeWords('new-scheme', true)).toEqual({ name: 'new-scheme', meaning: '' });
    expect([kindWords('payment'), kindWords('low-difficulty')]).toEqual(['Payment', 'Low difficulty']);
  });
});
