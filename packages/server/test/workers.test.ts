import { describe, expect, it } from 'vitest';
import { type Worker, WorkerTable } from '../src/workers.js';

const worker = (name: string, key = 'a'): Worker<string> => ({ name, account: key, key, address: '' });

describe('WorkerTable', () => {
  it('finds exactly first, then but for case and whitespace', () => {
    const table = new WorkerTable<string>(10);
    expect(table.find('x')).toBeUndefined();
    table.add(worker('Rig'));
    expect(table.find('Rig')?.name).toBe('Rig');
    expect(table.find(' rig ')?.name).toBe('Rig');
    table.add(worker('rig', 'b'));
    expect(table.find('Rig')?.key).toBe('a');
    expect(table.find('rig')?.key).toBe('b');
    expect(table.find('RIG'), 'could be either').toBeUndefined();
    expect(table.size).toBe(2);
    expect(table.hasKey('b')).toBe(true);
    expect(table.hasKey('c')).toBe(false);
  });

  it('takes the empty name for the only worker', () => {
    const table = new WorkerTable<string>(10);
    table.add(worker('a'));
    expect(table.find('')?.name).toBe('a');
    table.add(worker('b'));
    expect(table.find('')).toBeUndefined();
  });

  it('replaces a worker that comes again', () => {
    const table = new WorkerTable<string>(2);
    expect(table.add(worker('a', '1'))).toBe(true);
    expect(table.add(worker('a', '2'))).toBe(false);
    expect(table.find('a')?.key).toBe('2');
    expect(table.find('A')?.key).toBe('2');
    expect(table.add(worker('b', '3'))).toBe(true);
    expect(table.hasRoom('c')).toBe(false);
    expect(table.hasRoom('b')).toBe(true);
    expect(table.add(worker('b', '4'))).toBe(false);
    expect(table.find('B')?.key).toBe('4');
    expect([...table].map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('forgets a worker, and no other', () => {
    const table = new WorkerTable<string>(3);
    for (const [name, key] of [
      ['a', '1'],
      ['B', '2'],
      ['c', '2'],
    ] as const)
      table.add(worker(name, key));
    expect(table.remove('b'), 'not exactly').toBe(false);
    expect(table.remove('a')).toBe(true);
    expect(table.remove('a')).toBe(false);
    expect([...table].map(({ name }) => name)).toEqual(['B', 'c']);
    expect(table.first?.name).toBe('B');
    expect([table.find('a'), table.find('A')]).toEqual([undefined, undefined]);
    expect([table.hasKey('1'), table.hasKey('2')]).toEqual([false, true]);
    table.remove('B');
    expect(table.hasKey('2'), 'of c').toBe(true);
    expect(table.find('')?.name).toBe('c');
    table.remove('c');
    expect(table.size).toBe(0);
    expect(table.first).toBeUndefined();
    expect(table.hasKey('2')).toBe(false);
    expect(table.add(worker('a', '3'))).toBe(true);
    expect(table.find('a')?.key).toBe('3');
    const one = new WorkerTable<string>(3);
    one.add(worker('only'));
    expect([one.remove('only'), one.size, one.hasKey('a')]).toEqual([true, 0, false]);
  });

  it('costs the same with 10,000 names as with 100', () => {
    const time = (size: number): number => {
      const table = new WorkerTable<string>(20_000);
      for (let i = 0; i < size; i++) table.add(worker(`alice.w${i}`));
      table.find('ALICE.W1');
      const names = Array.from({ length: 2000 }, (_, i) => `alice.w${(i * 37) % size}`);
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 20; round++) {
        const start = performance.now();
        for (const name of names) table.find(name);
        for (const name of names) table.find(` ${name}`);
        best = Math.min(best, performance.now() - start);
      }
      return best;
    };
    time(100);
    // A scan would take a hundred times as long; a map in memory that no longer fits the cache a few times.
    expect(time(10_000)).toBeLessThan(time(100) * 12 + 0.5);
  });
});
