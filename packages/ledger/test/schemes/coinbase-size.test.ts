import { buildCoinbase, type CoinbaseOptions } from '@headframe/mining';
import { describe, expect, it } from 'vitest';
import { COINBASE_SIZE_CLASSES, coinbaseRoom, coinbaseSizeClass } from '../../src/index.js';
import { OutputBudget, outputBytes } from '../../src/schemes/coinbase-size.js';
import { coinbase, payTo, template } from './template.js';

describe('coinbaseSizeClass', () => {
  it.each([
    ['NiceHash/1.0.0', 500],
    ['cgminer/4.12.1', 755],
    ['', 755],
    ['Antminer S21/Tue', 2250],
    ['Antminer S19/Mon', 755],
    ['bosminer-plus-tuner 0.1', 2250],
    ['whatsminer/v1.0', 6500],
    ['whatsminer/v2.0', 755],
    ['bitaxe/BM1370/v2.9.0', 6500],
    ['Bitaxe', 6500],
    ['xminer-1.2.9', 16_384],
  ])('%s takes %i bytes', (agent, bytes) => {
    expect(coinbaseSizeClass(agent).maxBytes).toBe(bytes);
  });

  it('goes by the longest prefix', () => {
    const classes = [
      { name: 'any', maxBytes: 1, agents: [] },
      { name: 'short', maxBytes: 2, agents: ['rig'] },
      { name: 'long', maxBytes: 3, agents: ['rig/2'] },
    ];
    expect(coinbaseSizeClass('rig/2.1', classes).name).toBe('long');
    expect(coinbaseSizeClass('rig/2.1', [...classes].reverse()).name).toBe('long');
    expect(coinbaseSizeClass('rig/1', classes).name).toBe('short');
    expect(coinbaseSizeClass('other', classes).name).toBe('any');
  });

  it('refuses an unknown miner when no class is for everybody else', () => {
    expect(() => coinbaseSizeClass('x', [])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('has names of their own and grows', () => {
    expect(new Set(COINBASE_SIZE_CLASSES.map(({ name }) => name)).size).toBe(COINBASE_SIZE_CLASSES.length);
    const sizes = COINBASE_SIZE_CLASSES.map(({ maxBytes }) => maxBytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });
});

/** Bytes of the real coinbase with so many outputs. */
function built(options: Omit<CoinbaseOptions, 'outputs'>, scripts: readonly Uint8Array[]): number {
  const { coinbase1, coinbase2 } = buildCoinbase({ ...options, outputs: scripts.map((script) => ({ script })) });
  return coinbase1.length + options.extranonceLength + coinbase2.length;
}

describe('coinbaseRoom', () => {
  const requiredOutputs = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ script: payTo(i), amount: 1n }));

  it.each([
    ['few outputs', coinbase(), 3],
    ['no commitment', coinbase({ template: { ...template, witnessCommitment: undefined } }), 1],
    ['252 payouts', coinbase(), 251],
    ['253 outputs in all', coinbase(), 252],
    ['over 253', coinbase(), 300],
    ['253 prescribed outputs', coinbase({ template: { ...template, requiredOutputs: requiredOutputs(253) } }), 5],
    [
      '252 in all with prescribed ones',
      coinbase({ template: { ...template, requiredOutputs: requiredOutputs(250) } }),
      1,
    ],
    ['a Dash payload', coinbase({ template: { ...template, coinbasePayload: new Uint8Array(300) } }), 2],
  ])('counts the bytes of a real coinbase with %s', (_, options, count) => {
    const scripts = Array.from({ length: count }, (_entry, i) => payTo(i, i % 2 === 0 ? 22 : 34));
    const real = built(options, scripts);
    const fits = new OutputBudget(coinbaseRoom(options), real);
    for (const script of scripts) expect(fits.take(script.length)).toBe(true);
    expect(fits.bytes).toBe(real);
    const tight = new OutputBudget(coinbaseRoom(options), real - 1);
    expect(scripts.every((script) => tight.take(script.length))).toBe(false);
  });

  it('leaves the block within its weight', () => {
    // 4 * (80 + 1) of header and count, 36 of witness, 1,000 of transaction: 4,440 leave 770 bytes of coinbase.
    const options = coinbase({ template: { ...template, weightLimit: 324 + 36 + 1000 + 4 * 770 } });
    const room = coinbaseRoom(options);
    expect(room.maxBytes).toBe(770);
    const budget = new OutputBudget(room, 16_384);
    const scripts: Uint8Array[] = [];
    while (budget.take(22)) scripts.push(payTo(scripts.length));
    expect(scripts.length).toBeGreaterThan(10);
    expect(built(options, scripts)).toBe(budget.bytes);
    expect(() => built(options, [...scripts, payTo(9999)])).toThrow(
      expect.objectContaining({ code: 'coinbase_too_large' }),
    );
  });

  it('knows the limit of the style', () => {
    expect(coinbaseRoom(coinbase({ style: { maxBytes: 600 } })).maxBytes).toBe(600);
    expect(coinbaseRoom(coinbase({ template: { ...template, weightLimit: undefined } })).maxBytes).toBe(16_384);
  });

  it('counts a script length of three bytes', () => {
    expect(outputBytes(252)).toBe(8 + 1 + 252);
    expect(outputBytes(253)).toBe(8 + 3 + 253);
  });
});
