import { getEventListeners } from 'node:events';
import { PendingRequests, parseMessage, type ResponseMessage, readPeerError } from '@headframe/jsonrpc';
import { FakeClock } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';

function answer(text: string): ResponseMessage {
  const message = parseMessage(Buffer.from(text));
  if (message.kind !== 'response') throw new Error(message.kind);
  return message;
}

function setup(options: { capacity?: number; send?: (line: string) => void } = {}): {
  clock: FakeClock;
  lines: string[];
  pending: PendingRequests;
} {
  const clock = new FakeClock();
  const lines: string[] = [];
  const pending = new PendingRequests({ clock, timeoutMs: 1000, send: (line) => lines.push(line), ...options });
  return { clock, lines, pending };
}

describe('PendingRequests', () => {
  it('matches answers with requests, in any order', async () => {
    const { clock, lines, pending } = setup();
    const first = pending.request('client.get_version', []);
    const second = pending.request('mining.ping', ['x']);
    expect(lines).toEqual([
      '{"id":1,"method":"client.get_version","params":[]}\n',
      '{"id":2,"method":"mining.ping","params":["x"]}\n',
    ]);
    expect(pending.settle(answer('{"id":"2","result":"pong"}'))).toBe(true);
    expect(pending.settle(answer('{"id":1,"result":"cgminer/4.11.1","error":null}'))).toBe(true);
    expect(await first).toBe('cgminer/4.11.1');
    expect(await second).toBe('pong');
    expect(pending.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('ignores answers nobody waits for', () => {
    const { pending } = setup();
    for (const text of [
      '{"id":9,"result":1}',
      '{"id":null,"error":"x"}',
      '{"id":"","result":1}',
      '{"id":"a","result":1}',
    ]) {
      expect(pending.settle(answer(text)), text).toBe(false);
    }
  });

  it('rejects with the error of the peer', async () => {
    const { pending } = setup();
    const promise = pending.request('m', []);
    pending.settle(answer('{"id":1,"result":null,"error":[20,"no\\u0007 way",null]}'));
    await expect(promise).rejects.toMatchObject({
      code: 'request_failed',
      details: { method: 'm', error: { code: 20, message: 'no? way' } },
    });
  });

  it('rejects when no answer comes in time; a late answer is ignored', async () => {
    const { clock, pending } = setup();
    const slow = pending.request('m', [], { timeoutMs: 5000 });
    const normal = pending.request('m', []);
    clock.advance(1000);
    await expect(normal).rejects.toMatchObject({ code: 'request_timeout' });
    expect(pending.settle(answer('{"id":2,"result":1}'))).toBe(false);
    clock.advance(4000);
    await expect(slow).rejects.toMatchObject({ code: 'request_timeout' });
    expect(pending.size).toBe(0);
  });

  it('is bounded', async () => {
    const { lines, pending } = setup({ capacity: 2 });
    const waiting = [pending.request('m', []), pending.request('m', [])];
    await expect(pending.request('m', [])).rejects.toMatchObject({ code: 'queue_full' });
    expect(lines.length).toBe(2);
    pending.close();
    for (const promise of waiting) await expect(promise).rejects.toMatchObject({ code: 'connection_closed' });
  });

  it('settles everything on close, and refuses afterwards', async () => {
    const { clock, pending } = setup();
    const reason = new Error('gone');
    const promise = pending.request('m', []);
    pending.close(reason);
    pending.close();
    await expect(promise).rejects.toMatchObject({ code: 'connection_closed', cause: reason });
    await expect(pending.request('m', [])).rejects.toMatchObject({ code: 'connection_closed' });
    expect(clock.pending).toBe(0);
  });

  it('obeys an abort signal and lets go of it', async () => {
    const { pending, lines } = setup();
    const controller = new AbortController();
    const promise = pending.request('m', [], { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(promise).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
    await expect(pending.request('m', [], { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(lines.length).toBe(1);
    expect(pending.settle(answer('{"id":1,"result":1}'))).toBe(false);
  });

  it('leaves no listener on a signal that lives longer', async () => {
    const { pending } = setup();
    const { signal } = new AbortController();
    const promise = pending.request('m', [], { signal });
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    pending.settle(answer('{"id":1,"result":1}'));
    await promise;
    expect(getEventListeners(signal, 'abort').length).toBe(0);
  });

  it('rejects when it cannot send or encode', async () => {
    const { clock, pending } = setup({
      send: () => {
        throw new Error('broken pipe');
      },
    });
    await expect(pending.request('m', [])).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(pending.request('m', [1n])).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(pending.size).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('readPeerError', () => {
  it.each([
    [[20, 'Not supported', null], { code: 20, message: 'Not supported' }],
    [
      { code: -32601, message: 'no such method' },
      { code: -32601, message: 'no such method' },
    ],
    ['text', { code: undefined, message: 'text' }],
    [[], { code: undefined, message: 'unknown error' }],
    [['x', 5], { code: undefined, message: 'unknown error' }],
    [true, { code: undefined, message: 'unknown error' }],
    [{ message: 'a\n\u00fcb' }, { code: undefined, message: 'a??b' }],
    ['x'.repeat(1000), { code: undefined, message: 'x'.repeat(200) }],
  ])('reads %j', (error, expected) => {
    expect(readPeerError(error)).toEqual(expected);
  });
});
