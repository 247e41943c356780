import { describe, expect, it } from 'vitest';
import { ElectrumError, ElectrumPool, type ElectrumPoolOptions } from '../src/index.js';
import {
  FakeClock,
  failureOf,
  GENESIS_HASH,
  GENESIS_HEADER,
  modernScript,
  ScriptedServer,
  SILENCE,
  settle,
} from './support.js';

const SH = '8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161';
const TXID = '8bc34e0c671d1b4fc3866c88762dbdb94942505a1a6cb6cd74978b4c4e3c1177';
const RAW = '01000000'.repeat(20);

interface Net {
  readonly clock: FakeClock;
  readonly servers: Readonly<Record<'a' | 'b' | 'c', ScriptedServer>>;
  readonly pool: ElectrumPool;
  readonly events: { readonly name: string; readonly payload: unknown }[];
}

function net(options: Partial<ElectrumPoolOptions> = {}): Net {
  const clock = new FakeClock();
  const servers = { a: new ScriptedServer(clock), b: new ScriptedServer(clock), c: new ScriptedServer(clock) };
  const pool = new ElectrumPool({
    servers: ['a', 'b', 'c'],
    connect: ({ host }) => servers[host as 'a' | 'b' | 'c'].connect(),
    clock,
    random: () => 1,
    ...options,
  });
  const events: Net['events'] = [];
  for (const name of ['connected', 'disconnected', 'primary', 'headers', 'scripthash'] as const) {
    pool.on(name, (payload) => events.push({ name, payload }));
  }
  return { clock, servers, pool, events };
}

const at = (height: number, more: Readonly<Record<string, unknown>> = {}) =>
  modernScript({ 'blockchain.headers.subscribe': { height, hex: GENESIS_HEADER }, ...more });
const named = (banner: unknown) => modernScript({ 'server.banner': banner });
const refusing = (code: number, message: string) => () => {
  throw new ElectrumError(code, message);
};

describe('a pool of servers', () => {
  it('asks the first, and another one when it fails', async () => {
    const { servers, pool } = net();
    servers.a.script = named('a');
    servers.b.script = named('b');
    await pool.connect();
    expect(await pool.getBanner()).toBe('a');
    servers.a.down = true;
    servers.a.script = named(() => {
      servers.a.hangUp();
      return SILENCE;
    });
    expect(await pool.getBanner()).toBe('b');
    await pool.close();
  });

  it.each([
    ['busy', refusing(-102, 'server busy')],
    ['over its budget', refusing(-101, 'excessive resource usage')],
    ['broken', refusing(-32603, 'internal error')],
    ['talking nonsense', () => 17],
  ])('asks another one when one is %s', async (_what, banner) => {
    const { servers, pool } = net();
    servers.a.script = named(banner);
    servers.b.script = named('b');
    await pool.connect();
    await settle();
    expect(await pool.getBanner()).toBe('b');
    await pool.close();
  });

  it('asks another one when one is silent, and leaves it after three times', async () => {
    const { clock, servers, pool, events } = net({ requestTimeoutMs: 1000, pingIntervalMs: Number.POSITIVE_INFINITY });
    await pool.connect();
    await settle();
    servers.a.script = named(() => SILENCE);
    for (let i = 0; i < 3; i++) {
      const answer = pool.getBanner();
      await clock.advanceAsync(1000);
      expect(await answer).toBe('welcome');
    }
    await settle();
    expect(events.filter(({ name }) => name === 'disconnected')).toMatchObject([{ payload: { server: 'a' } }]);
    await pool.close();
  });

  it('tells what the server says when it is right: nobody else is asked', async () => {
    const { servers, pool } = net();
    servers.a.script = named(refusing(1, 'height out of range'));
    await pool.connect();
    await settle();
    expect(await failureOf(pool.getBanner())).toMatchObject({ rpcCode: 1 });
    expect(servers.b.count('server.banner') + servers.c.count('server.banner')).toBe(0);
    await pool.close();
  });

  it('never sends twice what changes something', async () => {
    const { servers, pool } = net();
    for (const server of [servers.a, servers.b, servers.c]) {
      server.script = modernScript({
        'server.add_peer': () => {
          server.hangUp();
          return SILENCE;
        },
      });
    }
    await pool.connect();
    await settle();
    expect((await failureOf(pool.request('server.add_peer', {}))).code).toBe('connection_closed');
    expect(servers.b.count('server.add_peer') + servers.c.count('server.add_peer')).toBe(0);
    await pool.close();
  });

  it('refuses a server on another chain for good', async () => {
    const { clock, servers, pool, events } = net({ genesisHash: GENESIS_HASH });
    const other = modernScript()('server.features', [], servers.a) as object;
    servers.a.script = modernScript({ 'server.features': { ...other, genesis_hash: TXID } });
    servers.b.script = modernScript({
      'blockchain.block.header': '11'.repeat(80),
      'server.features': refusing(-32601, 'unknown method'),
    });
    await pool.connect();
    expect(await pool.getBanner()).toBe('welcome');
    await clock.advanceAsync(300_000);
    expect(pool.status().map(({ state }) => state)).toEqual(['refused', 'refused', 'ready']);
    expect(servers.a.count('server.version') + servers.b.count('server.version')).toBe(2);
    expect(events.filter(({ name }) => name === 'disconnected')).toMatchObject([
      { payload: { refused: true } },
      { payload: { refused: true } },
    ]);
    await pool.close();
  });

  it('believes the first header, not what the server says about itself', async () => {
    const { servers, pool } = net({ genesisHash: GENESIS_HASH });
    servers.a.script = modernScript({ 'blockchain.block.header': '11'.repeat(80) });
    await pool.connect();
    await settle();
    expect(pool.status().map(({ state }) => state)).toEqual(['refused', 'ready', 'ready']);
    await pool.close();
  });

  it('tells at once when every server is on another chain', async () => {
    const { pool } = net({ genesisHash: TXID });
    expect(await failureOf(pool.connect())).toMatchObject({ message: expect.stringContaining('first block') });
    expect(pool.status().every(({ state }) => state === 'refused')).toBe(true);
    await pool.close();
  });

  it('knows the chain of a server without server.features by its first header', async () => {
    const { servers, pool } = net({ genesisHash: GENESIS_HASH });
    servers.a.script = modernScript({ 'server.features': refusing(-32601, 'unknown method') });
    await pool.connect();
    await settle();
    expect(pool.status()[0]?.state).toBe('ready');
    await pool.close();
  });

  it('prefers servers that keep up, and one that tells lies about its height changes nothing', async () => {
    const { servers, pool } = net();
    servers.a.script = at(90, { 'server.banner': 'a' });
    servers.b.script = at(100, { 'server.banner': 'b' });
    servers.c.script = at(1_000_000, { 'server.banner': 'c' });
    await pool.connect();
    await settle();
    expect(pool.status().map(({ lagging }) => lagging)).toEqual([true, false, false]);
    expect(await pool.getBanner()).not.toBe('a');
    await pool.close();
  });

  it('moves the subscriptions away from a server that falls behind', async () => {
    const { servers, pool, events } = net();
    for (const server of Object.values(servers)) server.script = at(100);
    await pool.connect();
    await settle();
    await pool.subscribeHeaders();
    for (let height = 101; height <= 103; height++) {
      servers.b.notify('blockchain.headers.subscribe', { height, hex: GENESIS_HEADER });
      servers.c.notify('blockchain.headers.subscribe', { height, hex: GENESIS_HEADER });
    }
    servers.b.script = at(103);
    servers.c.script = at(103);
    await settle();
    expect(events.filter(({ name }) => name === 'primary').map(({ payload }) => payload)).toEqual([
      { server: 'a' },
      { server: 'b' },
    ]);
    expect(events.filter(({ name }) => name === 'headers')).toMatchObject([{ payload: { height: 103 } }]);
    await pool.close();
  });

  it('takes the subscriptions to the next server and tells only what changed', async () => {
    const { servers, pool, events } = net();
    await pool.connect();
    await settle();
    expect(await pool.subscribeScripthash(SH)).toBeNull();
    servers.b.script = modernScript({ 'blockchain.scripthash.subscribe': TXID });
    servers.a.down = true;
    servers.a.hangUp();
    await settle();
    expect(events.filter(({ name }) => name === 'scripthash')).toEqual([
      { name: 'scripthash', payload: { scripthash: SH, status: TXID } },
    ]);
    // What others than the primary say does not count.
    servers.c.notify('blockchain.scripthash.subscribe', SH, SH);
    await settle();
    expect(events.filter(({ name }) => name === 'scripthash')).toHaveLength(1);
    expect(await pool.unsubscribeScripthash(SH)).toBe(true);
    await pool.close();
  });

  it('leaves a primary that notifies unasked when strict', async () => {
    for (const strict of [false, true]) {
      const { servers, pool } = net({ strict, connections: 1, pingIntervalMs: Number.POSITIVE_INFINITY });
      await pool.connect();
      servers.a.notify('blockchain.headers.subscribe', { height: 1, hex: GENESIS_HEADER });
      await settle();
      expect(servers.a.opens).toBe(1);
      servers.a.notify('blockchain.scripthash.subscribe', SH, TXID);
      await settle();
      expect(servers.a.opens).toBe(strict ? 0 : 1);
      await pool.close();
    }
  });

  it('gives a transaction to several servers; one that takes it is enough', async () => {
    const { servers, pool } = net({ broadcastTo: 2 });
    servers.a.script = modernScript({ 'blockchain.transaction.broadcast': refusing(1, 'mempool full') });
    servers.b.script = modernScript({ 'blockchain.transaction.broadcast': TXID });
    servers.c.script = modernScript({ 'blockchain.transaction.broadcast': TXID });
    await pool.connect();
    await settle();
    expect(await pool.broadcast(RAW)).toBe(TXID);
    const counts = Object.values(servers).map((server) => server.count('blockchain.transaction.broadcast'));
    expect(counts).toEqual([1, 1, 0]);
    await pool.close();
  });

  it('tells why nobody took a transaction', async () => {
    const { servers, pool } = net();
    servers.a.script = modernScript({
      'blockchain.transaction.broadcast': () => {
        servers.a.hangUp();
        return SILENCE;
      },
    });
    servers.b.script = modernScript({ 'blockchain.transaction.broadcast': refusing(1, 'dust') });
    servers.c.script = modernScript({ 'blockchain.transaction.broadcast': refusing(1, 'dust') });
    await pool.connect();
    await settle();
    expect(await failureOf(pool.broadcast(RAW))).toMatchObject({ rpcCode: 1, message: 'dust' });
    await pool.close();
  });

  it('keeps no more connections than wanted, and fills up from the others', async () => {
    const { clock, servers, pool } = net({ connections: 1 });
    servers.a.down = true;
    await pool.connect();
    expect(Object.values(servers).map(({ opens }) => opens)).toEqual([0, 1, 0]);
    servers.b.down = true;
    servers.b.hangUp();
    await settle();
    expect(Object.values(servers).map(({ opens }) => opens)).toEqual([0, 0, 1]);
    expect(await pool.getBanner()).toBe('welcome');
    await pool.close();
    expect(clock.pending).toBe(0);
  });

  it('waits for a server within the limit, then tells why there is none', async () => {
    const { clock, servers, pool } = net({ connectTimeoutMs: 5000 });
    for (const server of Object.values(servers)) server.down = true;
    const failed = failureOf(pool.getBanner());
    await clock.advanceAsync(5000);
    expect(await failed).toMatchObject({ code: 'connection_closed', message: expect.stringContaining('refused') });
    const late = pool.getBanner();
    await settle();
    servers.c.down = false;
    await clock.advanceAsync(5000);
    expect(await late).toBe('welcome');
    await pool.close();
  });

  it('settles what waits when it is aborted or closed', async () => {
    const { servers, pool, clock } = net({ maxPending: 2 });
    for (const server of Object.values(servers)) server.down = true;
    const abort = new AbortController();
    const aborted = failureOf(pool.getBanner({ signal: abort.signal }));
    const cut = failureOf(pool.getBanner());
    expect((await failureOf(pool.getBanner())).code).toBe('queue_full');
    abort.abort();
    expect((await aborted).code).toBe('aborted');
    await pool.close();
    expect((await cut).code).toBe('closed');
    expect((await failureOf(pool.getBanner())).code).toBe('closed');
    expect(clock.pending).toBe(0);
  });

  it('needs servers that are some', () => {
    expect(() => net({ servers: [] })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => net({ servers: ['http://x'] })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
