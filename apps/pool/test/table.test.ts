import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type Column, cutMiddle, factsText, hasColours, plainText, tableText } from '../src/table.js';

const COLUMNS: readonly Column[] = [
  { head: 'account', least: 8 },
  { head: 'available', align: 'right' },
  { head: 'status', rank: 1 },
  { head: 'hash', least: 10, rank: 2 },
];

const ROWS: readonly (readonly Cell[])[] = [
  ['ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9', '1.50000000', { text: 'matured', colour: 'green' }, 'ab'.repeat(32)],
  ['bob', '-0.00000001', 'orphaned', 'cd'.repeat(32)],
];

const PLAIN = { isTTY: false };
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to find them
const ESCAPES = /\x1b\[[0-9;]*m/g;

describe('tables', () => {
  it('cut nothing in a pipe', () => {
    expect(tableText(COLUMNS, ROWS, PLAIN)).toBe(
      [
        'account                                        available  status    hash',
        `ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9   1.50000000  matured   ${'ab'.repeat(32)}`,
        `bob                                          -0.00000001  orphaned  ${'cd'.repeat(32)}`,
        '',
      ].join('\n'),
    );
  });

  it('cut long cells in the middle on a terminal', () => {
    expect(tableText(COLUMNS, ROWS, { isTTY: true, columns: 80 }, { NO_COLOR: '1' })).toBe(
      [
        'account                        available  status    hash',
        'ltc1qw508d6qe..c5xw7kgmn4n9   1.50000000  matured   ababababababa..abababababab',
        'bob                          -0.00000001  orphaned  cdcdcdcdcdcdc..cdcdcdcdcdcd',
        '',
      ].join('\n'),
    );
  });

  it('leave out columns by rank where cutting is not enough', () => {
    const head = (columns: number) =>
      tableText(COLUMNS, ROWS, { isTTY: true, columns }, { NO_COLOR: '1' }).split('\n')[0]?.split(/ +/);
    expect(head(50)).toEqual(['account', 'available', 'status', 'hash']);
    expect(head(40)).toEqual(['account', 'available', 'status']);
    expect(head(30)).toEqual(['account', 'available']);
  });

  it('keep numbers right-aligned below each other', () => {
    const lines = tableText(COLUMNS, ROWS, { isTTY: true, columns: 200 }, { NO_COLOR: '1' }).split('\n');
    const ends = lines.slice(1, 3).map((line) => line.search(/ (matured|orphaned)/));
    expect(ends[0]).toBe(ends[1]);
  });

  it('paint on a terminal only, and respect NO_COLOR and dumb terminals', () => {
    expect(hasColours({ isTTY: true }, {})).toBe(true);
    expect(hasColours({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(hasColours({ isTTY: true }, { NO_COLOR: '0' })).toBe(false);
    expect(hasColours({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(hasColours({ isTTY: false }, {})).toBe(false);
    expect(tableText(COLUMNS, ROWS, { isTTY: true, columns: 120 }, {})).toContain('\x1b[32mmatured\x1b[0m');
    expect(tableText(COLUMNS, ROWS, PLAIN, {})).not.toMatch(ESCAPES);
  });

  it('escape what could steer a terminal', () => {
    expect(plainText('a\x1b[2Jb\u202Ec\n')).toBe('a\\u{1b}[2Jb\\u{202e}c\\u{a}');
    expect(tableText([{ head: 'worker' }], [['\x1b]0;owned\x07']], PLAIN)).toBe('worker\n\\u{1b}]0;owned\\u{7}\n');
    expect(factsText([['worker', 'x\x1b[A']])).toBe('worker  x\\u{1b}[A\n');
  });
});

describe('cutting in the middle', () => {
  it('keeps both ends and the width', () => {
    expect(cutMiddle('abcdefghij', 6)).toBe('ab..ij');
    expect(cutMiddle('abcdefghij', 7)).toBe('abc..ij');
    expect(cutMiddle('abcdefghij', 10)).toBe('abcdefghij');
    expect(cutMiddle('abcdefghij', 3)).toBe('abc');
    fc.assert(
      fc.property(fc.string(), fc.nat(40), (text, width) => {
        expect(cutMiddle(text, width).length).toBe(Math.min(text.length, width));
      }),
    );
  });
});
