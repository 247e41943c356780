import { FakeClock } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { AddressTable, type Ban, BanList, type BanOptions, type JudgedSession, resolveLimits } from '../src/index.js';
import { createHarness, settle } from './harness.js';

const request = (id: unknown, method = 'echo', params: unknown = []) => ({ id, method, params });

function setup(options: BanOptions = {}) {
  const clock = new FakeClock();
  const addresses = new AddressTable(resolveLimits());
  const bans = new BanList({ minBad: 10, ...options }, clock);
  const seen: Ban[] = [];
  bans.onBan = (ban) => seen.push(ban);
  let id = 0;
  const session = (address: string): JudgedSession => {
    id++;
    const entry = addresses.entry(address, clock.monotonic());
    addresses.enter(entry);
    return { id, address: entry, exempt: bans.allow.matches(address), score: undefined };
  };
  const shares = (one: JudgedSession, count: number, valid: boolean, weight = 1, account?: string) => {
    for (let i = 0; i < count; i++) bans.judge(one, valid, weight, account);
  };
  return { clock, bans, seen, session, shares };
}

describe('scores', () => {
  it('ban an address whose work is bad, not before there is enough of it', () => {
    const { bans, seen, session, shares } = setup();
    const miner = session('198.51.100.1');
    shares(miner, 9, false);
    expect(bans.findAddress('198.51.100.1')).toBeUndefined();
    shares(miner, 1, false);
    expect(bans.findAddress('198.51.100.1')).toMatchObject({ scope: 'address', reason: 'too many invalid shares' });
    expect(seen).toHaveLength(1);
  });

  it('let a miner with mostly good work alone, whatever the number of its bad shares', () => {
    const { seen, session, shares } = setup();
    const miner = session('198.51.100.1');
    for (let i = 0; i < 100; i++) {
      shares(miner, 3, true);
      shares(miner, 1, false);
    }
    expect(seen).toEqual([]);
  });

  it('weigh shares by difficulty', () => {
    const { seen, session, shares } = setup();
    const good = session('198.51.100.1');
    shares(good, 1, true, 1_000_000);
    shares(good, 500, false, 1);
    expect(seen).toEqual([]);
    const bad = session('198.51.100.2');
    shares(bad, 500, true, 1);
    shares(bad, 10, false, 1000);
    expect(seen.map((ban) => ban.key)).toEqual(['198.51.100.2']);
  });

  // Bans that caught whole farms: oliverw/miningcore#10, #397, #1463.
  it('close only the session of one bad miner behind a NAT, and ban its account if it has one of its own', () => {
    const { bans, seen, session, shares } = setup();
    const farm = Array.from({ length: 20 }, () => session('198.51.100.1'));
    for (const miner of farm) shares(miner, 50, true, 1, 'farm');
    const [broken] = farm;
    if (!broken) throw new Error('no miner');
    shares(broken, 70, false, 1, 'farm');
    expect(seen.map((ban) => [ban.scope, ban.key])).toEqual(
      Array.from({ length: seen.length }, () => ['session', String(broken.id)]),
    );
    expect(seen.length).toBeGreaterThan(0);
    expect(bans.findAddress('198.51.100.1')).toBeUndefined();
    expect(bans.findAccount('farm')).toBeUndefined();
    seen.length = 0;
    const stranger = session('198.51.100.1');
    shares(stranger, 10, false, 1, 'stranger');
    expect(seen.map((ban) => [ban.scope, ban.key])).toEqual([['account', 'stranger']]);
    expect(bans.findAddress('198.51.100.1')).toBeUndefined();
  });

  it('do not let an attacker get the account of somebody else banned', () => {
    const { bans, session, shares } = setup();
    const victim = session('198.51.100.1');
    shares(victim, 5, true, 1, 'victim');
    for (let n = 0; n < 50; n++) shares(session(`203.0.113.${n}`), 9, false, 1000, 'victim');
    shares(session('203.0.113.200'), 50, false, 1000, 'victim');
    expect(bans.findAccount('victim')).toBeUndefined();
    expect(bans.findAddress('203.0.113.200')).toBeDefined();
  });

  it('forget: half of it after each half-life', () => {
    const { clock, seen, session, shares } = setup();
    const miner = session('198.51.100.1');
    for (let i = 0; i < 50; i++) {
      shares(miner, 4, false);
      clock.advance(600_000);
    }
    expect(seen).toEqual([]);
  });

  it('are kept but not acted on when bans are off; exempt addresses are never banned', () => {
    const off = setup({ enabled: false });
    off.shares(off.session('198.51.100.1'), 1000, false);
    expect(off.seen).toEqual([]);
    const allowed = setup({ allow: ['198.51.100.0/24', '2001:db8::/32'] });
    allowed.shares(allowed.session('198.51.100.77'), 1000, false);
    for (let i = 0; i < 100; i++) allowed.bans.strike(allowed.session('2001:db8::1'), 'malformed');
    expect(allowed.seen).toEqual([]);
  });

  it('strikes ban an address without good work, never a farm', () => {
    const { bans, seen, session, shares } = setup();
    for (let i = 0; i < 20; i++) bans.strike(session('198.51.100.1'), 'malformed');
    expect(seen).toMatchObject([{ scope: 'address', key: '198.51.100.1', reason: 'malformed' }]);
    shares(session('198.51.100.2'), 5, true);
    for (let i = 0; i < 100; i++) bans.strike(session('198.51.100.2'), 'malformed');
    expect(seen).toHaveLength(1);
  });
});

describe('the list', () => {
  // Bans that never ended because seconds were taken for milliseconds: zone117x/node-stratum-pool#90.
  it('ends bans by itself, at the millisecond', () => {
    const { clock, bans } = setup();
    bans.add('address', '198.51.100.1', { reason: 'by hand', durationMs: 5000 });
    bans.add('account', 'someone', { reason: 'by hand', durationMs: 10_000 });
    expect(bans.list().map((ban) => ban.key)).toEqual(['198.51.100.1', 'someone']);
    clock.advance(4999);
    expect(bans.findAddress('198.51.100.1')).toBeDefined();
    clock.advance(1);
    expect(bans.findAddress('198.51.100.1')).toBeUndefined();
    expect(bans.list().map((ban) => ban.key)).toEqual(['someone']);
    clock.advance(10_000);
    bans.expire();
    expect(bans.size).toBe(0);
  });

  it('takes addresses in any spelling, keeps the longer of two bans, and can be edited', () => {
    const { bans, seen } = setup();
    bans.add('address', '::ffff:198.51.100.1', { reason: 'a', durationMs: 10_000 });
    expect(bans.findAddress('198.51.100.1')?.reason).toBe('a');
    bans.add('address', '198.51.100.1', { reason: 'b', durationMs: 5000 });
    expect(bans.findAddress('198.51.100.1')?.reason).toBe('a');
    bans.add('address', '198.51.100.1', { reason: 'c', durationMs: 20_000 });
    expect(bans.findAddress('198.51.100.1')?.reason).toBe('c');
    expect(seen.map((ban) => ban.reason)).toEqual(['a', 'c']);
    expect(bans.remove('address', '198.51.100.1')).toBe(true);
    expect(bans.remove('address', '198.51.100.1')).toBe(false);
    bans.add('address', '2001:DB8::5', { reason: 'v6' });
    expect(bans.findAddress('2001:db8:0:0:1:2:3:4')?.key).toBe('2001:db8:0:0::/64');
    expect(bans.remove('address', '2001:db8:0:0::/64')).toBe(true);
  });

  it('is bounded', () => {
    const { bans } = setup({ maxBans: 10 });
    for (let n = 0; n < 100; n++) bans.add('address', `198.51.100.${n}`, { reason: 'x' });
    expect(bans.size).toBe(10);
    expect(bans.findAddress('198.51.100.99')).toBeDefined();
  });

  it('refuses an allow list with something else in it', () => {
    expect(() => setup({ allow: ['nonsense'] })).toThrow('nonsense');
  });
});

describe('bans on a server', () => {
  it('close the sessions of the address after telling them, and refuse the next connection from another port', async () => {
    const { connect, clock, events, ends, protocols, server, close } = createHarness({ bans: { minBad: 5 } });
    const bad = connect({ clientAddress: '198.51.100.1', clientPort: 1 });
    const neighbour = connect({ clientAddress: '198.51.100.2' });
    bad.send(request(1, 'login'));
    neighbour.send(request(1, 'login'));
    await settle();
    events.on('banned', ({ ban, sessions }) => {
      for (const session of sessions) session.notify('client.show_message', [`banned: ${ban.reason}`]);
    });
    const protocol = protocols[0];
    if (!protocol) throw new Error('no session');
    for (let i = 0; i < 5; i++) {
      const slot = protocol.reserve();
      protocol.session.judge(false, 1, 'someone');
      protocol.settle(slot, `{"id":"share ${i}","error":"bad"}\n`);
    }
    await settle();
    expect(ends).toEqual(['banned']);
    expect(bad.lines().map((line) => line.id ?? line.method)).toEqual([
      1,
      'share 0',
      'share 1',
      'share 2',
      'share 3',
      'client.show_message',
      'share 4',
    ]);
    expect(neighbour.closed).toBe(false);
    const again = connect({ clientAddress: '198.51.100.1', clientPort: 2 });
    await settle();
    expect(again.closed).toBe(true);
    expect(server.stats()).toMatchObject({ bans: 1, closed: { banned: 2 } });
    await clock.advanceAsync(600_000, 60_000);
    const later = connect({ clientAddress: '198.51.100.1', clientPort: 3 });
    later.send(request(1));
    await settle();
    expect(later.ids()).toEqual([1]);
    await close();
  });

  it('of an account close its sessions wherever they come from', async () => {
    const { connect, ends, server, close } = createHarness({
      settings: { hasAccount: (protocol, account) => protocol.session.agent === account },
    });
    const peers = ['a', 'b', 'a'].map((_, n) => connect({ clientAddress: `198.51.100.${n}` }));
    for (const peer of peers) peer.send(request(1, 'login'));
    await settle();
    for (const session of server.sessions()) session.agent = session.id === 2 ? 'good' : 'evil';
    server.bans.add('account', 'evil', { reason: 'by hand' });
    await settle();
    expect(peers.map((peer) => peer.closed)).toEqual([true, false, true]);
    expect(ends).toEqual(['banned', 'banned']);
    expect(server.bans.findAccount('evil')).toBeDefined();
    await close();
  });

  it('come from junk: twenty sessions closed for it', async () => {
    const { connect, server, close } = createHarness();
    for (let i = 0; i < 20; i++) {
      const peer = connect({ clientAddress: '198.51.100.1' });
      peer.raw('{"id":1}}}}}}}}}\nx\nx\nx\n');
      await settle();
    }
    expect(server.bans.list()).toMatchObject([{ scope: 'address', key: '198.51.100.1', reason: 'malformed' }]);
    await close();
  });
});

describe('other rules while running', () => {
  it('count from then on; bans in force stay', () => {
    const { bans, session, shares } = setup();
    shares(session('198.51.100.1'), 10, false);
    bans.change({ minBad: 1000, allow: ['203.0.113.0/24'] });
    expect(bans.findAddress('198.51.100.1')).toBeDefined();
    shares(session('198.51.100.2'), 999, false);
    expect(bans.findAddress('198.51.100.2')).toBeUndefined();
    shares(session('203.0.113.7'), 2000, false);
    expect(bans.findAddress('203.0.113.7')).toBeUndefined();
    expect(() => bans.change({ enabled: false, allow: ['nonsense'] })).toThrow(/nonsense/);
    shares(session('198.51.100.3'), 1000, false);
    expect(bans.findAddress('198.51.100.3')).toBeDefined();
  });
});
