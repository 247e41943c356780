import type { Accounting } from '@headframe/ledger';
import { PoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, type FaultPlan, Process } from './support/faults.js';
import { addressOf, CONFIRMATIONS, World } from './support/world.js';

async function people(accounting?: Accounting): Promise<World> {
  const world = new World(accounting);
  world.chain.give(400_000n, 400_000n, 400_000n, 400_000n);
  await world.credit('ann', 100_000n);
  await world.credit('ben', 90_000n);
  await world.credit('cid', 80_000n);
  // Shares an address with ann.
  await world.credit('ann2', 30_000n, addressOf('ann'));
  await world.credit('dora', 20_000n);
  return world;
}

/** Lets a fresh process finish what is there. */
async function finish(world: World): Promise<void> {
  const payouts = world.payouts();
  await world.live(payouts, 3 * CONFIRMATIONS + 4);
  await payouts.close();
}

describe('a process that ends or loses an answer anywhere', () => {
  it('pays without faults, in as many calls as are tried below', async () => {
    const world = await people();
    const process = new Process();
    await world.live(world.payouts({}, process), CONFIRMATIONS + 2);
    expect(await world.differences()).toEqual([]);
    expect(process.calls).toBeGreaterThan(40);
    for (const name of ['planPayment', 'sign', 'stepPayment', 'broadcast', 'find', 'due', 'payments', 'release']) {
      expect(process.trace).toContain(name);
    }
  });

  it.each(FAULT_KINDS)('pays everybody once, whichever call it is: %s', async (kind) => {
    const clean = new Process();
    const first = await people();
    await first.live(first.payouts({}, clean), CONFIRMATIONS + 2);
    for (let at = 1; at <= clean.calls; at++) {
      const world = await people();
      const process = new Process({ at, kind });
      await world.live(world.payouts({}, process), CONFIRMATIONS + 2);
      await finish(world);
      expect(await world.differences(), `call ${at} (${clean.trace[at - 1]})`).toEqual([]);
    }
  });

  it('pays once when two faults follow each other', async () => {
    for (let at = 1; at <= 40; at++) {
      for (const kind of ['dies-after', 'dies-before'] as const) {
        const world = await people();
        await world.live(world.payouts({}, new Process({ at, kind })), 1);
        for (let second = 1; second <= 24; second += 3) {
          await world.live(world.payouts({}, new Process({ at: second, kind: 'dies-after' })), 1);
        }
        await finish(world);
        expect(await world.differences(), `${kind} at ${at}`).toEqual([]);
      }
    }
  });
});

describe('anything that may happen', () => {
  const fault: fc.Arbitrary<FaultPlan> = fc.record({
    at: fc.integer({ min: 0, max: 30 }),
    kind: fc.constantFrom(...FAULT_KINDS),
  });
  const event = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('work' as const),
        faults: fc.array(fault, { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('mine' as const), count: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('credit' as const),
        who: fc.integer({ min: 0, max: 3 }),
        amount: fc.integer({ min: 5_000, max: 60_000 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('reorganise' as const),
        depth: fc.integer({ min: 1, max: CONFIRMATIONS - 1 }),
        mode: fc.constantFrom('keep' as const, 'drop' as const, 'revive' as const),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'forget' as const }) },
    { weight: 1, arbitrary: fc.constant({ type: 'spend' as const }) },
  );

  it('pays everybody exactly once, with several processes at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 25 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (events, delays) => {
          const world = await people();
          const pause = async (): Promise<void> => {
            for (let left = Number(delays.next().value); left > 0; left--) await Promise.resolve();
          };
          for (const one of events) {
            switch (one.type) {
              case 'work':
                await Promise.all(one.faults.map((plan) => world.live(world.payouts({}, new Process(plan, pause)), 1)));
                break;
              case 'mine':
                world.chain.mine(one.count);
                break;
              case 'credit':
                await world.credit(`worker${one.who}`, BigInt(one.amount));
                break;
              case 'reorganise':
                // What is buried as deep as the pool asks for stays.
                world.chain.reorganise(one.depth, one.mode);
                break;
              case 'forget':
                world.chain.forgetMempool();
                break;
              case 'spend': {
                const [coin] = world.chain.coins();
                if (coin === undefined) break;
                try {
                  world.chain.spendOutside(coin.outpoint);
                } catch (error) {
                  expect(error).toBeInstanceOf(PoolError);
                }
                world.chain.give(400_000n);
              }
            }
          }
          // Small credits are due too in the end.
          for (let who = 0; who < 4; who++) await world.credit(`worker${who}`, 10_000n);
          world.chain.give(900_000n, 900_000n);
          await finish(world);
          expect(await world.differences()).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
