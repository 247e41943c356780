import { isPoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import {
  builtinCoins,
  type CoinDefinition,
  coinDefinitionSchema,
  coinNames,
  decodeAddress,
  parseCoinDefinition,
  resolveCoin,
} from '../src/index.js';

const minimal: CoinDefinition = {
  name: 'example',
  symbol: 'EXA',
  algorithm: 'scrypt',
  blockSpacingSeconds: 60,
  networks: { main: { p2pkh: [1], p2sh: [2], rpcPort: 1000, p2pPort: 1001 } },
};

function problem(definition: unknown): string {
  try {
    parseCoinDefinition(definition);
  } catch (error) {
    if (isPoolError(error, 'invalid_coin')) return error.message;
    throw error;
  }
  throw new Error('the definition was accepted');
}

describe('built-in coins', () => {
  it.each(coinNames())('%s resolves on each of its networks', (name) => {
    const networks = Object.keys(builtinCoins[name]?.networks ?? {});
    expect(networks).toContain('main');
    expect(networks).toContain('regtest');
    for (const network of networks) {
      const coin = resolveCoin(name, network);
      expect(coin).toMatchObject({ name, network });
      expect(coin.difficultyFactor).toBe(coin.algorithm === 'scrypt' ? 65536 : 1);
    }
  });

  it('Bitcoin', () => {
    expect(resolveCoin('bitcoin', 'main')).toMatchObject({
      algorithm: 'sha256d',
      difficultyFactor: 1,
      gbtRules: ['segwit'],
      versionMask: 0x1fffe000,
      coinbaseMaturity: 100,
      rpcPort: 8332,
      mweb: false,
    });
    expect(resolveCoin('bitcoin', 'signet').gbtRules).toEqual(['segwit', 'signet']);
  });

  it('Litecoin names both rule sets', () => {
    expect(resolveCoin('litecoin', 'regtest')).toMatchObject({ gbtRules: ['mweb', 'segwit'], mweb: true });
  });

  it.each(['dogecoin', 'namecoin'])('%s keeps its chain id in the version, so nothing may be rolled', (name) => {
    expect(resolveCoin(name, 'main').versionMask).toBe(0);
  });

  it('a network may differ from its coin', () => {
    expect(resolveCoin('dogecoin', 'main').coinbaseMaturity).toBe(240);
    expect(resolveCoin('dogecoin', 'regtest').coinbaseMaturity).toBe(60);
  });
});

describe('resolveCoin', () => {
  it.each([
    ['mainnet', 'main'],
    ['testnet', 'test'],
    ['testnet3', 'test'],
    ['test4', 'testnet4'],
    ['main', 'main'],
  ])('takes %s for %s', (alias, network) => {
    expect(resolveCoin('bitcoin', alias).network).toBe(network);
  });

  it('lets a definition use an alias as a name of its own', () => {
    const network = { p2pkh: [1], p2sh: [2], rpcPort: 1, p2pPort: 2 };
    const own = { ...minimal, networks: { test: network, testnet: { ...network, rpcPort: 7 } } };
    expect(resolveCoin(own, 'testnet').rpcPort).toBe(7);
  });

  it('names what there is when something is not', () => {
    expect(() => resolveCoin('bitcorn', 'main')).toThrow('built in are bitcoin, litecoin, dogecoin, namecoin');
    expect(() => resolveCoin('litecoin', 'signet')).toThrow('it has main, test, regtest');
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(() => resolveCoin(name, 'main')).toThrow(expect.objectContaining({ code: 'invalid_coin' }));
      expect(() => resolveCoin('bitcoin', name)).toThrow(expect.objectContaining({ code: 'invalid_coin' }));
    }
  });

  it('fills in defaults', () => {
    expect(resolveCoin(minimal, 'main')).toEqual({
      name: 'example',
      symbol: 'EXA',
      network: 'main',
      algorithm: 'scrypt',
      difficultyFactor: 65536,
      gbtRules: [],
      versionMask: 0,
      coinbaseMaturity: 100,
      blockSpacingSeconds: 60,
      payees: [],
      coinbasePayload: false,
      mweb: false,
      addresses: { p2pkh: [1], p2sh: [2], bech32: undefined, taproot: true },
      rpcPort: 1000,
      p2pPort: 1001,
    });
    expect(resolveCoin({ ...minimal, difficultyFactor: 32 }, 'main').difficultyFactor).toBe(32);
  });

  it('an inline definition of another regtest', () => {
    // bcoin 1.0.2: Bitcoin, but its regtest has address prefixes of its own.
    const bcoin: CoinDefinition = {
      ...minimal,
      name: 'bcoin',
      algorithm: 'sha256d',
      gbtRules: ['segwit'],
      versionMask: '1fffe000',
      networks: { regtest: { p2pkh: [60], p2sh: [38], bech32: 'rb', rpcPort: 48332, p2pPort: 48444 } },
    };
    const coin = resolveCoin(bcoin, 'regtest');
    expect(coin.versionMask).toBe(0x1fffe000);
    expect(() => decodeAddress(coin, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080')).toThrow(
      expect.objectContaining({ code: 'wrong_network', message: expect.stringContaining('bitcoin regtest') }),
    );
  });
});

describe('the schema', () => {
  it.each<[string, object]>([
    ['name', { name: 'Bad Name' }],
    ['symbol', { symbol: 'exa' }],
    ['algorithm', { algorithm: 'x11' }],
    ['difficultyFactor', { difficultyFactor: 0 }],
    ['difficultyFactor', { difficultyFactor: 1.5 }],
    ['gbtRules', { gbtRules: 'segwit' }],
    ['versionMask', { versionMask: '1fffe0000' }],
    ['versionMask', { versionMask: 5 }],
    ['coinbaseMaturity', { coinbaseMaturity: 0 }],
    ['blockSpacingSeconds', { blockSpacingSeconds: 0 }],
    ['payees.0', { payees: [{ kind: 'other' }] }],
    ['payees.0.key', { payees: [{ kind: 'array-or-object', key: 'a..b' }] }],
    ['payees.0', { payees: [{ kind: 'flat', pay: 1 }] }],
    ['networks', { networks: {} }],
    ['networks.main.p2pkh', { networks: { main: { ...minimal.networks.main, p2pkh: [] } } }],
    ['networks.main.p2sh.0', { networks: { main: { ...minimal.networks.main, p2sh: [-1] } } }],
    ['networks.main.bech32', { networks: { main: { ...minimal.networks.main, bech32: 'BC' } } }],
    ['networks.main.rpcPort', { networks: { main: { ...minimal.networks.main, rpcPort: 0 } } }],
    ['networks.main', { networks: { main: { ...minimal.networks.main, extra: 1 } } }],
    ['coinbaseMaturitee', { coinbaseMaturitee: 5 }],
  ])('names %s in %j', (path, changes) => {
    expect(problem({ ...minimal, ...changes })).toContain(path);
  });

  it('names every problem at once', () => {
    const message = problem({ ...minimal, symbol: '', algorithm: 'x' });
    expect(message).toContain('symbol');
    expect(message).toContain('algorithm');
  });

  it.each([null, undefined, 5, 'bitcoin', []])('%j is no definition', (value) => {
    expect(problem(value)).toContain('coin');
  });

  it('reads a mask in hex', () => {
    for (const [text, mask] of [
      ['1fffe000', 0x1fffe000],
      ['0x1FFFE000', 0x1fffe000],
      ['e000', 0xe000],
      ['ffffffff', 0xffffffff],
      [0, 0],
    ] as const) {
      expect(resolveCoin({ ...minimal, versionMask: text }, 'main').versionMask).toBe(mask);
    }
  });

  it('keeps what was parsed as it is when it is parsed again', () => {
    const data = coinDefinitionSchema.parse({ ...minimal, versionMask: '1fffe000' });
    expect(coinDefinitionSchema.parse(data)).toEqual(data);
  });
});
