import { BoundedMap, BoundedQueue, BoundedSet, TokenBucket } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('BoundedQueue', () => {
  it('is an array with a bound (property)', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.nat() },
      { weight: 2, arbitrary: fc.constantFrom('shift' as const) },
      { weight: 1, arbitrary: fc.constantFrom('clear' as const) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), fc.array(step, { maxLength: 300 }), (capacity, steps) => {
        const queue = new BoundedQueue<number>(capacity);
        const model: number[] = [];
        for (const action of steps) {
          if (action === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (action === 'clear') {
            queue.clear();
            model.length = 0;
          } else {
            const fits = model.length < capacity;
            expect(queue.push(action)).toBe(fits);
            if (fits) model.push(action);
          }
          expect(queue.size).toBe(model.length);
          expect(queue.peek()).toBe(model[0]);
          expect(queue.isFull).toBe(model.length >= capacity);
        }
      }),
    );
  });

  it('grows past its first ring while wrapped', () => {
    const queue = new BoundedQueue<number>(1000);
    for (let i = 0; i < 16; i++) queue.push(i);
    for (let i = 0; i < 10; i++) expect(queue.shift()).toBe(i);
    for (let i = 16; i < 900; i++) expect(queue.push(i)).toBe(true);
    for (let i = 10; i < 900; i++) expect(queue.shift()).toBe(i);
    expect(queue.shift()).toBeUndefined();
  });
});

describe('BoundedMap', () => {
  it('forgets the entry that was set longest ago', () => {
    const map = new BoundedMap<string, number>(2);
    expect(map.set('a', 1)).toBeUndefined();
    expect(map.set('b', 2)).toBeUndefined();
    // Setting again makes it the newest.
    expect(map.set('a', 3)).toBeUndefined();
    expect(map.set('c', 4)).toEqual(['b', 2]);
    expect([...map.entries()]).toEqual([
      ['a', 3],
      ['c', 4],
    ]);
    expect([...map.values()]).toEqual([3, 4]);
    expect([map.has('a'), map.has('b'), map.get('c'), map.size]).toEqual([true, false, 4, 2]);
    expect([map.delete('a'), map.delete('a')]).toEqual([true, false]);
    map.clear();
    expect(map.size).toBe(0);
  });

  it('never holds more than its bound (property)', () => {
    fc.assert(
      fc.property(fc.nat(10), fc.array(fc.nat(20)), (capacity, keys) => {
        const map = new BoundedMap<number, number>(capacity);
        for (const key of keys) {
          map.set(key, key);
          expect(map.size).toBeLessThanOrEqual(capacity);
        }
      }),
    );
  });
});

describe('BoundedSet', () => {
  it('says whether it knew', () => {
    const set = new BoundedSet<string>(2);
    expect([set.add('a'), set.add('a'), set.add('b'), set.add('c')]).toEqual([true, false, true, true]);
    expect([set.has('a'), set.has('b'), set.has('c'), set.size]).toEqual([false, true, true, 2]);
  });
});

describe('TokenBucket', () => {
  it('allows a burst, then the rate', () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(0))).toEqual([true, true, true, false]);
    expect(bucket.take(99)).toBe(false);
    expect(bucket.take(100)).toBe(true);
    expect(bucket.take(100)).toBe(false);
    // A long rest gives no more than the burst.
    expect([1, 2, 3, 4].map(() => bucket.take(1_000_000))).toEqual([true, true, true, false]);
    expect(bucket.take(1_000_200, 3)).toBe(false);
    expect(bucket.take(1_000_300, 3)).toBe(true);
  });

  it('counts no time twice when the clock goes back', () => {
    const bucket = new TokenBucket(1, 10, 10_000);
    for (let i = 0; i < 10; i++) bucket.take(10_000);
    for (let i = 0; i < 50; i++) {
      expect(bucket.take(0), `round ${i}`).toBe(false);
      expect(bucket.take(10_000), `round ${i}`).toBe(false);
    }
  });

  it('never gives more than burst and rate allow (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 5 }))), (steps) => {
        const bucket = new TokenBucket(20, 7, 0);
        let nowMs = 0;
        let taken = 0;
        for (const [wait, cost] of steps) {
          nowMs += wait;
          if (bucket.take(nowMs, cost)) taken += cost;
          expect(taken).toBeLessThanOrEqual(7 + nowMs / 50 + 1e-6);
        }
      }),
    );
  });
});
