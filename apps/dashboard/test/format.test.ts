import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coins, isZero } from '../src/format/amount.js';
import { count, difficultyText, hashrateText, percent, scaledText, UNKNOWN } from '../src/format/number.js';
import { middle, plural, safeLink } from '../src/format/text.js';
import { absolute, duration, relative } from '../src/format/time.js';

describe('numbers', () => {
  it.each([
    [0, '0 H/s'],
    [0.0000012345, '0.00000123 H/s'],
    [1, '1 H/s'],
    [999.94, '999.9 H/s'],
    [999.96, '1 kH/s'],
    [1_234, '1.234 kH/s'],
    [12_345_678, '12.35 MH/s'],
    [1.21e12, '1.21 TH/s'],
    [9.04e20, '904 EH/s'],
    [5e27, '5000 YH/s'],
    [null, UNKNOWN],
    [Number.NaN, `${UNKNOWN} H/s`],
  ])('%s hashes per second are %s', (value, text) => expect(hashrateText(value)).toBe(text));

  it('never writes more than four digits and a prefix', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 9.99e26, noNaN: true }), (value) => {
        expect(scaledText(value)).toMatch(/^\d{1,3}(\.\d{1,3})?( [kMGTPEZY])?$/);
      }),
    );
  });

  it.each([
    [0.123, '12.3 %'],
    [1, '100 %'],
    [3.671, '367 %'],
    [0, '0 %'],
    [0.00001, '< 0.01 %'],
    [null, UNKNOWN],
    [Number.POSITIVE_INFINITY, UNKNOWN],
  ])('the ratio %s is %s', (value, text) => expect(percent(value)).toBe(text));

  it.each([
    [1024, '1,024'],
    [0.001, '0.001'],
    [0.00002, '0.00002'],
    [126_271_255_279_306, '126.3 T'],
    [null, UNKNOWN],
  ])('the difficulty %s is %s', (value, text) => expect(difficultyText(value)).toBe(text));

  it('counts in groups', () => {
    expect(count(1_234_567)).toBe('1,234,567');
    expect(count(null)).toBe(UNKNOWN);
  });
});

describe('coins', () => {
  it.each([
    ['1234.50000000', '1,234.5'],
    ['0.00000001', '0.00000001'],
    ['-3.10', '-3.1'],
    ['21000000', '21,000,000'],
    ['0.00000000', '0'],
    ['123456789012345678901234567890.123456789012345678', '123,456,789,012,345,678,901,234,567,890.123456789012345678'],
    ['what', 'what'],
    [null, UNKNOWN],
  ])('%s is %s', (decimal, text) => expect(coins(decimal)).toBe(text));

  it('keeps every digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 99_999_999 }), (whole, part) => {
        const decimal = `${whole}.${String(part).padStart(8, '0')}`;
        const back = coins(decimal).replaceAll(',', '');
        const [left, right = ''] = back.split('.');
        expect(`${left}.${right.padEnd(8, '0')}`).toBe(decimal);
      }),
    );
  });

  it('tells zero', () => {
    expect([isZero('0.000'), isZero('-0'), isZero('0.001')]).toEqual([true, true, false]);
  });
});

describe('times', () => {
  it.each([
    [0, '0 s'],
    [999, '< 1 s'],
    [45_000, '45 s'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [18_720_000, '5 h 12 min'],
    [273_600_000, '3 d 4 h'],
    [34_560_000_000, '1 y 35 d'],
    [-5, '0 s'],
    [null, UNKNOWN],
  ])('%s ms last %s', (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [-1_000, 'just now'],
    [-30_000, '30 s ago'],
    [-180_000, '3 min ago'],
    [-47 * 3_600_000, '47 h ago'],
    [-49 * 3_600_000, '2 d ago'],
    [18_000_000, 'in 5 h'],
  ])('%s ms from now is %s', (offset, text) => {
    const now = 1_800_000_000_000;
    expect(relative(now + offset, now)).toBe(text);
  });

  it('tells the whole time with its zone', () => {
    expect(absolute(Date.UTC(2026, 10, 20, 14, 3, 5))).toMatch(/^2026-11-2\d \d\d:\d\d:05 [+-]\d\d:\d\d$/);
    expect(absolute(Number.NaN)).toBe(UNKNOWN);
  });
});

describe('texts', () => {
  it('leaves out the middle of long names only', () => {
    expect(middle('short')).toBe('short');
    expect(middle('bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq')).toBe('bc1qar0s\u2026wf5mdq');
  });

  it('counts things', () => {
    expect([plural(1, 'block'), plural(0, 'block'), plural(1_200, 'block')]).toEqual([
      '1 block',
      '0 blocks',
      '1,200 blocks',
    ]);
  });

  it.each([
    ['https://explorer.example/block/00', 'https://explorer.example/block/00'],
    ['http://127.0.0.1/tx', 'http://127.0.0.1/tx'],
    ['javascript:alert(1)', undefined],
    [' javascript:alert(1)//https://x', undefined],
    ['data:text/html,x', undefined],
    ['//explorer.example', undefined],
    ['https://', undefined],
    [null, undefined],
  ])('the link %s is %s', (link, safe) => expect(safeLink(link)).toBe(safe));
});
