import { reject } from '@headframe/primitives';
import { createMemoryPair } from '@headframe/transport/testing';
import { describe, expect, it } from 'vitest';
import { createSessionServer } from '../src/index.js';
import { createHarness, createPeer, type Deferred, defer, LISTENER, settle } from './harness.js';

const request = (id: unknown, method = 'echo', params: unknown = []) => ({ id, method, params });

describe('close()', () => {
  it('tells peers, waits for replies under way, flushes, closes; is idempotent; leaves no timer behind', async () => {
    const { connect, methods, server, clock, ends } = createHarness({
      settings: { shutdown: (protocol, message) => protocol.notify('client.show_message', [message]) },
    });
    const slow = defer<string>();
    methods.register('slow', { handler: () => slow.promise });
    const idle = connect();
    const waiting = connect();
    const opening = connect();
    idle.send(request(1));
    waiting.send(request(1, 'slow'));
    await settle();
    let closed = false;
    const closing = server.close({ message: 'maintenance' });
    expect(server.close()).toBe(closing);
    closing.then(() => {
      closed = true;
    });
    await settle();
    expect(opening.closed).toBe(true);
    expect(idle.lines().at(-1)).toMatchObject({ method: 'client.show_message', params: ['maintenance'] });
    expect(idle.closed).toBe(true);
    expect(waiting.closed).toBe(false);
    expect(closed).toBe(false);
    const late = connect();
    late.send(request(1));
    await settle();
    expect(late.closed).toBe(true);
    slow.resolve('done');
    await settle();
    await closing;
    expect(waiting.lines().map((line) => line.method ?? line.result)).toEqual(['client.show_message', 'done']);
    expect(ends).toEqual(['shutdown', 'shutdown']);
    expect(server.sessionCount).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('waits no longer than it may', async () => {
    const { connect, methods, server, clock, ends } = createHarness();
    methods.register('slow', { handler: () => new Promise(() => {}) });
    const peer = connect();
    peer.send(request(1, 'slow'));
    await settle();
    const closing = server.close({ drainMs: 3000 });
    await clock.advanceAsync(3000);
    await closing;
    expect(ends).toEqual(['shutdown']);
    expect(peer.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('survives a protocol that throws while it says goodbye, and peers that go meanwhile', async () => {
    const { connect, server, clock, events } = createHarness({
      settings: {
        shutdown: () => {
          throw new Error('boom');
        },
        closed: () => {
          throw new Error('boom again');
        },
      },
    });
    const where: string[] = [];
    events.on('error', (report) => where.push(report.where));
    const peer = connect();
    peer.send(request(1));
    await settle();
    const closing = server.close();
    peer.connection.destroy();
    await settle();
    await closing;
    expect(where).toEqual(['shutdown', 'session end']);
    expect(server.sessionCount).toBe(0);
    expect(server.stats().addresses).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('destroy() ends everything at once, and a close() under way', async () => {
    const { connect, methods, server, clock, ends } = createHarness();
    methods.register('slow', { handler: () => new Promise(() => {}) });
    const peer = connect();
    peer.send(request(1, 'slow'));
    await settle();
    const closing = server.close();
    server.destroy();
    await closing;
    await settle();
    expect(ends).toEqual(['shutdown']);
    expect(peer.closed).toBe(true);
    expect(clock.pending).toBe(0);
    await server.close();
    await expect(server.listen()).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('close() under load', () => {
  it('answers what waits in a session that was paused, too', async () => {
    const { connect, methods, server } = createHarness({ limits: { inFlight: 2 } });
    const waiting: Deferred<string>[] = [];
    methods.register('slow', {
      handler: () => {
        const deferred = defer<string>();
        waiting.push(deferred);
        return deferred.promise;
      },
    });
    const peer = connect();
    peer.send(...[1, 2, 3, 4, 5].map((id) => request(id, 'slow')));
    await settle();
    expect(waiting).toHaveLength(2);
    const closing = server.close();
    for (let at = 0; at < 5; at++) {
      waiting[at]?.resolve('ok');
      await settle();
    }
    await closing;
    expect(peer.ids()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('attach()', () => {
  it('takes a connection whose protocol is known, and refuses a protocol that is not', async () => {
    const { server, clock, close } = createHarness();
    const known = createMemoryPair({ clock });
    const peer = createPeer(known.client);
    server.attach(known.server, LISTENER, 'test');
    expect(server.sessionCount).toBe(1);
    peer.send(request(1));
    await settle();
    expect(peer.ids()).toEqual([1]);
    const unknown = createMemoryPair({ clock });
    const refused = createPeer(unknown.client);
    server.attach(unknown.server, LISTENER, 'gopher');
    await settle();
    expect(refused.closed).toBe(true);
    expect(server.stats()).toMatchObject({ sessions: 1, opening: 0, addresses: 1 });
    await close();
  });
});

describe('a session', () => {
  it('is announced, has state of its own, and ends exactly once', async () => {
    const { connect, events, ends, server, close } = createHarness();
    const log: string[] = [];
    events.on('connected', ({ session }) => log.push(`connected ${session.id} ${session.protocol}`));
    events.on('closed', ({ session, durationMs }) => log.push(`closed ${session.id} ${durationMs}`));
    const peer = connect({ clientAddress: '198.51.100.7', clientPort: 4444 });
    peer.send(request(1));
    await settle();
    const [session] = server.sessions();
    if (!session) throw new Error('no session');
    expect(session).toMatchObject({
      remoteAddress: '198.51.100.7',
      remotePort: 4444,
      secure: false,
      listener: LISTENER,
    });
    expect(session.state).toBe(session.state);
    session.close('kicked');
    session.close('idle-timeout');
    session.destroy('internal-error');
    session.notify('nothing', []);
    await settle();
    expect(session.closed).toBe(true);
    expect(ends).toEqual(['kicked']);
    expect(log).toEqual(['connected 1 test', 'closed 1 0']);
    expect(peer.closed).toBe(true);
    await close();
  });

  it('ended by a listener of connected never starts', async () => {
    const { connect, events, ends, server, close } = createHarness();
    events.on('connected', ({ session }) => session.destroy('kicked'));
    const peer = connect();
    peer.send(request(1));
    await settle();
    expect(ends).toEqual(['kicked']);
    expect(peer.text).toBe('');
    expect(peer.closed).toBe(true);
    expect(server.sessionCount).toBe(0);
    await close();
  });

  it('dies alone when its fast path throws', async () => {
    const { connect, events, ends, close } = createHarness({
      settings: {
        fastLine: (_, bytes, start) => {
          if (bytes[start + 1] === 0x21) throw new Error('bug');
          return false;
        },
      },
    });
    const errors: string[] = [];
    events.on('error', ({ where }) => errors.push(where));
    const victim = connect();
    const other = connect();
    victim.raw('{"id":0,"method":"echo"}\n{!\n');
    other.send(request(1));
    await settle();
    other.send(request(2));
    await settle();
    expect(ends).toEqual(['internal-error']);
    expect(errors).toEqual(['input']);
    expect(other.ids()).toEqual([1, 2]);
    await close();
  });

  it('is refused when the protocol cannot be made', async () => {
    const { connect, ends, server, close } = createHarness({
      settings: {
        createState: () => {
          throw new Error('no room');
        },
      },
    });
    const peer = connect();
    peer.send(request(1));
    await settle();
    expect(peer.closed).toBe(true);
    expect(ends).toEqual(['internal-error']);
    expect(server.stats().addresses).toBe(0);
    await close();
  });

  it('a listener that throws is reported and harms nobody', async () => {
    const { connect, events, listenerErrors, close } = createHarness();
    events.on('connected', () => {
      throw new Error('bad listener');
    });
    let seen = 0;
    events.on('connected', () => seen++);
    const peer = connect();
    peer.send(request(1));
    await settle();
    expect(peer.ids()).toEqual([1]);
    expect(seen).toBe(1);
    expect(listenerErrors).toHaveLength(1);
    await close();
  });
});

describe('admit', () => {
  it('decides who may talk, at once or later, and is asked with the address', async () => {
    const asked: string[] = [];
    const decision = defer<boolean>();
    const { connect, server, close } = createHarness({
      modules: {
        admit: ({ remoteAddress }) => {
          asked.push(remoteAddress);
          if (remoteAddress === '198.51.100.1') return reject('banned', 'no');
          if (remoteAddress === '198.51.100.2') return false;
          if (remoteAddress === '198.51.100.3') return decision.promise;
          if (remoteAddress === '198.51.100.4') return Promise.resolve(reject('banned'));
          if (remoteAddress === '198.51.100.5') throw new Error('boom');
          if (remoteAddress === '198.51.100.6') return Promise.reject(new Error('boom'));
          return undefined;
        },
      },
    });
    const peers = [1, 2, 3, 4, 5, 6, 7].map((n) => connect({ clientAddress: `198.51.100.${n}` }));
    for (const peer of peers) peer.send(request(1));
    await settle();
    expect(asked).toHaveLength(7);
    expect(peers.map((peer) => peer.closed)).toEqual([true, true, false, true, true, true, false]);
    const [, , late] = peers;
    late?.send(request(2));
    await settle();
    expect(late?.ids()).toEqual([]);
    decision.resolve(true);
    await settle();
    expect(late?.ids()).toEqual([1, 2]);
    expect(server.stats().closed).toMatchObject({ refused: 3, 'internal-error': 2 });
    await close();
  });

  it('that hangs refuses after the handler time; a peer that goes meanwhile is forgotten', async () => {
    const decisions = [defer<boolean>(), defer<boolean>()];
    let at = 0;
    const { connect, clock, server, close } = createHarness({
      modules: { admit: () => decisions[at++]?.promise ?? true },
    });
    const hung = connect();
    hung.send(request(1));
    await clock.advanceAsync(10_000);
    expect(hung.closed).toBe(true);
    decisions[0]?.resolve(true);
    const gone = connect();
    gone.send(request(1));
    await settle();
    gone.connection.destroy();
    await settle();
    decisions[1]?.resolve(true);
    await settle();
    await settle();
    expect(server.sessionCount).toBe(0);
    expect(server.stats()).toMatchObject({ opening: 0, addresses: 0 });
    await close();
  });
});

describe('leaks', () => {
  it('10,000 sessions that come and go leave nothing: no session, address, timer or listener', async () => {
    const { server, clock, events, methods, close } = createHarness();
    methods.register('hang', { handler: () => new Promise(() => {}) });
    for (let round = 0; round < 100; round++) {
      const peers = Array.from({ length: 100 }, (_, n) => {
        const pair = createMemoryPair({ clock, clientAddress: `10.0.${round}.${n}` });
        const peer = createPeer(pair.client);
        server.attach(pair.server, LISTENER);
        return peer;
      });
      for (const [n, peer] of peers.entries()) {
        if (n % 3 > 0) peer.send(request(1, n % 3 === 1 ? 'login' : 'hang'));
      }
      await settle();
      for (const [n, peer] of peers.entries()) {
        if (n % 2 === 0) peer.connection.destroy();
        else peer.connection.end();
      }
      await settle();
      clock.advance(5000);
      await settle();
    }
    expect(server.stats()).toMatchObject({ sessions: 0, opening: 0, addresses: 0 });
    expect(server.stats().connected).toBe(6600);
    // The sweeper alone.
    expect(clock.pending).toBe(1);
    expect(events.listenerCount('closed')).toBe(1);
    await close();
    expect(clock.pending).toBe(0);
  });

  it('needs at least one protocol', () => {
    expect(() => createSessionServer({}, { protocols: [] })).toThrow('protocol');
  });
});
