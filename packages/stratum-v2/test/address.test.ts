import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authorityKeyOf,
  decodeAuthorityKey,
  decodeAuthoritySecret,
  encodeAuthorityKey,
  encodeAuthoritySecret,
  formatStratumV2Url,
  parseStratumV2Url,
  targetFromHashrate,
} from '../src/index.js';
import { seeded } from './support.js';

const KEY = '9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh';
const key = decodeAuthorityKey(KEY);

const isRefused = (run: () => unknown): boolean => {
  try {
    run();
  } catch (error) {
    return isPoolError(error, 'invalid_argument');
  }
  return false;
};

describe('authority keys', () => {
  it('survive being written', () => {
    for (let i = 0; i < 30; i++) {
      const secret = seeded(`secret ${i}`, 32);
      const text = encodeAuthorityKey(authorityKeyOf(secret));
      expect(text).toMatch(/^9[1-9A-HJ-NP-Za-km-z]{50,51}$/);
      expect(decodeAuthorityKey(text)).toEqual(authorityKeyOf(secret));
      expect(decodeAuthoritySecret(encodeAuthoritySecret(secret))).toEqual(secret);
    }
  });

  it('are refused with any character changed', () => {
    for (let at = 0; at < KEY.length; at++) {
      const other = KEY[at] === 'z' ? 'y' : 'z';
      const text = KEY.slice(0, at) + other + KEY.slice(at + 1);
      expect(
        isRefused(() => decodeAuthorityKey(text)),
        text,
      ).toBe(true);
    }
  });

  it('are refused when they are none', () => {
    const secretText = encodeAuthoritySecret(seeded('secret', 32));
    for (const text of ['', '9', '0OIl', `${KEY} `, 'z'.repeat(100_000), secretText]) {
      expect(
        isRefused(() => decodeAuthorityKey(text)),
        text.slice(0, 60),
      ).toBe(true);
    }
    for (const text of ['', KEY, 'z'.repeat(64)]) expect(isRefused(() => decodeAuthoritySecret(text))).toBe(true);
    const noPoint = new Uint8Array(32).fill(0xff);
    expect(isRefused(() => encodeAuthorityKey(noPoint))).toBe(true);
    expect(isRefused(() => encodeAuthorityKey(new Uint8Array(31)))).toBe(true);
    expect(isRefused(() => encodeAuthoritySecret(new Uint8Array(32)))).toBe(true);
    expect(isRefused(() => authorityKeyOf(noPoint))).toBe(true);
  });
});

describe('URLs', () => {
  it.each([
    [`stratum2+tcp://pool.example.com:34254/${KEY}`, 'pool.example.com', 34254],
    [`stratum2+tcp://192.0.2.1:3336/${KEY}`, '192.0.2.1', 3336],
    [`stratum2+tcp://[2001:db8::1]:1/${KEY}`, '2001:db8::1', 1],
  ])('%s', (url, host, port) => {
    expect(parseStratumV2Url(url)).toEqual({ host, port, authorityKey: key });
    expect(formatStratumV2Url({ host, port, authorityKey: key })).toBe(url);
  });

  it('may have no key', () => {
    const address = { host: 'pool', port: 3333, authorityKey: undefined };
    expect(parseStratumV2Url('stratum2+tcp://pool:3333')).toEqual(address);
    expect(parseStratumV2Url('STRATUM2+TCP://pool:3333/')).toEqual(address);
    expect(formatStratumV2Url(address)).toBe('stratum2+tcp://pool:3333');
  });

  it.each([
    '',
    'stratum+tcp://pool:3333',
    'stratum2+tcp://pool',
    'stratum2+tcp://pool:0',
    'stratum2+tcp://pool:65536',
    'stratum2+tcp://user@pool:3333',
    'stratum2+tcp://pool:3333/abc',
    `stratum2+tcp://pool:3333/${KEY}/`,
    `stratum2+tcp://pool:3333/${KEY}?x=1`,
    `stratum2+tcp://pool:3333/${KEY}\n`,
    'stratum2+tcp://2001:db8::1:3333',
    'stratum2+tcp:// pool:3333',
  ])('%j is none', (url) => {
    expect(isRefused(() => parseStratumV2Url(url))).toBe(true);
  });

  it('never throw anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isRefused(() => parseStratumV2Url(`stratum2+tcp://pool:1/z${text}`))).toBe(true);
      }),
    );
    expect(isRefused(() => formatStratumV2Url({ host: 'a b', port: 1, authorityKey: undefined }))).toBe(true);
    expect(isRefused(() => formatStratumV2Url({ host: 'a', port: 0, authorityKey: undefined }))).toBe(true);
  });
});

it('a target needs a hash rate and a rate of shares', () => {
  expect(targetFromHashrate(0, 6)).toEqual(new Uint8Array(32).fill(0xff));
  expect(targetFromHashrate(1e300, 6)).toEqual(new Uint8Array(32));
  for (const [rate, shares] of [
    [-1, 6],
    [1, 0],
    [1, -1],
    [Number.NaN, 6],
    [1e308, 1e-9],
  ] as const) {
    expect(
      isRefused(() => targetFromHashrate(rate, shares)),
      `${rate} ${shares}`,
    ).toBe(true);
  }
});
