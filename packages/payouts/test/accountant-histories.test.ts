import type { BlockStatus } from '@headframe/mining';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Accountant, PayoutScheme } from '../src/index.js';
import { bytes, hashOf, Mortal, REWARD, World } from './accountant-world.js';

const SCHEMES: readonly PayoutScheme[] = ['solo', 'prop', 'pplns', 'pps', 'fpps', 'coinbase-split'];
const fees = [{ account: 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry', ppm: 12_345 }];
const SCRIPT = bytes(`0014${'75'.repeat(20)}`);

type Step =
  | { readonly kind: 'shares'; readonly shares: readonly string[] }
  | { readonly kind: 'find'; readonly reward: bigint; readonly finder: string }
  | { readonly kind: 'say'; readonly block: number; readonly status: BlockStatus; readonly times: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'second' }
  | { readonly kind: 'die'; readonly after: number; readonly before: boolean }
  | { readonly kind: 'accrue' }
  | { readonly kind: 'donate'; readonly account: string; readonly ppm: number };

const account = fc.constantFrom('alice', 'bob', 'carol', 'dave');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('shares' as const),
    shares: fc.array(
      fc.tuple(account, fc.constantFrom('1', '0.1', '33.3', '512', 'stale')).map(([name, worth]) => `${name} ${worth}`),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  fc.record({ kind: fc.constant('find' as const), reward: fc.bigInt(0n, REWARD), finder: account }),
  fc.record({
    kind: fc.constant('say' as const),
    block: fc.nat(5),
    status: fc.constantFrom<BlockStatus>('candidate', 'confirmed', 'orphaned', 'confirmed', 'matured', 'rejected'),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constantFrom('restart' as const, 'second' as const, 'accrue' as const) }),
  fc.record({ kind: fc.constant('die' as const), after: fc.integer({ min: 1, max: 20 }), before: fc.boolean() }),
  fc.record({ kind: fc.constant('donate' as const), account, ppm: fc.integer({ min: 0, max: 1_000_000 }) }),
);

class History {
  readonly world = new World();
  readonly found: { readonly name: string; readonly reward: bigint }[] = [];
  readonly #scheme: PayoutScheme;
  #running: Accountant[] = [];

  constructor(scheme: PayoutScheme) {
    this.#scheme = scheme;
    this.#open();
  }

  #open(mortal?: Mortal): void {
    const accountant = this.world.accountant(this.#scheme, { fees, accrualMs: 1000, feeBlocks: 3 }, mortal);
    accountant.start();
    this.#running.push(accountant);
  }

  async take(step: Step): Promise<void> {
    const { world } = this;
    world.clock.advance(100);
    switch (step.kind) {
      case 'shares':
        return world.shares(...step.shares);
      case 'find': {
        const name = `${this.found.length}`;
        this.found.push({ name, reward: step.reward });
        world.recordHeight(world.height + 1, { subsidy: step.reward, fees: step.reward / 7n });
        // A third goes to a script nobody knows, the rest to the pool.
        const odd = step.reward / 3n;
        world.coinbases.set(hashOf(name), [
          { script: bytes('6a00'), amount: odd },
          { script: SCRIPT, amount: 0n },
          { script: bytes(POOL_SCRIPT), amount: step.reward - odd },
        ]);
        await world.shares(`${step.finder} 5 !${name}`);
        return this.#say(name, 'candidate', step.reward);
      }
      case 'say': {
        const block = this.found[step.block];
        if (block !== undefined) for (let i = 0; i < step.times; i++) this.#say(block.name, step.status, block.reward);
        return;
      }
      case 'restart':
        await this.close();
        return this.#open();
      case 'second':
        if (this.#running.length < 3) this.#open();
        return;
      case 'accrue':
        // Failing is part of the story: a mortal one may be dead.
        await this.#running[0]?.accrue().catch(() => undefined);
        return;
      case 'die': {
        await this.close();
        const mortal = new Mortal();
        Object.assign(mortal, { left: step.after, kind: step.before ? 'before' : 'after' });
        return this.#open(mortal);
      }
      case 'donate':
        world.books.set.set(step.account, { donationPpm: step.ppm });
    }
  }

  #say(name: string, status: BlockStatus, reward: bigint): void {
    const confirmations = status === 'matured' ? 100 : 1;
    for (const one of this.#running) one.blockOutcome(this.world.outcome(name, status, { reward, confirmations }));
  }

  async close(): Promise<void> {
    for (const one of this.#running.splice(0)) await one.close();
  }

  /** The last start, with nobody left to kill it. */
  async end(): Promise<void> {
    await this.close();
    this.#open();
    await this.world.clock.advanceAsync(1_200_000, 100_000);
    await this.#running[0]?.idle();
    expect(this.#running[0]?.status()).toMatchObject({ pendingBlocks: 0, lastError: undefined, isReady: true });
    await this.close();
  }
}

const POOL_SCRIPT = '0014751e76e8199196d454941c45d1b3a323f1433bd6';

describe('whatever happens to blocks, shares and processes', () => {
  it.each(SCHEMES)('%s: the books count what the chain counts', { timeout: 60_000 }, async (scheme) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const history = new History(scheme);
        for (const one of steps) await history.take(one);
        await history.end();
        const { books, ledger } = history.world;
        const counting = ledger.counting();
        // Every block that counts is in the books with its whole reward, as final as it is mature; no other counts.
        for (const block of counting) {
          const booked = books.bookings.get(`block:${block.hash}`);
          expect(booked?.state).toBe(block.status === 'matured' ? 'final' : 'immature');
          const { entries = [] } = booked?.booking ?? {};
          const sum = (only: (kind: string) => boolean): bigint =>
            entries.filter(({ kind }) => only(kind)).reduce((total, { amount }) => total + amount, 0n);
          expect(sum((kind) => kind !== 'coinbase')).toBe(block.reward);
          expect(sum((kind) => kind === 'coinbase')).toBe(scheme === 'coinbase-split' ? -block.reward : 0n);
        }
        const counted = [...books.bookings].filter(
          ([key, { state }]) => key.startsWith('block:') && state !== 'reversed',
        );
        expect(counted.length).toBe(counting.length);
        const rewards = counting.reduce((total, { reward }) => total + reward, 0n);
        expect(books.total()).toBe(scheme === 'coinbase-split' ? 0n : rewards);
        if (scheme !== 'pps' && scheme !== 'fpps') return;
        // Shares are in stretches without gap or overlap, to the end of the log; each sums to nothing.
        const stretches = [...books.bookings.values()].filter(({ booking }) => booking.key.startsWith('shares:'));
        let at = 0;
        for (const { booking } of stretches) {
          expect(booking.cursor?.from).toBe(at);
          at = booking.cursor?.to ?? -1;
          expect(booking.entries.reduce((total, { amount }) => total + amount, 0n)).toBe(0n);
        }
        expect(at).toBe(ledger.batches.length);
      }),
      { numRuns: 60 },
    );
  });
});
