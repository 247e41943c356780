import type { Logger } from '@headframe/primitives';
import { RecordingLogger } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

describe('RecordingLogger', () => {
  it.each(LEVELS)('keeps level, details and message of %s, in order', (level) => {
    const log = new RecordingLogger();
    log[level]({ a: 1 }, 'first');
    log[level]({ b: 2 }, 'second');
    expect(log.lines).toEqual([
      { level, details: { a: 1 }, message: 'first' },
      { level, details: { b: 2 }, message: 'second' },
    ]);
  });

  it('tells the levels apart', () => {
    const log = new RecordingLogger();
    for (const level of LEVELS) log[level]({}, `of ${level}`);
    for (const level of LEVELS) expect(log.messages(level)).toEqual([`of ${level}`]);
  });

  it('children write into the same list, loggers of their own do not', () => {
    const log = new RecordingLogger();
    const child: Logger = log.child();
    child.child({ session: 1 }).warn({}, 'of a grandchild');
    log.warn({}, 'of the parent');
    new RecordingLogger().warn({}, 'of a stranger');
    expect(log.messages('warn')).toEqual(['of a grandchild', 'of the parent']);
  });
});
