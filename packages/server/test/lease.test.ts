import { describe, expect, it } from 'vitest';
import { isSessionToken, LeaseStore, newSessionToken } from '../src/lease.js';

function store(limit = 10): { leases: LeaseStore<string>; ended: string[] } {
  const ended: string[] = [];
  return { leases: new LeaseStore<string>({ ttlMs: 600_000, limit, onEnd: (kept) => ended.push(kept) }), ended };
}

describe('LeaseStore', () => {
  it('hands a lease out once', () => {
    const { leases, ended } = store();
    const token = newSessionToken();
    leases.put(token, 'a', 0);
    expect(leases.take(token, 599_999)).toBe('a');
    expect(leases.take(token, 599_999)).toBeUndefined();
    expect(ended).toEqual([]);
  });

  it('ends it after its time', () => {
    const { leases, ended } = store();
    leases.put('a'.repeat(32), 'a', 0);
    leases.put('b'.repeat(32), 'b', 1);
    leases.expire(600_000);
    expect(ended).toEqual(['a']);
    expect(leases.take('a'.repeat(32), 600_000)).toBeUndefined();
    expect(leases.take('b'.repeat(32), 600_000)).toBe('b');
  });

  it('is bounded: the oldest ends early', () => {
    const { leases, ended } = store(2);
    for (const name of ['a', 'b', 'c']) leases.put(name.repeat(32), name, 0);
    expect(leases.size).toBe(2);
    expect(ended).toEqual(['a']);
    leases.clear(0);
    expect(ended).toEqual(['a', 'b', 'c']);
    const none = store(0);
    none.leases.put('d', 'd', 0);
    expect(none.ended).toEqual(['d']);
  });

  it('knows its own tokens by shape', () => {
    expect(isSessionToken(newSessionToken())).toBe(true);
    expect(newSessionToken()).not.toBe(newSessionToken());
    for (const other of ['', 'deadbeef', 'A'.repeat(32), 'x'.repeat(32), 'a'.repeat(33), null, 5, undefined, []]) {
      expect(isSessionToken(other)).toBe(false);
    }
  });
});
