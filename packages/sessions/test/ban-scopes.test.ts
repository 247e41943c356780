import { FakeClock } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { BanList, type BanOptions } from '../src/index.js';
import { createHarness, settle } from './harness.js';

function setup(options: BanOptions = {}) {
  const clock = new FakeClock();
  return { clock, bans: new BanList({ allow: [], ...options }, clock) };
}

describe('bans by scope', () => {
  it('of a subnet reach every address in it, IPv4 and IPv6, mapped ones too', () => {
    const { bans } = setup();
    bans.add('subnet', '198.51.100.0/24', { reason: 'scan' });
    bans.add('subnet', '2001:DB8::/32', { reason: 'scan' });
    for (const inside of ['198.51.100.0', '198.51.100.255', '::ffff:198.51.100.9', '2001:db8:1::1']) {
      expect(bans.findAddress(inside), inside).toMatchObject({ scope: 'subnet', reason: 'scan' });
    }
    for (const outside of ['198.51.101.0', '2001:db9::1', '', 'nonsense']) {
      expect(bans.findAddress(outside), outside).toBeUndefined();
    }
    expect(bans.remove('subnet', '2001:db8::/32')).toBe(true);
    expect(bans.findAddress('2001:db8:1::1')).toBeUndefined();
    bans.add('subnet', '203.0.113.0/28', { reason: 'later' });
    expect(bans.findAddress('203.0.113.15')).toMatchObject({ reason: 'later' });
    expect(bans.findAddress('203.0.113.16')).toBeUndefined();
  });

  it('of accounts and workers do not reach each other', () => {
    const { bans } = setup();
    bans.add('worker', 'alice.rig', { reason: 'x' });
    expect(bans.findWorker('alice.rig')).toBeDefined();
    expect(bans.findWorker('alice')).toBeUndefined();
    expect(bans.findAccount('alice.rig')).toBeUndefined();
    expect(bans.size).toBe(1);
  });

  it('end by themselves, whatever the scope', () => {
    const { bans, clock } = setup();
    bans.add('subnet', '198.51.100.0/24', { reason: 'x', durationMs: 1000 });
    bans.add('worker', 'alice.rig', { reason: 'x', durationMs: 1000 });
    clock.advance(999);
    expect(bans.list()).toHaveLength(2);
    clock.advance(1);
    expect(bans.list()).toEqual([]);
    expect(bans.findAddress('198.51.100.1') ?? bans.findWorker('alice.rig')).toBeUndefined();
    bans.expire();
    expect(bans.size).toBe(0);
  });

  it('are bounded: of subnets 1,024, because every connection is held against each', () => {
    const { bans } = setup();
    for (let i = 0; i < 1100; i++) bans.add('subnet', `10.${i >> 8}.${i & 255}.0/24`, { reason: 'x' });
    expect(bans.size).toBe(1024);
    expect(bans.findAddress('10.0.0.1')).toBeUndefined();
    expect(bans.findAddress('10.4.75.1')).toBeDefined();
  });

  it.each([
    ['subnet', 'nonsense'],
    ['subnet', '10.0.0.0/33'],
    ['account', ''],
    ['worker', 'x'.repeat(257)],
  ] as const)('are refused for a %s %j', (scope, key) => {
    const { bans } = setup();
    expect(() => bans.add(scope, key, { reason: 'x' })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(bans.size).toBe(0);
  });

  it('tell whoever keeps them when they change', () => {
    const { bans } = setup();
    let changes = 0;
    bans.onChange = () => changes++;
    bans.add('account', 'a', { reason: 'x' });
    bans.add('account', 'a', { reason: 'shorter', durationMs: 1 });
    bans.remove('account', 'a');
    bans.remove('account', 'a');
    expect(changes).toBe(2);
  });
});

describe('points', () => {
  it('add up, count half after each half-life, and become a ban at the bound', () => {
    const { bans, clock } = setup({ halfLifeMs: 1000, maxPoints: 100 });
    const penalize = (points: number) => bans.penalize('account', 'alice', { points, reason: 'spam' });
    expect(penalize(60)).toBeUndefined();
    clock.advance(1000);
    expect(bans.points('account', 'alice')).toBe(30);
    expect(penalize(60)).toBeUndefined();
    expect(penalize(10)).toMatchObject({ scope: 'account', key: 'alice', reason: 'spam' });
    expect(bans.points('account', 'alice')).toBe(0);
    expect(bans.findAccount('alice')).toBeDefined();
  });

  it('of one scope are not those of another, and of an address those of its /64', () => {
    const { bans } = setup();
    bans.penalize('worker', 'alice', { points: 40, reason: 'x' });
    expect(bans.points('account', 'alice')).toBe(0);
    bans.penalize('address', '2001:db8::1', { points: 60, reason: 'x' });
    expect(bans.penalize('address', '2001:db8::2', { points: 60, reason: 'x', durationMs: 5 })).toMatchObject({
      key: '2001:db8:0:0::/64',
    });
  });

  it('lead to nothing while bans are off', () => {
    const { bans } = setup({ enabled: false });
    expect(bans.penalize('account', 'alice', { points: 1e9, reason: 'x' })).toBeUndefined();
    expect(bans.list()).toEqual([]);
  });
});

describe('restoring', () => {
  it('takes over what has time left, for that time', () => {
    const { bans, clock } = setup();
    const seen: unknown[] = [];
    bans.onBan = (ban) => seen.push(ban);
    const nowMs = clock.now();
    const ban = { scope: 'account', key: 'alice', reason: 'x', sinceMs: nowMs - 5000, untilMs: nowMs + 1000 } as const;
    expect(bans.restore(ban)).toBe(true);
    expect(bans.restore({ ...ban, key: 'over', untilMs: nowMs })).toBe(false);
    expect(bans.restore({ ...ban, scope: 'session', key: '1' })).toBe(false);
    expect(bans.list()).toEqual([ban]);
    expect(seen).toEqual([]);
    clock.advance(1000);
    expect(bans.list()).toEqual([]);
  });
});

it('a ban of a subnet closes its sessions and keeps new ones out, but not who is on the allow-list', async () => {
  const harness = createHarness({ bans: { allow: ['198.51.100.7'] } });
  const inside = harness.connect({ clientAddress: '198.51.100.1' });
  const allowed = harness.connect({ clientAddress: '198.51.100.7' });
  const outside = harness.connect({ clientAddress: '198.51.101.1' });
  for (const peer of [inside, allowed, outside]) peer.send({ id: 1, method: 'echo', params: [] });
  await settle();
  harness.server.bans.add('subnet', '198.51.100.0/24', { reason: 'x' });
  await settle();
  expect([inside.closed, allowed.closed, outside.closed]).toEqual([true, false, false]);
  const again = harness.connect({ clientAddress: '198.51.100.2' });
  await settle();
  expect(again.closed).toBe(true);
  expect(harness.server.stats().refused).toEqual({ banned: 1 });
  await harness.close();
});
