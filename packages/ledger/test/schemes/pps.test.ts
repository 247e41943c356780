import { canonicalDifficulty } from '@headframe/mining';
import { uint256FromBytesLe } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addFractions,
  compareFractions,
  creditTotal,
  type Fraction,
  fppsReward,
  fraction,
  networkWork,
  type PpsCarry,
  type PpsOptions,
  type PpsResult,
  type PpsWork,
  ppsCredits,
  ppsReserve,
  ppsReward,
  workOfDifficulty,
} from '../../src/index.js';
import { account, entries, fees, lines } from './arbitraries.js';

/** A block takes 7 units of work: thirds and sevenths, nothing divides. */
const seven: Fraction = { numerator: 7n, denominator: 1n };
const network = fc.record({
  numerator: fc.constant(3n * 10n ** 30n),
  denominator: fc.bigInt({ min: 1n, max: 10n ** 20n }),
});
const rewardFraction = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 1, max: 144 }));
const asFraction = ([numerator, denominator]: [bigint, number]): Fraction => fraction(numerator, BigInt(denominator));
const sumOf = (list: readonly Fraction[]): Fraction => list.reduce(addFractions, fraction(0n));
const carried = (list: readonly PpsCarry[]): Fraction => sumOf(list.map(({ carry }) => carry));
const text = ({ carries }: PpsResult): string[] =>
  carries.map(({ account: name, kind, carry }) => `${kind} ${name} ${carry.numerator}/${carry.denominator}`);
/** Carries as numbers of one denominator, so that equal values are equal texts. */
const comparable = (result: PpsResult): unknown =>
  result.carries.map(({ account: name, kind, carry }) => {
    const scale = 10n ** 12n * 3n * 10n ** 30n;
    expect((carry.numerator * scale) % carry.denominator).toBe(0n);
    return [kind, name, (carry.numerator * scale) / carry.denominator];
  });

describe('PPS', () => {
  it('credits whole units and carries the rest', () => {
    // 100 * 2/7 = 28 4/7 for alice, 100 * 1/7 = 14 2/7 for bob.
    const work = [
      { account: 'alice', work: 2n },
      { account: 'bob', work: 1n },
    ];
    const first = ppsCredits({ work, network: seven, reward: ppsReward(100n) });
    expect(lines(first.credits)).toEqual(['reward alice 28', 'reward bob 14']);
    const sevenths = 7n * 10n ** 12n;
    expect(text(first)).toEqual([
      `reward alice ${4n * 10n ** 12n}/${sevenths}`,
      `reward bob ${2n * 10n ** 12n}/${sevenths}`,
    ]);
    // Again: 57 1/7 and 28 4/7 together, so 29 and 14 now.
    const second = ppsCredits({ work, network: seven, reward: ppsReward(100n), carries: first.carries });
    expect(lines(second.credits)).toEqual(['reward alice 29', 'reward bob 14']);
  });

  it('takes fee and donation off exactly', () => {
    // 700 * 1/7 = 100 a share, 2.5 % fee = 2.5; of 97.5 alice gives 10 % = 9.75 and keeps 87.75.
    const options: PpsOptions = {
      work: [{ account: 'alice', work: 1n }],
      network: seven,
      reward: ppsReward(700n),
      fees: {
        recipients: [{ account: 'pool', ppm: 25_000 }],
        donations: [{ from: 'alice', to: 'charity', ppm: 100_000 }],
      },
    };
    const first = ppsCredits(options);
    expect(lines(first.credits)).toEqual(['reward alice 87', 'fee pool 2', 'donation charity 9']);
    const second = ppsCredits({ ...options, carries: first.carries });
    expect(lines(second.credits)).toEqual(['reward alice 88', 'fee pool 3', 'donation charity 10']);
  });

  it('pays a share of a real chain what a block pays, by difficulty', () => {
    // Target of difficulty 1024 exactly; a share of 0.5 is 1/2048 of a block: 312500000 / 2048 = 152587.890625.
    const target = uint256FromBytesLe(canonicalDifficulty(1024, 1).target);
    const result = ppsCredits({
      work: [{ account: 'alice', work: workOfDifficulty(0.5) }],
      network: networkWork(target, 1),
      reward: ppsReward(312_500_000n),
    });
    expect(lines(result.credits)).toEqual(['reward alice 152587']);
    const [carry] = result.carries;
    expect(carry && compareFractions(carry.carry, fraction(890_625n, 1_000_000n))).toBe(0);
  });

  it('pays no share more than a block', () => {
    const pay = (work: PpsWork) => lines(ppsCredits({ work: [work], network: seven, reward: ppsReward(100n) }).credits);
    expect(pay({ account: 'a', work: 7n })).toEqual(['reward a 100']);
    expect(pay({ account: 'a', work: 7000n })).toEqual(['reward a 100']);
    // Three shares summed: at most three blocks.
    expect(pay({ account: 'a', work: 14n, shares: 3 })).toEqual(['reward a 200']);
    expect(pay({ account: 'a', work: 7000n, shares: 3 })).toEqual(['reward a 300']);
  });

  it('keeps nothing and loses nothing: credits and carries are the value of the work', () => {
    fc.assert(
      fc.property(entries, network, rewardFraction, fees, (work, net, amount, policy) => {
        const options: PpsOptions = { work, network: net, reward: asFraction(amount), fees: policy };
        const first = ppsCredits(options);
        const second = ppsCredits({ ...options, carries: first.carries });
        for (const [result, before] of [
          [first, fraction(0n)],
          [second, carried(first.carries)],
        ] as const) {
          const after = addFractions(fraction(creditTotal(result.credits)), carried(result.carries));
          expect(compareFractions(after, addFractions(result.value, before))).toBe(0);
          for (const { carry } of result.carries) {
            expect(carry.numerator > 0n && carry.numerator < carry.denominator).toBe(true);
          }
        }
      }),
    );
  });

  it('comes to the same however shares are batched and ordered', () => {
    fc.assert(
      fc.property(entries, network, fees, fc.nat(30), (work, net, policy, at) => {
        const options = { network: net, reward: ppsReward(312_500_000n), fees: policy };
        const whole = ppsCredits({ ...options, work });
        const first = ppsCredits({ ...options, work: work.slice(at).reverse() });
        const second = ppsCredits({ ...options, work: work.slice(0, at), carries: [...first.carries].reverse() });
        const sums = new Map<string, bigint>();
        for (const { account: name, kind, amount } of [...first.credits, ...second.credits]) {
          sums.set(`${kind} ${name}`, (sums.get(`${kind} ${name}`) ?? 0n) + amount);
        }
        const expected = new Map(whole.credits.map((credit) => [`${credit.kind} ${credit.account}`, credit.amount]));
        expect(sums).toEqual(expected);
        expect(comparable(second)).toEqual(comparable(whole));
      }),
    );
  });

  it('never pays less for more work, and pays in proportion', () => {
    fc.assert(
      fc.property(
        network,
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.integer({ min: 1, max: 50 }),
        (net, amount, n) => {
          // Half of the network difficulty, so that no cap holds.
          const work = net.numerator / net.denominator / 2n;
          const value = (count: number) =>
            ppsCredits({
              work: Array.from({ length: count }, () => ({ account: 'a', work })),
              network: net,
              reward: ppsReward(amount),
            }).value;
          const one = value(1);
          expect(compareFractions(value(n), { ...one, numerator: one.numerator * BigInt(n) })).toBe(0);
          expect(compareFractions(value(n + 1), value(n))).toBe(work > 0n ? 1 : 0);
        },
      ),
    );
  });

  it('hands back carries of accounts that did nothing', () => {
    fc.assert(
      fc.property(account, (name) => {
        const carries: PpsCarry[] = [{ account: name, kind: 'reward', carry: fraction(1n, 3n) }];
        expect(ppsCredits({ work: [], network: seven, reward: ppsReward(1n), carries })).toMatchObject({
          credits: [],
          carries,
        });
      }),
    );
  });

  it.each<[string, Partial<PpsOptions>]>([
    ['negative work', { work: [{ account: 'a', work: -1n }] }],
    ['half a share', { work: [{ account: 'a', work: 1n, shares: 0.5 }] }],
    ['a negative carry', { carries: [{ account: 'a', kind: 'reward', carry: fraction(-1n, 2n) }] }],
    ['a carry of a whole unit', { carries: [{ account: 'a', kind: 'reward', carry: fraction(2n, 2n) }] }],
    ['fees over the whole', { fees: { recipients: [{ account: 'x', ppm: 1_000_001 }] } }],
  ])('refuses %s', (_, changes) => {
    expect(() => ppsCredits({ work: [], network: seven, reward: ppsReward(1n), ...changes })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

describe('FPPS', () => {
  it('adds the average fees of the blocks before, exactly', () => {
    // (10 + 20 + 25) / 3 = 18 1/3; 1/7 of 118 1/3 is 16 19/21.
    const reward = fppsReward(100n, [10n, 20n, 25n]);
    expect(compareFractions(reward, fraction(355n, 3n))).toBe(0);
    const { credits, carries } = ppsCredits({ work: [{ account: 'a', work: 1n }], network: seven, reward });
    expect(lines(credits)).toEqual(['reward a 16']);
    expect(carries.map(({ carry }) => compareFractions(carry, fraction(19n, 21n)))).toEqual([0]);
  });

  it('is PPS without blocks to average', () => {
    expect(fppsReward(100n, [])).toEqual(ppsReward(100n));
  });

  it('refuses negative amounts', () => {
    for (const bad of [() => fppsReward(-1n, []), () => fppsReward(1n, [-1n]), () => ppsReward(-1n)]) {
      expect(bad).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});

describe('ppsReserve', () => {
  it('holds 173 blocks for a fee of 2 % and one chance in a thousand', () => {
    // 3 * 2.302586 / (2 * 0.02) = 172.69395 blocks.
    const reserve = ppsReserve({ reward: 312_500_000n, feePpm: 20_000, oneInTenTo: 3 });
    expect(reserve).toBe(53_966_859_375n);
  });

  it('rounds up', () => {
    expect(ppsReserve({ reward: 1n, feePpm: 1_000_000, oneInTenTo: 1 })).toBe(2n);
  });

  it.each([
    [1n, 0, 1],
    [1n, 1_000_001, 1],
    [1n, 1, 0],
    [1n, 1, 101],
    [-1n, 1, 1],
  ])('refuses %s, %s, %s', (reward, feePpm, oneInTenTo) => {
    expect(() => ppsReserve({ reward, feePpm, oneInTenTo })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});
