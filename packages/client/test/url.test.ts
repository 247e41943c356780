import { describe, expect, it } from 'vitest';
import { isSameDomain, parseStratumUrl, registrableDomain } from '../src/index.js';

describe('parseStratumUrl', () => {
  it.each([
    ['stratum+tcp://pool.example:3333', 'pool.example', 3333, false],
    ['pool.example:3333', 'pool.example', 3333, false],
    ['stratum+tls://pool.example:3334/', 'pool.example', 3334, true],
    ['stratum+ssl://pool.example:3334', 'pool.example', 3334, true],
    ['stratum+tcps://pool.example:3334', 'pool.example', 3334, true],
    ['STRATUMS://pool.example:3334', 'pool.example', 3334, true],
    ['ssl://127.0.0.1:1', '127.0.0.1', 1, true],
    ['stratum+tcp://[::1]:3333', '::1', 3333, false],
    ['pool.example:3333#xnsub', 'pool.example', 3333, false],
  ])('%s', (url, host, port, secure) => {
    expect(parseStratumUrl(url)).toEqual({ host, port, secure });
  });
  it.each([
    '',
    'pool.example',
    'pool.example:0',
    'pool.example:65536',
    'http://pool.example:80',
    '::1:3333',
    'a b:1',
    'u@h:1',
  ])('refuses "%s"', (url) => {
    expect(() => parseStratumUrl(url)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('registrableDomain', () => {
  it.each([
    ['eu.pool.example.com', 'example.com'],
    ['Pool.Example.COM.', 'example.com'],
    ['pool.example.co.uk', 'example.co.uk'],
    ['example.com.br', 'example.com.br'],
    ['com.br', undefined],
    ['mine.duckdns.org', 'mine.duckdns.org'],
    ['a.mine.duckdns.org', 'mine.duckdns.org'],
    ['duckdns.org', undefined],
    ['localhost', undefined],
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['a..com', undefined],
  ])('%s: %s', (host, expected) => {
    expect(registrableDomain(host)).toBe(expected);
  });
});

describe('isSameDomain', () => {
  it.each([
    ['eu.pool.example.com', 'us.pool.example.com', true],
    ['pool.example.com', 'POOL.example.com', true],
    ['eu.pool.com', 'us.pool.com', true],
    ['pool.com', 'eu.pool.com', true],
    ['pool.com', 'evil.com', false],
    ['pool.co.uk', 'evil.co.uk', false],
    ['eu.pool.co.uk', 'us.pool.co.uk', true],
    ['mine.duckdns.org', 'evil.duckdns.org', false],
    ['eu.pool.com', 'eu.evil.com', false],
    ['pool.com', 'pool.com.evil.net', false],
    ['127.0.0.1', '127.0.0.2', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['localhost', 'evil', false],
    ['pool', 'pool', true],
    ['::1', '::2', false],
  ])('%s to %s: %s', (from, to, expected) => {
    expect(isSameDomain(from, to)).toBe(expected);
  });
});
