import { systemClock } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

describe('systemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits, repeats and cancels', () => {
    let once = 0;
    let often = 0;
    let never = 0;
    systemClock.setTimeout(() => once++, 1000);
    const interval = systemClock.setInterval(() => often++, 300);
    systemClock.setTimeout(() => never++, 500).cancel();
    vi.advanceTimersByTime(1000);
    interval.cancel();
    interval.cancel();
    vi.advanceTimersByTime(1000);
    expect([once, often, never]).toEqual([1, 3, 0]);
  });

  it('a delay beyond what timers can hold does not fire at once', () => {
    let fired = 0;
    const timers = [
      systemClock.setTimeout(() => fired++, Number.POSITIVE_INFINITY),
      systemClock.setInterval(() => fired++, Number.POSITIVE_INFINITY),
      systemClock.setTimeout(() => fired++, 2 ** 40),
      systemClock.setInterval(() => fired++, 2 ** 31),
    ];
    vi.advanceTimersByTime(3_600_000);
    expect(fired).toBe(0);
    // 24.8 days are the longest that a finite delay counts for; infinite ones never fire.
    vi.advanceTimersByTime(25 * 86_400_000);
    expect(fired).toBe(2);
    for (const timer of timers) timer.cancel();
  });

  it('tells the time', () => {
    vi.useRealTimers();
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const before = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });
});

describe('FakeClock', () => {
  it('fires in order of time, each at its own', () => {
    const clock = new FakeClock(1000);
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name}@${clock.now()}`);
    clock.setTimeout(note('b'), 20);
    clock.setTimeout(note('a'), 10);
    clock.setTimeout(note('a2'), 10);
    const interval = clock.setInterval(note('i'), 15);
    clock.setTimeout(() => clock.setTimeout(note('nested'), 5), 10);
    clock.advance(30);
    expect(fired).toEqual(['a@1010', 'a2@1010', 'i@1015', 'nested@1015', 'b@1020', 'i@1030']);
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1030, 30, 1]);
    interval.cancel();
    clock.advance(100);
    expect(clock.pending).toBe(0);
  });

  it('does not fire what was cancelled, nor before its time', () => {
    const clock = new FakeClock();
    let fired = 0;
    const timer = clock.setTimeout(() => fired++, 10);
    clock.setTimeout(() => fired++, Number.POSITIVE_INFINITY);
    clock.advance(9);
    expect(fired).toBe(0);
    timer.cancel();
    clock.advance(1_000_000);
    expect(fired).toBe(0);
  });

  it('advanceAsync lets promises run between steps', async () => {
    const clock = new FakeClock();
    const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms));
    let done = false;
    const work = (async () => {
      await wait(1000);
      await wait(1000);
      await settle();
      await wait(1000);
      done = true;
    })();
    await clock.advanceAsync(5000);
    expect(done).toBe(true);
    await work;
  });
});
