import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountJson, coinText, parseCoins, parsePercent, percentText } from '../src/money.js';

describe('money on the command line', () => {
  it('writes base units as coins with eight decimals', () => {
    expect(coinText(0n)).toBe('0.00000000');
    expect(coinText(-1n)).toBe('-0.00000001');
    expect(coinText(2_100_000_000_000_000n)).toBe('21000000.00000000');
    expect(amountJson(150_000_000n)).toEqual({ units: '150000000', coins: '1.50000000' });
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 16n }), (amount) => {
        expect(parseCoins('minimum', coinText(amount))).toBe(amount);
      }),
    );
    expect(parseCoins('minimum', '0.05')).toBe(5_000_000n);
    expect(parseCoins('minimum', '3')).toBe(300_000_000n);
  });

  it('refuses what is no amount, naming the option', () => {
    for (const text of ['', '-1', '1e3', '.5', '1.', '0.000000001', '1,5', ' 1', '0x1', '1'.repeat(12)]) {
      expect(() => parseCoins('minimum', text)).toThrow(/--minimum must be an amount/);
    }
  });

  it('reads percentages as parts per million', () => {
    expect(parsePercent('donation', '1.5')).toBe(15_000);
    expect(parsePercent('donation', '0')).toBe(0);
    expect(parsePercent('donation', '100')).toBe(1_000_000);
    expect(percentText(15_000)).toBe('1.5 %');
    for (const text of ['', '101', '100.0001', '-1', '1.00001', 'one']) {
      expect(() => parsePercent('donation', text)).toThrow(/--donation must be a percentage/);
    }
  });
});
