import { FakeClock, RecordingLogger, settle } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { Tasks } from '../src/tasks.js';

function setup() {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  return { clock, log, tasks: new Tasks({ clock, log }) };
}

describe('tasks', () => {
  it('begin with the pool, run once or again and again, and end with it', async () => {
    const { clock, tasks } = setup();
    const runs: string[] = [];
    tasks.add('once', () => runs.push('once'));
    tasks.add('often', () => runs.push('often'), { everyMs: 1000 });
    await settle();
    expect(runs).toEqual([]);
    tasks.start();
    await clock.advanceAsync(2500, 500);
    expect(runs).toEqual(['once', 'often', 'often', 'often']);
    tasks.add('late', () => runs.push('late'));
    await settle();
    expect(runs.at(-1)).toBe('late');
    await tasks.close(1000);
    await clock.advanceAsync(5000);
    expect(runs).toHaveLength(5);
    expect(clock.pending).toBe(0);
    expect(tasks.list().map(({ name, state }) => [name, state])).toEqual([
      ['once', 'done'],
      ['often', 'stopped'],
      ['late', 'done'],
    ]);
  });

  it('never overlap with themselves: the wait begins after the run', async () => {
    const { clock, tasks } = setup();
    let running = 0;
    let most = 0;
    tasks.add(
      'slow',
      async () => {
        running++;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 5000));
        running--;
      },
      { everyMs: 1000 },
    );
    tasks.start();
    await clock.advanceAsync(13_000, 500);
    expect(most).toBe(1);
    expect(tasks.list()[0]).toMatchObject({ runs: 3 });
    const closing = tasks.close(10_000);
    await clock.advanceAsync(10_000);
    await closing;
  });

  it('are joined on close: told by their signal, waited for', async () => {
    const { tasks } = setup();
    let ended = false;
    tasks.add('service', async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      await settle();
      ended = true;
    });
    tasks.start();
    await tasks.close(1000);
    expect(ended).toBe(true);
  });

  it('that do not end are left behind after the time, and named in the log', async () => {
    const { clock, log, tasks } = setup();
    tasks.add('deaf', () => new Promise(() => {}));
    tasks.start();
    const closing = tasks.close(1000);
    await clock.advanceAsync(1100);
    await closing;
    expect(log.lines.at(-1)).toMatchObject({ message: 'tasks did not end in time', details: { tasks: ['deaf'] } });
  });

  it('that fail are logged and run again after pauses that grow, and given up after too many failures in a row', async () => {
    const { clock, log, tasks } = setup();
    const at: number[] = [];
    tasks.add(
      'broken',
      () => {
        at.push(clock.monotonic());
        throw new Error('no');
      },
      { maxFailures: 4 },
    );
    tasks.start();
    await clock.advanceAsync(600_000);
    expect(at).toEqual([0, 1000, 3000, 7000]);
    expect(tasks.list()[0]).toEqual({ name: 'broken', state: 'failed', runs: 4, failures: 4, lastError: 'no' });
    expect(log.messages('error')).toEqual([
      'a task failed',
      'a task failed',
      'a task failed',
      'a task failed',
      'a task failed too often and is given up',
    ]);
    await tasks.close(10);
  });

  it('that recover are forgiven', async () => {
    const { clock, tasks } = setup();
    let run = 0;
    tasks.add(
      'flaky',
      async () => {
        run++;
        if (run % 2 === 1) throw new Error('every other time');
      },
      { everyMs: 1000, maxFailures: 2 },
    );
    tasks.start();
    await clock.advanceAsync(20_000, 500);
    expect(tasks.list()[0]).toMatchObject({ state: 'waiting' });
    expect(run).toBeGreaterThan(10);
    await tasks.close(10);
  });

  it('can be stopped one by one, and refuse a name that is taken and a pool that is closed', async () => {
    const { clock, tasks } = setup();
    let runs = 0;
    const stop = tasks.add('mine', () => runs++, { everyMs: 10 });
    expect(() => tasks.add('mine', () => {})).toThrow(expect.objectContaining({ code: 'conflict' }));
    tasks.start();
    await settle();
    await stop();
    await clock.advanceAsync(1000);
    expect(runs).toBe(1);
    expect(tasks.list()).toEqual([]);
    await tasks.close(10);
    expect(() => tasks.add('after', () => {})).toThrow(expect.objectContaining({ code: 'closed' }));
  });
});
