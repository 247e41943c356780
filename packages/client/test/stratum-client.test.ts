import { isPoolError, reject } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { isStratumError, StratumError } from '@headframe/stratum-v1';
import { createMemoryPair } from '@headframe/transport/testing';
import { describe, expect, it } from 'vitest';
import { connectStratum, StratumClient } from '../src/index.js';
import { FakePool, NOTIFY, PoolSession } from './fake-pool.js';

function setup(options: { chunkBytes?: number; maxPending?: number; maxLineBytes?: number } = {}): {
  clock: FakeClock;
  client: StratumClient;
  session: PoolSession;
  pool: FakePool;
} {
  const clock = new FakeClock();
  const pool = new FakePool();
  const pair = createMemoryPair({ clock, ...(options.chunkBytes !== undefined && { chunkBytes: options.chunkBytes }) });
  const session = new PoolSession(pair.server, pool.methods);
  const client = new StratumClient(pair.client, { clock, agent: 'test/1', ...options });
  return { clock, client, session, pool };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `resolved with ${JSON.stringify(await promise)}`;
  } catch (error) {
    if (isPoolError(error)) return error.code;
    throw error;
  }
}

describe('StratumClient', () => {
  it.each([1, 7, 1000])('asks and gets answers, in chunks of %i bytes', async (chunkBytes) => {
    const { client } = setup({ chunkBytes });
    expect(await client.request('mining.submit', ['w', '1', '00', '1', '1'])).toBe(true);
    const many = await Promise.all(
      Array.from({ length: 50 }, () => client.request('mining.submit', ['w', '1', '0', '1', '1'])),
    );
    expect(many).toEqual(new Array(50).fill(true));
  });

  it('sends requests made in one go in one write', async () => {
    const { client, session } = setup();
    let chunks = 0;
    const { connection } = client;
    const write = connection.write.bind(connection);
    connection.write = (bytes): void => {
      chunks++;
      write(bytes);
    };
    await Promise.all([1, 2, 3].map(() => client.request('mining.submit', [])));
    expect(chunks).toBe(1);
    expect(session.calls('mining.submit').length).toBe(3);
  });

  it('turns an error answer into a StratumError', async () => {
    const { client, pool } = setup();
    pool.methods.set('mining.submit', () => {
      throw [23, 'Low difficulty share', null];
    });
    const error: unknown = await client.request('mining.submit', []).catch((thrown: unknown) => thrown);
    expect(isStratumError(error) && error.rejectCode).toBe('low-difficulty');
    expect(isStratumError(error) && error.stratumCode).toBe(23);
  });

  it('gives up waiting: timeout, abort, overflow, close', async () => {
    const { client, clock, pool } = setup({ maxPending: 2 });
    pool.methods.set('silent', () => undefined);
    const late = codeOf(client.request('silent', []));
    const abort = new AbortController();
    const aborted = codeOf(client.request('silent', [], { signal: abort.signal }));
    expect(await codeOf(client.request('silent', []))).toBe('queue_full');
    abort.abort();
    expect(await aborted).toBe('aborted');
    await clock.advanceAsync(30_000, 10_000);
    expect(await late).toBe('request_timeout');
    const last = codeOf(client.request('silent', []));
    const closed = client.close();
    expect(await last).toBe('connection_closed');
    await closed;
    expect(client.closed).toBe(true);
    expect(await codeOf(client.request('silent', []))).toBe('connection_closed');
    await client.close();
  });

  it('settles everything when the pool goes away', async () => {
    const { client, session, pool } = setup();
    pool.methods.set('silent', () => undefined);
    let ends = 0;
    client.on('closed', () => ends++);
    const waiting = codeOf(client.request('silent', []));
    await settle();
    session.connection.destroy();
    expect(await waiting).toBe('connection_closed');
    await settle();
    expect(ends).toBe(1);
    client.notify('x', []);
  });

  it('decodes notifications and reports the catch-all', async () => {
    const { client, session } = setup();
    const seen: unknown[] = [];
    client.on('message', ({ method }) => seen.push(method));
    client.on('mining.notify', (job) => seen.push(job.jobId));
    client.on('mining.set_difficulty', ({ difficulty }) => seen.push(difficulty));
    client.on('mining.set_version_mask', ({ mask }) => seen.push(mask));
    client.on('mining.set_extranonce', ({ extranonce2Size }) => seen.push(extranonce2Size));
    client.on('client.show_message', ({ text }) => seen.push(text));
    client.on('client.reconnect', ({ host }) => seen.push(host));
    session.push('mining.notify', NOTIFY);
    session.push('mining.set_difficulty', [0.5]);
    session.push('mining.set_version_mask', ['00ff0000']);
    session.push('mining.set_extranonce', ['aabb', 6]);
    session.push('client.show_message', ['hello\u0007']);
    session.push('client.reconnect', ['other.example', '1', '2']);
    session.push('mining.unheard_of', []);
    await settle();
    expect(seen).toEqual([
      'mining.notify',
      '6abc0001',
      'mining.set_difficulty',
      0.5,
      'mining.set_version_mask',
      0xff0000,
      'mining.set_extranonce',
      6,
      'client.show_message',
      'hello?',
      'client.reconnect',
      'other.example',
      'mining.unheard_of',
    ]);
  });

  it('survives nonsense and says so', async () => {
    const { client, session } = setup();
    const problems: (string | undefined)[] = [];
    client.on('invalid', ({ method }) => problems.push(method));
    session.connection.write('not json\n\n[1]\n{"id":99,"result":true}\n');
    session.push('mining.notify', [1, 2, 3]);
    session.push('mining.set_difficulty', [-1]);
    session.push('mining.set_difficulty', null);
    session.push('mining.set_extranonce', ['zz', 4]);
    session.push('mining.set_version_mask', [7]);
    session.push('client.show_message', [7]);
    session.push('mining.set_difficulty', { a: 1 });
    await settle();
    expect(problems).toEqual([
      undefined,
      undefined,
      undefined,
      'mining.notify',
      'mining.set_difficulty',
      'mining.set_difficulty',
      'mining.set_extranonce',
      'mining.set_version_mask',
      'client.show_message',
      'mining.set_difficulty',
    ]);
    expect(await client.request('mining.submit', [])).toBe(true);
  });

  it('closes on a line beyond the limit', async () => {
    const { client, session } = setup({ maxLineBytes: 1000 });
    let error: Error | undefined;
    client.on('closed', (end) => {
      error = end.error;
    });
    session.connection.write('x'.repeat(2000));
    await settle();
    expect(client.closed).toBe(true);
    expect(isPoolError(error, 'protocol_violation')).toBe(true);
  });

  it('answers what the pool asks', async () => {
    const { client, session } = setup();
    client.handle('now', () => 7);
    client.handle('later', async () => {
      await settle();
      return 8;
    });
    client.handle('no', () => reject('unauthorized', 'not you'));
    client.handle('thrown', () => {
      throw new StratumError('busy');
    });
    client.handle('broken', async () => {
      throw new Error('secret detail');
    });
    client.handle('unwritable', async () => 5n);
    for (const [id, method] of [
      'mining.ping',
      'client.get_version',
      'now',
      'later',
      'no',
      'thrown',
      'broken',
      'what',
      'unwritable',
    ].entries()) {
      session.send({ id: `s${id}`, method, params: [] });
    }
    session.send({ id: 5, method: 'mining.set_difficulty', params: [2] });
    await settle();
    await settle();
    const answers = Object.fromEntries(session.received.map(({ id, result, error }) => [String(id), error ?? result]));
    expect(answers).toEqual({
      s0: 'pong',
      s1: 'test/1',
      s2: 7,
      s3: 8,
      s4: [24, 'not you', null],
      s5: [20, 'Server busy', null],
      s6: [20, 'Internal error', null],
      s7: [20, 'Unknown method', null],
      s8: [20, 'Internal error', null],
      '5': true,
    });
  });

  it('does not let a pool pile up its requests', async () => {
    const { client, session } = setup();
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    client.handle('slow', () => gate);
    for (let id = 0; id < 100; id++) session.send({ id, method: 'slow' });
    await settle();
    expect(session.received.filter(({ error }) => Array.isArray(error)).length).toBe(36);
    release();
    await settle();
    expect(session.received.length).toBe(100);
  });

  it('counts the silence', async () => {
    const { client, session, clock } = setup();
    clock.advance(5000);
    expect(client.silentMs).toBe(5000);
    session.push('x', []);
    await settle();
    expect(client.silentMs).toBe(0);
  });

  it('connects through what it is given', async () => {
    const pool = new FakePool();
    const client = await connectStratum({ connect: pool.connect });
    expect(await client.request('mining.extranonce.subscribe', [])).toBe(true);
    await client.close();
    expect(await codeOf(connectStratum({}))).toBe('invalid_argument');
    expect(await codeOf(connectStratum({ url: 'nonsense' }))).toBe('invalid_argument');
  });
});
