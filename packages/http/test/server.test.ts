import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PoolError } from '@headframe/primitives';
import { RecordingLogger } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHttpServer } from '../src/index.js';
import { problem } from '../src/schemas/common.js';
import { ADDRESS, FakePool } from './fake-pool.js';
import { ADMIN, makeApi } from './support.js';

describe('errors', () => {
  it('are problems, for whatever is not there', async () => {
    const { server } = makeApi();
    for (const [method, url] of [
      ['GET', '/api/v1/nothing'],
      ['POST', '/api/v1/pool'],
      ['GET', '/nothing'],
      ['GET', '/'],
      ['DELETE', '/api/v1/blocks'],
    ] as const) {
      const answer = await server.app.inject({ method, url });
      expect(answer.statusCode).toBe(404);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(problem.parse(answer.json()).code).toBe('not_found');
    }
  });

  it('tell what is wrong with a request', async () => {
    const { get, server } = makeApi();
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'limit=1&limit=2', 'after=x', `after=${'1'.repeat(201)}`]) {
      const answer = await get(`/api/v1/blocks?${query}`);
      expect([answer.statusCode, answer.json().status], query).toEqual([400, 400]);
    }
    expect((await get('/api/v1/series?from=2&to=1')).json()).toMatchObject({ code: 'invalid_request' });
    expect((await get('/api/v1/series?resolution=day')).statusCode).toBe(400);
    expect((await get('/api/v1/blocks/xyz')).json().detail).toContain('64 lower-case hex digits');
    const body = await server.app.inject({
      method: 'POST',
      url: '/api/v1/admin/bans',
      headers: { ...ADMIN, 'content-type': 'application/json' },
      payload: '{"scope":',
    });
    expect([body.statusCode, body.json().code]).toEqual([400, 'invalid_request']);
    const large = await server.app.inject({
      method: 'POST',
      url: '/api/v1/admin/notify',
      headers: ADMIN,
      payload: { text: 'x'.repeat(70_000) },
    });
    expect([large.statusCode, large.json().code]).toEqual([413, 'body_too_large']);
    for (const url of [`/api/v1/pool?x=${'y'.repeat(2100)}`, `/api/v1/accounts/${'y'.repeat(301)}`]) {
      const long = await get(url);
      expect([long.statusCode, long.json().code]).toEqual([414, 'url_too_long']);
    }
    expect((await get('/api/v1/accounts/%zz')).statusCode).toBe(400);
  });

  it('hide what went wrong inside, and log it', async () => {
    const log = new RecordingLogger();
    const pool = new FakePool();
    const { get } = makeApi({}, pool, { log });
    pool.ledgerFails = new Error('SELECT secret FROM /var/lib/pool.db');
    const answer = await get('/api/v1/blocks');
    expect(answer.statusCode).toBe(500);
    expect(problem.parse(answer.json())).toMatchObject({ code: 'internal', title: 'Internal Server Error' });
    expect(answer.body).not.toContain('secret');
    expect(log.messages('error')).toEqual(['a request failed']);
    pool.ledgerFails = new PoolError('rpc_unavailable', 'connect ECONNREFUSED 10.0.0.1');
    const gateway = await get('/api/v1/blocks');
    expect([gateway.statusCode, gateway.json().code]).toEqual([502, 'rpc_unavailable']);
    expect(gateway.body).not.toContain('10.0.0.1');
  });

  it('never become a 500 by what is asked', async () => {
    const { server } = makeApi({ rateLimit: 1_000_000 });
    const prefixes = [
      '',
      '/api/v1',
      '/api/v1/blocks',
      '/api/v1/accounts',
      '/api/v1/series',
      '/api/v1/miners',
      '/api/v1/admin/sessions',
    ];
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom(
        '..',
        '%2e%2e',
        '%00',
        '%ff',
        '__proto__',
        'constructor',
        '-1',
        '1e999',
        'NaN',
        'limit',
        'after',
        ADDRESS,
      ),
    );
    const path = fc
      .tuple(
        fc.constantFrom(...prefixes),
        fc.array(piece, { maxLength: 3 }),
        fc.array(fc.tuple(piece, piece), { maxLength: 3 }),
      )
      .map(([prefix, parts, query]) => {
        const encode = (text: string) => (text.startsWith('%') ? text : encodeURIComponent(text));
        const tail = parts.map((part) => `/${encode(part)}`).join('');
        const asked = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
        return `${prefix}${tail}${asked === '' ? '' : `?${asked}`}` || '/';
      });
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(method, path, fc.option(fc.json(), { nil: undefined }), async (verb, url, payload) => {
        if (url.startsWith('/api/v1/events')) return;
        const answer = await server.app.inject({
          method: verb as 'GET',
          url,
          headers: { ...ADMIN, 'content-type': 'application/json' },
          ...(payload === undefined || verb === 'GET' || verb === 'HEAD' ? {} : { payload }),
        });
        expect(answer.statusCode, `${verb} ${url}`).toBeLessThan(500);
      }),
      { numRuns: 400 },
    );
  });
});

describe('pages', () => {
  it('put together are the whole list, whatever the limit', async () => {
    const { pool, get } = makeApi();
    const lists = [
      ['/blocks', (item: { hash: string }) => item.hash, () => pool.blocks.map(({ hash }) => hash)],
      ['/payments', (item: { id: string }) => item.id, () => pool.payments.map(({ id }) => id)],
      ['/miners', (item: { session: number }) => item.session, () => pool.sessions.map(({ id }) => id)],
      [
        `/accounts/${ADDRESS}/statement`,
        (item: { key: string }) => item.key,
        () => pool.statement.map(({ key }) => key),
      ],
      [`/accounts/${ADDRESS}/payments`, (item: { id: string }) => item.id, () => pool.payments.map(({ id }) => id)],
    ] as const;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...lists), fc.integer({ min: 1, max: 9 }), async ([path, key, all], limit) => {
        const found: unknown[] = [];
        let after = '';
        for (let pages = 0; ; pages++) {
          expect(pages, 'pages come to an end').toBeLessThan(20);
          const page = (await get(`/api/v1${path}?limit=${limit}${after}`)).json();
          expect(page.items.length).toBeLessThanOrEqual(limit);
          for (const item of page.items) found.push(key(item as never));
          if (page.next === null) break;
          after = `&after=${encodeURIComponent(page.next)}`;
        }
        expect(found).toEqual(all());
      }),
      { numRuns: 40 },
    );
  });

  it('of workers go on where the one before ended', async () => {
    const { pool, get } = makeApi();
    const first = (await get(`/api/v1/accounts/${ADDRESS}?limit=3`)).json();
    const second = (await get(`/api/v1/accounts/${ADDRESS}?limit=3&after=${first.workers.next}`)).json();
    const names = [...first.workers.items, ...second.workers.items].map(({ worker }) => worker);
    expect(names).toEqual(pool.workers);
    expect(second.workers.next).toBeNull();
  });
});

describe('limits', () => {
  it('count requests by address, and IPv6 by /64', async () => {
    const { server } = makeApi({ rateLimit: 3 });
    const ask = (remoteAddress: string, url = '/api/v1/pool') => server.app.inject({ url, remoteAddress });
    for (let i = 0; i < 3; i++) expect((await ask('2001:db8::1')).statusCode).toBe(200);
    const refused = await ask('2001:db8::ffff:2');
    expect([refused.statusCode, refused.json().code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('2001:db8:0:1::1')).statusCode).toBe(200);
    for (let i = 0; i < 3; i++) expect((await ask('192.0.2.1', '/nothing')).statusCode).toBe(404);
    expect((await ask('192.0.2.1', '/nothing')).statusCode).toBe(429);
    expect((await ask('192.0.2.1', '/healthz')).statusCode).toBe(200);
  });

  it('believe X-Forwarded-For of trusted proxies only', async () => {
    const { server } = makeApi({ rateLimit: 1, trustedProxies: ['10.0.0.0/8'] });
    const ask = async (remoteAddress: string, forwarded: string) => {
      const headers = { 'x-forwarded-for': forwarded };
      return (await server.app.inject({ url: '/api/v1/coin', remoteAddress, headers })).statusCode;
    };
    expect(await ask('10.1.1.1', '192.0.2.1')).toBe(200);
    expect(await ask('10.1.1.1', '192.0.2.2')).toBe(200);
    expect(await ask('10.1.1.1', '192.0.2.2')).toBe(429);
    // What the client itself wrote stands further left.
    expect(await ask('10.1.1.1', '198.51.100.1, 192.0.2.2')).toBe(429);
    expect(await ask('203.0.113.5', '192.0.2.7')).toBe(200);
    expect(await ask('203.0.113.5', '192.0.2.8')).toBe(429);
    expect(() => makeApi({ trustedProxies: ['10.0.0.0/99'] })).toThrow('10.0.0.0/99');
  });

  it('turn away who opens too many connections', async () => {
    const pool = new FakePool();
    const server = createHttpServer(pool, { port: 0, limits: { connectionsPerAddress: 2 } });
    try {
      await server.start();
      const { port } = new URL(server.url ?? '');
      const sockets = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const socket = connect(Number(port), '127.0.0.1');
          socket.on('error', () => {});
          await new Promise((resolve) => socket.once('connect', resolve));
          return socket;
        }),
      );
      await expect.poll(() => sockets.filter(({ closed }) => closed).length, { message: 'one is closed' }).toBe(1);
      for (const socket of sockets) socket.destroy();
    } finally {
      await server.close();
    }
  });

  it('answer a problem to what is no HTTP', async () => {
    const server = createHttpServer(new FakePool(), { port: 0 });
    try {
      await server.start();
      const socket = connect(Number(new URL(server.url ?? '').port), '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      socket.write('{"id":1,"method":"mining.subscribe"}\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve));
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain('"code":"invalid_request"');
    } finally {
      await server.close();
    }
  });
});

describe('headers', () => {
  it('let only the server itself be loaded, and nothing be sniffed or framed', async () => {
    const { get } = makeApi();
    const { headers } = await get('/api/v1/pool');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-frame-options']).toBeDefined();
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('open the public routes to configured origins', async () => {
    const origin = 'https://page.example';
    const { get, server } = makeApi({ cors: [origin] });
    expect((await get('/api/v1/pool', { origin })).headers['access-control-allow-origin']).toBe(origin);
    const other = await get('/api/v1/pool', { origin: 'https://evil.example' });
    expect(other.headers['access-control-allow-origin']).not.toBe('https://evil.example');
    const preflight = await server.app.inject({
      method: 'OPTIONS',
      url: '/api/v1/admin/pause',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    expect(preflight.headers['access-control-allow-methods']).toBe('GET, HEAD');
    expect(String(preflight.headers['access-control-allow-headers'])).not.toContain('authorization');
    expect(
      (await makeApi({ cors: ['*'] }).get('/api/v1/pool', { origin })).headers['access-control-allow-origin'],
    ).toBe('*');
  });
});

describe('health', () => {
  it('is alive always, and ready with node, job and storage', async () => {
    const { pool, get } = makeApi();
    const ready = async () => {
      const { statusCode, body } = await get('/readyz');
      return [statusCode, body];
    };
    expect(await ready()).toEqual([200, 'ok\n']);
    pool.nodeReady = false;
    expect(await ready()).toEqual([503, 'node: node 1: connect ECONNREFUSED (address)\n']);
    pool.nodeReady = true;
    pool.job = undefined;
    pool.storage = { kind: 'ledger', isOk: false, reason: '/secret/pool.db: disk full', failure: 'full' };
    expect(await ready()).toEqual([503, 'job: there is none yet\nstorage: full\n']);
    expect((await get('/healthz')).statusCode).toBe(200);
  });

  it('is ready only when the owner of the pool says so too', async () => {
    const { pool, get } = makeApi();
    const problems: string[] = [];
    Object.assign(pool, { readiness: { problems } });
    expect((await get('/readyz')).statusCode).toBe(200);
    problems.push('warm-up: the cache is loading');
    const { statusCode, body } = await get('/readyz');
    expect([statusCode, body]).toEqual([503, 'warm-up: the cache is loading\n']);
  });

  it('makes the metrics twice a second at most, however often they are asked for', async () => {
    let made = 0;
    const createMetrics = () => ({
      contentType: 'text/plain',
      render: async () => `made ${++made}\n`,
      observeRequest: () => {},
    });
    const { get, pool } = makeApi({}, new FakePool(), { createMetrics });
    const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await get('/metrics')).body));
    expect(new Set(bodies)).toEqual(new Set(['made 1\n']));
    pool.clock.advance(500);
    expect((await get('/metrics')).body).toBe('made 2\n');
  });

  it('serves metrics to everybody, to the operator, or to nobody', async () => {
    const observed: unknown[] = [];
    const createMetrics = () => ({
      contentType: 'text/plain; version=0.0.4',
      render: async () => 'up 1\n',
      observeRequest: (...what: unknown[]) => observed.push(what.slice(0, 3)),
    });
    const open = await makeApi({}, new FakePool(), { createMetrics }).get('/metrics');
    expect([open.statusCode, open.body, open.headers['content-type']]).toEqual([
      200,
      'up 1\n',
      'text/plain; version=0.0.4',
    ]);
    expect(observed).toEqual([['/metrics', 'GET', 200]]);
    const admin = makeApi({ metrics: 'admin' }, new FakePool(), { createMetrics });
    expect((await admin.get('/metrics')).statusCode).toBe(401);
    expect((await admin.get('/metrics', ADMIN)).statusCode).toBe(200);
    expect((await makeApi({ metrics: 'off' }, new FakePool(), { createMetrics }).get('/metrics')).statusCode).toBe(404);
  });
});

describe('the dashboard', () => {
  it('is served with its files, its paths lead to the one page, and hashed files have lasting caches', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headframe-page-'));
    try {
      expect(() => makeApi({ dashboardFolder: folder })).toThrow('not built');
      writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
      mkdirSync(join(folder, 'assets'));
      writeFileSync(join(folder, 'assets', 'main-abc123.js'), 'export {};');
      writeFileSync(join(folder, '.secret'), 'no');
      const { get } = makeApi({ dashboardFolder: folder });
      const accept = { accept: 'text/html,*/*' };
      for (const path of ['/', '/index.html']) {
        const page = await get(path, accept);
        expect([page.statusCode, page.body], path).toEqual([200, '<!doctype html><title>page</title>']);
        expect(page.headers['cache-control']).toBe('no-cache');
        expect(page.headers['content-type']).toContain('text/html');
      }
      // The page has its places behind `#`: opened anywhere else it would not find its own files.
      const places = [
        ['/blocks', '/#/blocks'],
        ['/blocks/?x=1#y', '/#/blocks/'],
        [`/accounts/${ADDRESS}`, `/#/accounts/${ADDRESS}`],
        [`/accounts/${ADDRESS}/workers/a.b%20c`, `/#/accounts/${ADDRESS}/workers/a.b%20c`],
        ['//evil.example/x', '/#//evil.example/x'],
      ] as const;
      for (const [path, place] of places) {
        const lead = await get(path, accept);
        expect(lead.statusCode, path).toBe(302);
        for (const base of ['http://pool.example', 'http://pool.example/behind/a/proxy']) {
          expect(new URL(String(lead.headers.location), `${base}${path}`).href).toBe(`${base}${place}`);
        }
      }
      const asset = await get('/assets/main-abc123.js');
      expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(asset.headers['content-type']).toContain('javascript');
      expect((await get('/assets/gone.js', accept)).statusCode).toBe(404);
      expect((await get('/api/v1/nothing', accept)).statusCode).toBe(404);
      expect((await get('/.secret')).statusCode).toBe(404);
      expect((await get('/..%2f..%2fetc%2fpasswd')).statusCode).toBeGreaterThanOrEqual(400);
      expect((await makeApi({ dashboardFolder: folder, dashboard: false }).get('/', accept)).statusCode).toBe(404);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('start', () => {
  it('says when the port is taken', async () => {
    const first = createHttpServer(new FakePool(), { port: 0 });
    try {
      await first.start();
      const port = Number(new URL(first.url ?? '').port);
      const second = createHttpServer(new FakePool(), { port });
      await expect(second.start()).rejects.toMatchObject({ code: 'listen_failed' });
      await second.close();
    } finally {
      await first.close();
      await first.close();
    }
  });
});
