import { ExtranonceAllocator } from '@headframe/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('extranonce prefixes of other lengths', () => {
  it('are unique among those in use, whatever their length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        fc.integer({ min: 1, max: 200 }),
        (length, firstIndex, count) => {
          const allocator = new ExtranonceAllocator({
            instance: 9,
            length,
            firstIndex,
            limit: 1_000_000,
            cooldownMs: 1000,
          });
          const seen = new Set<string>();
          const given: Uint8Array[] = [];
          for (let i = 0; i < count; i++) {
            const prefix = allocator.allocate(0);
            if (prefix === undefined) break;
            expect(prefix).toHaveLength(length);
            if (length === 4) expect(prefix[0]).toBe(9);
            seen.add(Buffer.from(prefix).toString('hex'));
            given.push(prefix);
          }
          expect(seen.size).toBe(given.length);
          expect(given).toHaveLength(count);
          for (const prefix of given) allocator.release(prefix, 0);
          expect(allocator.used).toBe(count);
          expect(allocator.allocate(2000)).toBeDefined();
          expect(allocator.used).toBe(1);
        },
      ),
    );
  });

  it('one byte gives 256 miners a prefix, and then none', () => {
    const allocator = new ExtranonceAllocator({ instance: 0, length: 1, limit: 1_000_000, cooldownMs: 0 });
    for (let i = 0; i < 256; i++) expect(allocator.allocate(0)).toBeDefined();
    expect(allocator.allocate(0)).toBeUndefined();
  });

  it('one of another length, given out before, frees nothing', () => {
    const allocator = new ExtranonceAllocator({ instance: 0, length: 2, firstIndex: 5, limit: 100, cooldownMs: 0 });
    const prefix = allocator.allocate(0);
    expect([...(prefix ?? [])]).toEqual([0, 5]);
    allocator.release(Uint8Array.of(0, 0, 0, 5), 0, true);
    expect(allocator.used).toBe(1);
  });

  it.each([0, 5, 1.5])('has no length %d', (length) => {
    expect(() => new ExtranonceAllocator({ instance: 0, length, limit: 1, cooldownMs: 0 })).toThrow(/1 to 4 bytes/);
  });
});
