import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHarness, settle } from './harness.js';

const NO_LIMITS = { malformedLines: 1e6, unknownMethods: 1e6 };

describe('junk', () => {
  it('of any JSON gets one reply per id, in order, and never harms the server', async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const message = fc.oneof(
      value,
      fc.record(
        {
          id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), value),
          method: fc.oneof(fc.constantFrom('echo', 'login', 'subscribe', 'constructor', '__proto__'), value),
          params: value,
          result: value,
          error: value,
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (messages) => {
        const { connect, events, listenerErrors, close } = createHarness({ limits: NO_LIMITS });
        const errors: unknown[] = [];
        events.on('error', ({ error }) => errors.push(error));
        const peer = connect();
        peer.send({ id: 'first', method: 'echo' }, ...messages, { id: 'last', method: 'echo' });
        await settle();
        expect(errors).toEqual([]);
        expect(listenerErrors).toEqual([]);
        const replies = peer.lines();
        for (const reply of replies) expect(Object.keys(reply)).toEqual(['id', 'result', 'error']);
        expect(replies[0]?.id).toBe('first');
        expect(replies.at(-1)?.id).toBe('last');
        expect(replies.length).toBeLessThanOrEqual(messages.length + 2);
        await close();
      }),
      { numRuns: 60 },
    );
  });

  it('of any bytes, cut anywhere, ends at most its own session', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), async (chunks) => {
        const { connect, events, close } = createHarness({ limits: { lineBytes: 300 } });
        const errors: unknown[] = [];
        events.on('error', ({ error }) => errors.push(error));
        const good = connect();
        const bad = connect({ chunkBytes: 7 });
        bad.send({ id: 1, method: 'echo' });
        for (const chunk of chunks) bad.connection.write(chunk);
        good.send({ id: 1, method: 'echo' });
        await settle();
        good.send({ id: 2, method: 'echo' });
        await settle();
        expect(errors).toEqual([]);
        expect(good.ids()).toEqual([1, 2]);
        await close();
      }),
      { numRuns: 60 },
    );
  });

  it('echo of params of every kind comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (params) => {
        const { connect, close } = createHarness();
        const peer = connect();
        peer.send({ id: 1, method: 'echo', params });
        await settle();
        const [reply] = peer.lines();
        // Missing and null params read as none; a member called __proto__ is dropped.
        const expected = JSON.parse(JSON.stringify(params ?? []), (key, value) =>
          key === '__proto__' ? undefined : value,
        );
        expect(reply?.result).toEqual(expected);
        expect(peer.text).toMatch(/^[\x20-\x7e]*\n$/);
        await close();
      }),
      { numRuns: 100 },
    );
  });
});
