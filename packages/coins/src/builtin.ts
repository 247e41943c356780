import type { CoinDefinition } from './schema.js';

const bitcoin: CoinDefinition = {
  name: 'bitcoin',
  symbol: 'BTC',
  algorithm: 'sha256d',
  gbtRules: ['segwit'],
  versionMask: '1fffe000', // BIP 320
  blockSpacingSeconds: 600,
  networks: {
    main: { p2pkh: [0], p2sh: [5], bech32: 'bc', rpcPort: 8332, p2pPort: 8333 },
    test: { p2pkh: [111], p2sh: [196], bech32: 'tb', rpcPort: 18332, p2pPort: 18333 },
    testnet4: { p2pkh: [111], p2sh: [196], bech32: 'tb', rpcPort: 48332, p2pPort: 48333 },
    // BIP 325: the node refuses getblocktemplate unless the client says that it knows signet.
    signet: {
      p2pkh: [111],
      p2sh: [196],
      bech32: 'tb',
      rpcPort: 38332,
      p2pPort: 38333,
      gbtRules: ['segwit', 'signet'],
    },
    regtest: { p2pkh: [111], p2sh: [196], bech32: 'bcrt', rpcPort: 18443, p2pPort: 18444 },
  },
};

const litecoin: CoinDefinition = {
  name: 'litecoin',
  symbol: 'LTC',
  algorithm: 'scrypt',
  gbtRules: ['mweb', 'segwit'],
  versionMask: '1fffe000',
  blockSpacingSeconds: 150,
  mweb: true,
  networks: {
    // 50 (M...) and 58 (Q...) replaced Bitcoin's 5 and 196, which nodes still take.
    main: { p2pkh: [48], p2sh: [50, 5], bech32: 'ltc', rpcPort: 9332, p2pPort: 9333 },
    test: { p2pkh: [111], p2sh: [58, 196], bech32: 'tltc', rpcPort: 19332, p2pPort: 19335 },
    regtest: { p2pkh: [111], p2sh: [58, 196], bech32: 'rltc', rpcPort: 19443, p2pPort: 19444 },
  },
};

const dogecoin: CoinDefinition = {
  name: 'dogecoin',
  symbol: 'DOGE',
  algorithm: 'scrypt',
  gbtRules: [],
  // The upper half of the version holds the merged-mining chain id and bit 8 the AuxPoW flag: nothing to roll.
  versionMask: 0,
  coinbaseMaturity: 240,
  blockSpacingSeconds: 60,
  networks: {
    main: { p2pkh: [30], p2sh: [22], rpcPort: 22555, p2pPort: 22556 },
    test: { p2pkh: [113], p2sh: [196], rpcPort: 44555, p2pPort: 44556 },
    // 111 in the 1.14 line, 113 in the development branch.
    regtest: { p2pkh: [111, 113], p2sh: [196], rpcPort: 18332, p2pPort: 18444, coinbaseMaturity: 60 },
  },
};

const namecoin: CoinDefinition = {
  name: 'namecoin',
  symbol: 'NMC',
  algorithm: 'sha256d',
  gbtRules: ['segwit'],
  versionMask: 0, // the version holds the merged-mining chain id, as with Dogecoin
  blockSpacingSeconds: 600,
  networks: {
    main: { p2pkh: [52], p2sh: [13], bech32: 'nc', rpcPort: 8336, p2pPort: 8334 },
    test: { p2pkh: [111], p2sh: [196], bech32: 'tn', rpcPort: 18336, p2pPort: 18334 },
    regtest: { p2pkh: [111], p2sh: [196], bech32: 'ncrt', rpcPort: 18443, p2pPort: 18445 },
  },
};

/** Definitions that come with Headframe, by name. */
export const builtinCoins: Readonly<Record<string, CoinDefinition>> = { bitcoin, litecoin, dogecoin, namecoin };
