import { PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { accountInfo, statementPage, topAccounts } from '../src/schemas/accounts.js';
import { blockDetails, blockPage } from '../src/schemas/blocks.js';
import { problem } from '../src/schemas/common.js';
import { connectInfo } from '../src/schemas/connect.js';
import { minerPage, workerInfo } from '../src/schemas/miners.js';
import { accountPaymentPage, paymentPage } from '../src/schemas/payments.js';
import { coinInfo, nodesInfo, poolInfo, rejectsInfo } from '../src/schemas/pool.js';
import { series } from '../src/schemas/series.js';
import { templateInfo } from '../src/schemas/template.js';
import { ADDRESS, blockRecord, FakePool } from './fake-pool.js';
import { ADMIN, makeApi } from './support.js';

const HASH = blockRecord(100).hash;

const PUBLIC_ROUTES: readonly (readonly [string, z.ZodType])[] = [
  ['/pool', poolInfo],
  ['/coin', coinInfo],
  ['/nodes', nodesInfo],
  ['/connect', connectInfo],
  ['/template', templateInfo],
  ['/rejects', rejectsInfo],
  ['/series', series],
  ['/series?resolution=hour&from=1600000000000&to=1600003600000', series],
  ['/miners', minerPage],
  ['/miners?limit=1&after=1', minerPage],
  ['/blocks', blockPage],
  [`/blocks/${HASH}`, blockDetails],
  ['/accounts/top', topAccounts],
  [`/accounts/${ADDRESS}`, accountInfo],
  [`/accounts/${ADDRESS}/series`, series],
  [`/accounts/${ADDRESS}/payments`, accountPaymentPage],
  [`/accounts/${ADDRESS}/statement`, statementPage],
  [`/accounts/${ADDRESS}/workers/${ADDRESS}.rig1`, workerInfo],
  [`/accounts/${ADDRESS}/workers/${ADDRESS}.rig1/series`, series],
  ['/payments', paymentPage],
];

describe('public routes', () => {
  it.each(PUBLIC_ROUTES)('GET %s answers what its schema says, and nothing else', async (path, schema) => {
    const { get } = makeApi();
    const answer = await get(`/api/v1${path}`);
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const body: unknown = answer.json();
    // Schemas drop keys they do not know: equality shows that there are none.
    expect(schema.parse(body)).toEqual(body);
  });

  it.each(PUBLIC_ROUTES)('GET %s answers 304 to who has it', async (path) => {
    const { get } = makeApi();
    const first = await get(`/api/v1${path}`);
    const tag = String(first.headers.etag);
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    for (const header of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const second = await get(`/api/v1${path}`, { 'if-none-match': header });
      expect(second.statusCode).toBe(304);
      expect(second.body).toBe('');
      expect(second.headers.etag).toBe(tag);
    }
    expect((await get(`/api/v1${path}`, { 'if-none-match': '"other"' })).statusCode).toBe(200);
  });

  it('shows the pool at a glance', async () => {
    const { get } = makeApi({ name: 'My pool', explorer: { block: 'https://x.example/b/{hash}' } });
    const info = poolInfo.parse((await get('/api/v1/pool')).json());
    expect(info).toMatchObject({
      name: 'My pool',
      coin: 'bitcoin',
      network: 'regtest',
      scheme: 'pplns',
      payments: true,
      feePercent: 1.5,
      minimumPayout: { units: '100000', coins: '0.00100000' },
      sessions: 3,
      active: { accounts: 1, workers: 2 },
      sharesSinceStart: { accepted: 5, rejected: 5, work: 5 },
      luck: { blocks: 7, luck: 1.25 },
      round: { effort: 0.5, work: 3 },
      storage: { state: 'ok', reason: null },
      lastBlock: { height: 100, effort: 0.5, link: `https://x.example/b/${HASH}`, reward: { coins: '50.00000000' } },
    });
    expect(info.chain.height).toBe(101);
    expect(info.chain.hashrate).toBeGreaterThan(0);
  });

  it('answers the pool from memory when the storage fails or hangs, and data with 503', async () => {
    const { pool, get } = makeApi();
    expect(poolInfo.parse((await get('/api/v1/pool')).json()).hashrate?.day).toBe(3.5);
    pool.ledgerFails = new PoolError('storage_failed', 'disk /var/lib/secret is full', { details: { reason: 'full' } });
    pool.storage = { kind: 'ledger', isOk: false, reason: 'disk secret.db is full', failure: 'full' };
    pool.clock.advance(60_000);
    const info = poolInfo.parse((await get('/api/v1/pool')).json());
    expect(info.storage).toEqual({ state: 'failing', reason: 'full' });
    expect(info.hashrate?.day).toBe(3.5);
    expect(info.statisticsMs).toBe(info.timeMs - 60_000);
    for (const path of ['/blocks', '/series', '/accounts/top', `/accounts/${ADDRESS}`, '/payments']) {
      const answer = await get(`/api/v1${path}`);
      expect(answer.statusCode).toBe(503);
      expect(problem.parse(answer.json()).code).toBe('storage_failed');
      expect(answer.body).not.toContain('secret');
      expect(answer.headers['retry-after']).toBe('5');
    }
    pool.ledgerFails = undefined;
    expect((await get('/api/v1/blocks')).statusCode).toBe(200);
  });

  it('does not wait for a storage that hangs', async () => {
    const { pool, get } = makeApi();
    if (pool.ledger !== undefined) pool.ledger = { ...pool.ledger, summary: () => new Promise(() => {}) };
    const asked = get('/api/v1/pool');
    await expect.poll(() => pool.clock.pending, { message: 'the answer waits for the storage' }).toBeGreaterThan(2);
    await pool.clock.advanceAsync(1_000);
    const info = poolInfo.parse((await asked).json());
    expect(info.hashrate).toBeNull();
    expect(info.sessions).toBe(3);
  });

  it('names the key that would bring statistics when there is no database', async () => {
    const pool = new FakePool();
    pool.ledger = undefined;
    pool.storage = { kind: 'log', isOk: true, reason: undefined, failure: undefined };
    const { get } = makeApi({}, pool);
    const answer = await get('/api/v1/blocks');
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'storage_off', detail: expect.stringContaining('storage.url') });
    expect(poolInfo.parse((await get('/api/v1/pool')).json())).toMatchObject({
      hashrate: null,
      storage: { state: 'off' },
    });
  });

  it('tells nothing of addresses, names of hosts and people behind connections', async () => {
    const { pool, get } = makeApi();
    pool.nodeReady = false;
    for (const [path] of PUBLIC_ROUTES) {
      const { body } = await get(`/api/v1${path}`);
      for (const secret of ['10.1.2.3', '18443', 'hunter2', '203.0.113.9', '4567', 'secret.example']) {
        expect(body, `${path} tells ${secret}`).not.toContain(secret);
      }
    }
    const nodes = nodesInfo.parse((await get('/api/v1/nodes')).json());
    expect(nodes.nodes).toEqual([{ name: 'node 1', up: false, detail: 'connect ECONNREFUSED (address)' }]);
    expect(nodes.reason).toBe('node 1: connect ECONNREFUSED (address)');
  });

  it('answers a thousand who ask at once with one query', async () => {
    const { pool, get } = makeApi();
    await get('/api/v1/blocks');
    pool.clock.advance(60_000);
    const before = pool.ledgerCalls;
    const answers = await Promise.all(Array.from({ length: 1000 }, () => get('/api/v1/blocks')));
    expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
    // The page, and the rounds for the efforts.
    expect(pool.ledgerCalls - before).toBe(2);
    pool.clock.advance(2_999);
    await get('/api/v1/blocks');
    expect(pool.ledgerCalls - before).toBe(2);
    pool.clock.advance(2);
    await get('/api/v1/blocks');
    expect(pool.ledgerCalls - before).toBe(3);
  });

  it('decodes the coinbase that miners work on', async () => {
    const { get } = makeApi();
    const template = templateInfo.parse((await get('/api/v1/template')).json());
    expect(template).toMatchObject({ jobId: '00000001', height: 101, nbits: '207fffff', transactions: 1 });
    expect(template.networkTarget).toBe(`7fffff${'00'.repeat(29)}`);
    const [payment, commitment] = template.variants[0]?.outputs ?? [];
    expect(payment).toMatchObject({ address: ADDRESS, kind: 'payment', amount: { coins: '50.00000000' } });
    expect(commitment).toMatchObject({ address: null, kind: 'witness-commitment', amount: { units: '0' } });
  });

  it('says when there is no job', async () => {
    const { pool, get } = makeApi();
    pool.job = undefined;
    const answer = await get('/api/v1/template');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'no_job' });
  });

  it('tells miners the host the page was opened with, unless another is configured', async () => {
    const { get } = makeApi();
    const url = async (host: string) =>
      connectInfo.parse((await get('/api/v1/connect', { host })).json()).listeners[0]?.url;
    expect(await url('pool.example:8080')).toBe('stratum+tcp://pool.example:13333');
    expect(await url('[2001:db8::1]:8080')).toBe('stratum+tcp://[2001:db8::1]:13333');
    expect(await url('evil"><script>')).toBe('stratum+tcp://localhost:13333');
    const other = makeApi({ publicHost: 'mine.example' });
    expect((await other.get('/api/v1/connect')).body).toContain('stratum+tcp://mine.example:13333');
  });

  it('has commands to paste for each kind of listener', async () => {
    const tls = { cert: 'c', key: 'k' };
    const listeners = [
      { port: 1, tls, difficulty: 5 },
      { port: 2, tls: { ...tls, only: true }, publicUrl: 'stratum+ssl://p.example:443' },
    ];
    const pool = new FakePool({ listeners, payout: { address: ADDRESS } });
    pool.addresses = [];
    const { get } = makeApi({}, pool);
    const info = connectInfo.parse((await get('/api/v1/connect')).json());
    expect(info.listeners.map(({ url }) => url)).toEqual([
      'stratum+tcp://localhost:1',
      'stratum+ssl://localhost:1',
      'stratum+ssl://p.example:443',
    ]);
    expect(info.username).toBe('rig1');
    expect(info.listeners[0]?.difficulty).toEqual({
      kind: 'fixed',
      start: 5,
      min: null,
      max: null,
      targetSeconds: null,
    });
    expect(info.listeners[2]?.difficulty.kind).toBe('vardiff');
    expect(info.listeners[0]?.commands.map(({ program }) => program)).toEqual(['bitaxe', 'cpuminer', 'cgminer']);
    expect(info.listeners[0]?.commands[1]?.text).toBe('minerd -a sha256d -o stratum+tcp://localhost:1 -u rig1 -p x');
  });

  it('knows states of workers, and accounts that are connected without a share', async () => {
    const { pool, get } = makeApi();
    pool.workers = [`${ADDRESS}.rig1`, `${ADDRESS}.gone`];
    const newcomer = pool.sessions[2];
    if (newcomer !== undefined) newcomer.workers = [{ name: 'new.rig', key: 'new' }];
    const account = accountInfo.parse((await get(`/api/v1/accounts/${ADDRESS}`)).json());
    expect(account.workers.items.map(({ worker, state, connections }) => [worker, state, connections])).toEqual([
      [`${ADDRESS}.rig1`, 'active', 1],
      [`${ADDRESS}.gone`, 'offline', 0],
    ]);
    expect(account).toMatchObject({
      connections: 2,
      donationPercent: 1.25,
      minimumPayout: { coins: '0.00100000' },
      balance: { available: { units: '-2', coins: '-0.00000002' }, paid: { coins: '4.00000000' } },
    });
    const fresh = accountInfo.parse((await get('/api/v1/accounts/new')).json());
    expect(fresh).toMatchObject({ firstMs: null, connections: 1, workerCount: 1 });
    expect(fresh.workers.items[0]).toMatchObject({ worker: 'new.rig', state: 'idle' });
    const unknown = await get('/api/v1/accounts/nobody');
    expect(unknown.statusCode).toBe(404);
    expect(unknown.json()).toMatchObject({ code: 'not_found' });
    expect((await get('/api/v1/accounts/nobody/workers/x')).statusCode).toBe(404);
    expect((await get(`/api/v1/blocks/${'f'.repeat(64)}`)).statusCode).toBe(404);
  });

  it('finds an account by its address in capitals, as QR codes have it', async () => {
    const { get, server } = makeApi();
    for (const path of ['', '/series', '/payments', '/statement']) {
      const capitals = await get(`/api/v1/accounts/${ADDRESS.toUpperCase()}${path}`);
      expect(capitals.json(), path).toEqual((await get(`/api/v1/accounts/${ADDRESS}${path}`)).json());
    }
    // What is changed there must be the account that is paid.
    const url = `/api/v1/admin/accounts/${ADDRESS.toUpperCase()}/settings`;
    const changed = await server.app.inject({ method: 'PUT', url, headers: ADMIN, payload: { isHeld: true } });
    expect(changed.json()).toMatchObject({ account: ADDRESS, isHeld: true });
  });

  it('shows no balances where nobody is owed anything', async () => {
    const pool = new FakePool({ payout: { scheme: 'solo', address: ADDRESS } });
    const { get } = makeApi({}, pool);
    const account = accountInfo.parse((await get(`/api/v1/accounts/${ADDRESS}`)).json());
    expect(account).toMatchObject({ balance: null, minimumPayout: null });
  });

  it('estimates the hashrate of a connection from its shares', async () => {
    const { pool, get } = makeApi();
    const [session] = pool.sessions;
    if (session === undefined) throw new Error('no session');
    // Difficulty 1000 every ten seconds: 1000 x 2^32 / 10 hashes per second.
    for (let i = 0; i < 360; i++) {
      pool.clock.advance(10_000);
      pool.events.safeEmit('share', { session, difficulty: 1000, timeMs: pool.clock.now() });
    }
    pool.events.safeEmit('rejected', { session, difficulty: 1000, timeMs: pool.clock.now() });
    const { items } = minerPage.parse((await get('/api/v1/miners')).json());
    expect(items[0]).toMatchObject({ session: 1, accepted: 360, rejected: 1, lastShareMs: pool.clock.now() });
    expect((items[0]?.hashrate ?? 0) / ((1000 * 2 ** 32) / 10)).toBeCloseTo(1, 1);
    expect(items[1]).toMatchObject({ hashrate: 0, lastShareMs: null, accepted: 0 });
  });

  it('escapes what miners call themselves', async () => {
    const { pool, get } = makeApi();
    const evil = '<script>alert("1")</script>\n\u2028';
    const [session] = pool.sessions;
    if (session !== undefined) {
      session.agent = evil;
      session.workers = [{ name: evil, key: evil }];
    }
    const answer = await get('/api/v1/miners');
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(minerPage.parse(answer.json()).items[0]).toMatchObject({ worker: evil, agent: evil });
    const page = await get(`/api/v1/accounts/${encodeURIComponent(evil)}`);
    expect(accountInfo.parse(page.json()).account).toBe(evil);
  });
});
