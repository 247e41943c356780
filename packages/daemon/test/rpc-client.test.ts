import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPoolError, type PoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRpcClient, type RpcClient, type RpcClientOptions } from '../src/index.js';
import { FakeNode } from './fake-node.js';

let node: FakeNode;
const clients: RpcClient[] = [];

function client(options: Partial<RpcClientOptions> = {}): RpcClient {
  const made = createRpcClient({ url: node.url, ...options });
  clients.push(made);
  return made;
}

async function failure(promise: Promise<unknown>): Promise<PoolError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isPoolError(error)) throw new Error(`expected a PoolError, got ${String(error)}`);
  return error;
}

beforeEach(async () => {
  node = await new FakeNode().listen();
});
afterEach(async () => {
  for (const made of clients.splice(0)) made.close();
  await node.kill();
});

describe('answers', () => {
  test('a result, with the params as sent', async () => {
    node.on('getblockhash', ([height]) => ({ result: `hash of ${height}` }));
    expect(await client().call('getblockhash', [7])).toBe('hash of 7');
  });

  test('a null result is a result', async () => {
    node.on('submitblock', { result: null });
    expect(await client().call('submitblock', ['00'])).toBeNull();
  });

  for (const form of ['HTTP 500', 'HTTP 200'] as const) {
    test(`an error in the ${form} form`, async () => {
      node.errorsWith200 = form === 'HTTP 200';
      node.on('getblocktemplate', { error: { code: -9, message: 'Litecoin Core is not\nconnected!' } });
      const error = await failure(client().call('getblocktemplate', [{}]));
      expect(error.code).toBe('rpc_error');
      expect(error.details).toMatchObject({ code: -9, rpcMessage: 'Litecoin Core is not connected!' });
    });
  }

  test('an unknown method (HTTP 404) is an RPC error', async () => {
    const error = await failure(client().call('preciousblock', ['00']));
    expect(error.details).toMatchObject({ code: -32601, method: 'preciousblock' });
  });

  test.each([
    ['text', { raw: '<html>502</html>', status: 502 }, 502],
    ['empty body', { raw: '' }, 200],
    ['a number', { raw: '42' }, 200],
    ['neither result nor error', { raw: '{"id":1}' }, 200],
    ['success with an HTTP error', { raw: '{"result":1,"error":null}', status: 500 }, 500],
    ['work queue full', { raw: 'Work queue depth exceeded', status: 503 }, 503],
    ['forbidden', { raw: '', status: 403 }, 403],
  ])('garbage is rpc_http: %s', async (_name, answer, status) => {
    node.on('getblockcount', answer);
    const error = await failure(client().call('getblockcount'));
    expect(error.code).toBe('rpc_http');
    expect(error.details.status).toBe(status);
  });

  test('an answer above the bound is refused, also without a length header', async () => {
    node.on('getblock', {
      raw: JSON.stringify({ result: 'x'.repeat(5000) }),
      headers: { 'transfer-encoding': 'chunked' },
    });
    const error = await failure(client({ maxResponseBytes: 1000 }).call('getblock'));
    expect(error.code).toBe('rpc_http');
    expect(error.message).toContain('1000 bytes');
  });
});

describe('connection', () => {
  test('nobody listens', async () => {
    const { url } = node;
    await node.kill();
    const error = await failure(createRpcClient({ url }).call('getblockcount'));
    expect(error.code).toBe('rpc_unavailable');
    await node.listen();
  });

  test('closed before and in the middle of the answer', async () => {
    node.on('a', 'drop').on('b', 'cut');
    expect((await failure(client().call('a'))).code).toBe('rpc_unavailable');
    expect((await failure(client().call('b'))).code).toBe('rpc_unavailable');
  });

  test('a hanging node times out', async () => {
    const clock = new FakeClock();
    let arrived: () => void = () => {};
    const seen = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    node.on('getblockcount', () => {
      arrived();
      return 'hang';
    });
    const outcome = failure(client({ clock, timeoutMs: 5000 }).call('getblockcount'));
    await seen;
    clock.advance(5000);
    const error = await outcome;
    expect(error.code).toBe('rpc_timeout');
    expect(error.details.timeoutMs).toBe(5000);
    expect(clock.pending).toBe(0);
  });

  test('abort and close settle what is under way', async () => {
    const clock = new FakeClock();
    node.on('getblocktemplate', 'hang');
    const abort = new AbortController();
    const made = client({ clock });
    const aborted = failure(made.call('getblocktemplate', [], { signal: abort.signal }));
    const closed = failure(made.call('getblocktemplate', [], { connection: 'own', timeoutMs: Infinity }));
    await settle();
    abort.abort();
    expect((await aborted).code).toBe('aborted');
    made.close();
    expect((await closed).code).toBe('closed');
    expect((await failure(made.call('getblockcount'))).code).toBe('closed');
    expect((await failure(client().call('x', [], { signal: AbortSignal.abort() }))).code).toBe('aborted');
  });

  test('connections are kept alive and bounded; an own connection does not wait for them', async () => {
    node.on('quick', { result: 1 }).on('slow', 'hang').on('submitblock', { result: null });
    const made = client({ maxSockets: 2, maxPending: 3 });
    for (let i = 0; i < 5; i++) await made.call('quick');
    expect(node.connections).toBe(1);
    const stuck = [made.call('slow'), made.call('slow'), made.call('quick')].map((call) => failure(call));
    expect((await failure(made.call('quick'))).code).toBe('queue_full');
    expect(await made.call('submitblock', ['00'], { connection: 'own' })).toBeNull();
    expect(node.connections).toBe(3);
    made.close();
    for (const outcome of stuck) expect((await outcome).code).toBe('closed');
  });

  test('a kept-alive connection that the node has closed meanwhile costs one silent retry', async () => {
    node.on('getblockcount', { result: 1 });
    const made = client();
    await made.call('getblockcount');
    let drops = 1;
    node.on('getblockcount', () => (drops-- > 0 ? 'drop' : { result: 2 }));
    expect(await made.call('getblockcount')).toBe(2);
    drops = 1;
    expect((await failure(made.call('getblockcount', [], { idempotent: false }))).code).toBe('rpc_unavailable');
  });
});

describe('authentication', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test('user and password, also from the URL, never in errors', async () => {
    node.authorization = basic('rpc:s3cret:%');
    node.on('getblockcount', { result: 1 });
    expect(await client({ user: 'rpc', password: 's3cret:%' }).call('getblockcount')).toBe(1);
    const inUrl = client({ url: node.url.replace('http://', 'http://rpc:s3cret%3A%25@') });
    expect(await inUrl.call('getblockcount')).toBe(1);
    expect(inUrl.url).toBe(node.url);

    node.authorization = basic('another');
    const error = await failure(inUrl.call('getblockcount'));
    expect(error.code).toBe('rpc_http');
    expect(error.details.status).toBe(401);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.details)}`).not.toMatch(/s3cret|czNjcmV0/);
  });

  test('a URL that is none does not leak into the error', async () => {
    expect(() => createRpcClient({ url: 'ht tp://u:hidden@host' })).toThrow(/^(?!.*hidden)/);
    expect(() => createRpcClient({ url: 'ftp://host' })).toThrow('ftp');
  });

  test('the cookie file is read late and again after a restart of the node', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headframe-cookie-'));
    const cookieFile = join(folder, '.cookie');
    try {
      const made = client({ cookieFile });
      node.on('getblockcount', { result: 1 });
      node.authorization = basic('__cookie__:first');
      expect((await failure(made.call('getblockcount'))).code).toBe('rpc_unavailable');
      await writeFile(cookieFile, '__cookie__:first\n');
      expect(await made.call('getblockcount')).toBe(1);
      node.authorization = basic('__cookie__:second');
      expect((await failure(made.call('getblockcount'))).details.status).toBe(401);
      await writeFile(cookieFile, '__cookie__:second');
      expect(await made.call('getblockcount')).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('batch', () => {
  test('outcomes in the order of the calls, errors one by one', async () => {
    node.on('getblockhash', ([height]) =>
      height === 9 ? { error: { code: -8, message: 'Block height out of range' } } : { result: `h${height}` },
    );
    const outcomes = await client().batch([1, 9, 3].map((height) => ({ method: 'getblockhash', params: [height] })));
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.result : outcome.error.details.code))).toEqual([
      'h1',
      -8,
      'h3',
    ]);
    expect(await client().batch([])).toEqual([]);
  });

  test('an error for the whole batch rejects; a missing member is an error', async () => {
    const made = client();
    node.on('a', { result: 1 });
    const outcomes = await made.batch([
      { method: 'a', params: [] },
      { method: 'missing', params: [] },
    ]);
    expect(outcomes[0]).toEqual({ ok: true, result: 1 });
    expect(outcomes[1]?.ok).toBe(false);
    await node.kill();
    expect((await failure(made.batch([{ method: 'a', params: [] }]))).code).toBe('rpc_unavailable');
    await node.listen();
  });
});
