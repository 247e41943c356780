import { buildCoinbase } from '@headframe/mining';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyCarryChanges,
  COINBASE_SIZE_CLASSES,
  type CoinbaseRoom,
  type CoinbaseSplit,
  type CoinbaseSplitOptions,
  type Credit,
  coinbaseRoom,
  payoutOutputs,
  pplnsCredits,
  reverseCarryChanges,
  splitCoinbase,
  splitCoinbaseVariants,
} from '../../src/index.js';
import { coinbase, payTo } from './template.js';

/** Room in which an output of 22 bytes of script takes 31 bytes and nothing else does. */
const bare: CoinbaseRoom = { fixedBytes: 0, fixedOutputs: 0, maxBytes: 1_000_000 };
const FOR_TWO = 62;
const names = ['a', 'b', 'c', 'd', 'e', 'pool'];
const scripts = new Map(names.map((name, i) => [name, payTo(i + 1)]));
const rewards = (amounts: Readonly<Record<string, bigint>>): Credit[] =>
  Object.entries(amounts).map(([account, amount]) => ({ account, kind: 'reward', amount }));
const split = (changes: Partial<CoinbaseSplitOptions> & Pick<CoinbaseSplitOptions, 'credits'>): CoinbaseSplit =>
  splitCoinbase({ carries: new Map(), scripts, room: bare, maxBytes: 10_000, dustLimit: 546n, ...changes });
const paid = ({ outputs }: CoinbaseSplit): string[] => outputs.map(({ account, amount }) => `${account} ${amount}`);
const open = ({ changes }: CoinbaseSplit): string[] => changes.map(({ account, amount }) => `${account} ${amount}`);
const total = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((sum, amount) => sum + amount, 0n);

describe('splitCoinbase', () => {
  it('pays everybody who fits, highest first, and leaves nothing open', () => {
    const result = split({ credits: rewards({ a: 1000n, b: 3000n, c: 2000n }) });
    expect(paid(result)).toEqual(['b 3000', 'c 2000', 'a 1000']);
    expect(result.changes).toEqual([]);
    expect(result.bytes).toBe(93);
  });

  it('leaves out dust and owes it', () => {
    // 10,000 by 6,000 : 3,500 of 9,500: 6,315.79 and 3,684.21.
    const result = split({ credits: rewards({ a: 6000n, b: 3500n, c: 500n }) });
    expect(paid(result)).toEqual(['a 6316', 'b 3684']);
    expect(open(result)).toEqual(['a -316', 'b -184', 'c 500']);
  });

  it('pays an amount of exactly the dust limit', () => {
    const credits = rewards({ a: 6000n, b: 3500n, c: 500n });
    expect(paid(split({ credits, dustLimit: 500n }))).toEqual(['a 6000', 'b 3500', 'c 500']);
    expect(paid(split({ credits, dustLimit: 501n }))).toEqual(['a 6316', 'b 3684']);
  });

  it('pays what was left open when it is no dust any more', () => {
    const carries = new Map([
      ['a', -316n],
      ['b', -184n],
      ['c', 500n],
    ]);
    // Due: 5,684, 3,316, 1,000; together the reward of 10,000.
    const result = split({ credits: rewards({ a: 6000n, b: 3500n, c: 500n }), carries });
    expect(paid(result)).toEqual(['a 5684', 'b 3316', 'c 1000']);
    expect(applyCarryChanges(carries, result.changes).size).toBe(0);
  });

  it('pays an account that does no work any more, and none of whom was paid in advance', () => {
    const carries = new Map([
      ['b', 2000n],
      ['a', -2000n],
    ]);
    // Due: a nothing (1,500 - 2,000), b 2,000, c 8,500; of 10,000 by 2,000 : 8,500 of 10,500.
    const result = split({ credits: rewards({ a: 1500n, c: 8500n }), carries });
    expect(paid(result)).toEqual(['c 8095', 'b 1905']);
    expect([...applyCarryChanges(carries, result.changes)].sort()).toEqual([
      ['a', -500n],
      ['b', 95n],
      ['c', 405n],
    ]);
  });

  it('pays as many as the bytes allow; equal dues go by account', () => {
    const credits = rewards({ d: 2500n, c: 2500n, b: 2500n, a: 2500n });
    expect(paid(split({ credits, maxBytes: FOR_TWO }))).toEqual(['a 5000', 'b 5000']);
    expect(paid(split({ credits, maxBytes: FOR_TWO - 1 }))).toEqual(['a 10000']);
  });

  it('lets all take turns when there is room for one', () => {
    let carries: ReadonlyMap<string, bigint> = new Map();
    const wins: string[] = [];
    for (let block = 0; block < 6; block++) {
      const result = split({ credits: rewards({ a: 3000n, b: 2000n, c: 1000n }), carries, maxBytes: 31 });
      wins.push(...result.outputs.map(({ account }) => account));
      carries = applyCarryChanges(carries, result.changes);
    }
    // Six blocks of 6,000 for 3 : 2 : 1.
    expect(wins.sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'c']);
    expect(carries.size).toBe(0);
  });

  it('lets an account without a script wait', () => {
    const result = split({ credits: rewards({ nowhere: 9000n, a: 1000n }) });
    expect(paid(result)).toEqual(['a 10000']);
    expect(open(result)).toEqual(['a -9000', 'nowhere 9000']);
  });

  it('pays further in advance when nothing is due to anybody with a script', () => {
    const carries = new Map([
      ['a', -5000n],
      ['nowhere', 5000n],
    ]);
    const result = split({ credits: rewards({ a: 1000n }), carries });
    expect(paid(result)).toEqual(['a 1000']);
    expect(result.changes).toEqual([]);
  });

  it('pays a reward that is dust itself to the highest', () => {
    expect(paid(split({ credits: rewards({ a: 2n, b: 3n }) }))).toEqual(['b 5']);
  });

  it('counts fees and donations as what they are: credits', () => {
    const credits: Credit[] = [
      { account: 'a', kind: 'reward', amount: 9000n },
      { account: 'pool', kind: 'fee', amount: 1000n },
      { account: 'pool', kind: 'donation', amount: 600n },
    ];
    expect(paid(split({ credits }))).toEqual(['a 9000', 'pool 1600']);
  });
});

describe('splitCoinbase with a keeper', () => {
  const fee: Credit = { account: 'pool', kind: 'fee', amount: 1000n };

  it('pays exactly what is due, and the keeper holds what others wait for', () => {
    const result = split({ credits: [...rewards({ a: 6000n, b: 2500n, c: 500n }), fee], keeper: 'pool' });
    expect(paid(result)).toEqual(['a 6000', 'b 2500', 'pool 1500']);
    expect(open(result)).toEqual(['c 500', 'pool -500']);
  });

  it('divides by dues when there is not enough to go round', () => {
    // The keeper owes 3,000 to c, who gets it now: dues 6,000, 2,500, 3,500 of 10,000.
    const carries = new Map([
      ['c', 3000n],
      ['pool', -3000n],
    ]);
    const result = split({ credits: [...rewards({ a: 6000n, b: 2500n, c: 500n }), fee], carries, keeper: 'pool' });
    expect(paid(result)).toEqual(['a 5000', 'c 2917', 'b 2083']);
    expect([...applyCarryChanges(carries, result.changes)].sort()).toEqual([
      ['a', 1000n],
      ['b', 417n],
      ['c', 583n],
      ['pool', -2000n],
    ]);
  });

  it('counts the keeper as due nothing while it owes', () => {
    // As above, but 2,083 for b would be dust; a and c get 10,000 by 6,000 : 3,500, as 500 for the keeper is dust too.
    const carries = new Map([
      ['c', 3000n],
      ['pool', -3000n],
    ]);
    const credits = [...rewards({ a: 6000n, b: 2500n, c: 500n }), fee];
    expect(paid(split({ credits, carries, keeper: 'pool', dustLimit: 2100n }))).toEqual(['a 6316', 'c 3684']);
  });

  it('divides by dues when the keeper is owed more than is left', () => {
    // d was paid 2,000 in advance by the pool: dues 6,000, 3,000, 3,000 of 10,000.
    const carries = new Map([
      ['d', -2000n],
      ['pool', 2000n],
    ]);
    const result = split({ credits: [...rewards({ a: 6000n, b: 3000n }), fee], carries, keeper: 'pool' });
    expect(paid(result)).toEqual(['a 5000', 'b 2500', 'pool 2500']);
  });

  it('takes a reward that is dust when it is owed more', () => {
    const carries = new Map([
      ['d', -5000n],
      ['pool', 5000n],
    ]);
    expect(paid(split({ credits: rewards({ pool: 100n }), carries, keeper: 'pool' }))).toEqual(['pool 100']);
  });

  it('pays others in advance rather than the keeper dust', () => {
    const result = split({ credits: rewards({ a: 6000n, b: 3900n, c: 100n }), keeper: 'pool' });
    expect(paid(result)).toEqual(['a 6061', 'b 3939']);
    expect(open(result)).toEqual(['a -61', 'b -39', 'c 100']);
  });

  it('takes everything when nobody else can be paid', () => {
    const result = split({ credits: rewards({ a: 300n, nowhere: 700n }), keeper: 'pool' });
    expect(paid(result)).toEqual(['pool 1000']);
    expect(open(result)).toEqual(['a 300', 'nowhere 700', 'pool -1000']);
  });

  it('needs no output for a part of nothing', () => {
    const result = split({ credits: rewards({ a: 1000n }), keeper: 'pool', dustLimit: 0n });
    expect(paid(result)).toEqual(['a 1000']);
  });
});

const credits = fc
  .dictionary(fc.constantFrom(...names, 'nowhere'), fc.bigInt({ min: 0n, max: 10n ** 12n }), { minKeys: 1 })
  .map(rewards);
const settings = fc.record({
  room: fc.constant({ ...bare, fixedBytes: 100, fixedOutputs: 1 }),
  maxBytes: fc.integer({ min: 131 + 31, max: 400 }),
  dustLimit: fc.bigInt({ min: 0n, max: 10n ** 12n }),
});

describe.each([
  ['without a keeper', {}],
  ['with a keeper', { keeper: 'pool' }],
])('splits %s', (_, keeper) => {
  it('pay the reward to the unit, within the bytes, highest first, no dust among several', () => {
    fc.assert(
      fc.property(fc.array(credits, { minLength: 1, maxLength: 12 }), settings, (blocks, options) => {
        let carries: ReadonlyMap<string, bigint> = new Map();
        const history: CoinbaseSplit[] = [];
        const earned = new Map<string, bigint>();
        const received = new Map<string, bigint>();
        for (const block of blocks) {
          const reward = total(block.map(({ amount }) => amount));
          const payable = block.some(({ account, amount }) => account !== 'nowhere' && amount > 0n);
          const owed = names.some((name) => (carries.get(name) ?? 0n) > 0n);
          // The only case that is refused: nobody to pay at all.
          if (reward === 0n || !(payable || owed || 'keeper' in keeper)) continue;
          const result = split({ ...options, ...keeper, credits: block, carries });
          expect(total(result.outputs.map(({ amount }) => amount))).toBe(reward);
          expect(total(result.changes.map(({ amount }) => amount))).toBe(0n);
          expect(result.bytes).toBeLessThanOrEqual(options.maxBytes);
          result.outputs.forEach(({ amount }, i) => {
            expect(amount > 0n).toBe(true);
            if (result.outputs.length > 1) expect(amount >= options.dustLimit).toBe(true);
            const before = result.outputs[i - 1];
            if (before !== undefined) expect(before.amount >= amount).toBe(true);
          });
          carries = applyCarryChanges(carries, result.changes);
          history.push(result);
          for (const { account, amount } of block) earned.set(account, (earned.get(account) ?? 0n) + amount);
          for (const { account, amount } of result.outputs)
            received.set(account, (received.get(account) ?? 0n) + amount);
          // What is open is what was earned less what was received: for each account, at any time.
          for (const name of [...names, 'nowhere']) {
            expect(carries.get(name) ?? 0n).toBe((earned.get(name) ?? 0n) - (received.get(name) ?? 0n));
          }
          expect(total(carries.values())).toBe(0n);
        }
        // Orphan them all, in another order than they were booked in.
        for (const { changes } of history) carries = applyCarryChanges(carries, reverseCarryChanges(changes));
        expect(carries.size).toBe(0);
      }),
    );
  });

  it('depend neither on the order of credits nor of carries', () => {
    fc.assert(
      fc.property(credits, fc.bigInt({ min: 0n, max: 10n ** 12n }), settings, (block, carry, options) => {
        fc.pre(block.some(({ account, amount }) => account !== 'nowhere' && amount > 0n));
        const carries: [string, bigint][] = [
          ['a', carry],
          ['b', -carry],
        ];
        const one = split({ ...options, ...keeper, credits: block, carries: new Map(carries) });
        const other = split({
          ...options,
          ...keeper,
          credits: [...block].reverse(),
          carries: new Map(carries.reverse()),
          scripts: new Map([...scripts].reverse()),
        });
        expect(other).toEqual(one);
      }),
    );
  });
});

describe('splitCoinbase refuses', () => {
  const one = rewards({ a: 1000n });
  it.each<[string, string, Partial<CoinbaseSplitOptions>]>([
    ['credits of nothing', 'invalid_argument', { credits: [] }],
    ['carries that do not sum to zero', 'invalid_argument', { carries: new Map([['b', 1n]]) }],
    ['a keeper without a script', 'invalid_argument', { keeper: 'nowhere' }],
    ['to pay when nobody has a script', 'invalid_argument', { scripts: new Map() }],
    ['a negative dust limit', 'invalid_argument', { dustLimit: -1n }],
    ['a coinbase without room for one output', 'coinbase_too_large', { maxBytes: 30 }],
    ['a coinbase without room for the keeper', 'coinbase_too_large', { maxBytes: 30, keeper: 'pool' }],
  ])('%s', (_, code, changes) => {
    expect(() => split({ credits: one, ...changes })).toThrow(expect.objectContaining({ code }));
  });
});

describe('coinbase variants', () => {
  const accounts = Array.from({ length: 200 }, (_, i) => `account${String(i).padStart(3, '0')}`);
  const payScripts = new Map(accounts.map((account, i) => [account, payTo(i + 1, i % 3 === 0 ? 34 : 22)]));
  const window = { accounts: accounts.map((account, i) => ({ account, work: BigInt(1000 + i * i) })) };
  const options = {
    credits: pplnsCredits({ reward: 312_500_000n, finder: 'account000', window }),
    carries: new Map<string, bigint>(),
    scripts: payScripts,
    room: coinbaseRoom(coinbase()),
    dustLimit: 546n,
  };

  it('are real coinbases within the size of their firmware, paying exactly what they say', () => {
    const { variants, variantOf } = splitCoinbaseVariants(options, COINBASE_SIZE_CLASSES);
    expect([...variantOf]).toEqual(COINBASE_SIZE_CLASSES.map(({ name }) => [name, name]));
    let before = 0;
    for (const { name, split: plan } of variants) {
      const built = buildCoinbase({ ...coinbase(), outputs: payoutOutputs(plan) });
      const bytes = built.coinbase1.length + 12 + built.coinbase2.length;
      expect(bytes).toBe(plan.bytes);
      const limit = COINBASE_SIZE_CLASSES.find((sizeClass) => sizeClass.name === name)?.maxBytes ?? 0;
      expect(bytes).toBeLessThanOrEqual(limit);
      expect(built.outputs.slice(0, -1)).toEqual(plan.outputs.map(({ script, amount }) => ({ script, amount })));
      expect(plan.outputs.length).toBeGreaterThan(before);
      before = plan.outputs.length;
      expect(total(plan.changes.map(({ amount }) => amount))).toBe(0n);
    }
    expect(before).toBe(200);
  });

  it('are one while everybody fits', () => {
    const few = { ...options, credits: rewards({ account001: 5000n, account002: 5000n }) };
    const { variants, variantOf } = splitCoinbaseVariants(few, COINBASE_SIZE_CLASSES);
    expect(variants.map(({ name }) => name)).toEqual(['tiny']);
    expect(new Set(variantOf.values())).toEqual(new Set(['tiny']));
  });

  it('refuse amounts that a number cannot hold', () => {
    const plan = split({ credits: rewards({ a: 2n ** 53n }) });
    expect(() => payoutOutputs(plan)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
