import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exitError } from '../src/supervisor-exit.js';
import { NodeOutput } from '../src/supervisor-output.js';
import { RestartBudget } from '../src/supervisor-restart.js';

describe('the restart policy', () => {
  it('doubles the pause up to its bound, and gives up after as many restarts as allowed', () => {
    const budget = new RestartBudget({ minDelayMs: 1000, maxDelayMs: 5000, maxRestarts: 5, windowMs: 60_000 });
    const delays = Array.from({ length: 6 }, (_, i) => budget.next(i * 100, 0));
    expect(delays).toEqual([1000, 2000, 4000, 5000, 5000, undefined]);
    expect(budget.count).toBe(5);
  });

  it('forgets restarts that are older than the window, but not the pause', () => {
    const budget = new RestartBudget({ minDelayMs: 1, maxDelayMs: 8, maxRestarts: 2, windowMs: 1000 });
    expect([budget.next(0, 0), budget.next(10, 0), budget.next(20, 0)]).toEqual([1, 2, undefined]);
    expect(budget.next(1000, 0)).toBe(4);
  });

  it('starts again with a short pause after stable work, and with the longest one when the disk is full', () => {
    const budget = new RestartBudget({ minDelayMs: 1, maxDelayMs: 100, stableAfterMs: 50 });
    expect([budget.next(0, 0), budget.next(0, 49), budget.next(0, 50), budget.next(0, 0, true)]).toEqual([
      1, 2, 1, 100,
    ]);
  });

  it('never restarts with 0, and refuses bounds that make no sense', () => {
    expect(new RestartBudget({ maxRestarts: 0 }).next(0, 0)).toBeUndefined();
    expect(() => new RestartBudget({ minDelayMs: 2, maxDelayMs: 1 })).toThrow(/below/);
    expect(() => new RestartBudget({ windowMs: Number.NaN })).toThrow(/windowMs/);
  });

  it('whatever happens: no more restarts in any window than allowed, and pauses within the bounds', () => {
    const step = fc.record({ pauseMs: fc.nat(500), readyForMs: fc.nat(2000), isSlow: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new RestartBudget({ minDelayMs: 5, maxDelayMs: 80, maxRestarts: 4, windowMs: 1000 });
        const made: number[] = [];
        let nowMs = 0;
        for (const { pauseMs, readyForMs, isSlow } of steps) {
          nowMs += pauseMs;
          const delayMs = budget.next(nowMs, readyForMs, isSlow);
          if (delayMs === undefined) continue;
          expect(delayMs).toBeGreaterThanOrEqual(5);
          expect(delayMs).toBeLessThanOrEqual(80);
          made.push(nowMs);
          expect(made.filter((time) => nowMs - time < 1000).length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });
});

describe('the output of a node', () => {
  function output(secrets: readonly string[] = []) {
    const [clock, log, lines] = [new FakeClock(), new RecordingLogger(), [] as string[]];
    const reader = new NodeOutput({ log, clock, secrets, onLine: (stream, line) => lines.push(`${stream}: ${line}`) });
    const write = (text: string) => reader.write('stdout', Buffer.from(text));
    return { reader, clock, log, lines, write };
  }

  it('comes as lines however the bytes are cut, characters of several bytes included', () => {
    const text = 'first\n\u00e4\u20ac\u{1f600} second\nthird';
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const { reader, lines } = output();
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        for (let i = 1; i < at.length; i++) reader.write('stderr', bytes.subarray(at[i - 1], at[i]));
        reader.end();
        expect(lines).toEqual(text.split('\n').map((line) => `stderr: ${line}`));
      }),
    );
  });

  it('is bounded: a line is cut, and of a flood only the first lines of each second are logged', () => {
    const { reader, clock, log, lines, write } = output();
    write(`${'x'.repeat(5_000_000)}\n`);
    expect(lines[0]?.length).toBe('stdout: '.length + 1000 + 3);
    for (let i = 0; i < 5000; i++) write(`line ${i}\n`);
    expect(lines).toHaveLength(100);
    clock.advance(1000);
    write('next second\n');
    expect(lines.at(-1)).toBe('stdout: next second');
    expect(log.lines).toContainEqual(expect.objectContaining({ details: { lines: 4901 } }));
    expect(reader.lastLines).toHaveLength(30); // those that were not logged are known all the same
    expect(reader.lastLines.at(-2)).toBe('line 4999');
  });

  it('has no secrets and no control characters', () => {
    const { lines, write } = output(['s3cret', '']);
    write('Config: rpcpassword=other rpcauth: user:hash\nusing s3cret\u001b[31m here\u0000\r\n\n');
    expect(lines).toEqual(['stdout: Config: rpcpassword=*** rpcauth: ***', 'stdout: using *** [31m here']);
  });

  it('goes to debug, its complaints to warn', () => {
    const { reader, log, write } = output();
    write('ordinary\n');
    reader.write('stderr', Buffer.from('Error: bad\n'));
    expect(log.lines.map(({ level, details }) => [level, details])).toEqual([
      ['debug', { line: 'ordinary' }],
      ['warn', { line: 'Error: bad' }],
    ]);
  });
});

describe('why a node ended', () => {
  it.each([
    [
      'conflict',
      'Error: Cannot obtain a lock on data directory /d. Litecoin Core is probably already running.',
      /another node is using its data directory/,
    ],
    ['conflict', 'Error: Cannot obtain a lock on directory /d/wallets.', /data directory/],
    ['storage_failed', 'Error: Disk space is too low!', /disk is full/],
    ['storage_failed', 'leveldb: IO error: /d/000005.log: No space left on device', /disk is full/],
    ['listen_failed', 'Error: Unable to bind to 127.0.0.1:9333 on this computer. Already running.', /open a port/],
    ['worker_failed', 'Error: prune mode is incompatible with -txindex.', /it said: Error: prune mode/],
  ] as const)('%s: %s', (code, line, message) => {
    const error = exitError('litecoind', { code: 1, signal: null }, ['before', line, 'Shutdown: done']);
    expect(error).toMatchObject({ code, details: { code: 1, signal: null } });
    expect(error.message).toMatch(message);
  });

  it('nothing is made up where there is nothing', () => {
    expect(exitError('x', { code: 0, signal: null }, []).message).toBe('x ended with code 0');
    expect(exitError('x', { code: null, signal: 'SIGKILL' }, ['Error: of long ago']).message).toBe(
      'x ended by SIGKILL',
    );
  });
});
