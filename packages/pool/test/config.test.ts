import { isPoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { checkConfig, parseConfig } from '../src/config/problems.js';
import { applyEnvironment } from '../src/env.js';
import { setUp } from '../src/setup.js';
import { ledgerUrl } from '../src/storage.js';

const minimal = {
  coin: 'bitcoin',
  network: 'regtest',
  daemons: [{ url: 'http://127.0.0.1:18443', user: 'u', password: 'secret-word' }],
  payout: { scheme: 'solo', address: 'bcrt1qq' },
  listeners: [{ host: '127.0.0.1', port: 3333, difficulty: 0.001 }],
};

function problems(value: unknown): Record<string, string> {
  const result = checkConfig(value);
  return 'problems' in result ? Object.fromEntries(result.problems.map((p) => [p.path, p.message])) : {};
}

describe('configuration', () => {
  it('fills in defaults', () => {
    const config = parseConfig(minimal);
    expect(config.validation).toBe('auto');
    expect(config.jobs.keepAlive).toBe(30);
    expect(config.listeners[0]?.extranonce2Size).toBe(8);
    expect(config.shareLog.keepFiles).toBe(0);
  });

  it('names each problem with its path, what was found and what is allowed', () => {
    const found = problems({
      ...minimal,
      listeners: [{ port: 70000 }, { port: 1, difficulty: -1 }],
      validation: 'fast',
      colour: 1,
    });
    expect(found['listeners[0].port']).toMatch(/65535.*found 70000/);
    expect(found['listeners[1].difficulty']).toMatch(/found -1/);
    expect(found.validation).toMatch(/inline.*threads.*auto.*found "fast"/s);
    expect(found.colour).toMatch(/not a known key/);
  });

  it('knows its limits by name', () => {
    expect(parseConfig({ ...minimal, limits: { lineBytes: 4096, leases: 10 } }).limits).toEqual({
      lineBytes: 4096,
      leases: 10,
    });
    // How long a lease lasts is `leaseSeconds`: two keys for one thing would contradict each other.
    const found = problems({ ...minimal, limits: { lineByte: 4096, leaseMs: 1, idleTimeoutMs: -1 } });
    expect(Object.keys(found).sort()).toEqual(['limits.idleTimeoutMs', 'limits.leaseMs', 'limits.lineByte']);
  });

  it('keeps the ledger in the data folder by default, and serves HTTP only when asked', () => {
    const config = parseConfig({ ...minimal, dataFolder: '/srv/pool' });
    expect(ledgerUrl(config)).toBe('sqlite:/srv/pool/pool.db');
    expect(config.storage.commit).toBe('durable');
    expect(config.api).toBeUndefined();
    expect(ledgerUrl(parseConfig({ ...minimal, storage: { url: 'log:' } }))).toBeUndefined();
    expect(parseConfig({ ...minimal, api: {} }).api).toMatchObject({ host: '127.0.0.1', port: 8080, dashboard: true });
  });

  it('refuses storage, links and payments that make no sense', () => {
    expect(problems({ ...minimal, storage: { url: 'mysql://x' } })['storage.url']).toMatch(/sqlite:FILE/);
    const api = { explorer: { block: 'https://x/', address: 'javascript:alert(1)//{address}' }, adminToken: 'short' };
    const found = problems({ ...minimal, api });
    expect(found['api.explorer.block']).toMatch(/\{hash\}/);
    expect(found['api.explorer.address']).toMatch(/http/);
    expect(found['api.adminToken']).toMatch(/16/);
    const split = { scheme: 'coinbase-split', address: 'bcrt1qq', payments: {} };
    expect(problems({ ...minimal, payout: split })['payout.payments']).toMatch(/coinbase-split/);
    const float = { scheme: 'pplns', address: 'bcrt1qq', payments: { minimum: 0.001 } };
    expect(problems({ ...minimal, payout: float })['payout.payments.minimum']).toBeDefined();
  });

  it('never shows a secret', () => {
    const found = problems({ ...minimal, daemons: [{ url: 'http://127.0.0.1:1', password: 12345 }] });
    expect(found['daemons[0].password']).toBeDefined();
    expect(JSON.stringify(found)).not.toContain('12345');
    const wallet = { password: 'pass-1', passphrase: 'pass-2' };
    const more = problems({
      ...minimal,
      payout: { scheme: 'coinbase-split', address: 'bcrt1qq', payments: { wallet } },
      storage: { url: 'mysql://pool:pass-3@db/pool' },
      api: { adminToken: 'pass-4', adminTokenFile: 7 },
    });
    expect(Object.keys(more).sort()).toEqual([
      'api.adminToken',
      'api.adminTokenFile',
      'payout.payments',
      'storage.url',
    ]);
    expect(JSON.stringify(more)).not.toContain('pass-');
  });

  it('throws one error with all problems', () => {
    try {
      parseConfig({});
      expect.unreachable();
    } catch (error) {
      expect(isPoolError(error, 'invalid_config')).toBe(true);
      if (isPoolError(error)) {
        expect(error.message).toMatch(/daemons/);
        expect(error.message).toMatch(/payout/);
        expect(error.message).toMatch(/listeners/);
      }
    }
  });
});

describe('environment', () => {
  it('sets any key, lists by number and capitals by one underscore', () => {
    const result = applyEnvironment(minimal, {
      HEADFRAME_LISTENERS__0__PORT: '4444',
      HEADFRAME_LISTENERS__1__PORT: '4445',
      HEADFRAME_PAYOUT__ADDRESS: 'bcrt1other',
      HEADFRAME_DATA_FOLDER: '/tmp/x',
      HEADFRAME_DAEMONS__0__PASSWORD: 'from-env',
      HEADFRAME_JOBS: '{"keepAlive": 11}',
      HEADFRAME_REQUIRE_SERVICES: '1',
      OTHER: 'x',
    });
    const config = parseConfig(result);
    expect(config.listeners.map((l) => l.port)).toEqual([4444, 4445]);
    expect(config.listeners[0]?.difficulty).toBe(0.001);
    expect(config.payout.address).toBe('bcrt1other');
    expect(config.dataFolder).toBe('/tmp/x');
    expect(config.daemons[0]?.password).toBe('from-env');
    expect(config.jobs.keepAlive).toBe(11);
    expect(minimal.listeners[0]?.port).toBe(3333);
  });

  it('makes a whole configuration out of nothing', () => {
    const result = applyEnvironment(undefined, {
      HEADFRAME_DAEMONS__0__URL: 'http://127.0.0.1:1',
      HEADFRAME_LISTENERS__0__PORT: '0',
      HEADFRAME_PAYOUT__ADDRESS: 'a',
    });
    expect(parseConfig(result).daemons[0]?.url).toBe('http://127.0.0.1:1');
  });

  it('does not reach into prototypes', () => {
    applyEnvironment({}, { HEADFRAME___PROTO____POLLUTED: 'yes', HEADFRAME_CONSTRUCTOR__PROTOTYPE__POLLUTED: 'yes' });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('refuses a list position that would make a huge list', () => {
    expect(() => applyEnvironment({}, { HEADFRAME_LISTENERS__4000000000__PORT: '1' })).toThrow(/position/);
  });
});

describe('set-up', () => {
  it.each([
    ['prop', {}],
    ['pplns', {}],
    ['pps', {}],
    ['fpps', {}],
    ['coinbase-split', {}],
    ['solo', { payments: {} }],
  ] as const)('refuses %s with %o on the plain share log, where nobody could be credited', (scheme, more) => {
    const payout = { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', scheme, ...more };
    const config = parseConfig({ ...minimal, network: 'regtest', payout, storage: { url: 'log:' } });
    expect(() => setUp(config)).toThrow(/storage\.url: is log:/);
    expect(() => setUp({ ...config, storage: { ...config.storage, url: undefined } })).not.toThrow();
  });

  it('refuses amounts and windows that would stop the books later', () => {
    const payout = (more: object) => ({ ...minimal, payout: { address: 'a', scheme: 'pplns', ...more } });
    for (const minimum of ['0', '0.00000000', '00']) {
      expect(() => parseConfig(payout({ payments: { minimum } })), minimum).toThrow(/minimum: must be more than 0/);
    }
    expect(() => parseConfig(payout({ window: 1e-300 }))).toThrow(/payout\.window/);
  });

  it('refuses payouts that anybody could spend', () => {
    // BIP 350's example of witness version 16.
    const config = parseConfig({ ...minimal, network: 'mainnet', payout: { address: 'bc1sw50qgdz25j' } });
    expect(() => setUp(config)).toThrow(/payout\.address.*nobody can own/s);
  });
});
