import { describe, expect, it } from 'vitest';
import { ElectrumClient, type ElectrumClientOptions, ElectrumError, isElectrumError } from '../src/index.js';
import {
  FakeClock,
  failureOf,
  GENESIS_HEADER,
  modernScript,
  type Script,
  ScriptedServer,
  SILENCE,
  settle,
} from './support.js';

const SH = '8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161';
const TXID = '8bc34e0c671d1b4fc3866c88762dbdb94942505a1a6cb6cd74978b4c4e3c1177';

interface Bench {
  readonly clock: FakeClock;
  readonly server: ScriptedServer;
  readonly client: ElectrumClient;
  readonly events: { readonly name: string; readonly payload: unknown }[];
}

async function bench(
  script?: Script,
  options: Partial<ElectrumClientOptions> & { readonly connected?: boolean } = {},
): Promise<Bench> {
  const clock = new FakeClock();
  const server = new ScriptedServer(clock, script);
  const client = new ElectrumClient({
    server: 'tcp://memory',
    connect: server.connect,
    clock,
    random: () => 1,
    ...options,
  });
  const events: Bench['events'] = [];
  for (const name of [
    'headers',
    'scripthash',
    'address',
    'numblocks',
    'invalid',
    'subscriptionLost',
    'connected',
    'disconnected',
  ] as const) {
    client.on(name, (payload) => events.push({ name, payload }));
  }
  if (options.connected !== false) await client.connect();
  return { clock, server, client, events };
}

describe('connecting', () => {
  it('says its name and its range first, and takes what the server chose', async () => {
    const { client, server } = await bench(modernScript({}, '1.4.2'), { clientName: 'unit/1' });
    expect(server.calls[0]).toEqual({ method: 'server.version', params: ['unit/1', ['1.4', '1.6']] });
    expect(client).toMatchObject({ connected: true, software: 'scripted 1.0', version: '1.4.2' });
    expect(server.lines[0]).toContain('"jsonrpc":"2.0"');
  });

  it('omits params when there are none', async () => {
    const { client, server } = await bench();
    await client.getBanner();
    expect(server.lines.at(-1)).not.toContain('params');
  });

  it('asks once more in plain text when a server does not understand a range', async () => {
    const script: Script = (method, params) => {
      if (method !== 'server.version') return null;
      if (Array.isArray(params[1])) throw new ElectrumError(1, 'list not expected');
      if (params[1] !== '1.4') throw new ElectrumError(1, 'bad version');
      return ['plain', '1.4'];
    };
    const { client, server } = await bench(script);
    expect(client.version).toBe('1.4');
    expect(server.count('server.version')).toBe(3);
    expect(server.opens).toBe(1);
  });

  it('does not ask again when a server has no common version', async () => {
    const script: Script = () => {
      throw new ElectrumError(1, 'unsupported protocol version: 1.6');
    };
    const { client, server } = await bench(script, { connected: false });
    expect(await failureOf(client.connect())).toMatchObject({ rpcCode: 1 });
    expect(server.connections).toHaveLength(1);
  });

  it.each([
    ['1.0', { min: '0.8', max: '1.4' }, '1.0'],
    ['0.10', { min: '0.8', max: '1.4' }, '0.10'],
    ['ElectrumX 1.2.1', { min: '1.0', max: '1.4' }, '1.0'],
  ])('takes the bare text %s for an old server', async (text, protocol, version) => {
    const { client } = await bench(modernScript({ 'server.version': text }), { protocol });
    expect(client.version).toBe(version);
  });

  it.each([
    ['too old', ['s', '1.3'], 'not_supported'],
    ['too new', ['s', '1.7'], 'not_supported'],
    ['an old text', '1.0', 'not_supported'],
    ['no version', ['s', 'x'], 'invalid_data'],
    ['a number', 7, 'invalid_data'],
    ['null', null, 'invalid_data'],
  ])('refuses a server that answers %s', async (_what, answer, code) => {
    const { client, server } = await bench(modernScript({ 'server.version': answer }), { connected: false });
    expect((await failureOf(client.connect())).code).toBe(code);
    await settle();
    expect(client.connected).toBe(false);
    expect(server.opens).toBe(0);
  });

  it('gives up on a server that never answers', async () => {
    const { client, clock, server } = await bench(() => SILENCE, { connected: false, connectTimeoutMs: 5000 });
    const failed = failureOf(client.connect());
    await clock.advanceAsync(5000);
    expect((await failed).code).toBe('request_timeout');
    await settle();
    expect(server.opens).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('gives up on a connection that never opens, and drops one that comes late', async () => {
    const clock = new FakeClock();
    const server = new ScriptedServer(clock);
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const client = new ElectrumClient({ server: 'x', clock, connect: () => gate.then(server.connect) });
    const failed = failureOf(client.connect());
    await clock.advanceAsync(15_000);
    expect((await failed).code).toBe('request_timeout');
    open();
    await settle();
    expect(server.connections).toHaveLength(1);
    expect(server.opens).toBe(0);
  });

  it('can be aborted, and closed while connecting', async () => {
    const { client } = await bench(() => SILENCE, { connected: false });
    const abort = new AbortController();
    const failed = failureOf(client.connect(abort.signal));
    abort.abort();
    expect((await failed).code).toBe('aborted');
    const other = failureOf(client.connect());
    await client.close();
    expect((await other).code).toBe('aborted');
    expect((await failureOf(client.connect())).code).toBe('closed');
  });
});

describe('calls', () => {
  it('checks parameters before they are sent and results when they come', async () => {
    const { client, server } = await bench(
      modernScript({ 'blockchain.scripthash.get_balance': { confirmed: 'much' } }),
    );
    const sent = server.calls.length;
    expect((await failureOf(client.getBalance('nonsense'))).code).toBe('invalid_argument');
    expect(server.calls).toHaveLength(sent);
    expect((await failureOf(client.getBalance(SH))).code).toBe('invalid_data');
  });

  it('tells the error of the server as it is', async () => {
    const { client } = await bench(
      modernScript({
        'blockchain.transaction.broadcast': () => {
          throw new ElectrumError(1, 'the transaction was rejected by network rules.\n\nmin relay fee not met');
        },
      }),
    );
    const error = await failureOf(client.broadcast('00'.repeat(60)));
    expect(isElectrumError(error, 'bad-request')).toBe(true);
    expect(error.message).toContain('min relay fee not met');
  });

  it('refuses a method that the version does not have, without asking', async () => {
    const { client, server } = await bench(modernScript({}, '1.4'));
    const sent = server.calls.length;
    expect((await failureOf(client.request('mempool.get_info'))).code).toBe('not_supported');
    expect((await failureOf(client.getAddressHistory('1A'))).code).toBe('not_supported');
    expect(server.calls).toHaveLength(sent);
  });

  it('refuses to answer in the types of another era', async () => {
    const old = await bench(modernScript({ 'server.version': '1.0' }), { protocol: { min: '1.0', max: '1.4' } });
    expect((await failureOf(old.client.request('blockchain.headers.subscribe'))).code).toBe('not_supported');
    const modern = await bench();
    expect((await failureOf(modern.client.callOld('blockchain.headers.subscribe', []))).code).toBe('not_supported');
  });

  it('settles a call by timeout, abort, and the end of the connection', async () => {
    const { client, clock, server } = await bench(modernScript({ 'server.banner': () => SILENCE }));
    const timeout = failureOf(client.getBanner({ timeoutMs: 1000 }));
    const abort = new AbortController();
    const aborted = failureOf(client.getBanner({ signal: abort.signal }));
    const cut = failureOf(client.getBanner());
    abort.abort();
    await clock.advanceAsync(1000);
    server.hangUp();
    expect((await timeout).code).toBe('request_timeout');
    expect((await aborted).code).toBe('aborted');
    expect((await cut).code).toBe('connection_closed');
    expect((await failureOf(client.getBanner())).code).toBe('connection_closed');
  });

  it('bounds the calls that wait', async () => {
    const { client } = await bench(modernScript({ 'server.banner': () => SILENCE }), { maxPending: 3 });
    const waiting = [1, 2, 3].map(() => failureOf(client.getBanner()));
    expect((await failureOf(client.getBanner())).code).toBe('queue_full');
    await client.close();
    for (const error of await Promise.all(waiting)) expect(error.code).toBe('connection_closed');
  });

  it('sends a batch as one line and settles each call by itself', async () => {
    const { client, server } = await bench();
    const outcomes = await client.batch([
      ['blockchain.block.header', 0],
      ['blockchain.scripthash.get_history', SH],
      ['blockchain.block.header', -1],
      ['server.banner'],
    ]);
    expect(server.lines.at(-1)?.startsWith('[')).toBe(true);
    expect(outcomes[0]).toEqual({ ok: true, result: GENESIS_HEADER });
    expect(outcomes[1]).toMatchObject({ ok: false, error: { rpcCode: -32601 } });
    expect(outcomes[2]).toMatchObject({ ok: false, error: { code: 'invalid_argument' } });
    expect(outcomes[3]).toEqual({ ok: true, result: 'welcome' });
  });

  it('cuts a large batch', async () => {
    const { client, server } = await bench();
    const lines = server.lines.length;
    const outcomes = await client.batch(Array.from({ length: 120 }, (_, i) => ['blockchain.block.header', i] as const));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(server.lines.length - lines).toBe(3);
  });

  it('reads a batch answer in any order, cut anywhere', async () => {
    for (const chunkBytes of [1, 2, 7, 100]) {
      const clock = new FakeClock();
      const server = new ScriptedServer(clock);
      server.chunkBytes = chunkBytes;
      const client = new ElectrumClient({ server: 'x', clock, connect: server.connect });
      await client.connect();
      expect(await client.request('blockchain.block.header', 0)).toBe(GENESIS_HEADER);
      const outcomes = await client.batch([['server.banner'], ['server.ping']]);
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, true]);
    }
  });
});

describe('subscriptions', () => {
  it('tells changes and keeps repetitions to itself', async () => {
    const { client, server, events } = await bench();
    expect(await client.subscribeScripthash(SH.toUpperCase())).toBe(null);
    server.notify('blockchain.scripthash.subscribe', SH, TXID);
    server.notify('blockchain.scripthash.subscribe', SH, TXID);
    await settle();
    expect(events.filter(({ name }) => name === 'scripthash').map(({ payload }) => payload)).toEqual([
      { scripthash: SH, status: TXID },
    ]);
  });

  it('tells every notification as it came, known or not', async () => {
    const { client, server } = await bench();
    const seen: unknown[] = [];
    client.on('notification', (notification) => seen.push(notification));
    server.notify('blockchain.scripthash.subscribe', SH, TXID);
    server.notify('server.shutdown', 'soon');
    await settle();
    expect(seen).toEqual([
      { method: 'blockchain.scripthash.subscribe', params: [SH, TXID] },
      { method: 'server.shutdown', params: ['soon'] },
    ]);
  });

  it('renews them after a reconnect and tells what was missed, once', async () => {
    let status: string | null = null;
    let height = 5;
    const script = modernScript({
      'blockchain.scripthash.subscribe': () => status,
      'blockchain.headers.subscribe': () => ({ height, hex: GENESIS_HEADER }),
    });
    const { client, clock, server, events } = await bench(script);
    await client.subscribeScripthash(SH);
    expect((await client.subscribeHeaders()).height).toBe(5);
    status = TXID;
    height = 6;
    server.hangUp();
    await settle();
    expect(client.connected).toBe(false);
    await clock.advanceAsync(1000);
    expect(client.connected).toBe(true);
    expect(events.map(({ name }) => name)).toEqual(['connected', 'disconnected', 'connected', 'scripthash', 'headers']);
    server.hangUp();
    await clock.advanceAsync(5000);
    expect(events.filter(({ name }) => name === 'scripthash' || name === 'headers')).toHaveLength(2);
  });

  it('waits longer with each failure, and again little after a good session', async () => {
    const { client, clock, server, events } = await bench();
    const delays = (): unknown[] =>
      events.flatMap(({ name, payload }) =>
        name === 'disconnected' ? [(payload as { retryInMs?: number }).retryInMs] : [],
      );
    server.down = true;
    server.hangUp();
    await clock.advanceAsync(16_000);
    expect(delays()).toEqual([1000, 2000, 4000, 8000, 16_000]);
    server.down = false;
    await clock.advanceAsync(20_000);
    expect(client.connected).toBe(true);
    await clock.advanceAsync(70_000);
    server.hangUp();
    await settle();
    expect(delays().at(-1)).toBe(1000);
    await client.close();
    expect(clock.pending).toBe(0);
  });

  it('comes back at once when asked to, and goes on trying when that fails', async () => {
    const { client, clock, server, events } = await bench();
    server.hangUp();
    await settle();
    await client.connect();
    expect(client.connected).toBe(true);
    server.down = true;
    server.hangUp();
    await settle();
    await failureOf(client.connect());
    const retries = events.filter(({ name }) => name === 'disconnected').length;
    server.down = false;
    await clock.advanceAsync(10_000);
    expect(client.connected).toBe(true);
    expect(events.filter(({ name }) => name === 'disconnected')).toHaveLength(retries);
    expect(server.opens).toBe(1);
  });

  it('stays away when told to', async () => {
    const { clock, server, events, client } = await bench(undefined, { reconnect: false });
    server.hangUp();
    await clock.advanceAsync(600_000);
    expect(events.at(-1)).toMatchObject({ name: 'disconnected', payload: { retryInMs: undefined } });
    await client.connect();
    expect(client.connected).toBe(true);
  });

  it('tells when a server does not take a subscription back', async () => {
    const { client, clock, server, events } = await bench();
    await client.subscribeScripthash(SH);
    server.script = modernScript({
      'blockchain.scripthash.subscribe': () => {
        throw new ElectrumError(-101, 'excessive resource usage');
      },
    });
    server.hangUp();
    await clock.advanceAsync(1000);
    expect(events.at(-1)).toMatchObject({ name: 'subscriptionLost', payload: { key: SH } });
    expect(client.subscriptions).toBe(0);
  });

  it('comes back again when renewing is not answered', async () => {
    const { client, clock, server } = await bench();
    await client.subscribeScripthash(SH);
    const silent = modernScript({ 'blockchain.scripthash.subscribe': () => SILENCE });
    const good = server.script;
    server.script = silent;
    server.hangUp();
    await clock.advanceAsync(2000);
    server.script = good;
    await clock.advanceAsync(40_000);
    expect(client.connected).toBe(true);
    expect(client.subscriptions).toBe(1);
    expect(server.connections).toHaveLength(3);
  });

  it('bounds their number', async () => {
    const { client } = await bench(undefined, { maxSubscriptions: 1 });
    await client.subscribeScripthash(SH);
    expect((await failureOf(client.subscribeScripthash(TXID))).code).toBe('queue_full');
    expect(await client.unsubscribeScripthash(SH)).toBe(true);
    await client.subscribeScripthash(TXID);
  });

  it('ends them, telling the server from 1.4.2 on', async () => {
    const { client, server } = await bench();
    await client.subscribeScripthash(SH);
    expect(await client.unsubscribeScripthash(SH)).toBe(true);
    expect(await client.unsubscribeScripthash(SH)).toBe(false);
    expect(server.count('blockchain.scripthash.unsubscribe')).toBe(1);
    const older = await bench(modernScript({}, '1.4'), { strict: true });
    await older.client.subscribeScripthash(SH);
    expect(await older.client.unsubscribeScripthash(SH)).toBe(true);
    older.server.notify('blockchain.scripthash.subscribe', SH, TXID);
    await settle();
    expect(older.client.connected).toBe(true);
    expect(older.events.some(({ name }) => name === 'scripthash')).toBe(false);
  });

  it('leaves a server that notifies unasked only when strict', async () => {
    for (const strict of [false, true]) {
      const { client, server, events } = await bench(undefined, { strict, reconnect: false });
      server.notify('blockchain.scripthash.subscribe', SH, TXID);
      await settle();
      expect(client.connected).toBe(!strict);
      expect(events.some(({ name }) => name === 'scripthash')).toBe(false);
    }
  });
});

describe('keeping alive', () => {
  it('pings, and leaves a server that does not answer', async () => {
    const { client, clock, server } = await bench(undefined, { pingIntervalMs: 10_000, requestTimeoutMs: 3000 });
    await clock.advanceAsync(20_000);
    expect(server.count('server.ping')).toBe(2);
    server.script = modernScript({ 'server.ping': () => SILENCE });
    await clock.advanceAsync(13_000);
    expect(server.opens).toBe(0);
    await clock.advanceAsync(1000);
    expect(client.connected).toBe(true);
  });

  it('answers the ping of a server and refuses everything else', async () => {
    const { server } = await bench();
    server.raw('{"jsonrpc":"2.0","id":"p","method":"server.ping"}\n{"jsonrpc":"2.0","id":2,"method":"wallet.seed"}\n');
    await settle();
    expect(server.lines.slice(-2).map((line) => JSON.parse(line))).toEqual([
      { jsonrpc: '2.0', id: 'p', result: null },
      { jsonrpc: '2.0', id: 2, error: { code: -32601, message: 'unknown method' } },
    ]);
  });
});
