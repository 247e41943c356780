import { createHash } from 'node:crypto';
import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Coin, type CoinDefinition, decodeAddress, isAddress, resolveCoin } from '../src/index.js';

const main = resolveCoin('bitcoin', 'main');
const test = resolveCoin('bitcoin', 'test');
const regtest = resolveCoin('bitcoin', 'regtest');
const litecoin = resolveCoin('litecoin', 'main');

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const decode = (coin: Coin, address: string): [string, string] => {
  const { script, type } = decodeAddress(coin, address);
  return [hex(script), type];
};

/** Why an address was refused. */
function refusal(coin: Coin, address: string): { code: string; message: string } {
  try {
    decodeAddress(coin, address);
  } catch (error) {
    if (isPoolError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${address} was accepted`);
}

/** Base58check, written here from its definition. */
function base58check(...body: readonly number[]): string {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const bytes = [...body, ...sha(sha(Uint8Array.from(body))).subarray(0, 4)];
  let value = BigInt(`0x${hex(Uint8Array.from(bytes))}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = `${digits[Number(value % 58n)]}${text}`;
  return '1'.repeat(bytes.findIndex((byte) => byte !== 0)) + text;
}
const hash20 = Array.from({ length: 20 }, (_, i) => i + 1);
const p2pkh = `76a914${hex(Uint8Array.from(hash20))}88ac`;
const p2sh = `a914${hex(Uint8Array.from(hash20))}87`;

describe('base58 addresses', () => {
  it('of the genesis block and of BIP 16 days', () => {
    expect(decode(main, '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa')).toEqual([
      '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
      'p2pkh',
    ]);
    expect(decode(main, '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy')).toEqual([
      'a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87',
      'p2sh',
    ]);
  });

  it.each<[string, string, readonly number[], readonly number[]]>([
    ['bitcoin', 'main', [0], [5]],
    ['bitcoin', 'test', [111], [196]],
    ['bitcoin', 'testnet4', [111], [196]],
    ['bitcoin', 'signet', [111], [196]],
    ['bitcoin', 'regtest', [111], [196]],
    ['litecoin', 'main', [48], [50, 5]],
    ['litecoin', 'test', [111], [58, 196]],
    ['litecoin', 'regtest', [111], [58, 196]],
    ['dogecoin', 'main', [30], [22]],
    ['dogecoin', 'test', [113], [196]],
    ['namecoin', 'main', [52], [13]],
  ])('%s %s', (name, network, keyVersions, scriptVersions) => {
    const coin = resolveCoin(name, network);
    for (const version of keyVersions) expect(decode(coin, base58check(version, ...hash20))).toEqual([p2pkh, 'p2pkh']);
    for (const version of scriptVersions) expect(decode(coin, base58check(version, ...hash20))).toEqual([p2sh, 'p2sh']);
  });

  it('of litecoind, as it printed them beside their scripts', () => {
    const coin = resolveCoin('litecoin', 'regtest');
    expect(decode(coin, 'rltc1q589r7hlac7k2mk5ztkk6h7vwglpgpt0a8s4xk8')).toEqual([
      '0014a1ca3f5ffdc7acadda825dadabf98e47c280adfd',
      'p2wpkh',
    ]);
    expect(decode(coin, 'mvStjC5nsNT1TG8Ap1K2vhEnEkWZ6WwhHN')).toEqual([
      '76a914a3c53ee453649ebe2637a46deb5ba8009f6feef288ac',
      'p2pkh',
    ]);
    expect(decode(coin, 'QfJPyEtRpbrrz2JEhDPUCop78fJ2jE8KvW')).toEqual([
      'a914cd16d21f228c1da3c291f0ab5e551325a780d68687',
      'p2sh',
    ]);
  });

  it.each<[string, string]>([
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', 'the checksum is wrong'],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN', 'the checksum is wrong'],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7Div', '23 bytes'],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0', 'character 34'],
    [' 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'character 1 '],
    ['', 'empty'],
    ['1'.repeat(200), 'too many'],
    [base58check(99, ...hash20), 'version byte 99'],
    [base58check(0, ...hash20, 1), 'version byte'],
    [base58check(0, ...hash20.slice(1)), '24 bytes'],
  ])('%j is refused: %s', (address, reason) => {
    const { code, message } = refusal(main, address);
    expect(code).toBe('invalid_address');
    expect(message).toContain(reason);
  });
});

// The lists of BIP 350 (and BIP 173, which it replaces for version 1 and up).
describe('segwit addresses', () => {
  it.each<[string, string, string]>([
    ['BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', '0014751e76e8199196d454941c45d1b3a323f1433bd6', 'p2wpkh'],
    [
      'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
      '00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262',
      'p2wsh',
    ],
    [
      'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y',
      '5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6',
      'witness',
    ],
    ['BC1SW50QGDZ25J', '6002751e', 'witness'],
    ['bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs', '5210751e76e8199196d454941c45d1b3a323', 'witness'],
    [
      'tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy',
      '0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433',
      'p2wsh',
    ],
    [
      'tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c',
      '5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433',
      'p2tr',
    ],
    [
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
      '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
      'p2tr',
    ],
  ])('%s', (address, script, type) => {
    expect(decode(address.toLowerCase().startsWith('bc') ? main : test, address)).toEqual([script, type]);
  });

  it.each<[string, string]>([
    // version 1 and up with the old checksum, version 0 with the new one
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd', 'bech32m checksum'],
    ['tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf', 'bech32m checksum'],
    ['BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL', 'bech32m checksum'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh', 'not bech32m'],
    ['tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47', 'not bech32m'],
    ['bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4', 'character 60'],
    ['BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R', 'version 17'],
    ['bc1pw5dgrnzv', '1 bytes'],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav', '41 bytes'],
    ['BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P', '20 or 32 bytes, not 16'],
    ['tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq', 'mixed'],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf', 'padding'],
    ['tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j', 'padding'],
    ['bc1gmk9yu', 'no witness program'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5', 'checksum'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3', 'checksum'],
    ['bc1', 'checksum'],
    [`bc1q${'q'.repeat(100)}`, '104 characters'],
  ])('%s is refused: %s', (address, reason) => {
    const { code, message } = refusal(address.toLowerCase().startsWith('bc') ? main : test, address);
    expect(code).toBe('invalid_address');
    expect(message).toContain(reason);
  });

  it('with a prefix of nobody are refused', () => {
    const { code, message } = refusal(main, 'tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut');
    expect(code).toBe('invalid_address');
    expect(message).toContain('"tc"');
  });

  it('of a version that the network has not activated are refused', () => {
    const old = { ...main, addresses: { ...main.addresses, taproot: false } };
    const { message } = refusal(old, 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0');
    expect(message).toContain('witness version 1 is not active');
    expect(isAddress(old, 'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4')).toBe(true);
  });
});

describe('addresses of other networks', () => {
  it.each<[Coin, string, string]>([
    [main, 'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7', 'bitcoin test or bitcoin testnet4'],
    [test, 'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', 'bitcoin main'],
    [regtest, 'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7', 'this is bitcoin regtest'],
    [main, 'rltc1q589r7hlac7k2mk5ztkk6h7vwglpgpt0a8s4xk8', 'litecoin regtest'],
    [litecoin, '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'bitcoin main'],
    [main, base58check(48, ...hash20), 'litecoin main'],
    [main, base58check(30, ...hash20), 'dogecoin main'],
    [main, base58check(111, ...hash20), 'bitcoin regtest'],
    [resolveCoin('dogecoin', 'main'), 'bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs', 'bitcoin main'],
  ])('%j', (coin, address, owner) => {
    const { code, message } = refusal(coin, address);
    expect(code).toBe('wrong_network');
    expect(message).toContain(owner);
  });

  it('that are broken are called broken, not foreign', () => {
    expect(refusal(main, 'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k8').code).toBe(
      'invalid_address',
    );
  });

  it('Litecoin still takes script addresses of the old version', () => {
    expect(decode(litecoin, '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy')[1]).toBe('p2sh');
    expect(refusal(main, base58check(50, ...hash20)).code).toBe('wrong_network');
  });
});

it('a base58 address that looks like segwit in mixed case is read as base58', () => {
  // Version bytes whose addresses begin with R, and a prefix rb: "Rb1..." is both.
  const definition: CoinDefinition = {
    name: 'bcoin',
    symbol: 'BTC',
    algorithm: 'sha256d',
    blockSpacingSeconds: 600,
    networks: { regtest: { p2pkh: [60, 61], p2sh: [38], bech32: 'rb', rpcPort: 48332, p2pPort: 48444 } },
  };
  const coin = resolveCoin(definition, 'regtest');
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let value = 0n;
  for (const digit of `Rb1${'z'.repeat(31)}`) value = value * 58n + BigInt(digits.indexOf(digit));
  // The 25 bytes behind that text: version, hash, and a checksum that only changes the last characters.
  const body = [...Buffer.from(value.toString(16).padStart(50, '0'), 'hex').subarray(0, 21)];
  const address = base58check(...body);
  expect(address).toMatch(/^Rb1/);
  expect(body[0]).toBe(61);
  expect(decode(coin, address)).toEqual([`76a914${hex(Uint8Array.from(body.slice(1)))}88ac`, 'p2pkh']);
});

it('no text makes it throw anything but PoolErrors', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 140 }),
    fc
      .string({ unit: fc.constantFrom(...'bctrl1qpzry9x8gf2tvdw0s3jn54khce6mua7lBCQ'), maxLength: 100 })
      .map((tail) => `bc1${tail}`),
    fc.string({
      unit: fc.constantFrom(...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'),
      maxLength: 60,
    }),
  );
  fc.assert(
    fc.property(text, (address) => {
      for (const coin of [main, litecoin]) {
        try {
          decodeAddress(coin, address);
        } catch (error) {
          expect(isPoolError(error, 'invalid_address') || isPoolError(error, 'wrong_network')).toBe(true);
        }
        isAddress(coin, address);
      }
    }),
    { numRuns: 1000 },
  );
});

it('one changed character is never accepted', () => {
  const addresses = [
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...addresses),
      fc.nat(80),
      fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyzABCXYZ'),
      (address, at, character) => {
        const position = at % address.length;
        if (address[position] === character) return;
        const changed = address.slice(0, position) + character + address.slice(position + 1);
        expect(isAddress(main, changed)).toBe(false);
      },
    ),
    { numRuns: 2000 },
  );
});
