import { reject } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHarness, type Deferred, defer, settle } from './harness.js';

const request = (id: unknown, method = 'echo', params: unknown = [id]) => ({ id, method, params });

describe('dispatch', () => {
  it('answers a request in the turn it came in, with all three members', async () => {
    const { connect, close } = createHarness();
    const peer = connect();
    peer.send(request(7));
    await settle();
    expect(peer.text).toBe('{"id":7,"result":[7],"error":null}\n');
    await close();
  });

  it.each([
    ['7', '7'],
    ['0', '0'],
    ['-3', '-3'],
    ['1.5', '1.5'],
    ['12345678901234567890', '12345678901234567890'],
    ['"abc"', '"abc"'],
    ['""', '""'],
    ['"3642"', '"3642"'],
    ['"\\u00e9\\n"', '"\\u00e9\\n"'],
  ])('echoes the id %s as it came', async (id, expected) => {
    const { connect, close } = createHarness();
    const peer = connect();
    peer.raw(`{"id":${id},"method":"echo","params":[]}\n`);
    await settle();
    expect(peer.text).toBe(`{"id":${expected},"result":[],"error":null}\n`);
    await close();
  });

  it('never answers a message whose id is null or absent, be it refused or failing', async () => {
    const { connect, methods, close } = createHarness();
    let called = 0;
    methods.register('count', {
      handler: () => {
        called++;
        throw new Error('boom');
      },
    });
    const peer = connect();
    peer.raw('{"id":null,"method":"count"}\n{"method":"count","params":[]}\n{"id":null,"method":"nothing"}\n');
    peer.send(request(1));
    await settle();
    expect(called).toBe(2);
    expect(peer.ids()).toEqual([1]);
    await close();
  });

  it('answers 200 pipelined requests of one packet in order, in one write', async () => {
    const { connect, close } = createHarness();
    const peer = connect();
    peer.send(...Array.from({ length: 200 }, (_, id) => request(id)));
    await settle();
    expect(peer.ids()).toEqual(Array.from({ length: 200 }, (_, id) => id));
    expect(peer.writes).toHaveLength(1);
    await close();
  });

  it('keeps the order of requests whatever the order handlers finish in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        async (kinds, picks) => {
          const { connect, methods, close } = createHarness();
          const waiting: Deferred<string>[] = [];
          methods.register('slow', {
            handler: () => {
              const deferred = defer<string>();
              waiting.push(deferred);
              return deferred.promise;
            },
          });
          const peer = connect();
          peer.send(...kinds.map((slow, id) => request(id, slow ? 'slow' : 'echo')));
          await settle();
          while (waiting.length > 0) {
            const at = (picks.next().value ?? 0) % waiting.length;
            const [chosen] = waiting.splice(at, 1);
            chosen?.resolve('done');
            await settle();
          }
          expect(peer.ids()).toEqual(kinds.map((_, id) => id));
          await close();
        },
      ),
      { numRuns: 40 },
    );
  });

  // Lines cut by TCP broke several servers.
  it('understands its input however it is cut', async () => {
    const input = '\r\n{"id":1,"method":"echo","params":["a"]}\r\n\n {"params":[2],"method":"echo","id":"x"} \n';
    const expected = '{"id":1,"result":["a"],"error":null}\n{"id":"x","result":[2],"error":null}\n';
    for (let cut = 0; cut <= input.length; cut++) {
      const { connect, close } = createHarness();
      const peer = connect();
      peer.raw(input.slice(0, cut));
      await settle();
      peer.raw(input.slice(cut));
      await settle();
      expect(peer.text, `cut at ${cut}`).toBe(expected);
      await close();
    }
    const { connect, close } = createHarness();
    const bytewise = connect({ chunkBytes: 1 });
    bytewise.raw(input);
    await settle();
    expect(bytewise.text).toBe(expected);
    await close();
  });

  it('turns a rejection, a throw and a thrown rejection into error replies and reports throws', async () => {
    const { connect, methods, events, close } = createHarness();
    const errors: string[] = [];
    events.on('error', ({ where, session }) => errors.push(`${where} on ${session?.id}`));
    methods.register('refuse', { handler: () => reject('stale', 'too late') });
    methods.register('throw', {
      handler: () => {
        throw new Error('secret detail');
      },
    });
    methods.register('throwLater', { handler: () => Promise.reject(new Error('secret detail')) });
    methods.register('throwReject', {
      handler: () => {
        throw reject('banned');
      },
    });
    methods.register('refuseLater', { handler: async () => reject('duplicate') });
    const peer = connect();
    peer.send(request(1, 'refuse'), request(2, 'throw'), request(3, 'throwLater'), request(4, 'throwReject'));
    peer.send(request(5, 'refuseLater'));
    await settle();
    expect(peer.lines().map((line) => line.error)).toEqual([
      ['stale', 'too late', null],
      ['internal', '', null],
      ['internal', '', null],
      ['banned', '', null],
      ['duplicate', '', null],
    ]);
    expect(peer.text).not.toContain('secret');
    expect(errors).toEqual(['throw on 1', 'throwLater on 1']);
    await close();
  });

  it('refuses a result that is no JSON without harm', async () => {
    const { connect, methods, close } = createHarness();
    methods.register('big', { handler: () => 1n });
    const peer = connect();
    peer.send(request(1, 'big'), request(2));
    await settle();
    expect(peer.lines()).toMatchObject([
      { id: 1, error: ['internal', '', null] },
      { id: 2, result: [2] },
    ]);
    await close();
  });

  it('ends the session, and nothing else, when the error mapping itself throws', async () => {
    const { connect, methods, ends, close } = createHarness({
      settings: {
        encodeError: () => {
          throw new Error('no such code');
        },
      },
    });
    methods.register('now', { handler: () => reject('stale') });
    methods.register('later', { handler: async () => reject('stale') });
    const other = connect();
    for (const method of ['now', 'later']) {
      const peer = connect();
      peer.send(request(1, method));
      await settle();
      expect(peer.closed, method).toBe(true);
    }
    other.send(request(1));
    await settle();
    expect(ends).toEqual(['internal-error', 'internal-error']);
    expect(other.ids()).toEqual([1]);
    await close();
  });

  it('sends undefined as null and text outside ASCII escaped', async () => {
    const { connect, methods, close } = createHarness();
    methods.register('nothing', { handler: () => undefined });
    methods.register('text', { handler: () => 'pool \u26cf' });
    const peer = connect();
    peer.send(request(1, 'nothing'), request(2, 'text'));
    await settle();
    expect(peer.text).toBe('{"id":1,"result":null,"error":null}\n{"id":2,"result":"pool \\u26cf","error":null}\n');
    await close();
  });

  it('answers a handler that hangs with timeout, frees its slot and ignores what comes later', async () => {
    const { connect, methods, clock, close } = createHarness();
    const hung = defer<string>();
    let signal: AbortSignal | undefined;
    methods.register('hang', {
      handler: (context) => {
        signal = context.signal;
        return hung.promise;
      },
    });
    const peer = connect();
    peer.send(request(1, 'hang'), request(2));
    await clock.advanceAsync(9000);
    expect(peer.ids()).toEqual([]);
    expect(signal?.aborted).toBe(false);
    await clock.advanceAsync(2000);
    expect(peer.lines()).toMatchObject([
      { id: 1, error: ['timeout', '', null] },
      { id: 2, result: [2] },
    ]);
    expect(signal?.aborted).toBe(true);
    hung.resolve('late');
    await settle();
    expect(peer.ids()).toEqual([1, 2]);
    await close();
  });

  it('aborts handlers under way when the session ends', async () => {
    const { connect, methods, clock, ends, close } = createHarness();
    let signal: AbortSignal | undefined;
    methods.register('hang', {
      handler: (context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
    });
    const peer = connect();
    peer.send(request(1, 'hang'));
    await settle();
    peer.connection.destroy();
    // The answer is waited for as long as a half-closed connection may linger.
    await clock.advanceAsync(5000);
    expect(ends).toEqual(['client-closed']);
    expect(signal?.aborted).toBe(true);
    await close();
  });

  it('replaces a method, brings the old one back, and serves any namespace', async () => {
    const { connect, methods, close } = createHarness();
    methods.register('my.own/thing', { handler: () => 'mine' });
    const restore = methods.register('echo', { handler: () => 'replaced' });
    const peer = connect();
    peer.send(request(1), request(2, 'my.own/thing'));
    await settle();
    restore();
    peer.send(request(3));
    await settle();
    expect(peer.lines().map((line) => line.result)).toEqual(['replaced', 'mine', [3]]);
    await close();
  });

  it('refuses names that only the server sends, unless they are registered for both ways', async () => {
    const { connect, methods, close } = createHarness();
    methods.declareToPeer(['mining.notify', 'echo']);
    const peer = connect();
    peer.send(request(1, 'mining.notify'), request(2, 'echo'), request(3, 'nowhere'));
    await settle();
    expect(peer.lines().map((line) => (Array.isArray(line.error) ? line.error[0] : line.error))).toEqual([
      'not-supported',
      null,
      'unknown-method',
    ]);
    await close();
  });
});
