import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlacedWork, PplnsWindowBuilder, pplnsCredits, pplnsWindow } from '../../src/index.js';
import { account, lines } from './arbitraries.js';

const share = (position: number, name: string, work: bigint): PlacedWork => ({ position, account: name, work });
const shares = fc
  .array(fc.record({ account, work: fc.bigInt({ min: 0n, max: 50n }), position: fc.integer({ min: 0, max: 12 }) }), {
    maxLength: 40,
  })
  .map((list) => list.sort((a, b) => b.position - a.position));
const size = fc.bigInt({ min: 1n, max: 600n });

describe('PPLNS window', () => {
  // Newest first: block by carol (position 5). Shares of an older round at 2 and 1.
  const history = [
    share(5, 'carol', 4n),
    share(4, 'alice', 10n),
    share(3, 'bob', 6n),
    share(2, 'alice', 8n),
    share(1, 'bob', 9n),
  ];

  it('cuts the last share exactly at the boundary', () => {
    // 4 + 10 + 6 = 20; of the share of 8 only 5 are inside.
    expect(pplnsWindow(history, 25n)).toEqual({
      accounts: [
        { account: 'alice', work: 15n },
        { account: 'bob', work: 6n },
        { account: 'carol', work: 4n },
      ],
      work: 25n,
      isFull: true,
      oldest: 2,
    });
    // 1,000 by 15:6:4 of 25.
    expect(lines(pplnsCredits({ reward: 1000n, finder: 'carol', window: pplnsWindow(history, 25n) }))).toEqual([
      'reward alice 600',
      'reward bob 240',
      'reward carol 160',
    ]);
  });

  it('ends on a share when the boundary does', () => {
    expect(pplnsWindow(history, 20n)).toMatchObject({ work: 20n, isFull: true, oldest: 3 });
  });

  it('may be smaller than the share that was the block', () => {
    expect(pplnsWindow(history, 3n)).toEqual({
      accounts: [{ account: 'carol', work: 3n }],
      work: 3n,
      isFull: true,
      oldest: 5,
    });
  });

  it('holds nothing back while it is not full', () => {
    // miningcore 52 and 17: the window kept money.
    const window = pplnsWindow(history, 1000n);
    expect(window).toMatchObject({ work: 37n, isFull: false, oldest: 1 });
    const credits = pplnsCredits({ reward: 37n, finder: 'carol', window });
    expect(lines(credits)).toEqual(['reward alice 18', 'reward bob 15', 'reward carol 4']);
  });

  it('cuts shares of one position in one proportion', () => {
    // Room for 5 of 3 + 7 + 0: quotas 1.5 and 3.5, the unit left goes by name.
    const window = pplnsWindow([share(2, 'x', 5n), share(1, 'b', 7n), share(1, 'a', 3n), share(1, 'z', 0n)], 10n);
    expect(window.accounts).toEqual([
      { account: 'a', work: 2n },
      { account: 'b', work: 3n },
      { account: 'x', work: 5n },
    ]);
  });

  it('is empty without shares', () => {
    expect(pplnsWindow([], 5n)).toEqual({ accounts: [], work: 0n, isFull: false, oldest: undefined });
  });

  it('reads no further than needed', () => {
    let read = 0;
    function* endless(): Generator<PlacedWork> {
      for (;;) {
        read++;
        yield share(1_000_000 - read, 'a', 1n);
      }
    }
    expect(pplnsWindow(endless(), 10n).work).toBe(10n);
    expect(read).toBe(11);
  });

  it('agrees with counting unit by unit', () => {
    fc.assert(
      fc.property(shares, size, (list, room) => {
        // The oracle knows only whole positions of one share; so give each share its own.
        const apart = list.map((entry, i) => ({ ...entry, position: -i }));
        const expected = new Map<string, bigint>();
        let left = room;
        for (const entry of apart) {
          for (let unit = 0n; unit < entry.work && left > 0n; unit++, left--) {
            expected.set(entry.account, (expected.get(entry.account) ?? 0n) + 1n);
          }
        }
        const window = pplnsWindow(apart, room);
        expect(new Map(window.accounts.map((entry) => [entry.account, entry.work]))).toEqual(expected);
        expect(window.work).toBe(room - left);
        expect(window.isFull).toBe(left === 0n);
      }),
    );
  });

  it('does not depend on the order inside a position, nor on how its shares are summed', () => {
    fc.assert(
      fc.property(shares, size, (list, room) => {
        const other = [...list].reverse().sort((a, b) => b.position - a.position);
        expect(pplnsWindow(other, room)).toEqual(pplnsWindow(list, room));
        const halves = list.flatMap((entry) => [
          { ...entry, work: entry.work / 2n },
          { ...entry, work: entry.work - entry.work / 2n },
        ]);
        expect(pplnsWindow(halves, room)).toEqual(pplnsWindow(list, room));
      }),
    );
  });

  it('holds as much work as there is, up to its size', () => {
    fc.assert(
      fc.property(shares, size, (list, room) => {
        const window = pplnsWindow(list, room);
        const all = list.reduce((sum, entry) => sum + entry.work, 0n);
        expect(window.isFull).toBe(all >= room);
        expect(window.work).toBe(window.isFull ? room : all);
        expect(window.accounts.reduce((sum, entry) => sum + entry.work, 0n)).toBe(window.work);
      }),
    );
  });

  it('says when it needs no more', () => {
    const builder = new PplnsWindowBuilder(5n);
    expect(builder.add(share(2, 'a', 5n))).toBe(true);
    // Simultaneous with what is inside, so it takes part.
    expect(builder.add(share(2, 'b', 5n))).toBe(true);
    expect(builder.add(share(1, 'c', 5n))).toBe(false);
    expect(builder.finish().accounts.map((entry) => entry.account)).toEqual(['a', 'b']);
  });

  it.each([
    ['a window of nothing', [], 0n],
    ['an order that is not newest first', [share(1, 'a', 1n), share(2, 'a', 1n)], 5n],
    ['negative work', [share(1, 'a', -1n)], 5n],
    ['a position that is no integer', [share(1.5, 'a', 1n)], 5n],
  ])('refuses %s', (_, list, room) => {
    expect(() => pplnsWindow(list, room)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
