import { isPoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createMemoryPair, type MemoryConnection } from '@headframe/transport/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { CpuMiner, MiningClient, StratumClient, type StratumClientOptions } from '../src/index.js';
import { NOTIFY } from './fake-pool.js';

interface Hostile {
  readonly clock: FakeClock;
  readonly client: StratumClient;
  /** The server's end; `received` is what the client wrote. */
  readonly server: MemoryConnection;
  readonly received: () => string;
  readonly ends: (Error | undefined)[];
}

function setup(options: StratumClientOptions & { readonly chunkBytes?: number } = {}): Hostile {
  const clock = new FakeClock();
  const { chunkBytes } = options;
  const pair = createMemoryPair({ clock, ...(chunkBytes !== undefined && { chunkBytes }) });
  let received = '';
  pair.server.start({
    data: (chunk) => {
      received += Buffer.from(chunk).toString('latin1');
    },
    drain: () => {},
    closed: () => {},
  });
  const client = new StratumClient(pair.client, { clock, ...options });
  const ends: (Error | undefined)[] = [];
  client.on('closed', ({ error }) => ends.push(error));
  return { clock, client, server: pair.server, received: () => received, ends };
}

/** Settles with the code of the rejection, or with the result. */
function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (result) => ({ result }),
    (error: unknown) => (isPoolError(error) ? error.code : error),
  );
}

const HANDSHAKE =
  '{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}\n' +
  '{"id":2,"result":[[["mining.notify","s"]],"0c7ab001",4],"error":null}\n' +
  '{"id":3,"result":true,"error":null}\n' +
  '{"id":null,"method":"mining.set_difficulty","params":[0.5]}\n' +
  `{"id":null,"method":"mining.notify","params":${JSON.stringify(NOTIFY)}}\n`;

const clients: MiningClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

describe('a server that never answers', () => {
  it('costs a bounded number of requests, and each of them ends', async () => {
    const { clock, client } = setup({ maxPending: 100 });
    const all = Array.from({ length: 1000 }, () => outcome(client.request('mining.submit', [])));
    await settle();
    expect(client.pendingRequests).toBe(100);
    await clock.advanceAsync(30_000, 5000);
    const codes = await Promise.all(all);
    expect(codes.filter((code) => code === 'queue_full').length).toBe(900);
    expect(codes.filter((code) => code === 'request_timeout').length).toBe(100);
    expect(client.pendingRequests).toBe(0);
  });

  it('does not hold a start for ever', async () => {
    const clock = new FakeClock();
    const client = new MiningClient({
      clock,
      workers: [{ username: 'x' }],
      connect: () => Promise.resolve(createMemoryPair({ clock }).client),
      reconnect: { maxFailures: 2 },
      random: () => 0,
    });
    clients.push(client);
    const started = outcome(client.start());
    await clock.advanceAsync(200_000, 5000);
    expect(await started).toBe('request_timeout');
  });
});

describe('a server that answers wrongly', () => {
  it.each([
    ['an id nobody asked with', '{"id":99,"result":true,"error":null}\n'],
    ['no id', '{"result":true}\n'],
    ['a null id', '{"id":null,"result":true,"error":null}\n'],
    ['an id of another type', '{"id":{"a":1},"result":true}\n'],
    ['an id beyond all numbers', '{"id":1e999,"result":true}\n'],
    ['a negative id', '{"id":-1,"result":true}\n'],
    ['a fraction', '{"id":1.5,"result":true}\n'],
    ['an empty id', '{"id":"","result":true}\n'],
    ['nothing', '\n\n\n'],
    ['an array', '[{"id":1,"result":true}]\n'],
    ['garbage', '\u0000\u0001\u00ff{{{\n'],
    ['deep nesting', `{"id":1,"result":${'['.repeat(5000)}${']'.repeat(5000)}}\n`],
  ])('%s settles nothing and breaks nothing', async (_name, line) => {
    const { client, server, clock } = setup();
    const waiting = outcome(client.request('a', []));
    await settle();
    server.write(Buffer.from(line, 'latin1'));
    await settle();
    expect(client.pendingRequests).toBe(1);
    server.write('{"id":1,"result":7,"error":null}\n');
    expect(await waiting).toEqual({ result: 7 });
    clock.advance(1);
  });

  it('twice: the first answer counts, the second is reported', async () => {
    const { client, server } = setup();
    const problems: string[] = [];
    client.on('invalid', ({ reason }) => problems.push(reason));
    const first = outcome(client.request('a', []));
    const second = outcome(client.request('b', []));
    await settle();
    server.write('{"id":1,"result":1,"error":null}\n{"id":1,"result":2,"error":null}\n{"id":2,"result":null}\n');
    expect(await first).toEqual({ result: 1 });
    // Null is a result.
    expect(await second).toEqual({ result: null });
    expect(problems.length).toBe(1);
  });

  it.each([
    ['[21, "Job not found", null]', 21, 'Job not found', 'job-not-found'],
    ['{"code": -32601, "message": "no such method"}', -32601, 'no such method', 'other'],
    ['"just text"', 20, 'just text', 'other'],
    ['true', 20, 'unknown error', 'other'],
    ['[22, "x\\u0007y"]', 22, 'x?y', 'duplicate'],
  ])('an error %s rejects with its code and text', async (error, code, reason, rejectCode) => {
    const { client, server } = setup();
    const waiting = client.request('mining.submit', []).catch((thrown: unknown) => thrown);
    await settle();
    server.write(`{"id":1,"result":null,"error":${error}}\n`);
    expect(await waiting).toMatchObject({
      code: 'request_failed',
      stratumCode: code,
      reason,
      rejectCode,
      details: { method: 'mining.submit', stratumCode: code, reason },
    });
  });
});

describe('a server that floods', () => {
  it('with notifications: all are told, nothing is kept', async () => {
    const { client, server } = setup();
    let count = 0;
    client.on('message', () => count++);
    const line = `{"id":null,"method":"mining.notify","params":${JSON.stringify(NOTIFY)}}\n`;
    for (let i = 0; i < 50; i++) {
      server.write(line.repeat(200));
      await settle();
    }
    expect(count).toBe(10_000);
    expect(client.closed).toBe(false);
  });

  it('a mining client with jobs before it answers subscribe: it is dropped', async () => {
    const clock = new FakeClock();
    const pair = createMemoryPair({ clock });
    const client = new MiningClient({
      clock,
      workers: [{ username: 'x' }],
      connect: () => Promise.resolve(pair.client),
      reconnect: false,
    });
    clients.push(client);
    const started = outcome(client.start());
    await settle();
    pair.server.write(`{"id":null,"method":"mining.notify","params":${JSON.stringify(NOTIFY)}}\n`.repeat(100));
    expect(await started).toBe('protocol_violation');
  });

  it('a mining client with job ids: the last 128 are known', async () => {
    const clock = new FakeClock();
    const pair = createMemoryPair({ clock });
    const client = new MiningClient({
      clock,
      workers: [{ username: 'x' }],
      connect: () => Promise.resolve(pair.client),
      reconnect: false,
      pipeline: true,
      subscribeExtranonce: false,
    });
    clients.push(client);
    const started = client.start();
    await settle();
    pair.server.write(HANDSHAKE);
    await started;
    for (let i = 0; i < 1000; i++) {
      const params = JSON.stringify([i.toString(16), ...NOTIFY.slice(1, 8), i === 990]);
      pair.server.write(`{"id":null,"method":"mining.notify","params":${params}}\n`);
    }
    await settle();
    const status = (i: number): string => client.jobStatus(i.toString(16));
    expect([999, 995, 990, 989, 900, 10].map(status)).toEqual(['current', 'live', 'live', 'stale', 'stale', 'unknown']);
    expect(client.findJob((900).toString(16))?.jobId).toBe((900).toString(16));
    expect(client.findJob('nonsense')).toBeUndefined();
    pair.server.destroy();
  });

  it('with requests: it gets answers until it stops reading them, then the connection ends', async () => {
    const { client, server, ends } = setup({ maxUnsentBytes: 5000 });
    server.freeze();
    for (let i = 0; i < 500; i++) server.write(`{"id":${i},"method":"mining.what","params":[]}\n`);
    await settle();
    await settle();
    expect(client.closed).toBe(true);
    expect(isPoolError(ends[0], 'queue_full')).toBe(true);
  });

  it('with an endless line: the connection ends, and what waited is told why', async () => {
    const { client, server, ends } = setup({ maxLineBytes: 10_000 });
    const waiting = client.request('a', []).catch((error: unknown) => error);
    for (let i = 0; i < 20; i++) server.write('x'.repeat(1000));
    await settle();
    expect(isPoolError(ends[0], 'protocol_violation')).toBe(true);
    const error = await waiting;
    expect(isPoolError(error, 'connection_closed') && isPoolError(error.cause, 'protocol_violation')).toBe(true);
  });

  it('with lines that are no messages: after 50 in a row the connection ends', async () => {
    const { client, server, ends } = setup();
    server.write('nonsense\n'.repeat(49));
    await settle();
    server.write('{"id":null,"method":"x"}\n');
    server.write('nonsense\n'.repeat(49));
    await settle();
    expect(client.closed).toBe(false);
    server.write('nonsense\n');
    await settle();
    expect(isPoolError(ends[0], 'protocol_violation')).toBe(true);
  });
});

describe('the end of a connection', () => {
  it('at any byte of the handshake rejects the start, and nothing stays behind', async () => {
    for (let at = 0; at <= HANDSHAKE.length; at += 3) {
      const clock = new FakeClock();
      const pair = createMemoryPair({ clock });
      const client = new MiningClient({
        clock,
        workers: [{ username: 'x' }],
        connect: () => Promise.resolve(pair.client),
        reconnect: false,
        pipeline: true,
        subscribeExtranonce: false,
      });
      const started = outcome(client.start());
      await settle();
      pair.server.write(HANDSHAKE.slice(0, at));
      await settle();
      pair.server.destroy();
      const result = await started;
      await settle();
      const isAuthorized = at >= HANDSHAKE.indexOf('{"id":null');
      expect(typeof result, `at byte ${at}: ${JSON.stringify(result)}`).toBe(isAuthorized ? 'object' : 'string');
      expect(client.ready).toBe(false);
      expect(client.connection?.pendingRequests ?? 0).toBe(0);
      await client.close();
    }
  });

  it('settles every request, whatever its number', async () => {
    const { client, server } = setup();
    const all = Array.from({ length: 500 }, () => outcome(client.request('a', [])));
    await settle();
    server.destroy();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['connection_closed']));
    expect(await outcome(client.request('a', []))).toBe('connection_closed');
    expect(() => client.sendRaw('{}\n')).toThrow(expect.objectContaining({ code: 'connection_closed' }));
    client.notify('a', []);
  });

  it('does not hold a miner with shares under way', async () => {
    const clock = new FakeClock();
    const pair = createMemoryPair({ clock });
    const client = new MiningClient({
      clock,
      workers: [{ username: 'x' }],
      connect: () => Promise.resolve(pair.client),
      reconnect: false,
      pipeline: true,
      subscribeExtranonce: false,
    });
    clients.push(client);
    const started = client.start();
    await settle();
    pair.server.write(HANDSHAKE.replace('[0.5]', '[1e-10]'));
    await started;
    const miner = new CpuMiner(client, { clock, maxSharesPerSecond: 100 });
    const problems: unknown[] = [];
    miner.on('problem', ({ error }) => problems.push(error));
    const found = new Promise((resolve) => miner.on('found', resolve));
    miner.start();
    await found;
    pair.server.destroy();
    await settle();
    await miner.stop();
    expect(miner.stats.lost).toBeGreaterThan(0);
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe('bytes cut anywhere', () => {
  it('mean the same', async () => {
    const text =
      '{"id":1,"result":"\u00fc","error":null}\r\n \n{"id":null,"method":"mining.set_difficulty","params":[2]}\n' +
      `{"id":null,"method":"mining.notify","params":${JSON.stringify(NOTIFY)}}\nnonsense\n{"id":7,"method":"ask"}\n`;
    const bytes = Buffer.from(text, 'utf8');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), async (cuts) => {
        const { client, server, received } = setup();
        const seen: unknown[] = [];
        client.on('message', ({ method, id }) => seen.push([method, id]));
        client.on('invalid', ({ reason }) => seen.push(reason));
        client.on('mining.set_difficulty', ({ difficulty }) => seen.push(difficulty));
        client.on('mining.notify', ({ jobId }) => seen.push(jobId));
        client.handle('ask', () => 'answer');
        const waiting = outcome(client.request('a', []));
        await settle();
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
          server.write(bytes.subarray(from, cut));
          from = cut;
          await settle();
        }
        expect(await waiting).toEqual({ result: '\u00fc' });
        expect(seen).toEqual([
          ['mining.set_difficulty', undefined],
          2,
          ['mining.notify', undefined],
          NOTIFY[0],
          'not-json',
          ['ask', 7],
        ]);
        expect(received()).toContain('{"id":7,"result":"answer","error":null}\n');
        client.destroy();
      }),
      { numRuns: 60 },
    );
  });
});

describe('what a client sends', () => {
  it('raw lines go out in order with requests', async () => {
    const { client, received } = setup();
    void outcome(client.request('a', [1]));
    client.sendRaw('{"id":"mine","method":"raw"}\n');
    client.notify('b', { c: 1 });
    await settle();
    expect(received()).toBe(
      '{"id":1,"method":"a","params":[1]}\n{"id":"mine","method":"raw"}\n{"id":null,"method":"b","params":{"c":1}}\n',
    );
    for (const text of ['', 'no newline', 'gr\u00fcn\n', 'nul\u0000\n']) {
      expect(() => client.sendRaw(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });

  it('speaks JSON-RPC 2.0 to servers that insist', async () => {
    const { client, server, received } = setup({ jsonrpc2: true });
    const waiting = outcome(client.request('login', { login: 'x' }));
    await settle();
    server.write('{"jsonrpc":"2.0","id":1,"result":{"status":"OK"}}\n{"jsonrpc":"2.0","id":5,"method":"what"}\n');
    expect(await waiting).toEqual({ result: { status: 'OK' } });
    await settle();
    expect(received()).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"login","params":{"login":"x"}}\n' +
        '{"jsonrpc":"2.0","id":5,"result":null,"error":{"code":-32601,"message":"Unknown method"}}\n',
    );
  });

  it('params that JSON cannot hold reject', async () => {
    const { client } = setup();
    expect(await outcome(client.request('a', [1n]))).toBe('invalid_argument');
    expect(client.pendingRequests).toBe(0);
  });

  it('a handler can be taken away', async () => {
    const { client, server, received } = setup();
    const remove = client.handle('ask', () => 1);
    const newer = client.handle('ask', () => 2);
    remove();
    server.write('{"id":1,"method":"ask"}\n');
    await settle();
    newer();
    server.write('{"id":2,"method":"ask"}\n');
    await settle();
    expect(received()).toContain('{"id":1,"result":2');
    expect(received()).toContain('{"id":2,"result":null,"error":[20,');
  });
});
