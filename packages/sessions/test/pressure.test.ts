import { WorkUpdate } from '@headframe/transport';
import { describe, expect, it } from 'vitest';
import { createHarness, type Deferred, defer, settle, type TestProtocol } from './harness.js';

const request = (id: unknown, method = 'echo', params: unknown = []) => ({ id, method, params });
const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** A method whose answers the test gives. */
function slowMethod(): { handler: () => Promise<string>; waiting: Deferred<string>[] } {
  const waiting: Deferred<string>[] = [];
  return {
    waiting,
    handler: () => {
      const deferred = defer<string>();
      waiting.push(deferred);
      return deferred.promise;
    },
  };
}

function sessionOf(protocols: TestProtocol[], at = 0) {
  const protocol = protocols[at];
  if (!protocol) throw new Error('no session');
  return protocol;
}

describe('requests under way', () => {
  it('stops reading at the bound, in the middle of a chunk, and goes on when replies are out; nothing is lost', async () => {
    const { connect, methods, protocols, close } = createHarness({ limits: { inFlight: 8 } });
    const slow = slowMethod();
    methods.register('slow', slow);
    const peer = connect();
    peer.send(...count(50).map((id) => request(id, 'slow')));
    await settle();
    expect(slow.waiting).toHaveLength(8);
    expect(sessionOf(protocols).session.paused).toBe(true);
    peer.send(...count(50).map((id) => request(50 + id, 'slow')));
    await settle();
    expect(slow.waiting).toHaveLength(8);
    for (let done = 0; done < 100; done++) {
      slow.waiting[done]?.resolve('ok');
      await settle();
      expect(slow.waiting.length - done, `after ${done}`).toBeLessThanOrEqual(9);
    }
    expect(peer.ids()).toEqual(count(100));
    expect(sessionOf(protocols).session.paused).toBe(false);
    await close();
  });

  it('counts fast-path slots as requests under way', async () => {
    const slots: number[] = [];
    const { connect, protocols, close } = createHarness({
      limits: { inFlight: 4 },
      settings: {
        fastLine: (protocol, bytes, start) => {
          if (bytes[start + 1] !== 0x21) return false;
          slots.push(protocol.reserve());
          protocol.state.seen++;
          return true;
        },
      },
    });
    const peer = connect();
    peer.send(request(0));
    peer.raw('{!1\n{!2\n{!3\n{!4\n{!5\n');
    peer.send(request(6));
    await settle();
    expect(peer.ids()).toEqual([0]);
    expect(slots).toEqual([1, 2, 3, 4]);
    const protocol = sessionOf(protocols);
    for (const slot of [4, 2, 3]) protocol.settle(slot, `{"id":${slot}}\n`);
    await settle();
    expect(peer.ids()).toEqual([0]);
    protocol.settle(1, '{"id":1}\n');
    await settle();
    expect(peer.ids()).toEqual([0, 1, 2, 3, 4]);
    expect(slots).toEqual([1, 2, 3, 4, 5]);
    protocol.settle(5, '');
    await settle();
    expect(peer.ids()).toEqual([0, 1, 2, 3, 4, 6]);
    expect(protocol.state.seen).toBe(5);
    await close();
  });

  it('leaves the fast path off while somebody listens to every message', async () => {
    let fast = 0;
    const { connect, events, close } = createHarness({
      settings: {
        fastLine: () => {
          fast++;
          return false;
        },
      },
    });
    const seen: string[] = [];
    const peer = connect();
    peer.send(request(1));
    await settle();
    expect(fast).toBe(1);
    const off = events.on('message', ({ message }) => seen.push(message.kind));
    peer.send(request(2), { id: null, method: 'echo' }, { id: 4, result: true });
    peer.raw('junk\n');
    await settle();
    expect(fast).toBe(1);
    expect(seen).toEqual(['request', 'notification', 'response', 'invalid']);
    off();
    peer.send(request(3));
    await settle();
    expect(fast).toBe(2);
    await close();
  });

  it('lets the protocol stop reading for causes of its own', async () => {
    const { connect, protocols, close } = createHarness();
    const peer = connect();
    peer.send(request(1));
    await settle();
    const { session } = sessionOf(protocols);
    session.pause(8);
    peer.send(request(2));
    await settle();
    expect(peer.ids()).toEqual([1]);
    session.resume(8);
    await settle();
    expect(peer.ids()).toEqual([1, 2]);
    await close();
  });

  it('closes a session whose waiting replies pass the bound of unsent bytes', async () => {
    const { connect, methods, protocols, ends, close } = createHarness({ limits: { unsentBytes: 1000 } });
    methods.register('slow', slowMethod());
    const peer = connect();
    peer.send(request(1, 'slow'), request(2));
    await settle();
    const protocol = sessionOf(protocols);
    for (let i = 0; i < 20; i++) protocol.push(`{"method":"x","params":["${'y'.repeat(80)}"]}\n`);
    protocol.settle(protocol.reserve(), '{"id":3}\n');
    await settle();
    expect(ends).toEqual(['slow-reader']);
    await close();
  });
});

describe('order of notifications', () => {
  it('never writes a notification before a reply that was given earlier', async () => {
    const { connect, methods, protocols, close } = createHarness();
    const slow = slowMethod();
    methods.register('slow', slow);
    methods.register('login', {
      handler: ({ session }) => {
        queueMicrotask(() => session.notify('first.job', []));
        return true;
      },
    });
    const peer = connect();
    peer.send(request(1, 'slow'), request(2, 'login'));
    await settle();
    expect(peer.text).toBe('');
    const broadcast = (name: string) => {
      const notify = Buffer.from(`{"id":null,"method":"${name}","params":[]}\n`);
      sessionOf(protocols).broadcast(new WorkUpdate({ clean: false, notify: { clean: notify, keep: notify } }));
    };
    broadcast('second.job');
    await settle();
    expect(peer.text).toBe('');
    slow.waiting[0]?.resolve('x');
    await settle();
    expect(peer.lines().map((line) => line.method ?? line.id)).toEqual([1, 2, 'first.job', 'second.job']);
    // Nothing waits: a job goes out although a request is under way.
    peer.send(request(3, 'slow'), request(4));
    await settle();
    broadcast('third.job');
    await settle();
    slow.waiting[1]?.resolve('x');
    await settle();
    expect(
      peer
        .lines()
        .slice(4)
        .map((line) => line.method ?? line.id),
    ).toEqual(['third.job', 3, 4]);
    await close();
  });

  it('text of the program goes out as it is, in order with everything else', async () => {
    const { connect, methods, close } = createHarness();
    methods.register('raw', {
      handler: ({ session }) => {
        session.send('{"raw":1}\n');
        session.notify('note', []);
        return 'reply';
      },
    });
    const peer = connect();
    peer.send({ id: 1, method: 'raw' });
    await settle();
    expect(peer.writes).toHaveLength(1);
    expect(peer.text).toMatch(/^\{"raw":1\}\n.*"note".*\n.*"reply".*\n$/);
    await close();
  });

  it('writes replies, notifications and a job of one turn in order and at once', async () => {
    const { connect, methods, protocols, close } = createHarness();
    const notify = Buffer.from('{"id":null,"method":"job","params":[]}\n');
    methods.register('login', {
      handler: ({ session }) => {
        setImmediate(() => {});
        queueMicrotask(() => {
          session.notify('hello', [1]);
          sessionOf(protocols).broadcast(new WorkUpdate({ clean: false, notify: { clean: notify, keep: notify } }));
        });
        return true;
      },
    });
    const peer = connect();
    peer.send(request(1, 'login'), request(2));
    await settle();
    expect(peer.lines().map((line) => line.method ?? line.id)).toEqual([1, 2, 'hello', 'job']);
    expect(peer.writes).toHaveLength(1);
    await close();
  });
});

describe('a peer that does not read', () => {
  it('is not read from either, and is cut when it does not drain', async () => {
    const { connect, clock, ends, server, protocols, close } = createHarness({
      limits: { unsentBytes: 40_000, requestBurst: Number.POSITIVE_INFINITY },
    });
    const peer = connect({ windowBytes: 1000 });
    peer.send(request(0, 'login'));
    await settle();
    peer.connection.freeze();
    peer.send(...count(4000).map((id) => request(id, 'echo', ['0123456789'])));
    await settle();
    const { session } = sessionOf(protocols);
    expect(session.paused || session.closed).toBe(true);
    await clock.advanceAsync(40_000);
    expect(ends).toEqual(['slow-reader']);
    expect(server.sessionCount).toBe(0);
    await close();
  });

  it('is cut after the drain time, however little waits; one that drains in time is not', async () => {
    const { connect, clock, ends, protocols, close } = createHarness();
    const frozen = connect({ windowBytes: 100 });
    const slow = connect({ windowBytes: 100 });
    frozen.send(request(0, 'login'));
    slow.send(request(0, 'login'));
    await settle();
    frozen.connection.freeze();
    slow.connection.freeze();
    for (const protocol of protocols) protocol.notify('job', ['x'.repeat(200)]);
    await clock.advanceAsync(29_000);
    expect(ends).toEqual([]);
    slow.connection.thaw();
    await clock.advanceAsync(2000);
    expect(ends).toEqual(['slow-reader']);
    expect(frozen.text).not.toContain('job');
    expect(slow.text).toContain('job');
    await close();
  });

  it('costs at most the bound, and nobody else', async () => {
    const { connect, clock, ends, server, protocols, close } = createHarness({ limits: { unsentBytes: 100_000 } });
    const frozen = connect({ windowBytes: 1000 });
    const good = connect();
    frozen.send(request(0));
    good.send(request(0));
    await settle();
    frozen.connection.freeze();
    const line = 'x'.repeat(900);
    for (let i = 0; i < 200; i++) {
      for (const protocol of protocols) protocol.notify('job', [line, i]);
      await settle();
    }
    expect(ends).toEqual(['slow-reader']);
    expect(good.lines().filter((received) => received.method === 'job')).toHaveLength(200);
    expect(server.sessionCount).toBe(1);
    await clock.advanceAsync(1000);
    await close();
  });

  it('gets only the newest of the jobs it slept through, with clean set if one of them was', async () => {
    const { connect, protocols, close } = createHarness();
    const peer = connect({ windowBytes: 100 });
    peer.send(request(0));
    await settle();
    peer.connection.freeze();
    const job = (id: number, clean: boolean) =>
      new WorkUpdate({
        clean,
        notify: { clean: Buffer.from(`["job",${id},true]\n`), keep: Buffer.from(`["job",${id},false]\n`) },
      });
    const protocol = sessionOf(protocols);
    protocol.push(`["${'x'.repeat(200)}"]\n`);
    await settle();
    protocol.broadcast(job(1, false));
    protocol.broadcast(job(2, true));
    protocol.broadcast(job(3, false));
    await settle();
    peer.connection.thaw();
    await settle();
    expect(peer.text.split('\n').slice(2)).toEqual(['["job",3,true]', '']);
    await close();
  });

  it('is read again once it has read', async () => {
    const { connect, protocols, close } = createHarness({ limits: { unsentBytes: 20_000 } });
    const peer = connect({ windowBytes: 1000 });
    peer.send(request(0));
    await settle();
    peer.connection.freeze();
    peer.send(...count(100).map((id) => request(id, 'echo', ['x'.repeat(100)])));
    await settle();
    expect(sessionOf(protocols).session.paused).toBe(true);
    peer.send(request('after'));
    peer.connection.thaw();
    await settle();
    await settle();
    expect(peer.ids()).toHaveLength(102);
    expect(sessionOf(protocols).session.paused).toBe(false);
    await close();
  });
});

describe('rates', () => {
  it('slows a flood down to the rate of a session, losing nothing', async () => {
    const { connect, clock, server, close } = createHarness({ limits: { requestsPerSecond: 10, requestBurst: 50 } });
    const peer = connect();
    const lines = count(300).map((id) => request(id, 'login'));
    for (let i = 0; i < 300; i += 20) {
      peer.send(...lines.slice(i, i + 20));
      await settle();
    }
    expect(peer.ids()).toHaveLength(60);
    await clock.advanceAsync(5000);
    expect(peer.ids().length).toBeGreaterThan(90);
    expect(peer.ids().length).toBeLessThan(140);
    await clock.advanceAsync(30_000);
    expect(peer.ids()).toEqual(count(300));
    expect(server.sessionCount).toBe(1);
    await close();
  });

  it('slows the sessions of one address down together, with room for each that works', async () => {
    const run = async (members: number): Promise<number> => {
      const { connect, clock, close } = createHarness({
        limits: { requestsPerSecondPerAddress: 10, requestBurstPerAddress: 20, requestsPerSecondPerMember: 5 },
      });
      const peers = count(4).map(() => connect({ clientAddress: '203.0.113.7' }));
      for (const [at, peer] of peers.entries()) peer.send(request('login', at < members ? 'login' : 'echo'));
      await settle();
      for (let i = 0; i < 25; i++) {
        for (const peer of peers) for (let n = 0; n < 5; n++) peer.send(request(i));
        await clock.advanceAsync(1000);
      }
      const other = connect({ clientAddress: '203.0.113.8' });
      other.send(request(1));
      await settle();
      expect(other.ids()).toEqual([1]);
      const answered = peers.reduce((sum, peer) => sum + peer.ids().length, 0);
      await close();
      return answered;
    };
    const strangers = await run(0);
    const miners = await run(4);
    // 20 requests a second are sent. Strangers get 20 at once and 10 a second, members 30 a second.
    expect(strangers).toBeGreaterThan(200);
    expect(strangers).toBeLessThan(320);
    expect(miners).toBe(504);
  });
});
