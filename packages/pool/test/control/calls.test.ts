import { PoolError, reject } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { CONTROL_LIMITS } from '../../src/control/limits.js';
import { createHarness, type Harness, type Peer, post, settle, TOKEN, until } from './support.js';

const call = (method: string, params: unknown = [], id: unknown = 1) => ({ jsonrpc: '2.0', id, method, params });

let harness: Harness;
let peer: Peer;
beforeEach(() => {
  harness = createHarness();
  peer = harness.connect({ clientAddress: '' });
});
afterEach(() => harness.close());

describe('expose', () => {
  it('checks params by any Standard Schema and infers the type of the handler', async () => {
    harness.methods.expose('add', z.object({ a: z.number(), b: z.number().default(1) }), (params) => {
      expectTypeOf(params).toEqualTypeOf<{ a: number; b: number }>();
      return params.a + params.b;
    });
    peer.send(call('add', { a: 1 }, 1), call('add', { a: 'x' }, 2));
    const answers = await peer.answers(2);
    expect(answers[0]).toEqual({ jsonrpc: '2.0', id: 1, result: 2 });
    expect(answers[1]).toMatchObject({ error: { code: -32602, message: expect.stringMatching(/^a: /) } });
  });

  it('without a schema gives what came as unknown', async () => {
    harness.methods.expose('raw', undefined, (params) => {
      expectTypeOf(params).toEqualTypeOf<unknown>();
      return params;
    });
    peer.send(call('raw', [1, { x: null }], 1), { jsonrpc: '2.0', id: 2, method: 'raw' });
    expect((await peer.answers(2)).map(({ result }) => result)).toEqual([[1, { x: null }], {}]);
  });

  it('awaits promises, of handlers and of schemas', async () => {
    const schema = z.array(z.number()).refine(async (list) => list.length < 3);
    harness.methods.expose('sum', schema, async (list) => list.reduce((a, b) => a + b, 0));
    peer.send(call('sum', [1, 2], 1), call('sum', [1, 2, 3], 2));
    expect(await peer.answers(2)).toMatchObject([{ result: 3 }, { error: { code: -32602 } }]);
  });

  it('takes params by place where their names are given', async () => {
    harness.methods.expose('named', z.strictObject({ a: z.string(), b: z.string().optional() }), (params) => params, {
      positional: ['a', 'b'],
    });
    peer.send(call('named', ['x'], 1), call('named', ['x', 'y'], 2), call('named', ['x', 'y', 'z'], 3));
    expect(await peer.answers(3)).toMatchObject([
      { result: { a: 'x' } },
      { result: { a: 'x', b: 'y' } },
      { error: { code: -32602 } },
    ]);
  });

  it('makes typed errors of what a handler refuses or throws, and hides what nobody threw on purpose', async () => {
    harness.methods.expose('busy', undefined, () => reject('busy', 'later'));
    harness.methods.expose('missing', undefined, async () => {
      throw new PoolError('not_found', 'no such rig');
    });
    harness.methods.expose('broken', undefined, () => {
      throw new Error('password of the database: x');
    });
    harness.methods.expose('cycle', undefined, () => {
      const cycle: Record<string, unknown> = {};
      cycle.self = cycle;
      return cycle;
    });
    peer.send(call('busy'), call('missing'), call('broken'), call('cycle'), call('unknown'));
    const errors = (await peer.answers(5)).map(({ error }) => error);
    expect(errors).toEqual([
      { code: -32005, message: 'later', data: { code: 'busy' } },
      { code: -32005, message: 'no such rig', data: { code: 'not_found' } },
      { code: -32603, message: 'Internal error', data: { code: 'internal' } },
      { code: -32603, message: 'Internal error', data: { code: 'internal' } },
      { code: -32601, message: 'Method not found', data: { code: 'method' } },
    ]);
    expect(peer.text).not.toContain('database');
  });

  it('replaces methods, and puts back what was there before', async () => {
    const back = harness.methods.expose('echo', undefined, () => 'mine');
    peer.send(call('echo', ['x'], 1));
    await peer.answers(1);
    back();
    peer.send(call('echo', ['x'], 2));
    expect((await peer.answers(2)).map(({ result }) => result)).toEqual(['mine', ['x']]);
  });

  it('refuses names that are none, and more methods than the bound', () => {
    expect(() => harness.methods.expose('a b', undefined, () => 1)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
    for (let i = 0; i < 98; i++) harness.methods.expose(`m${i}`, undefined, () => 1);
    expect(() => harness.methods.expose('one.more', undefined, () => 1)).toThrow(
      expect.objectContaining({ code: 'queue_full' }),
    );
  });
});

describe('a call', () => {
  it('whose handler hangs is given up after its time, and its signal aborted', async () => {
    let signal: AbortSignal | undefined;
    harness.methods.expose('hang', undefined, (_params, about) => {
      signal = about.signal;
      return new Promise(() => {});
    });
    peer.send(call('hang', [], 1), call('echo', ['after'], 2));
    await settle();
    expect(peer.text).toBe('');
    await harness.clock.advanceAsync(CONTROL_LIMITS.callTimeoutMs + 1000);
    expect(await peer.answers(2)).toMatchObject([{ error: { code: -32003 } }, { result: ['after'] }]);
    expect(signal?.aborted).toBe(true);
  });

  it('is told when its caller has gone', async () => {
    let signal: AbortSignal | undefined;
    harness.methods.expose('hang', undefined, (_params, about) => {
      signal = about.signal;
      return new Promise(() => {});
    });
    peer.send(call('hang'));
    await settle();
    const closing = harness.server.close(0);
    await harness.clock.advanceAsync(100);
    await closing;
    expect(signal?.aborted).toBe(true);
  });

  it('under way is answered before a graceful close ends the connection', async () => {
    let give: (value: string) => void = () => {};
    harness.methods.expose('slow', undefined, () => new Promise<string>((resolve) => (give = resolve)));
    peer.send(call('slow'));
    await settle();
    const closing = harness.server.close(5000);
    await settle();
    give('done');
    await peer.answers(1);
    await harness.clock.advanceAsync(6000);
    await closing;
    expect(peer.lines()).toMatchObject([{ result: 'done' }]);
  });
});

describe('JSON-RPC 2.0', () => {
  it('gives ids back as they came, null included, and answers no notification', async () => {
    peer.send(
      { jsonrpc: '2.0', method: 'echo', params: ['nobody waits'] },
      call('echo', [], null),
      call('echo', [], 'text'),
      call('echo', [], 7),
    );
    expect((await peer.answers(3)).map(({ id }) => id)).toEqual([null, 'text', 7]);
  });

  it('answers a batch as a list in order, without its notifications', async () => {
    peer.send([call('echo', [1], 1), { jsonrpc: '2.0', method: 'echo' }, 17, call('nothing', [], 2)]);
    await until('an answer', () => peer.text.includes('\n'));
    expect(JSON.parse(peer.text)).toMatchObject([
      { id: 1, result: [1] },
      { id: null, error: { code: -32600 } },
      { id: 2, error: { code: -32601 } },
    ]);
  });

  it('says nothing to a batch of notifications, 204 over HTTP', async () => {
    const http = harness.connect();
    http.raw(post([{ jsonrpc: '2.0', method: 'echo' }], { Authorization: `Bearer ${TOKEN}` }));
    await until('an answer', () => http.text !== '');
    expect(http.text).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
  });

  it.each([
    ['an empty batch', '[]', -32600],
    ['too large a batch', `[${'1,'.repeat(CONTROL_LIMITS.batch)}1]`, -32600],
    ['a list in place of a method', '{"id":1,"method":[]}', -32600],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"echo"}', -32600],
    ['params that are text', '{"id":1,"method":"echo","params":"x"}', -32600],
    ['an id that is an object', '{"id":{},"method":"echo"}', -32600],
    ['brackets that are no JSON', '{"id":1,}', -32700],
    ['a bracket of another kind', '{"id":1]', -32700],
  ])('refuses %s and goes on', async (_what, text, code) => {
    peer.raw(`${text}\n`);
    peer.send(call('echo', ['next'], 2));
    expect(await peer.answers(2)).toMatchObject([{ error: { code } }, { id: 2, result: ['next'] }]);
  });

  it('drops a member called __proto__', async () => {
    peer.raw('{"jsonrpc":"2.0","id":1,"method":"echo","params":{"__proto__":{"polluted":true},"a":1}}\n');
    expect(await peer.answers(1)).toMatchObject([{ result: { a: 1 } }]);
    expect(peer.text).not.toContain('polluted');
  });
});
