import { PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { connectionsByDescriptors } from '../src/descriptors.js';
import { createLoopDelayMonitor, LIMITS, resolveLimits } from '../src/index.js';
import { createHarness, settle } from './harness.js';

const request = (id: unknown, method = 'echo', params: unknown = []) => ({ id, method, params });

describe('the table of limits', () => {
  it('gives a default, a unit and the attack for every limit', () => {
    for (const [name, info] of Object.entries(LIMITS)) {
      expect(info.default, name).toBeGreaterThan(0);
      expect(info.unit, name).not.toBe('');
      expect(info.stops.length, name).toBeGreaterThan(10);
    }
    expect(resolveLimits().connections).toBe(LIMITS.connections.default);
    expect(resolveLimits({ inFlight: 3 }).inFlight).toBe(3);
    expect(resolveLimits({ connections: Number.POSITIVE_INFINITY }).connections).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    [{ inFlight: -1 }, 'inFlight'],
    [{ inFlight: Number.NaN }, 'inFlight'],
    [{ lines: 1 }, 'lines'],
    [{ idleTimeoutMs: '10' }, 'idleTimeoutMs'],
  ])('refuses %j', (overrides, name) => {
    expect(() => resolveLimits(overrides as Parameters<typeof resolveLimits>[0])).toThrow(PoolError);
    expect(() => resolveLimits(overrides as Parameters<typeof resolveLimits>[0])).toThrow(name);
  });
});

describe('attacks on one session', () => {
  it('silence: closed when it has not authorised in time', async () => {
    const { connect, clock, ends, close } = createHarness();
    const peer = connect();
    peer.send(request(1));
    const silent = connect();
    await clock.advanceAsync(29_000);
    expect(ends).toEqual([]);
    expect(silent.closed).toBe(true);
    await clock.advanceAsync(3000);
    expect(ends).toEqual(['authorize-timeout']);
    expect(peer.closed).toBe(true);
    await close();
  });

  it('a connection that says nothing at all never becomes a session', async () => {
    const { connect, clock, server, close } = createHarness();
    const silent = connect();
    await settle();
    expect(server.stats().opening).toBe(1);
    await clock.advanceAsync(10_000);
    expect(silent.closed).toBe(true);
    expect(server.stats()).toMatchObject({ opening: 0, sessions: 0, closed: { 'detect-timeout': 1 } });
    await close();
  });

  it('half-open: closed after ten minutes without a line, however many blank lines come', async () => {
    const { connect, clock, ends, close } = createHarness();
    const busy = connect();
    const dead = connect();
    busy.send(request(1, 'login'));
    dead.send(request(1, 'login'));
    for (let minute = 0; minute < 11; minute++) {
      await clock.advanceAsync(60_000, 10_000);
      busy.send(request(minute));
      dead.raw('\r\n\n');
      await settle();
    }
    expect(ends).toEqual(['idle-timeout']);
    expect(dead.closed).toBe(true);
    expect(busy.closed).toBe(false);
    await close();
  });

  it('half-open: one session may be given more time, or less', async () => {
    const { connect, clock, server, close } = createHarness();
    const [patient, usual, hurried] = [connect(), connect(), connect()];
    for (const peer of [patient, usual, hurried]) peer.send(request(1, 'login'));
    await clock.advanceAsync(60_000, 1000);
    const [first, , last] = [...server.sessions()].sort((a, b) => a.id - b.id);
    if (first === undefined || last === undefined) throw new Error('no sessions');
    expect(first.idleTimeoutMs).toBe(600_000);
    first.idleTimeoutMs = 7_200_000;
    last.idleTimeoutMs = 120_000;
    await clock.advanceAsync(61_000, 1000);
    expect([patient, usual, hurried].map(({ closed }) => closed)).toEqual([false, false, true]);
    await clock.advanceAsync(600_000, 1000);
    expect([patient, usual].map(({ closed }) => closed)).toEqual([false, true]);
    await clock.advanceAsync(7_200_000, 10_000);
    expect(patient.closed).toBe(true);
    await close();
  });

  it('an endless line: closed at the bound, whether or not its end is in sight', async () => {
    const { connect, ends, close } = createHarness({ limits: { lineBytes: 1000 } });
    const endless = connect();
    endless.raw('{"id":1,"method":"echo","params":["');
    for (let i = 0; i < 20; i++) {
      endless.raw('x'.repeat(100));
      await settle();
    }
    expect(ends).toEqual(['line-too-long']);
    const long = connect();
    long.send(request(1), request(2, 'echo', ['x'.repeat(1000)]), request(3));
    await settle();
    expect(ends).toEqual(['line-too-long', 'line-too-long']);
    expect(long.ids()).toEqual([1]);
    // Counted per line, not per chunk.
    const many = connect();
    many.send(...Array.from({ length: 100 }, (_, id) => request(id, 'echo', ['x'.repeat(500)])));
    await settle();
    expect(many.ids()).toHaveLength(100);
    await close();
  });

  it('junk: three malformed lines are answered, the fourth closes', async () => {
    const { connect, ends, close } = createHarness();
    const peer = connect();
    peer.send(request(1));
    peer.raw('{"id":2,"method":"echo","params":["a"b"]}\nnot json\n[1,2]\n');
    peer.send(request(3));
    await settle();
    expect(ends).toEqual([]);
    expect(peer.lines().map((line) => [line.id, Array.isArray(line.error) ? line.error[1] : undefined])).toEqual([
      [1, undefined],
      [null, 'Malformed JSON'],
      [null, 'Malformed JSON'],
      [null, 'Not a JSON object'],
      [3, undefined],
    ]);
    peer.raw('{"id":4,"method":7}\n');
    peer.send(request(5));
    await settle();
    expect(ends).toEqual(['malformed']);
    expect(peer.lines().at(-1)).toMatchObject({ id: 4, error: ['other', 'Invalid request', null] });
    await close();
  });

  it('scanning: ten unknown methods are answered, the eleventh closes', async () => {
    const { connect, ends, close } = createHarness();
    const peer = connect();
    peer.send(...Array.from({ length: 10 }, (_, id) => request(id, `probe.${id}`)));
    await settle();
    expect(ends).toEqual([]);
    peer.send(request(10, 'probe'), request(11));
    await settle();
    expect(ends).toEqual(['too-many-unknown-methods']);
    expect(peer.ids()).toEqual(Array.from({ length: 11 }, (_, id) => id));
    await close();
  });
});

describe('what is no attack', () => {
  it('an unknown keepalive every minute, for hours', async () => {
    const { connect, clock, ends, close } = createHarness();
    const peer = connect();
    peer.send(request(0, 'login'));
    for (let minute = 1; minute <= 120; minute++) {
      peer.send(request(minute, 'keepalived'));
      await clock.advanceAsync(60_000, 60_000);
    }
    expect(ends).toEqual([]);
    expect(peer.ids()).toHaveLength(121);
    await close();
  });

  it('any number of connections from this machine, where a local proxy may have all miners behind it', async () => {
    const { connect, server, close } = createHarness({
      limits: { connectionsPerAddress: 2, unauthorizedPerAddress: 2, connectBurstPerAddress: 2 },
    });
    for (const clientAddress of ['127.0.0.1', '127.0.0.9', '::1']) {
      for (let i = 0; i < 5; i++) connect({ clientAddress }).send(request(1));
    }
    await settle();
    expect(server.sessionCount).toBe(15);
    await close();
  });
});

describe('attacks by number', () => {
  it('connections in all', async () => {
    const { connect, server, close } = createHarness({ limits: { connections: 3 } });
    const peers = [1, 2, 3, 4].map((n) => connect({ clientAddress: `198.51.100.${n}` }));
    for (const peer of peers) peer.send(request(1));
    await settle();
    expect(peers.map((peer) => peer.closed)).toEqual([false, false, false, true]);
    expect(server.stats().closed['too-many-connections']).toBe(1);
    peers[0]?.connection.end();
    await settle();
    const late = connect();
    late.send(request(1));
    await settle();
    expect(late.ids()).toEqual([1]);
    await close();
  });

  it('connections of one address, an IPv6 /64 being one', async () => {
    const { connect, close } = createHarness({
      limits: { connectionsPerAddress: 2 },
      bans: { allow: ['203.0.113.0/24'] },
    });
    const open = async (clientAddress: string): Promise<boolean> => {
      const peer = connect({ clientAddress });
      peer.send(request(1));
      await settle();
      return !peer.closed;
    };
    expect([await open('198.51.100.1'), await open('198.51.100.1'), await open('198.51.100.1')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await open('198.51.100.2')).toBe(true);
    expect([await open('2001:db8::1'), await open('2001:db8::2:0:0:1'), await open('2001:db8:0:0:ffff::')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await open('2001:db8:0:1::1')).toBe(true);
    expect([await open('203.0.113.1'), await open('203.0.113.1'), await open('203.0.113.1')]).toEqual([
      true,
      true,
      true,
    ]);
    await close();
  });

  // Floods of silent connections kept real miners out of Miningcore (oliverw/miningcore#1073).
  it('silent connections of one address: those that authorised do not count', async () => {
    const { connect, server, close } = createHarness({ limits: { unauthorizedPerAddress: 2 } });
    const farm = Array.from({ length: 5 }, () => connect());
    await settle();
    expect(farm.filter((peer) => peer.closed)).toHaveLength(3);
    for (const peer of farm) peer.send(request(1, 'login'));
    await settle();
    const more = [connect(), connect(), connect()];
    await settle();
    expect(more.map((peer) => peer.closed)).toEqual([false, false, true]);
    expect(server.stats().closed['too-many-connections']).toBe(4);
    await close();
  });

  it('connect loops: the burst, then the rate', async () => {
    const { connect, clock, server, close } = createHarness({
      limits: { connectBurstPerAddress: 5, connectsPerSecondPerAddress: 2 },
    });
    const loop = async (times: number): Promise<number> => {
      const before = server.stats().closed['rate-limited'];
      for (let i = 0; i < times; i++) {
        connect().connection.destroy();
        await settle();
      }
      return times - (server.stats().closed['rate-limited'] - before);
    };
    expect(await loop(10)).toBe(5);
    await clock.advanceAsync(2000);
    expect(await loop(10)).toBe(4);
    const other = connect({ clientAddress: '198.51.100.9' });
    other.send(request(1));
    await settle();
    expect(other.ids()).toEqual([1]);
    await close();
  });

  it('addresses: history is bounded', async () => {
    const { connect, server, close } = createHarness({ limits: { rememberedAddresses: 10 } });
    for (let n = 0; n < 50; n++) {
      const peer = connect({ clientAddress: `198.51.100.${n}` });
      peer.connection.destroy();
      await settle();
    }
    expect(server.stats().addresses).toBe(0);
    expect(server.addresses.find('198.51.100.1')).toBeUndefined();
    expect(server.addresses.find('198.51.100.49')).toBeDefined();
    await close();
  });

  it('descriptors: the default stays below what the process may open', () => {
    const most = connectionsByDescriptors();
    expect(most).toBeGreaterThan(100);
    expect(connectionsByDescriptors('/nowhere')).toBe(Number.POSITIVE_INFINITY);
    const { server } = createHarness();
    expect(server.limits.connections).toBe(Math.min(50_000, most));
    expect(createHarness({ limits: { connections: 7 } }).server.limits.connections).toBe(7);
  });

  it('overload is measured: a blocked event loop shows', async () => {
    const monitor = createLoopDelayMonitor();
    const turns = async (ms: number): Promise<void> => {
      const untilMs = performance.now() + ms;
      while (performance.now() < untilMs) await settle();
    };
    await turns(50);
    monitor.sample();
    const untilMs = performance.now() + 300;
    while (performance.now() < untilMs);
    await turns(5);
    expect(monitor.sample()).toBeGreaterThan(100);
    expect(monitor.sample()).toBe(0);
    monitor.close();
  });

  it('overload: new connections are refused until the event loop has recovered, the others live on', async () => {
    let delayMs = 0;
    const { connect, clock, events, server, close } = createHarness({
      modules: { loopDelay: { sample: () => delayMs, close: () => {} } },
    });
    const states: boolean[] = [];
    events.on('busy', ({ busy }) => states.push(busy));
    const miner = connect();
    miner.send(request(1, 'login'));
    const opens = async (): Promise<boolean> => {
      const peer = connect();
      peer.send(request(1));
      await settle();
      return !peer.closed;
    };
    await clock.advanceAsync(1000);
    expect(await opens()).toBe(true);
    delayMs = 600;
    await clock.advanceAsync(1000);
    expect(await opens()).toBe(false);
    delayMs = 400;
    await clock.advanceAsync(1000);
    expect(await opens()).toBe(false);
    miner.send(request(2));
    await settle();
    expect(miner.ids()).toEqual([1, 2]);
    delayMs = 200;
    await clock.advanceAsync(1000);
    expect(await opens()).toBe(true);
    expect(states).toEqual([true, false]);
    expect(server.stats().closed.overloaded).toBe(2);
    await close();
  });
});

describe('requests to the peer', () => {
  it('carry integer ids, settle with the answer, and are bounded in number and time', async () => {
    const { connect, clock, protocols, close } = createHarness({
      limits: { outgoingRequests: 3, outgoingTimeoutMs: 5000 },
    });
    const peer = connect();
    peer.send(request(1));
    await settle();
    const session = protocols[0]?.session;
    if (!session) throw new Error('no session');
    const outcome = (promise: Promise<unknown>): Promise<unknown> =>
      promise.catch((error: unknown) => (error instanceof PoolError ? error.code : error));
    const version = outcome(session.request('client.get_version', []));
    const refused = outcome(session.request('client.show_message', ['hi']));
    const silent = outcome(session.request('client.ping', []));
    const tooMany = outcome(session.request('client.ping', []));
    expect(await tooMany).toBe('queue_full');
    await settle();
    const [first, second] = peer.lines().slice(1);
    expect(first).toEqual({ id: 1, method: 'client.get_version', params: [] });
    peer.send({ id: 99, result: 'nobody asked' }, { id: second?.id, result: null, error: [20, 'no', null] });
    peer.send({ id: first?.id, result: 'miner/1.0', error: null });
    await settle();
    expect(await version).toBe('miner/1.0');
    expect(await refused).toBe('request_failed');
    await clock.advanceAsync(5000);
    expect(await silent).toBe('request_timeout');
    const last = outcome(session.request('client.ping', []));
    session.destroy('kicked');
    expect(await last).toBe('connection_closed');
    expect(await outcome(session.request('client.ping', []))).toBe('connection_closed');
    await close();
  });
});
