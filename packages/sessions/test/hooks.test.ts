import { reject } from '@headframe/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { createHarness, defer, settle } from './harness.js';

const request = (id: unknown, method = 'echo', params: unknown = []) => ({ id, method, params });
const errorCodes = (lines: Record<string, unknown>[]) =>
  lines.map((line) => (Array.isArray(line.error) ? line.error[0] : null));

describe('hooks', () => {
  it('run in order, refuse by returning, and stop at the first refusal', async () => {
    const { connect, hooks, close } = createHarness();
    const calls: string[] = [];
    hooks.add('onRequest', ({ method }) => void calls.push(`a ${method}`));
    const off = hooks.add('onRequest', async ({ params }) => {
      calls.push('b');
      return Array.isArray(params) && params[0] === 'bad' ? reject('other', 'not today') : undefined;
    });
    hooks.add('onRequest', () => void calls.push('c'));
    const peer = connect();
    peer.send(request(1), request(2, 'echo', ['bad']));
    await settle();
    expect(calls).toEqual(['a echo', 'b', 'a echo', 'b', 'c']);
    expect(errorCodes(peer.lines())).toEqual([null, 'other']);
    off();
    peer.send(request(3, 'echo', ['bad']));
    await settle();
    expect(errorCodes(peer.lines())).toEqual([null, 'other', null]);
    await close();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'internal',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'internal'],
    [
      'throws a rejection',
      () => {
        throw reject('banned');
      },
      'banned',
    ],
  ] as const)('a hook that %s refuses, is reported, and harms nothing', async (_, hook, code) => {
    const { connect, hooks, methods, events, close } = createHarness();
    let handled = 0;
    methods.register('echo', { handler: () => handled++ });
    const errors: string[] = [];
    events.on('error', ({ where }) => errors.push(where));
    hooks.add('onRequest', hook);
    const peer = connect();
    peer.send(request(1), request(2));
    await settle();
    expect(errorCodes(peer.lines())).toEqual([code, code]);
    expect(handled).toBe(0);
    expect(errors).toHaveLength(code === 'internal' ? 2 : 0);
    await close();
  });

  it('a hook that hangs runs into the time of the handler', async () => {
    const { connect, hooks, clock, close } = createHarness();
    hooks.add('onRequest', () => new Promise(() => {}));
    const peer = connect();
    peer.send(request(1));
    await clock.advanceAsync(12_000);
    expect(errorCodes(peer.lines())).toEqual(['timeout']);
    await close();
  });

  it('beforeReply sees results and refusals and can turn a result into an error', async () => {
    const { connect, hooks, methods, close } = createHarness();
    methods.register('no', { handler: () => reject('stale') });
    const seen: unknown[] = [];
    hooks.add('beforeReply', ({ method, result, refusal }) => void seen.push([method, result, refusal?.code]));
    hooks.add('beforeReply', async ({ result }) => (result === 'secret' ? reject('unauthorized') : undefined));
    methods.register('secret', { handler: () => 'secret' });
    const peer = connect();
    peer.send(request(1, 'echo', [1]), request(2, 'no'), request(3, 'secret'));
    await settle();
    expect(seen).toEqual([
      ['echo', [1], undefined],
      ['no', undefined, 'stale'],
      ['secret', 'secret', undefined],
    ]);
    expect(errorCodes(peer.lines())).toEqual([null, 'stale', 'unauthorized']);
    await close();
  });

  it('onClose runs once per session; a graceful close waits for it', async () => {
    const { connect, hooks, server, clock } = createHarness();
    const done = defer<undefined>();
    const reasons: string[] = [];
    hooks.add('onClose', ({ reason }) => {
      reasons.push(reason);
      return done.promise;
    });
    const peer = connect();
    peer.send(request(1));
    await settle();
    let closed = false;
    const closing = server.close({ drainMs: 60_000 }).then(() => {
      closed = true;
    });
    await clock.advanceAsync(10_000);
    expect(reasons).toEqual(['shutdown']);
    expect(closed).toBe(false);
    done.resolve(undefined);
    await closing;
  });

  it('has no other names', () => {
    const { hooks } = createHarness();
    expect(hooks.has('onRequest')).toBe(true);
    expect(hooks.has('share')).toBe(false);
    // @ts-expect-error: a name that is an event is no hook
    expect(() => hooks.list('connected')).toThrow(RangeError);
  });
});

/** The smallest Standard Schema: a tuple of one string; async on demand. */
function oneString(later = false): StandardSchemaV1<unknown, [string]> {
  const check = (value: unknown): StandardSchemaV1.Result<[string]> => {
    if (!Array.isArray(value)) return { issues: [{ message: 'expected array' }] };
    if (typeof value[0] !== 'string') return { issues: [{ message: 'expected string', path: [0] }] };
    if (value[0] === 'deep') {
      return { issues: Array.from({ length: 5 }, (_, i) => ({ message: 'bad', path: [{ key: 0 }, 'a', i] })) };
    }
    return { value: [value[0].toUpperCase()] };
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (later ? Promise.resolve(check(value)) : check(value)),
    },
  };
}

describe('schemas', () => {
  it.each([false, true])('check params before the handler and name path and problem (async: %s)', async (later) => {
    const { connect, methods, close } = createHarness();
    methods.register('up', { params: oneString(later), handler: ({ params: [text] }) => text });
    const peer = connect();
    peer.send(request(1, 'up', ['a']), request(2, 'up', [1]), request(3, 'up', {}), request(4, 'up', ['deep']));
    peer.raw('{"id":5,"method":"up","params":null}\n{"id":6,"method":"up"}\n');
    await settle();
    expect(peer.lines().map((line) => line.result ?? line.error)).toEqual([
      'A',
      ['invalid-params', '[0]: expected string', null],
      ['invalid-params', 'expected array', null],
      ['invalid-params', '[0].a[0]: bad; [0].a[1]: bad; [0].a[2]: bad; and 2 more', null],
      ['invalid-params', '[0]: expected string', null],
      ['invalid-params', '[0]: expected string', null],
    ]);
    await close();
  });

  it('a schema that throws is an internal error', async () => {
    const { connect, methods, close } = createHarness();
    const broken: StandardSchemaV1<unknown, unknown> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw new Error('boom');
        },
      },
    };
    methods.register('broken', { params: broken, handler: () => 1 });
    const peer = connect();
    peer.send(request(1, 'broken'));
    await settle();
    expect(errorCodes(peer.lines())).toEqual(['internal']);
    await close();
  });
});

describe('phases', () => {
  it('refuse what comes too early', async () => {
    const { connect, methods, close } = createHarness();
    methods.register('work', { phase: 'authorized', handler: () => 'work' });
    methods.register('job', { phase: 'subscribed', handler: () => 'job' });
    const peer = connect();
    peer.send(request(1, 'work'), request(2, 'job'), request(3, 'subscribe'), request(4, 'job'), request(5, 'work'));
    peer.send(request(6, 'login'), request(7, 'work'));
    await settle();
    expect(errorCodes(peer.lines())).toEqual([
      'unauthorized',
      'not-subscribed',
      null,
      null,
      'unauthorized',
      null,
      null,
    ]);
    await close();
  });

  it('let a request wait for the pipelined login in front of it, not for one behind it', async () => {
    const { connect, methods, protocols, close } = createHarness();
    const login = defer<boolean>();
    methods.register('login', {
      changesPhase: true,
      handler: async ({ session }) => {
        const ok = await login.promise;
        if (ok) protocols.find((protocol) => protocol.session === session)?.session.markAuthorized();
        return ok;
      },
    });
    methods.register('work', { phase: 'authorized', handler: () => 'work' });
    const peer = connect();
    peer.send(request(0, 'work'), request(1, 'login'), request(2, 'work'), request(3, 'echo'));
    await settle();
    expect(peer.ids()).toEqual([0]);
    login.resolve(true);
    await settle();
    expect(peer.ids()).toEqual([0, 1, 2, 3]);
    expect(errorCodes(peer.lines())).toEqual(['unauthorized', null, null, null]);
    await close();
  });

  it('refuse the waiting request when the login fails, and when it takes too long', async () => {
    const { connect, methods, clock, close } = createHarness();
    const logins = [defer<boolean>(), defer<boolean>()];
    let at = 0;
    methods.register('login', { changesPhase: true, handler: () => logins[at++]?.promise });
    methods.register('work', { phase: 'authorized', handler: () => 'work' });
    const peer = connect();
    peer.send(request(1, 'login'), request(2, 'work'));
    await settle();
    logins[0]?.resolve(false);
    await settle();
    expect(errorCodes(peer.lines())).toEqual([null, 'unauthorized']);
    peer.send(request(3, 'login'), request(4, 'work'));
    await clock.advanceAsync(12_000);
    const codes = errorCodes(peer.lines());
    expect(codes[2]).toBe('timeout');
    expect(['unauthorized', 'timeout']).toContain(codes[3]);
    await close();
  });

  it('an unguarded method is called first and looks after phase and hooks by itself', async () => {
    const { connect, methods, hooks, protocols, close } = createHarness();
    const order: string[] = [];
    hooks.add('onRequest', () => {
      order.push('hook');
      return reject('other');
    });
    methods.register('share', {
      unguarded: true,
      handler: (context) => {
        order.push('evaluated');
        return protocols[0]?.guard(context, 'any') ?? 'fine';
      },
    });
    const peer = connect();
    peer.send(request(1, 'share'));
    await settle();
    expect(order).toEqual(['evaluated', 'hook']);
    expect(errorCodes(peer.lines())).toEqual(['other']);
    await close();
  });

  it('tell a fast path when the login under way is done', async () => {
    const login = defer<boolean>();
    const order: string[] = [];
    const { connect, methods, close } = createHarness({
      settings: {
        fastLine: (protocol, bytes, start) => {
          if (bytes[start + 1] !== 0x21) return false;
          const slot = protocol.reserve();
          order.push(`changing ${protocol.changesPhase}`);
          protocol.phaseChanged().then(() => {
            order.push('go on');
            protocol.settle(slot, '{"id":2}\n');
          });
          return true;
        },
      },
    });
    methods.register('login', { changesPhase: true, handler: () => login.promise });
    const peer = connect();
    peer.send(request(1, 'login'));
    peer.raw('{!}\n');
    await settle();
    expect(order).toEqual(['changing true']);
    login.resolve(true);
    await settle();
    expect(order).toEqual(['changing true', 'go on']);
    expect(peer.ids()).toEqual([1, 2]);
    await close();
  });
});
