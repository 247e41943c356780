import type { Coin } from '@headframe/coins';
import { resolveCoin } from '@headframe/coins';
import { hexToBytes } from '@headframe/primitives';
import type { ProofOfWork } from './checks.js';
import { MAX_MONEY } from './transaction.js';

/** Chains that can be run. */
export type DevNodeCoin = 'bitcoin' | 'litecoin';

/** Rules of the chain, fixed for its life. */
export interface ChainParams {
  readonly coin: Coin;
  readonly algorithm: ProofOfWork;
  readonly genesis: Uint8Array;
  readonly maxMoney: bigint;
  /** Base units of the first blocks. */
  readonly subsidy: bigint;
  readonly halvingInterval: number;
  /** Blocks until a coinbase may be spent. */
  readonly coinbaseMaturity: number;
  /** Rules that getblocktemplate callers must name. */
  readonly requiredRules: readonly string[];
  /** Compact target of the block at a height; constant per chain apart from one step (no retargeting on regtest). */
  bitsAt(height: number): number;
  /** Value a coinbase may claim before fees. */
  subsidyAt(height: number): bigint;
}

// Whole regtest genesis blocks. Bitcoin's coinbase is that of the main chain; only time, bits and nonce differ.
const GENESIS: Readonly<Record<DevNodeCoin, string>> = {
  bitcoin:
    '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3' +
    '888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000' +
    '0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054' +
    '696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420' +
    '666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61' +
    'deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000',
  litecoin:
    '010000000000000000000000000000000000000000000000000000000000000000000000d9ced4ed1130f7b7faad9be25323ffafa33232a1' +
    '7c3edf6cfd97bee6bafbdd97dae5494dffff7f2000000000' +
    '0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4804ffff001d0104404e592054696d' +
    '65732030352f4f63742f32303131205374657665204a6f62732c204170706c65e280997320566973696f6e6172792c2044696573206174' +
    '203536ffffffff0100f2052a010000004341040184710fa689ad5023690c80f3a49c8f13f8d45b8c857fbcbc8bc4a8e4d3eb4b10f4d460' +
    '4fa08dce601aaf0f470216fe1b51850b4acf21b179c45070ac7b03a9ac00000000',
};

export interface ChainOptions {
  readonly coin: DevNodeCoin;
  readonly coinbaseMaturity: number | undefined;
  readonly bits: number;
  /** First height at which `bits` holds; regtest's limit before. */
  readonly bitsFromHeight: number;
  /** Regtest's limit. */
  readonly limitBits: number;
}

/** @throws PoolError `invalid_coin` only if the built-in definitions lost their regtest. */
export function chainParams(options: ChainOptions): ChainParams {
  const coin = resolveCoin(options.coin, 'regtest');
  const subsidy = 50n * 100_000_000n;
  const halvingInterval = 150;
  return {
    coin,
    algorithm: options.coin === 'litecoin' ? 'scrypt' : 'sha256d',
    genesis: hexToBytes(GENESIS[options.coin]),
    maxMoney: MAX_MONEY[options.coin],
    subsidy,
    halvingInterval,
    coinbaseMaturity: options.coinbaseMaturity ?? coin.coinbaseMaturity,
    requiredRules: coin.gbtRules,
    bitsAt: (height) => (height >= options.bitsFromHeight ? options.bits : options.limitBits),
    subsidyAt: (height) => {
      const halvings = Math.floor(height / halvingInterval);
      return halvings >= 64 ? 0n : subsidy >> BigInt(halvings);
    },
  };
}
