import {
  addFractions,
  compareFractions,
  creditTotal,
  type Fraction,
  fraction,
  networkWork,
  type PpsCarry,
  ppsCredits,
  ppsReward,
  workOfDifficulty,
} from '@headframe/ledger';
import { describe, expect, it } from 'vitest';
import { Mortal, POOL, REWARD, TARGET, World } from './accountant-world.js';

const fees = [{ account: 'fees', ppm: 20_000 }];
const NETWORK = networkWork(BigInt(`0x${TARGET}`), 1);
const SUBSIDY = REWARD - 1000n;

/** What shares of the world's usual height are worth in all. */
function expected(world: World, reward = ppsReward(SUBSIDY)) {
  const work = world.ledger.batches
    .flatMap(({ shares }) => shares)
    .filter(({ result }) => result === 'accepted')
    .map(({ account, difficulty }) => ({ account, work: workOfDifficulty(difficulty) }));
  return ppsCredits({ work, network: NETWORK, reward, fees: { recipients: fees } });
}

async function fill(world: World): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await world.shares(`alice ${1 + i}`, 'bob 0.3', 'carol stale', `bob ${2.7 * i + 0.1}`);
    world.clock.advance(100);
  }
}

describe('PPS', () => {
  it('pays each accepted share once, out of the account of the pool', async () => {
    const world = new World();
    const accountant = world.accountant('pps', { fees });
    await fill(world);
    expect(await accountant.accrue()).toBe(10);
    expect(await accountant.accrue()).toBe(0);
    const { credits } = expected(world);
    const balances = world.books.balances();
    expect(Object.fromEntries(balances)).toEqual({
      ...Object.fromEntries(credits.map(({ account, amount }) => [account, amount])),
      [POOL]: -creditTotal(credits),
    });
    expect(world.books.total()).toBe(0n);
    expect([...world.books.bookings.keys()].filter((key) => key.startsWith('shares:'))).toEqual(['shares:10']);
    expect(accountant.status().accrual).toEqual({ cursor: 10, lagBatches: 0, lagMs: 0 });
  });

  it('comes to the same, however often it is booked', async () => {
    const [world, other] = [new World(), new World()];
    const accountant = world.accountant('pps', { fees });
    await fill(world);
    await accountant.accrue();
    const often = other.accountant('pps', { fees });
    for (let i = 0; i < 10; i++) {
      await other.shares(`alice ${1 + i}`, 'bob 0.3', 'carol stale', `bob ${2.7 * i + 0.1}`);
      other.clock.advance(100);
      await often.accrue();
    }
    expect(other.books.balances()).toEqual(world.books.balances());
    const carries = (of: World): string[] =>
      [...of.books.stored.values()]
        .filter(({ carry }) => carry.numerator > 0n)
        .map(({ account, kind, carry }) => `${account} ${kind} ${(carry.numerator * 10n ** 60n) / carry.denominator}`)
        .sort();
    expect(carries(other)).toEqual(carries(world));
  });

  it('the carries of a booking replace those before, also by nothing', async () => {
    const world = new World();
    // Of difficulty 1: seven shares of a seventh of a block's value each.
    world.recordHeight(100, { subsidy: 256n, fees: 0n });
    const accountant = world.accountant('pps');
    for (let i = 0; i < 4; i++) {
      await world.shares('alice 0.25');
      await accountant.accrue();
    }
    expect(world.books.balances().get('alice')).toBe(1n);
    const [carry] = [...world.books.stored.values()];
    expect(carry?.carry.numerator).toBe(0n);
    await accountant.accrue();
    expect(world.books.balances().get('alice')).toBe(1n);
  });

  it('runs by itself, and when it has to wait tries again', async () => {
    const world = new World();
    world.books.recorded.clear();
    const accountant = world.accountant('pps', { accrualMs: 60_000 });
    accountant.start();
    await fill(world);
    await world.clock.advanceAsync(70_000);
    expect(accountant.status()).toMatchObject({
      accrual: { cursor: 0, lagBatches: 10 },
      lastError: { message: expect.stringContaining('height 100 is not recorded') },
    });
    world.recordHeight(100);
    await world.clock.advanceAsync(300_000);
    expect(accountant.status()).toMatchObject({ accrual: { cursor: 10, lagBatches: 0 }, lastError: undefined });
    await accountant.close();
  });

  it('a height whose record was lost is paid as the nearest', async () => {
    const world = new World();
    world.height = 101;
    await world.shares('alice 256');
    const accountant = world.accountant('pps');
    await expect(accountant.accrue()).rejects.toMatchObject({ code: 'not_found' });
    world.clock.advance(600_000);
    await accountant.accrue();
    expect(world.books.balances().get('alice')).toBe(SUBSIDY);
  });

  it('has the ledger keep what is not paid yet, and no more', async () => {
    const world = new World();
    const accountant = world.accountant('pps');
    await world.shares('alice 128');
    await world.shares('alice 32');
    await accountant.accrue();
    expect(world.ledger.kept[0]).toBe(0);
    expect(world.ledger.kept.at(-1)).toBe(2);
  });

  it('pays by the target and subsidy of the height of each share', async () => {
    const world = new World();
    const accountant = world.accountant('pps');
    await world.shares('alice 128');
    world.recordHeight(101, { subsidy: 1_000_000n, networkTarget: (0xffffn << 201n).toString(16).padStart(64, '0') });
    await world.shares('alice 32', 'bob 1024');
    await accountant.accrue();
    expect(Object.fromEntries(world.books.balances())).toEqual({
      alice: SUBSIDY / 2n + 250_000n,
      bob: 1_000_000n, // no more than a block
      [POOL]: -(SUBSIDY / 2n + 250_000n + 1_000_000n),
    });
  });

  it('alarms when it falls behind so far that the ledger may forget shares', async () => {
    const world = new World();
    world.books.recorded.clear();
    const accountant = world.accountant('pps', { shareRetentionMs: 86_400_000 });
    accountant.start();
    await world.shares('alice 1');
    await world.clock.advanceAsync(40_000_000, 600_000);
    expect(accountant.status().alarms).toEqual([]);
    await world.clock.advanceAsync(5_000_000, 600_000);
    expect(accountant.status().alarms).toEqual([expect.stringContaining('hours are not paid')]);
    expect(world.ledger.kept.at(-1)).toBe(0);
    await accountant.close();
  });
});

describe('FPPS', () => {
  it('adds the average of the fees of the heights before', async () => {
    const world = new World();
    for (const [height, amount] of [
      [97, 9_999n],
      [98, 100n],
      [99, 201n],
    ] as const) {
      world.recordHeight(height, { fees: amount });
    }
    world.recordHeight(100, { subsidy: 5000n, fees: 77_777n });
    const accountant = world.accountant('fpps', { feeBlocks: 2 });
    await world.shares('alice 256', 'alice 256');
    await accountant.accrue();
    expect(world.books.balances().get('alice')).toBe(2n * 5000n + 301n);
  });

  it('has its own fees only while there are no others', async () => {
    const world = new World();
    world.recordHeight(100, { subsidy: 5000n, fees: 70n });
    const accountant = world.accountant('fpps');
    await world.shares('alice 128');
    await accountant.accrue();
    expect(world.books.balances().get('alice')).toBe(2535n);
  });
});

describe('exactly once', () => {
  it('whatever call it is killed in, before it is done or after', async () => {
    const begin = async (): Promise<World> => {
      const world = new World();
      await world.accountant('pps', { fees }).accrue();
      await fill(world);
      return world;
    };
    const counter = new Mortal();
    const calm = await begin();
    await calm.accountant('pps', { fees }, counter).accrue();
    expect(counter.calls).toBeGreaterThan(8);
    for (let left = 1; left <= counter.calls; left++) {
      for (const kind of ['before', 'after'] as const) {
        const world = await begin();
        const mortal = new Mortal();
        Object.assign(mortal, { left, kind });
        await expect(world.accountant('pps', { fees }, mortal).accrue()).rejects.toThrow(/killed/);
        await world.shares('alice 5');
        await world.accountant('pps', { fees }).accrue();
        const { credits, carries } = expected(world);
        const balances = world.books.balances();
        for (const { account, amount } of credits) expect(balances.get(account)).toBe(amount);
        expect(world.books.total()).toBe(0n);
        const sum = (list: Iterable<PpsCarry>): Fraction =>
          [...list].reduce((total, { carry }) => addFractions(total, carry), fraction(0n));
        expect(compareFractions(sum(world.books.stored.values()), sum(carries))).toBe(0);
      }
    }
  });

  it('with two accountants at once', async () => {
    const world = new World();
    const both = [world.accountant('pps', { fees }), world.accountant('pps', { fees })];
    for (let i = 0; i < 20; i++) {
      await world.shares(`alice ${i + 1}`, 'bob 0.7');
      await Promise.all(both.map((one) => one.accrue()));
    }
    await both[0]?.accrue();
    const { credits } = expected(world);
    const balances = world.books.balances();
    for (const { account, amount } of credits) expect(balances.get(account)).toBe(amount);
    expect(world.books.total()).toBe(0n);
  });

  it('over a change of scheme: shares are paid by the one under which they were accepted', async () => {
    const world = new World();
    await world.shares('early 256');
    world.clock.advance(1000);
    let accountant = world.accountant('pps');
    await world.shares('alice 256');
    await accountant.accrue();
    await world.shares('alice 256');
    await accountant.close();
    world.clock.advance(1000);
    accountant = world.accountant('pplns', { accrualMs: 1000 });
    accountant.start();
    await world.shares('bob 256', 'bob 256 !a');
    await world.clock.advanceAsync(60_000);
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.idle();
    expect(Object.fromEntries(world.books.balances())).toEqual({
      alice: 2n * SUBSIDY,
      bob: REWARD,
      [POOL]: -2n * SUBSIDY,
    });
    const bookings = world.books.bookings.size;
    await world.shares('bob 1');
    await world.clock.advanceAsync(60_000);
    expect(world.books.bookings.size).toBe(bookings);
    await accountant.close();
    world.clock.advance(1000);
    accountant = world.accountant('pps');
    await world.shares('carol 256');
    await accountant.accrue();
    expect(world.books.balances().get('carol')).toBe(SUBSIDY);
    expect(world.books.balances().get('bob')).toBe(REWARD);
  });
});
