import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PayoutPlan, Payouts } from '@headframe/payouts';
import { PoolError } from '@headframe/primitives';
import { RecordingLogger } from '@headframe/primitives/testing';
import { describe, expect, it, vi } from 'vitest';
import {
  adminPayment,
  adminSessionPage,
  ban,
  banList,
  payoutPlan,
  payoutStatus,
  reconcileReport,
  settingsAnswer,
} from '../src/schemas/admin.js';
import { ADDRESS, FakePool, paymentRecord, START_MS } from './fake-pool.js';
import { ADMIN, makeApi, TOKEN } from './support.js';

const timing = vi.hoisted(() => ({ compared: 0 }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (a: NodeJS.ArrayBufferView, b: NodeJS.ArrayBufferView) => {
      timing.compared++;
      return crypto.timingSafeEqual(a, b);
    },
  };
});

const ROUTES: readonly (readonly ['GET' | 'POST' | 'PUT' | 'DELETE', string])[] = [
  ['GET', '/sessions'],
  ['DELETE', '/sessions/1'],
  ['PUT', '/sessions/1/difficulty'],
  ['GET', '/bans'],
  ['POST', '/bans'],
  ['DELETE', '/bans?scope=address&key=1.2.3.4'],
  ['POST', '/payouts/p1/settle'],
  ['GET', '/storage'],
  ['POST', '/pause'],
  ['POST', '/resume'],
  ['POST', '/template'],
  ['POST', '/reconnect'],
  ['POST', '/notify'],
  ['GET', '/payouts'],
  ['POST', '/payouts/run'],
  ['POST', '/payouts/reconcile'],
  ['POST', '/payouts/p1/approve'],
  ['POST', '/payouts/p1/cancel'],
  ['GET', `/accounts/${ADDRESS}/settings`],
  ['PUT', `/accounts/${ADDRESS}/settings`],
  ['PUT', '/log-level'],
  ['POST', '/reload'],
];
const at = (path: string): string => `/api/v1/admin${path}`;

function fakePayouts(): Payouts {
  const wallet = { isReady: true, reason: undefined, spendable: 9n };
  const plan: PayoutPlan = {
    payments: [{ id: undefined, parts: [{ account: 'a', address: ADDRESS, amount: 7n }], total: 7n }],
    skipped: [{ account: 'b', amount: 1n, reason: 'below its minimum' }],
    total: 7n,
    wallet,
  };
  return {
    start: () => {},
    plan: async () => plan,
    run: async () => plan,
    approve: async (id) => {
      if (id === 'p9') throw new PoolError('not_found', 'no payment p9');
      if (id === 'p8') throw new PoolError('conflict', 'p8 does not wait for approval');
      return paymentRecord(id, 'approved');
    },
    cancel: async (id, reason) => ({ ...paymentRecord(id, 'cancelled'), reason }),
    settle: async (id, to, reason) => ({ ...paymentRecord(id, to), reason }),
    reconcile: async () => ({ checked: 2, changed: [{ id: 'p1', from: 'sent', to: 'confirmed', reason: undefined }] }),
    status: async () => ({
      wallet,
      lastRunMs: undefined,
      nextRunMs: START_MS,
      waiting: 1,
      underWay: 2,
      lastError: undefined,
    }),
    close: async () => {},
  };
}

describe('the admin token', () => {
  it.each(ROUTES)('%s %s does not exist without one', async (method, path) => {
    const { server } = makeApi({ adminToken: undefined });
    for (const headers of [{}, ADMIN]) {
      const answer = await server.app.inject({ method, url: at(path), headers });
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toMatchObject({ code: 'not_found' });
    }
  });

  it.each(ROUTES)('%s %s needs it', async (method, path) => {
    const { pool, server } = makeApi();
    const wrong = ['', 'Bearer', 'Bearer ', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, TOKEN];
    for (const authorization of [undefined, ...wrong]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await server.app.inject({ method, url: at(path), headers });
      expect(answer.statusCode, String(authorization)).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
      expect(answer.json()).toMatchObject({ code: 'unauthorized' });
    }
    expect(pool.sessions.every(({ closed, sent }) => !closed && sent.length === 0)).toBe(true);
  });

  it('compares by digest in constant time, also when nothing was given', async () => {
    const { server } = makeApi();
    timing.compared = 0;
    await server.app.inject({ url: at('/bans') });
    await server.app.inject({ url: at('/bans'), headers: { authorization: 'Bearer x' } });
    await server.app.inject({ url: at('/bans'), headers: ADMIN });
    expect(timing.compared).toBe(3);
  });

  it('is not listened to for a minute after ten failures of an address', async () => {
    const { pool, server } = makeApi();
    const ask = async (headers: Record<string, string>, remoteAddress: string) =>
      (await server.app.inject({ url: at('/bans'), headers, remoteAddress })).statusCode;
    for (let i = 0; i < 10; i++) expect(await ask({ authorization: 'Bearer wrong' }, '192.0.2.1')).toBe(401);
    expect(await ask({ authorization: 'Bearer wrong' }, '192.0.2.1')).toBe(429);
    expect(await ask(ADMIN, '192.0.2.1')).toBe(429);
    expect(await ask(ADMIN, '192.0.2.2')).toBe(200);
    pool.clock.advance(60_001);
    expect(await ask(ADMIN, '192.0.2.1')).toBe(200);
  });

  it('comes from a file, and must be long enough', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headframe-http-'));
    try {
      const file = join(folder, 'token');
      writeFileSync(file, `${TOKEN}\n`);
      makeApi({ adminToken: undefined, adminTokenFile: file });
      writeFileSync(file, 'short\n');
      expect(() => makeApi({ adminToken: undefined, adminTokenFile: file })).toThrow('at least 16 characters');
      expect(() => makeApi({ adminToken: undefined, adminTokenFile: join(folder, 'none') })).toThrow('cannot be read');
      expect(() => makeApi({ adminToken: 'correct horse battery' })).toThrow('without spaces');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('admin routes', () => {
  it('lists sessions with their addresses, closes one, and sets a difficulty', async () => {
    const { pool, server, send } = makeApi();
    const page = adminSessionPage.parse(
      (await server.app.inject({ url: at('/sessions?limit=2'), headers: ADMIN })).json(),
    );
    expect(page.items.map(({ session, remoteAddress }) => [session, remoteAddress])).toEqual([
      [1, '203.0.113.9'],
      [2, '203.0.113.9'],
    ]);
    expect(page.next).toBe('2');
    const changed = await send('PUT', at('/sessions/2/difficulty'), { difficulty: 5000 });
    expect(changed.json()).toEqual({ session: 2, difficulty: 1000 });
    expect((await send('DELETE', at('/sessions/2'))).json()).toEqual({ done: true });
    expect(pool.sessions[1]?.closed).toBe(true);
    expect((await send('DELETE', at('/sessions/2'))).statusCode).toBe(404);
    expect((await send('DELETE', at('/sessions/x'))).statusCode).toBe(400);
    expect((await send('PUT', at('/sessions/1/difficulty'), { difficulty: -1 })).statusCode).toBe(400);
  });

  it('bans and unbans', async () => {
    const { pool, server, send } = makeApi();
    const made = await send('POST', at('/bans'), { scope: 'account', key: 'evil', seconds: 60, reason: 'spam' });
    expect(ban.parse(made.json())).toMatchObject({ key: 'evil', reason: 'spam', untilMs: pool.clock.now() + 60_000 });
    const list = banList.parse((await server.app.inject({ url: at('/bans'), headers: ADMIN })).json());
    expect(list.items).toHaveLength(1);
    expect((await send('DELETE', at('/bans?scope=account&key=evil'))).statusCode).toBe(200);
    expect((await send('DELETE', at('/bans?scope=account&key=evil'))).statusCode).toBe(404);
    expect((await send('POST', at('/bans'), { scope: 'session', key: '1' })).statusCode).toBe(400);
    expect((await send('POST', at('/bans'), { scope: 'account', key: 'evil', typo: 1 })).statusCode).toBe(400);
  });

  it('pauses, resumes, and asks for a template', async () => {
    const { pool, get, send } = makeApi();
    expect((await get('/api/v1/pool')).json()).toMatchObject({ isPaused: false });
    expect((await send('POST', at('/pause'))).json()).toEqual({ isPaused: true });
    expect((await get('/api/v1/pool')).json()).toMatchObject({ isPaused: true });
    expect((await send('POST', at('/resume'), {})).json()).toEqual({ isPaused: false });
    expect((await send('POST', at('/template'))).statusCode).toBe(200);
    expect(pool.refreshed).toBe(1);
  });

  it('talks to miners', async () => {
    const { pool, send } = makeApi();
    expect((await send('POST', at('/notify'), { text: 'hello' })).json()).toEqual({ sessions: 3 });
    expect(pool.sessions[0]?.sent).toEqual([['client.show_message', ['hello']]]);
    expect((await send('POST', at('/reconnect'), { session: 1, host: 'x.example', port: 1 })).json()).toEqual({
      sessions: 1,
    });
    expect(pool.sessions[0]?.sent.at(-1)).toEqual(['client.reconnect', ['x.example']]);
    expect((await send('POST', at('/reconnect'), {})).json()).toEqual({ sessions: 3 });
    expect((await send('POST', at('/reconnect'), { host: 'x.example' })).statusCode).toBe(400);
    expect((await send('POST', at('/reconnect'), { host: 'a\r\nb', port: 1 })).statusCode).toBe(400);
  });

  it('shows, runs, approves and cancels payments', async () => {
    const pool = new FakePool();
    pool.payouts = fakePayouts();
    const { server, send } = makeApi({}, pool);
    const status = payoutStatus.parse((await server.app.inject({ url: at('/payouts'), headers: ADMIN })).json());
    expect(status).toMatchObject({ waiting: 1, underWay: 2, plan: { total: { units: '7' } } });
    expect(status.open).toHaveLength(5);
    expect(payoutPlan.parse((await send('POST', at('/payouts/run'))).json()).payments[0]?.id).toBeNull();
    expect(adminPayment.parse((await send('POST', at('/payouts/p1/approve'))).json()).status).toBe('approved');
    const cancelled = adminPayment.parse((await send('POST', at('/payouts/p1/cancel'), { reason: 'oops' })).json());
    expect(cancelled).toMatchObject({ status: 'cancelled', reason: 'oops', outputs: 1, total: { units: '7' } });
    expect(adminPayment.parse((await send('POST', at('/payouts/p1/cancel'))).json()).reason).toBe('by hand');
    const settled = await send('POST', at('/payouts/p1/settle'), { to: 'failed', reason: 'nobody was paid' });
    expect(adminPayment.parse(settled.json())).toMatchObject({ status: 'failed', reason: 'nobody was paid' });
    for (const body of [{}, { to: 'failed' }, { to: 'cancelled', reason: 'x' }, { to: 'failed', reason: '' }]) {
      expect((await send('POST', at('/payouts/p1/settle'), body)).statusCode, JSON.stringify(body)).toBe(400);
    }
    expect(reconcileReport.parse((await send('POST', at('/payouts/reconcile'))).json()).checked).toBe(2);
    const missing = await send('POST', at('/payouts/p9/approve'));
    expect([missing.statusCode, missing.json().code]).toEqual([404, 'not_found']);
    const conflict = await send('POST', at('/payouts/p8/approve'));
    expect([conflict.statusCode, conflict.json().code]).toEqual([409, 'conflict']);
  });

  it('tells the operator all of what is wrong with the storage', async () => {
    const { pool, server } = makeApi();
    const storage = async () => (await server.app.inject({ url: at('/storage'), headers: ADMIN })).json();
    expect(await storage()).toEqual({ kind: 'ledger', isOk: true, failure: null, reason: null });
    pool.storage = { kind: 'ledger', isOk: false, reason: 'cannot open /var/lib/pool.db', failure: 'unavailable' };
    expect(await storage()).toMatchObject({ failure: 'unavailable', reason: 'cannot open /var/lib/pool.db' });
  });

  it('says which key brings payments', async () => {
    const { send } = makeApi();
    const answer = await send('POST', at('/payouts/run'));
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'payments_off', detail: expect.stringContaining('payout.payments') });
  });

  it('changes settings of an account', async () => {
    const { pool, send } = makeApi();
    const url = at(`/accounts/${ADDRESS}/settings`);
    const changed = await send('PUT', url, { minimumPayout: '0.5', donationPercent: 2.5, isHeld: true });
    expect(settingsAnswer.parse(changed.json())).toMatchObject({
      address: ADDRESS,
      minimumPayout: { units: '50000000' },
      donationPercent: 2.5,
      isHeld: true,
    });
    expect(pool.settings.donationPpm).toBe(25_000);
    expect((await send('PUT', url, { minimumPayout: null })).json()).toMatchObject({
      minimumPayout: null,
      isHeld: true,
    });
    const refused: readonly (readonly [object, string])[] = [
      [{ address: 'nonsense' }, 'invalid_address'],
      [{ address: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa' }, 'wrong_network'],
      [{ minimumPayout: '0.000000001' }, 'invalid_argument'],
      [{ minimumPayout: 'a lot' }, 'invalid_request'],
      [{ donationPercent: 0.00001 }, 'invalid_argument'],
      [{ donationPercent: 101 }, 'invalid_request'],
      [{ donation: 1 }, 'invalid_request'],
    ];
    for (const [body, code] of refused) {
      const answer = await send('PUT', url, body);
      expect([answer.statusCode, answer.json().code], JSON.stringify(body)).toEqual([400, code]);
    }
  });

  it('changes the log level, where the logger has one', async () => {
    const pool = new FakePool();
    const { send } = makeApi({}, pool);
    expect((await send('PUT', at('/log-level'), { level: 'debug' })).statusCode).toBe(501);
    const log = Object.assign(new RecordingLogger(), { level: 'info' });
    pool.log = log;
    expect((await send('PUT', at('/log-level'), { level: 'debug' })).json()).toEqual({ level: 'debug' });
    expect(log.level).toBe('debug');
    expect((await send('PUT', at('/log-level'), { level: 'loud' })).statusCode).toBe(400);
  });

  it('reloads the configuration', async () => {
    expect((await makeApi().send('POST', at('/reload'))).statusCode).toBe(501);
    const reload = vi.fn(async () => ({ applied: ['bans'], needsRestart: ['coin'] }));
    expect((await makeApi({ reload }).send('POST', at('/reload'))).json()).toEqual({
      applied: ['bans'],
      needsRestart: ['coin'],
    });
    const broken = await makeApi({
      reload: () => Promise.reject(new PoolError('invalid_config', 'coin: no such')),
    }).send('POST', at('/reload'));
    expect([broken.statusCode, broken.json()]).toEqual([422, expect.objectContaining({ detail: 'coin: no such' })]);
  });
});
