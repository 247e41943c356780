import { PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { createAccountant } from '../src/index.js';
import { coin, hashOf, POOL, REWARD, World } from './accountant-world.js';

const FEE = 'fees';
const fees = [{ account: FEE, ppm: 10_000 }];

describe('a block', () => {
  it('is credited when it is in the chain, final when mature', async () => {
    const world = new World();
    const accountant = world.accountant('pplns', { fees });
    accountant.start();
    await world.shares('alice 128', 'bob 128', 'alice 256 !a');
    accountant.blockOutcome(world.outcome('a', 'candidate'));
    await accountant.idle();
    expect(world.state('a')).toBeUndefined();
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.idle();
    expect(world.state('a')).toBe('immature');
    expect(world.entries('a')).toEqual({
      'fee fees': 50_000_000n,
      'reward alice': 3_712_500_000n,
      'reward bob': 1_237_500_000n,
    });
    accountant.blockOutcome(world.outcome('a', 'matured', { confirmations: 100 }));
    await accountant.idle();
    expect(world.state('a')).toBe('final');
    expect(accountant.status()).toMatchObject({
      scheme: 'pplns',
      isReady: true,
      lastBlock: { hash: hashOf('a'), state: 'final' },
      pendingBlocks: 0,
      lastError: undefined,
      alarms: [],
    });
  });

  it.each([
    ['solo', { 'reward alice': REWARD }],
    ['prop', { 'reward alice': (REWARD * 3n) / 4n, 'reward bob': REWARD / 4n }],
    ['pps', { [`reward ${POOL}`]: REWARD }],
  ] as const)('under %s', async (scheme, expected) => {
    const world = new World();
    const accountant = world.accountant(scheme);
    accountant.start();
    await world.shares('alice 128', 'bob 128', 'alice 256 !a');
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.idle();
    expect(world.entries('a')).toEqual(expected);
  });

  it('is taken back when orphaned, and comes back', async () => {
    const world = new World();
    const accountant = world.accountant('solo');
    accountant.start();
    for (const [status, state] of [
      ['confirmed', 'immature'],
      ['orphaned', 'reversed'],
      ['confirmed', 'immature'],
      ['matured', 'final'],
    ] as const) {
      world.clock.advance(1000);
      accountant.blockOutcome(world.outcome('a', status));
      await accountant.idle();
      expect(world.state('a')).toBe(state);
    }
  });

  it('whose last word comes as the accountant closes is known to the ledger', async () => {
    const world = new World();
    const accountant = world.accountant('solo');
    accountant.start();
    accountant.blockOutcome(world.outcome('a', 'candidate'));
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.close();
    expect((await world.ledger.block(hashOf('a')))?.status).toBe('confirmed');
  });

  it('that never was in the chain is not in the books', async () => {
    const world = new World();
    const accountant = world.accountant('solo');
    accountant.start();
    accountant.blockOutcome(world.outcome('a', 'candidate'));
    accountant.blockOutcome(world.outcome('a', 'rejected'));
    accountant.blockOutcome(world.outcome('b', 'orphaned'));
    await accountant.idle();
    expect([world.state('a'), world.state('b')]).toEqual([undefined, undefined]);
  });

  it('waits for its share, and is done without it when that was lost in a crash', async () => {
    const world = new World();
    const accountant = world.accountant('pplns');
    accountant.start();
    await world.shares('alice 128', 'bob 384');
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.idle();
    expect(world.state('a')).toBeUndefined();
    expect(accountant.status()).toMatchObject({
      pendingBlocks: 1,
      lastError: { message: expect.stringContaining('not in the ledger yet') },
    });
    await world.clock.advanceAsync(900_000, 10_000);
    expect(world.entries('a')).toEqual({ 'reward alice': REWARD / 4n, 'reward bob': (REWARD * 3n) / 4n });
    expect(accountant.status()).toMatchObject({ pendingBlocks: 0, lastError: undefined });
  });

  it('whose share comes late is credited then', async () => {
    const world = new World();
    const accountant = world.accountant('pplns');
    accountant.start();
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.idle();
    await world.shares('bob 128', 'alice 384 !a');
    await world.clock.advanceAsync(10_000);
    expect(world.entries('a')).toEqual({ 'reward alice': (REWARD * 3n) / 4n, 'reward bob': REWARD / 4n });
  });

  it('that fails does not hold up others', async () => {
    const world = new World();
    const accountant = world.accountant('pplns');
    accountant.start();
    await world.shares('bob 128 !b');
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    accountant.blockOutcome(world.outcome('b', 'confirmed'));
    await accountant.idle();
    expect([world.state('a'), world.state('b')]).toEqual([undefined, 'immature']);
  });

  it('needs the difficulty of its height: the record, what the ledger says, or the nearest after a while', async () => {
    const world = new World();
    const accountant = world.accountant('pplns', { window: 0.5 });
    accountant.start();
    await world.shares('alice 64', 'bob 128 !a', 'carol 64', 'bob 64 !b', 'alice 64', 'bob 64 !c');
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    accountant.blockOutcome(world.outcome('b', 'confirmed', { height: 200 }), { networkDifficulty: 256 });
    accountant.blockOutcome(world.outcome('c', 'confirmed', { height: 150 }));
    await accountant.idle();
    expect(world.entries('a')).toEqual({ 'reward bob': REWARD });
    expect(world.entries('b')).toEqual({ 'reward bob': REWARD / 2n, 'reward carol': REWARD / 2n });
    expect(world.state('c')).toBeUndefined();
    await world.clock.advanceAsync(900_000, 10_000);
    expect(world.entries('c')).toEqual({ 'reward alice': REWARD / 2n, 'reward bob': REWARD / 2n });
  });
});

describe('settings', () => {
  it('donations go to the pool', async () => {
    const world = new World();
    world.books.set.set('alice', { donationPpm: 500_000 });
    const accountant = world.accountant('solo', { fees });
    accountant.start();
    accountant.blockOutcome(world.outcome('a', 'confirmed'));
    await accountant.idle();
    expect(world.entries('a')).toEqual({
      'fee fees': 50_000_000n,
      'reward alice': 2_475_000_000n,
      [`donation ${POOL}`]: 2_475_000_000n,
    });
  });

  it('are checked', () => {
    const modules = { ledger: new World().ledger, accounting: new World().books };
    const make = (scheme: 'solo' | 'coinbase-split', poolAccount: string): unknown =>
      createAccountant({ scheme, coin, poolAccount }, modules);
    expect(() => make('solo', '')).toThrow(PoolError);
    expect(() => make('coinbase-split', POOL)).toThrow(/access to blocks/);
  });
});

describe('a start', () => {
  it('mends what the process before left', async () => {
    const world = new World();
    const first = world.accountant('solo');
    first.start();
    for (const name of ['a', 'b', 'c']) first.blockOutcome(world.outcome(name, 'confirmed'));
    await first.idle();
    await first.close();
    // What happened while nobody kept books.
    world.clock.advance(1000);
    await world.ledger.recordBlock(world.outcome('a', 'matured'));
    await world.ledger.recordBlock(world.outcome('b', 'orphaned'));
    await world.ledger.recordBlock(world.outcome('d', 'confirmed'));
    const second = world.accountant('solo');
    second.start();
    await second.idle();
    expect(['a', 'b', 'c', 'd'].map((name) => world.state(name))).toEqual([
      'final',
      'reversed',
      'immature',
      'immature',
    ]);
    expect(await second.mend({ all: true })).toBe(0);
  });

  it('stops looking after a hundred settled blocks that are right, unless told to go on', async () => {
    const world = new World();
    const accountant = world.accountant('solo');
    for (let i = 0; i < 150; i++) {
      world.height = 1000 + i;
      await world.ledger.recordBlock(world.outcome(i, 'matured'));
    }
    accountant.start();
    await accountant.idle();
    expect(world.books.bookings.size).toBe(151);
    world.books.bookings.delete(`block:${hashOf(10)}`);
    expect(await accountant.mend()).toBe(0);
    expect(await accountant.mend({ all: true })).toBe(1);
  });

  it('never credits what was found before there were accounts, or while there were none', async () => {
    const world = new World();
    world.height = 50;
    await world.ledger.recordBlock(world.outcome('before', 'matured'));
    world.clock.advance(1000);
    const steps = [
      ['solo', 'one'],
      ['none', 'two'],
      ['prop', 'three'],
    ] as const;
    for (const [scheme, name] of steps) {
      const accountant = world.accountant(scheme);
      accountant.start();
      await accountant.idle();
      world.clock.advance(1000);
      await world.shares(`bob 1 !${name}`);
      accountant.blockOutcome(world.outcome(name, 'candidate'));
      await accountant.idle();
      await accountant.close();
      world.clock.advance(1000);
    }
    const last = world.accountant('prop');
    last.start();
    for (const [, name] of steps) last.blockOutcome(world.outcome(name, 'confirmed'));
    last.blockOutcome(world.outcome('before', 'confirmed'));
    await last.idle();
    // Each by the scheme under which it was found.
    expect(world.entries('one')).toEqual({ 'reward alice': REWARD });
    expect(world.state('two')).toBeUndefined();
    expect(world.entries('three')).toEqual({ 'reward bob': REWARD });
    expect(world.state('before')).toBeUndefined();
  });

  it.each(['in the next process', 'while it runs'] as const)(
    'that a clock ten years ahead has entered counts from the moment it is set right, %s',
    async (when) => {
      const world = new World();
      world.clock.offsetMs = 10 * 365 * 86_400_000;
      const early = world.accountant('solo');
      early.start();
      await early.idle();
      world.clock.offsetMs = 0;
      if (when === 'in the next process') await early.close();
      const accountant = when === 'in the next process' ? world.accountant('solo') : early;
      accountant.start();
      world.clock.advance(1000);
      await world.shares('alice 1 !a');
      accountant.blockOutcome(world.outcome('a', 'candidate'));
      await accountant.idle();
      world.clock.advance(1000);
      await world.shares('alice 1 !b');
      for (const name of ['a', 'b']) accountant.blockOutcome(world.outcome(name, 'confirmed'));
      await accountant.idle();
      expect(world.entries('b')).toEqual({ 'reward alice': REWARD });
      await accountant.close();
      // And with another scheme after that, and when the ten years are over.
      const later = world.accountant('prop');
      later.start();
      await later.idle();
      world.clock.advance(11 * 365 * 86_400_000);
      await world.shares('bob 1 !c');
      later.blockOutcome(world.outcome('c', 'confirmed'));
      await later.idle();
      expect(world.entries('c')).toEqual({ 'reward bob': REWARD });
    },
  );

  it('two of them enter one scheme', async () => {
    const world = new World();
    const both = [world.accountant('pplns'), world.accountant('pplns')];
    for (const one of both) one.start();
    await Promise.all(both.map((one) => one.idle()));
    expect(world.books.bookings.size).toBe(1);
  });
});
