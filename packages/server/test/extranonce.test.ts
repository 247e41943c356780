import { bytesToHex } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExtranonceAllocator } from '../src/extranonce.js';

describe('ExtranonceAllocator', () => {
  it('puts the instance byte before a 24-bit index', () => {
    const allocator = new ExtranonceAllocator({ instance: 0xab, limit: 10, cooldownMs: 0, firstIndex: 0xffffff });
    expect(bytesToHex(allocator.allocate(0) ?? new Uint8Array())).toBe('abffffff');
    expect(bytesToHex(allocator.allocate(0) ?? new Uint8Array())).toBe('ab000000');
  });

  it('refuses beyond its limit and after a release only when the prefix has rested', () => {
    const allocator = new ExtranonceAllocator({ instance: 0, limit: 2, cooldownMs: 1_000 });
    const first = allocator.allocate(0) ?? new Uint8Array();
    expect(allocator.allocate(0)).toBeDefined();
    expect(allocator.allocate(0)).toBeUndefined();
    allocator.release(first, 0);
    expect(allocator.allocate(999)).toBeUndefined();
    expect(allocator.allocate(1_000)).toBeDefined();
    expect(allocator.used).toBe(2);
  });

  it('gives a prefix that never saw work back at once', () => {
    const allocator = new ExtranonceAllocator({ instance: 0, limit: 1, cooldownMs: 1_000_000 });
    const only = allocator.allocate(0) ?? new Uint8Array();
    allocator.release(only, 0, true);
    expect(allocator.allocate(0)).toBeDefined();
  });

  it('rejects an instance or a limit out of range', () => {
    for (const instance of [-1, 256, 1.5]) {
      expect(() => new ExtranonceAllocator({ instance, limit: 1, cooldownMs: 0 })).toThrow(/instance/);
    }
    expect(() => new ExtranonceAllocator({ instance: 0, limit: 2 ** 24, cooldownMs: 0 })).toThrow(/limit/);
  });

  it('never hands out a prefix that is in use or rests', () => {
    const command = fc.record({ take: fc.boolean(), which: fc.nat(50), waitMs: fc.nat(300) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const allocator = new ExtranonceAllocator({ instance: 1, limit: 20, cooldownMs: 500 });
        const live: Uint8Array[] = [];
        const busyUntil = new Map<string, number>();
        let now = 0;
        for (const { take, which, waitMs } of commands) {
          now += waitMs;
          if (take) {
            const prefix = allocator.allocate(now);
            if (prefix === undefined) continue;
            const hex = bytesToHex(prefix);
            expect(busyUntil.get(hex) ?? -1).toBeLessThanOrEqual(now);
            busyUntil.set(hex, Number.POSITIVE_INFINITY);
            live.push(prefix);
          } else if (live.length > 0) {
            const [prefix] = live.splice(which % live.length, 1);
            if (prefix === undefined) continue;
            allocator.release(prefix, now);
            busyUntil.set(bytesToHex(prefix), now + 500);
          }
        }
        expect(allocator.used).toBeLessThanOrEqual(20);
      }),
    );
  });
});
