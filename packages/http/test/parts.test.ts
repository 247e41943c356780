import { PoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, proxyMatcher } from '../src/address.js';
import { AnswerMemo, matchesEtag } from '../src/memo.js';
import { ApiProblem, problemOf } from '../src/problem.js';
import { explorerLinks } from '../src/read/links.js';
import { publicText } from '../src/read/nodes.js';
import { recent, within } from '../src/recent.js';
import { amountOf, ppmOfPercent, unitsOfCoins } from '../src/units.js';

const memoOf = (clock: FakeClock, maxBytes = 1_000, maxReads = 2) => new AnswerMemo({ clock, maxBytes, maxReads });

describe('AnswerMemo', () => {
  it('keeps an answer for its time, and gives the same one to all who wait', async () => {
    const clock = new FakeClock();
    const memo = memoOf(clock);
    let made = 0;
    const ask = () => memo.get('a', 1_000, async () => String(++made));
    expect((await Promise.all([ask(), ask(), ask()])).map(({ body }) => body)).toEqual(['1', '1', '1']);
    clock.advance(999);
    expect((await ask()).body).toBe('1');
    clock.advance(1);
    expect((await ask()).body).toBe('2');
    memo.clear();
    expect((await ask()).body).toBe('3');
  });

  it('forgets failures, and gives them to all who wait', async () => {
    const memo = memoOf(new FakeClock());
    let asked = 0;
    const fail = () =>
      memo.get('a', 1_000, async () => {
        asked++;
        throw new PoolError('storage_failed', 'down');
      });
    const results = await Promise.allSettled([fail(), fail()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked).toBe(1);
    expect((await memo.get('a', 1_000, () => 'fine')).body).toBe('fine');
  });

  it('makes so many answers at a time and no more', async () => {
    const memo = memoOf(new FakeClock());
    const release: (() => void)[] = [];
    const slow = (key: string) =>
      memo.get(key, 1, () => new Promise<string>((resolve) => release.push(() => resolve(key))));
    const running = [slow('a'), slow('b'), slow('a')];
    await expect(slow('c')).rejects.toMatchObject({ status: 503, code: 'busy' });
    for (const end of release) end();
    expect((await Promise.all(running)).map(({ body }) => body)).toEqual(['a', 'b', 'a']);
  });

  it('holds so many bytes and no more, whatever is asked', async () => {
    const request = fc.record({ key: fc.integer({ min: 0, max: 20 }), size: fc.integer({ min: 0, max: 1_500 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 60 }), async (requests) => {
        const clock = new FakeClock();
        const memo = memoOf(clock);
        for (const { key, size } of requests) {
          clock.advance(1);
          await memo.get(String(key), size % 3, () => 'x'.repeat(size));
          expect(memo.bytes).toBeGreaterThanOrEqual(0);
          expect(memo.bytes).toBeLessThanOrEqual(1_000);
        }
        memo.clear();
        expect(memo.bytes).toBe(0);
      }),
    );
  });
});

describe('recent', () => {
  it('reads once for all, again when it is old, and remembers a failure as long', async () => {
    const clock = new FakeClock();
    let reads = 0;
    let error: Error | undefined;
    const value = recent(clock, 100, async () => {
      reads++;
      if (error !== undefined) throw error;
      return reads;
    });
    expect(await Promise.all([value.get(), value.get()])).toEqual([1, 1]);
    clock.advance(100);
    expect(await value.get()).toBe(2);
    error = new Error('down');
    clock.advance(100);
    await expect(value.get()).rejects.toThrow('down');
    await expect(value.get()).rejects.toThrow('down');
    expect(reads).toBe(3);
    expect(value.latest?.value).toBe(2);
  });

  it('reads again after expire, also when a read was under way', async () => {
    const clock = new FakeClock();
    const release: ((value: string) => void)[] = [];
    const value = recent(clock, 1_000, () => new Promise<string>((resolve) => release.push(resolve)));
    const first = value.get();
    value.expire();
    release[0]?.('old');
    expect(await first).toBe('old');
    await settle();
    const second = value.get();
    release[1]?.('new');
    expect(await second).toBe('new');
    value.expire();
    void value.get();
    expect(release).toHaveLength(3);
  });

  it('gives up waiting in time, and leaves no timer', async () => {
    const clock = new FakeClock();
    const waiting = within(clock, 50, new Promise(() => {}));
    clock.advance(50);
    expect(await waiting).toBeUndefined();
    expect(await within(clock, 50, Promise.resolve(1))).toBe(1);
    expect(await within(clock, 50, Promise.reject(new Error('x')))).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});

describe('amounts', () => {
  it('come back from coins to the same units', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n }), (units) => {
        const { coins, units: text } = amountOf(units);
        expect(unitsOfCoins(coins)).toBe(units);
        expect(text).toBe(String(units));
        if (units > 0n) expect(amountOf(-units)).toEqual({ units: `-${units}`, coins: `-${coins}` });
      }),
    );
  });

  it('are refused where they are none, or finer than the coin', () => {
    for (const text of ['', '.', '1.', '-1', '1e3', '0.000000001', ' 1', '1,5']) {
      expect(() => unitsOfCoins(text), text).toThrow(PoolError);
    }
    expect(unitsOfCoins('1.500000000000')).toBe(150_000_000n);
    expect([0, 0.0001, 1.5, 33.3333, 100].map(ppmOfPercent)).toEqual([0, 1, 15_000, 333_333, 1_000_000]);
  });
});

describe('addresses', () => {
  it('count by IPv4 address or by /64', () => {
    expect(addressKey('192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(addressKey('2001:db8:0:0:5:6:7:8%eth0')).toBe('2001:db8:0:0::/64');
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('x'.repeat(1_000))).toHaveLength(64);
  });

  it('know trusted proxies', () => {
    const matches = proxyMatcher(['10.0.0.0/8', '192.0.2.1', 'fd00::/8']);
    expect(['10.9.9.9', '::ffff:10.1.1.1', '192.0.2.1', 'fd00::1'].every(matches)).toBe(true);
    expect(['11.0.0.1', '192.0.2.2', 'fe80::1', 'nonsense', ''].some(matches)).toBe(false);
    for (const bad of ['10.0.0.0/33', 'x', '10.0.0.0/', 'fd00::/129', '1.2.3.4/1e1']) {
      expect(() => proxyMatcher([bad]), bad).toThrow(bad);
    }
  });
});

describe('texts for everybody', () => {
  it('name no machine and no file', () => {
    expect(publicText('connect ECONNREFUSED 10.1.2.3:8332')).toBe('connect ECONNREFUSED (address)');
    expect(publicText('http://u:p@host.local:8332/x failed')).toBe('(address) failed');
    expect(publicText('getaddrinfo ENOTFOUND node.example:8332')).toBe('getaddrinfo ENOTFOUND (address)');
    expect(publicText('getaddrinfo ENOTFOUND node.internal')).toBe('getaddrinfo ENOTFOUND (address)');
    expect(publicText('connect [fd00::1]:8332, ::1, fe80:0:0:1:2:3:4:5')).toBe(
      'connect (address), (address), (address)',
    );
    expect(publicText('cannot open /home/pool/.bitcoin/.cookie')).toBe('cannot open (path)');
    expect(publicText('database or disk is full')).toBe('database or disk is full');
    expect(publicText('x'.repeat(5_000))).toHaveLength(200);
  });

  it('escape what goes into a link', () => {
    const links = explorerLinks({ address: 'https://x.example/{address}', transaction: 'https://x.example/tx/{txid}' });
    expect(links.address('a"/../<b>')).toBe('https://x.example/a%22%2F..%2F%3Cb%3E');
    expect(links.transaction(undefined)).toBeNull();
    expect(links.block('00')).toBeNull();
  });
});

it('compares ETags as lists, weakly', () => {
  expect(matchesEtag('W/"a", "b"', '"b"')).toBe(true);
  expect(matchesEtag('"ab"', '"b"')).toBe(false);
  expect(matchesEtag('', '"b"')).toBe(false);
  expect(matchesEtag(undefined, '"b"')).toBe(false);
});

it('tells operators more of a failure than others', () => {
  const error = new PoolError('rpc_error', 'wallet "pool" of 10.0.0.1 says no');
  expect(problemOf(error, { isAdmin: false })?.message).toBe('a part of the pool does not answer');
  expect(problemOf(error, { isAdmin: true })?.message).toContain('10.0.0.1');
  expect(problemOf(new ApiProblem(404, 'not_found', 'x'), { isAdmin: false })?.code).toBe('not_found');
  expect(problemOf(new PoolError('invalid_block', 'x'), { isAdmin: true })).toBeUndefined();
  expect(problemOf('a string', { isAdmin: true })).toBeUndefined();
  expect(problemOf(null, { isAdmin: true })).toBeUndefined();
});
