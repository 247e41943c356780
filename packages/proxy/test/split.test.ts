import { splitExtranonce } from '@headframe/proxy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('splitting the extranonce of an upstream', () => {
  it.each([
    [3, [0, 0, 1, 2]],
    [4, [0, 0, 2, 2]],
    [5, [0, 0, 2, 3]],
    [6, [0, 0, 2, 4]],
    [7, [0, 1, 2, 4]],
    [8, [0, 2, 2, 4]],
    [12, [2, 4, 2, 4]],
    [16, [6, 4, 2, 4]],
  ])('of %i bytes', (room, [padding, stamp, extranonce1Size, extranonce2Size]) => {
    expect(splitExtranonce(room)).toEqual({ padding, stamp, extranonce1Size, extranonce2Size });
  });

  it('says what is missing where there is no room', () => {
    expect(() => splitExtranonce(2)).toThrow(
      /leaves 2 bytes of extranonce2; a miner needs 2 and its number at least 1/,
    );
    expect(() => splitExtranonce(4, { extranonce2Size: 4 })).toThrow(/a miner needs 4/);
  });

  it('keeps what miners have while it fits', () => {
    const current = { extranonce1Size: 2, extranonce2Size: 4 };
    expect(splitExtranonce(6, { current })).toEqual({ padding: 0, stamp: 0, ...current });
    expect(splitExtranonce(32, { current })).toEqual({ padding: 22, stamp: 4, ...current });
    expect(splitExtranonce(5, { current })).toMatchObject({ extranonce1Size: 2, extranonce2Size: 3 });
  });

  it('uses every byte exactly once, whatever is wished for', () => {
    const size = fc.option(fc.integer({ min: 2, max: 8 }), { nil: undefined });
    const sizes = fc.record({
      extranonce1Size: fc.integer({ min: 1, max: 2 }),
      extranonce2Size: fc.integer({ min: 2, max: 8 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 32 }),
        size,
        fc.option(sizes, { nil: undefined }),
        (room, extranonce2Size, current) => {
          let split: ReturnType<typeof splitExtranonce>;
          try {
            split = splitExtranonce(room, { extranonce2Size, current });
          } catch {
            return room < (extranonce2Size ?? 2) + 1;
          }
          const { padding, stamp } = split;
          expect(padding + stamp + split.extranonce1Size + split.extranonce2Size).toBe(room);
          expect(padding).toBeGreaterThanOrEqual(0);
          expect(stamp).toBeLessThanOrEqual(4);
          expect(split.extranonce1Size).toBeGreaterThanOrEqual(1);
          expect(split.extranonce2Size).toBeGreaterThanOrEqual(2);
          return true;
        },
      ),
    );
  });
});
