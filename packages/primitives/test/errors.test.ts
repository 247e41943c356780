import {
  errorMessage,
  isPoolError,
  isPromiseLike,
  isReject,
  PoolError,
  reject,
  silentLogger,
} from '@headframe/primitives';
import { describe, expect, it } from 'vitest';

describe('PoolError', () => {
  it('carries code, message, cause and details', () => {
    const cause = new Error('inner');
    const error = new PoolError('rpc_error', 'outer', { cause, details: { code: -8 } });
    expect(error).toMatchObject({
      name: 'PoolError',
      code: 'rpc_error',
      message: 'outer',
      cause,
      details: { code: -8 },
    });
    expect(error).toBeInstanceOf(Error);
    expect(new PoolError('closed', 'x').details).toEqual({});
    expect('cause' in new PoolError('closed', 'x')).toBe(false);
  });

  it('is recognised by name and code, not by class', () => {
    const foreign = Object.assign(new Error('from another copy'), { name: 'PoolError', code: 'closed' });
    expect(isPoolError(foreign)).toBe(true);
    expect(isPoolError(foreign, 'closed')).toBe(true);
    expect(isPoolError(foreign, 'aborted')).toBe(false);
    for (const other of [new Error('x'), { name: 'PoolError', code: 'closed' }, null, undefined, 'closed']) {
      expect(isPoolError(other)).toBe(false);
    }
  });

  it('errorMessage takes anything', () => {
    expect([errorMessage(new Error('a')), errorMessage('b'), errorMessage(undefined)]).toEqual(['a', 'b', 'undefined']);
  });
});

describe('reject', () => {
  it('is recognised', () => {
    expect(reject('stale', 'too late')).toMatchObject({ code: 'stale', reason: 'too late' });
    expect(isReject(reject('stale'))).toBe(true);
    expect(reject('stale').reason).toBeUndefined();
    for (const other of [{ code: 'stale', reason: 'x' }, null, undefined, true, new Error('stale')]) {
      expect(isReject(other)).toBe(false);
    }
  });

  it('cannot be forged by data from the wire', () => {
    expect(isReject(JSON.parse(JSON.stringify(reject('stale'))))).toBe(false);
  });
});

describe('small things', () => {
  it('isPromiseLike', () => {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    for (const value of [Promise.resolve(), { then() {} }]) expect(isPromiseLike(value)).toBe(true);
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    for (const value of [null, undefined, 1, 'x', {}, { then: 1 }]) expect(isPromiseLike(value)).toBe(false);
  });

  it('the silent logger is silent, and so are its children', () => {
    const child = silentLogger.child({ session: 1 });
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) child[level]({}, 'x');
  });
});
