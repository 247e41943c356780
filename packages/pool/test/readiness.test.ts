import { expect, it } from 'vitest';
import { Readiness } from '../src/readiness.js';

it('is ready until somebody says otherwise, and tells who and why', () => {
  const changes: string[][] = [];
  const readiness: Readiness = new Readiness(() => changes.push(readiness.problems));
  expect(readiness.isReady).toBe(true);
  readiness.set('warm-up', false, 'cache\nis loading');
  readiness.set('rates', false);
  readiness.set('rates', false);
  expect(readiness.problems).toEqual(['rates: not ready', 'warm-up: cache?is loading']);
  readiness.set('warm-up', true);
  expect(readiness.isReady).toBe(false);
  readiness.clear('rates');
  expect(readiness.isReady).toBe(true);
  expect(readiness.list()).toEqual([{ name: 'warm-up', isOk: true, reason: undefined }]);
  expect(changes).toHaveLength(4);
});

it('takes 64 names of printable ASCII', () => {
  const readiness = new Readiness();
  for (let i = 0; i < 64; i++) readiness.set(`n${i}`, true);
  expect(() => readiness.set('one-more', true)).toThrow(expect.objectContaining({ code: 'queue_full' }));
  readiness.set('n0', false);
  for (const name of ['', 'a b', 'x'.repeat(65), 'a\n']) {
    expect(() => readiness.set(name, true)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  }
});
