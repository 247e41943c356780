import { reject } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createElectrumFramework, ELECTRUM_ERROR, ELECTRUM_LIMITS, electrumError } from '../src/index.js';
import { createHarness, type FrameworkHarness } from './harness.js';

let rig: FrameworkHarness;
beforeEach(() => {
  rig = createHarness();
});
afterEach(() => rig.close());

describe('server.version', () => {
  it.each([
    ['1.4', '1.4'],
    ['1.4.2', '1.4.2'],
    ['1.6', '1.6'],
    [['1.4', '1.6'], '1.6'],
    [['1.4', '1.4.2'], '1.4.2'],
    [['1.2', '1.99'], '1.6'],
    [undefined, '1.4'],
    [null, '1.4'],
  ])('answers %j with %s', async (wanted, agreed) => {
    const answer = await rig.connect().ask('server.version', wanted === undefined ? ['x'] : ['x', wanted]);
    expect(answer).toEqual({ jsonrpc: '2.0', id: 1000, result: ['Headframe', agreed] });
  });

  it.each([['2.0'], [['1.7', '1.9']], ['1.1'], ['x'], [[1, 2]]])(
    'refuses %j with error 1 and closes',
    async (wanted) => {
      const peer = rig.connect();
      expect(await peer.ask('server.version', ['x', wanted])).toMatchObject({ error: { code: 1 } });
      await settle();
      expect(rig.ends).toEqual(['refused']);
    },
  );

  it.each(['0.8', '0.9', '0.10', '1.0'])(
    'speaks the old dialect with %s, and takes it again as a sign of life',
    async (version) => {
      const peer = rig.connect();
      expect(await peer.ask('server.version', ['2.0', version])).toEqual({ id: 1000, result: 'Headframe' });
      expect(await peer.ask('server.version', ['2.0', version])).toEqual({ id: 1001, result: 'Headframe' });
      expect(await peer.ask('nonsense')).toEqual({ id: 1002, error: 'unknown method' });
    },
  );

  it('refuses old clients where they are not wanted', async () => {
    const other = createHarness({ oldClients: false });
    expect(await other.connect().ask('server.version', ['2.0', '1.0'])).toMatchObject({ error: { code: 1 } });
    await other.close();
  });

  it('is an error when it was sent before', async () => {
    const peer = rig.connect();
    await peer.ask('server.version', ['x', '1.4']);
    expect(await peer.ask('server.version', ['x', '1.4'])).toMatchObject({ error: { code: 1 } });
    expect(await peer.ask('server.ping')).toMatchObject({ result: null });
  });

  it('ignores further arguments and takes named ones', async () => {
    expect(await rig.connect().ask('server.version', ['x', '1.4', 'more'])).toMatchObject({
      result: ['Headframe', '1.4'],
    });
    const named = { client_name: 'x', protocol_version: '1.4.2' };
    expect(await rig.connect().ask('server.version', named)).toMatchObject({ result: ['Headframe', '1.4.2'] });
  });
});

describe('methods', () => {
  it('takes methods of any namespace, typed by their schema, and lets built-in ones be replaced', async () => {
    rig.server.method('weather.today', {
      params: z.tuple([z.string()]),
      handler: ({ params: [town] }) => `sun in ${town}`,
    });
    const restore = rig.server.electrumMethod('server.ping', () => electrumError(7, 'no'));
    const peer = rig.connect();
    expect(await peer.ask('weather.today', ['Ulm'])).toMatchObject({ result: 'sun in Ulm' });
    expect(await peer.ask('weather.today', [5])).toMatchObject({ error: { code: ELECTRUM_ERROR.invalidParams } });
    expect(await peer.ask('server.ping')).toMatchObject({ error: { code: 7, message: 'no' } });
    restore();
    expect(await peer.ask('server.ping')).toMatchObject({ result: null });
  });

  it('maps rejections, throws and hooks to the numbers of the protocol', async () => {
    rig.server.method('a', { handler: () => reject('busy') });
    rig.server.method('b', {
      handler: () => {
        throw new Error('secret');
      },
    });
    rig.server.method('c', { handler: () => reject('other', 'height out of range') });
    rig.server.hook('onRequest', ({ method }) =>
      method === 'server.ping' ? reject('rate-limited', 'slow down') : undefined,
    );
    const peer = rig.connect();
    expect(await peer.ask('a')).toMatchObject({ error: { code: -102, message: 'server busy' } });
    expect(await peer.ask('b')).toMatchObject({ error: { code: -32603, message: 'internal error' } });
    expect(await peer.ask('c')).toMatchObject({ error: { code: 1, message: 'height out of range' } });
    expect(await peer.ask('server.ping')).toMatchObject({ error: { code: -101, message: 'slow down' } });
    expect(peer.text).not.toContain('secret');
  });

  it('gives a method only to versions that have it', async () => {
    rig.server.electrumMethod('blockchain.scripthash.unsubscribe', () => true);
    rig.server.electrumMethod('blockchain.relayfee', () => 1);
    const hash = 'a'.repeat(64);
    const at = async (version: string, method: string, params: unknown[]): Promise<unknown> => {
      const peer = rig.connect();
      await peer.ask('server.version', ['x', version]);
      return (await peer.ask(method, params)).result ?? 'error';
    };
    expect(await at('1.4', 'blockchain.scripthash.unsubscribe', [hash])).toBe('error');
    expect(await at('1.4.2', 'blockchain.scripthash.unsubscribe', [hash])).toBe(true);
    expect(await at('1.4.2', 'blockchain.relayfee', [])).toBe(1);
    expect(await at('1.6', 'blockchain.relayfee', [])).toBe('error');
  });

  it('tells what is missing or too much from what is of a wrong kind', async () => {
    rig.server.electrumMethod('blockchain.scripthash.get_balance', () => ({}));
    const peer = rig.connect();
    const codeOf = async (params: unknown): Promise<unknown> =>
      (await peer.ask('blockchain.scripthash.get_balance', params)).error;
    expect(await codeOf([])).toMatchObject({ code: -32602 });
    expect(await codeOf(['a'.repeat(64), 1])).toMatchObject({ code: -32602 });
    expect(await codeOf({ script: 'x' })).toMatchObject({ code: -32602 });
    expect(await codeOf(['zz'])).toMatchObject({ code: 1 });
    expect(await codeOf([5])).toMatchObject({ code: 1 });
  });
});

describe('batches', () => {
  it('answers a batch by an array in its order, notifications left out', async () => {
    const peer = rig.connect();
    peer.send([
      { id: 1, method: 'server.version', params: ['x', '1.4'] },
      { method: 'server.ping' },
      { id: 'two', method: 'server.ping' },
      { id: 3, method: 'nope' },
      7,
    ]);
    await settle();
    expect(peer.lines()).toEqual([
      [
        { jsonrpc: '2.0', id: 1, result: ['Headframe', '1.4'] },
        { jsonrpc: '2.0', id: 'two', result: null },
        { jsonrpc: '2.0', id: 3, error: { code: -32601, message: 'unknown method' } },
        { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'invalid request' } },
      ],
    ]);
  });

  it('works on no more entries at a time than a session may have under way', async () => {
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    rig.server.method('slow', {
      handler: () => {
        most = Math.max(most, ++running);
        return new Promise((resolve) => {
          waiting.push(() => {
            running--;
            resolve(null);
          });
        });
      },
    });
    const peer = rig.connect();
    peer.send(Array.from({ length: 100 }, (_, id) => ({ id, method: 'slow' })));
    await settle();
    while (waiting.length > 0) {
      for (const go of waiting.splice(0)) go();
      await settle();
    }
    expect(most).toBe(10);
    expect(peer.lines()).toHaveLength(1);
    expect(peer.lines()[0]).toHaveLength(100);
  });

  it('refuses a batch of ten thousand at once', async () => {
    const peer = rig.connect();
    peer.send(Array.from({ length: 10_000 }, (_, id) => ({ id, method: 'server.ping' })));
    await settle();
    expect(peer.lines()).toEqual([{ jsonrpc: '2.0', id: null, error: { code: -32600, message: 'batch too large' } }]);
  });

  it('stops gathering replies that nobody could read', async () => {
    const other = createHarness({ limits: { unsentBytes: 10_000 } });
    other.server.method('long', { handler: () => 'x'.repeat(6000) });
    const peer = other.connect();
    peer.send(Array.from({ length: 5 }, (_, id) => ({ id, method: 'long' })));
    await settle();
    const [replies] = peer.lines();
    const errors = (replies as { error?: { code: number } }[]).filter(({ error }) => error?.code === -101);
    expect(errors).toHaveLength(3);
    await other.close();
  });
});

describe('limits', () => {
  it.each([{ costSoft: -1 }, { costHard: Number.NaN }, JSON.parse('{"costSoftt":5}')])(
    'refuses %j',
    (electrumLimits) => {
      expect(() => createElectrumFramework({ electrumLimits })).toThrow(
        expect.objectContaining({ code: 'invalid_config' }),
      );
    },
  );
});

describe('hostile clients', () => {
  it('answers junk with the errors of JSON-RPC, and closes when it goes on', async () => {
    const peer = rig.connect();
    peer.raw('{"id":1,"method":}\n{"id":1,"method":5}\n[]\n');
    await settle();
    expect(peer.lines().map((line) => (line as { error: { code: number } }).error.code)).toEqual([
      -32700, -32600, -32600,
    ]);
    peer.raw('{{{{\n{{{{\n');
    await settle();
    expect(rig.ends).toEqual(['malformed']);
  });

  it('takes lines of 2 MiB and closes on longer ones', async () => {
    rig.server.method('length', { params: z.tuple([z.string()]), handler: ({ params: [text] }) => text.length });
    const fine = rig.connect();
    expect(await fine.ask('length', ['a'.repeat(2_000_000)])).toMatchObject({ result: 2_000_000 });
    const giant = rig.connect();
    giant.raw(`{"id":1,"method":"length","params":["${'a'.repeat(2_200_000)}`);
    await settle();
    expect(rig.ends).toEqual(['line-too-long']);
  });

  it('reads a flood only as fast as its budget grows again', async () => {
    const peer = rig.connect();
    rig.server.method('work', { handler: () => null });
    const seconds = 60;
    for (let second = 0; second < seconds; second++) {
      peer.send(...Array.from({ length: 200 }, (_, id) => ({ id, method: 'work' })));
      await rig.clock.advanceAsync(1000);
    }
    const { costSoft, costDecayPerSecond } = ELECTRUM_LIMITS;
    expect(peer.lines().length).toBeGreaterThanOrEqual(costSoft.default);
    // Above the soft limit the pauses grow until they give what decays.
    expect(peer.lines().length).toBeLessThan(1.5 * (costSoft.default + seconds * costDecayPerSecond.default));
    expect(peer.closed).toBe(false);
  });

  it('closes with error -101 what uses too much; a moderate client is never closed', async () => {
    rig.server.method('work', { handler: () => null });
    const peer = rig.connect();
    for (let i = 0; i < 40 && rig.ends.length === 0; i++) {
      peer.send(Array.from({ length: 1000 }, (_, id) => ({ id, method: 'work' })));
      await rig.clock.advanceAsync(5000);
    }
    expect(rig.ends).toEqual(['rate-limited']);
    expect(peer.text).toContain('"code":-101');

    const calm = rig.connect();
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 50; j++) calm.send({ id: j, method: 'work' });
      await rig.clock.advanceAsync(10_000);
    }
    expect(calm.closed).toBe(false);
    expect(calm.lines()).toHaveLength(2000);
  });

  it('closes silent connections, and idle ones', async () => {
    const silent = rig.connect();
    const idle = rig.connect();
    await idle.ask('server.version', ['x', '1.4']);
    await rig.clock.advanceAsync(60_000);
    expect(silent.closed).toBe(true);
    expect(rig.ends).toEqual([]);
    await rig.clock.advanceAsync(600_000);
    expect(rig.ends.at(-1)).toBe('idle-timeout');
  });

  it('closes a reader that does not read', async () => {
    rig.server.method('long', { handler: () => 'x'.repeat(1_000_000) });
    const peer = rig.connect({ windowBytes: 65_536 });
    peer.connection.pause();
    for (let id = 0; id < 40; id++) peer.send({ id, method: 'long' });
    await settle();
    await rig.clock.advanceAsync(60_000);
    expect(rig.ends).toEqual(['slow-reader']);
  });

  it('lets in a thousand sessions and no more', async () => {
    const peers = Array.from({ length: 1010 }, (_, i) => rig.connect({ clientAddress: `198.51.100.${i % 250}` }));
    for (const peer of peers) peer.send({ id: 0, method: 'server.ping' });
    await settle();
    expect(peers.filter(({ text }) => text !== '')).toHaveLength(1000);
    expect(rig.server.stats().refused).toMatchObject({ 'too-many-connections': 10 });
  });
});
