import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/problems.js';
import { applyEnvironment } from '../../src/env.js';

const base = {
  network: 'regtest',
  daemons: [{ url: 'http://127.0.0.1:18443' }],
  payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [{ port: 3333 }],
};
const token = 'a-token-of-the-tests';
const problems = (more: object): string => {
  try {
    parseConfig({ ...base, ...more });
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe('control', () => {
  it('is off by default, and binds to this machine when it is on', () => {
    expect(parseConfig(base).control).toBeUndefined();
    expect(parseConfig({ ...base, control: { port: 8090, token } }).control?.host).toBe('127.0.0.1');
    expect(parseConfig({ ...base, control: { socket: '/run/x.sock' } }).control).toMatchObject({ legacy: false });
  });

  it.each([
    ['neither port nor socket', {}, 'control.port: or socket is needed'],
    ['a port without a secret', { port: 1 }, 'control.token'],
    ['a short token', { port: 1, token: 'short' }, 'at least 16'],
    ['a token with a space', { port: 1, token: 'a token of the tests' }, 'printable ASCII'],
    ['two tokens', { port: 1, token, tokenFile: 'x' }, 'control.tokenFile'],
    ['a password that is not hashed', { port: 1, passwordHash: 'secret' }, 'headframe control hash'],
    ['legacy without a password', { port: 1, token, legacy: true }, 'control.legacyPasswordSha256'],
    [
      'a legacy password without legacy',
      { port: 1, legacyPasswordSha256: '00'.repeat(32) },
      'control.legacyPasswordSha256',
    ],
    ['a legacy hash that is none', { port: 1, legacy: true, legacyPasswordSha256: 'x' }, '64 lower-case hex'],
    ['an unknown key', { port: 1, token, secret: 'x' }, 'control.secret'],
  ])('refuses %s', (_what, control, expected) => {
    expect(problems({ control })).toContain(expected);
  });

  it('never shows secrets in its problems', () => {
    for (const control of [
      { port: 1, token: 'tok-sec' },
      { port: 1, passwordHash: 'pass-sec' },
      { port: 1, legacy: true, legacyPasswordSha256: 'sha-sec' },
    ]) {
      const text = problems({ control });
      expect(text).not.toBe('');
      expect(text).not.toMatch(/-sec/);
    }
  });
});

it('the token of headframe notify in the environment is no key of the configuration', () => {
  const env = { HEADFRAME_CONTROL_TOKEN: token, HEADFRAME_CONTROL__TOKEN: token, HEADFRAME_CONTROL__PORT: '8090' };
  expect(applyEnvironment({}, env)).toEqual({ control: { token, port: 8090 } });
});

describe('shutdown', () => {
  it('spreads over ten seconds unless told otherwise', () => {
    expect(parseConfig(base).shutdown).toEqual({ spreadSeconds: 10 });
    const reconnect = { host: 'b.example', port: 3333 };
    expect(parseConfig({ ...base, shutdown: { reconnect } }).shutdown.reconnect).toEqual({
      ...reconnect,
      waitSeconds: 0,
    });
  });

  it.each([
    [{ reconnect: { host: 'b.example' } }, 'shutdown.reconnect.port'],
    [{ reconnect: { host: 'a"b', port: 1 } }, 'shutdown.reconnect.host'],
    [{ spreadSeconds: 10_000 }, 'shutdown.spreadSeconds'],
    [{ message: '' }, 'shutdown.message'],
  ])('refuses %j', (shutdown, path) => {
    expect(problems({ shutdown })).toContain(path);
  });
});
