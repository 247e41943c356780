import { resolveCoin } from '@headframe/coins';
import { isReject, PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { addressAuthorize, canonicalAddress } from '../src/index.js';
import { coin, POOL } from './accountant-world.js';

describe('usernames that are addresses', () => {
  const authorize = addressAuthorize(coin);
  const ask = (account: string) => authorize({ username: `${account}.rig`, name: { account } });

  it('are taken in any case, as one account', () => {
    expect(ask(POOL)).toEqual({ id: POOL, address: POOL });
    expect(ask(POOL.toUpperCase())).toEqual({ id: POOL, address: POOL });
    const base58 = 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn';
    expect(ask(base58)).toEqual({ id: base58, address: base58 });
    expect(ask(base58)).toBe(ask(base58));
    expect(() => canonicalAddress(coin, 'nobody')).toThrow(PoolError);
  });

  it.each([
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', /belongs to bitcoin main, but this is bitcoin regtest/],
    ['ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9', /belongs to litecoin main/],
    ['alice', /must be an address of bitcoin regtest, then a dot/],
    ['', /must be an address/],
    ['x'.repeat(500), /must be an address/],
    [POOL.replace('w508', 'W508'), /upper and lower case/],
    [`${POOL.slice(0, -1)}q`, /checksum/],
  ])('%s is refused', (account, message) => {
    const answer = ask(account);
    expect(isReject(answer) && answer.code).toBe('unauthorized');
    expect(isReject(answer) && answer.reason).toMatch(message);
  });

  it('of other coins work as well', () => {
    const litecoin = addressAuthorize(resolveCoin('litecoin', 'main'));
    const account = 'LTC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KGMN4N9';
    expect(litecoin({ username: account, name: { account } })).toMatchObject({ id: account.toLowerCase() });
  });
});
