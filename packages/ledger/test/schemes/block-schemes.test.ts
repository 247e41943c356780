import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Credit,
  creditsByAccount,
  creditTotal,
  type FeePolicy,
  poolFeePpm,
  pplnsCredits,
  propCredits,
  type RoundShares,
  reverseCredits,
  soloCredits,
  type WorkEntry,
  type WorkWindow,
} from '../../src/index.js';
import { entries, fees, lines, only, reward } from './arbitraries.js';

const onePercent: FeePolicy = { recipients: [{ account: 'pool', ppm: 10_000 }] };

describe('SOLO', () => {
  it('gives the finder all but the fee', () => {
    expect(lines(soloCredits({ reward: 312_500_000n, finder: 'alice', fees: onePercent }))).toEqual([
      'reward alice 309375000',
      'fee pool 3125000',
    ]);
  });

  it('rounds the whole fee down, in favour of the finder', () => {
    // 1.5 % of 199 is 2.985, so 2: quotas 1.33 and 0.67, the unit left goes to the larger remainder.
    const recipients = [
      { account: 'x', ppm: 10_000 },
      { account: 'y', ppm: 5_000 },
    ];
    expect(lines(soloCredits({ reward: 199n, finder: 'alice', fees: { recipients } }))).toEqual([
      'reward alice 197',
      'fee x 1',
      'fee y 1',
    ]);
  });

  it('leaves nothing to the finder under a fee of everything, and divides nothing when there is nothing', () => {
    const all: FeePolicy = { recipients: [{ account: 'pool', ppm: 1_000_000 }] };
    expect(lines(soloCredits({ reward: 5n, finder: 'alice', fees: all }))).toEqual(['fee pool 5']);
    expect(soloCredits({ reward: 0n, finder: 'alice' })).toEqual([]);
  });
});

describe('PROP', () => {
  it('divides the round by work, then moves donations', () => {
    // Fee of 1 % of 1,000,001: 10,000.01 -> 10,000. 990,001 by 3:1:2 of 6: 495,000.5, 165,000.17, 330,000.33;
    // floors leave one unit, for the largest remainder: alice. Bob gives 2.5 % of 165,000 = 4,125, carol 1 % of
    // 330,000 = 3,300.
    const round: WorkEntry[] = [
      { account: 'alice', work: 1n },
      { account: 'bob', work: 1n },
      { account: 'carol', work: 2n },
      { account: 'alice', work: 2n },
    ];
    const donations = [
      { from: 'bob', to: 'charity', ppm: 25_000 },
      { from: 'carol', to: 'charity', ppm: 10_000 },
      { from: 'nobody', to: 'charity', ppm: 1_000_000 },
    ];
    const credits = propCredits({ reward: 1_000_001n, finder: 'bob', round, fees: { ...onePercent, donations } });
    expect(lines(credits)).toEqual([
      'reward alice 495001',
      'reward bob 160875',
      'reward carol 326700',
      'fee pool 10000',
      'donation charity 7425',
    ]);
  });

  it('takes no donation of fees or of donations received', () => {
    const policy: FeePolicy = {
      recipients: [{ account: 'a', ppm: 500_000 }],
      donations: [
        { from: 'a', to: 'b', ppm: 1_000_000 },
        { from: 'b', to: 'c', ppm: 1_000_000 },
      ],
    };
    expect(
      lines(propCredits({ reward: 100n, finder: 'x', round: [{ account: 'a', work: 1n }], fees: policy })),
    ).toEqual(['fee a 50', 'donation b 50']);
  });

  it('gives a round without work to the finder', () => {
    const expected = ['reward finder 10'];
    expect(lines(propCredits({ reward: 10n, finder: 'finder', round: [] }))).toEqual(expected);
    expect(lines(propCredits({ reward: 10n, finder: 'finder', round: [{ account: 'a', work: 0n }] }))).toEqual(
      expected,
    );
  });
});

const schemes: [string, (options: { reward: bigint; work: WorkEntry[]; fees?: FeePolicy }) => Credit[]][] = [
  ['SOLO', ({ work: _, ...block }) => soloCredits({ ...block, finder: 'finder' })],
  ['PROP', ({ work, ...block }) => propCredits({ ...block, finder: 'finder', round: work })],
  ['PPLNS', ({ work, ...block }) => pplnsCredits({ ...block, finder: 'finder', window: { accounts: work } })],
];

describe.each(schemes)('%s', (_, credit) => {
  it('credits the reward, to the unit, and what is no fee is the reward less fees', () => {
    fc.assert(
      fc.property(reward, entries, fees, (amount, work, policy) => {
        const credits = credit({ reward: amount, work, fees: policy });
        expect(creditTotal(credits)).toBe(amount);
        const ppm = BigInt(poolFeePpm(policy));
        expect(creditTotal(only(credits, 'fee'))).toBe((amount * ppm) / 1_000_000n);
        for (const { amount: part } of credits) expect(part > 0n).toBe(true);
      }),
    );
  });

  it('depends neither on the order nor on the grouping of shares', () => {
    fc.assert(
      fc.property(reward, entries, fees, (amount, work, policy) => {
        const expected = credit({ reward: amount, work, fees: policy });
        expect(credit({ reward: amount, work: [...work].reverse(), fees: policy })).toEqual(expected);
        const halves = work.flatMap(({ account, work: all }) => [
          { account, work: all / 2n },
          { account, work: all - all / 2n },
        ]);
        expect(credit({ reward: amount, work: halves, fees: policy })).toEqual(expected);
      }),
    );
  });

  it('gives the same for the same proportions of work', () => {
    fc.assert(
      fc.property(reward, entries, fees, fc.bigInt({ min: 1n, max: 10n ** 15n }), (amount, work, policy, scale) => {
        const scaled = work.map((entry) => ({ ...entry, work: entry.work * scale }));
        expect(credit({ reward: amount, work: scaled, fees: policy })).toEqual(
          credit({ reward: amount, work, fees: policy }),
        );
      }),
    );
  });

  it('never gives less for more work', () => {
    fc.assert(
      fc.property(reward, entries, fees, fc.bigInt({ min: 1n, max: 10n ** 20n }), (amount, work, policy, more) => {
        const of = (list: WorkEntry[]) =>
          creditsByAccount(only(credit({ reward: amount, work: list, fees: policy }), 'reward')).get('a') ?? 0n;
        expect(of([...work, { account: 'a', work: more }]) >= of(work)).toBe(true);
      }),
    );
  });

  it('is taken back to the unit when the block is orphaned', () => {
    fc.assert(
      fc.property(reward, entries, fees, (amount, work, policy) => {
        const credits = credit({ reward: amount, work, fees: policy });
        const reversal = reverseCredits(credits);
        expect(creditTotal(reversal)).toBe(-amount);
        expect(creditsByAccount([...credits, ...reversal]).size).toBe(0);
        expect(reverseCredits(reversal)).toEqual(credits);
      }),
    );
  });

  it.each<[string, bigint, FeePolicy]>([
    ['a negative reward', -1n, {}],
    // NOMP 369: nobody noticed fees of 91 %; here no policy can take more than the whole.
    [
      'fees over the whole',
      1n,
      {
        recipients: [
          { account: 'x', ppm: 600_000 },
          { account: 'y', ppm: 400_001 },
        ],
      },
    ],
    ['a fraction of a part', 1n, { recipients: [{ account: 'x', ppm: 0.5 }] }],
    ['a negative fee', 1n, { recipients: [{ account: 'x', ppm: -1 }] }],
    [
      'donations over the whole',
      1n,
      {
        donations: [
          { from: 'x', to: 'y', ppm: 600_000 },
          { from: 'x', to: 'z', ppm: 400_001 },
        ],
      },
    ],
  ])('refuses %s', (_case, amount, policy) => {
    expect(() => credit({ reward: amount, work: [], fees: policy })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

it('takes rounds and windows as a ledger returns them', () => {
  const accounts = [
    { account: 'a', accepted: 3, work: 30n },
    { account: 'b', accepted: 1, work: 10n },
  ];
  const window: WorkWindow = { accounts, work: 40n, isFull: true };
  const round: RoundShares['accounts'] = accounts;
  const expected = ['reward a 75', 'reward b 25'];
  expect(lines(pplnsCredits({ reward: 100n, finder: 'a', window }))).toEqual(expected);
  expect(lines(propCredits({ reward: 100n, finder: 'a', round }))).toEqual(expected);
});

it('refuses negative work', () => {
  expect(() => propCredits({ reward: 1n, finder: 'x', round: [{ account: 'a', work: -1n }] })).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  );
});
