import type { PowAlgorithmId } from '@headframe/hashing';
import { hexToU32, PoolError } from '@headframe/primitives';
import { z } from 'zod';
import { builtinCoins } from './builtin.js';
import { type CoinDefinition, coinDefinitionSchema, type ParsedCoinDefinition, type PayeeRule } from './schema.js';

/** Address prefixes of one network. */
export interface AddressPrefixes {
  readonly p2pkh: readonly number[];
  readonly p2sh: readonly number[];
  /** Human-readable part of segwit addresses; undefined where the chain has none. */
  readonly bech32: string | undefined;
  /** Whether witness version 1 addresses can be paid. */
  readonly taproot: boolean;
}

/** A coin on one of its networks, ready for use. Plain data. */
export interface Coin {
  readonly name: string;
  readonly symbol: string;
  readonly network: string;
  readonly algorithm: PowAlgorithmId;
  /** F in diff1 = (0xffff << 208) * F. */
  readonly difficultyFactor: number;
  /** Rules to name in getblocktemplate, and the ones marked `!` in its answer that this coin understands. */
  readonly gbtRules: readonly string[];
  /** Version bits that a miner may roll. */
  readonly versionMask: number;
  /** Confirmations until a coinbase can be spent. */
  readonly coinbaseMaturity: number;
  readonly blockSpacingSeconds: number;
  readonly payees: readonly PayeeRule[];
  /** Templates carry a DIP4 extra payload for the coinbase. */
  readonly coinbasePayload: boolean;
  /** Blocks end with a MWEB extension block. */
  readonly mweb: boolean;
  readonly addresses: AddressPrefixes;
  readonly rpcPort: number;
  readonly p2pPort: number;
}

const DEFAULT_FACTOR: Readonly<Record<PowAlgorithmId, number>> = { sha256d: 1, scrypt: 65536 };
const NETWORK_ALIASES: Readonly<Record<string, string>> = {
  mainnet: 'main',
  testnet: 'test',
  testnet3: 'test',
  test4: 'testnet4',
};

/** Names of the coins that come with Headframe. */
export function coinNames(): readonly string[] {
  return Object.keys(builtinCoins);
}

/**
 * Validates a definition from outside (a file, a config object).
 * @throws PoolError `invalid_coin` naming each path that is wrong.
 */
export function parseCoinDefinition(definition: unknown): ParsedCoinDefinition {
  const parsed = coinDefinitionSchema.safeParse(definition);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join('.') || 'coin'}: ${issue.message}`,
  );
  throw new PoolError('invalid_coin', `invalid coin definition: ${problems.join('; ')}`, {
    details: { problems },
    cause: new Error(z.prettifyError(parsed.error)),
  });
}

/**
 * A coin on a network. `network` takes `mainnet`, `testnet` and `testnet3` for `main` and `test` too.
 *
 * @throws PoolError `invalid_coin` when the name is unknown, the definition wrong or the network not defined.
 * @example
 * const coin = resolveCoin('bitcoin', 'regtest');
 */
export function resolveCoin(nameOrDefinition: string | CoinDefinition, network: string): Coin {
  const definition = parseCoinDefinition(
    typeof nameOrDefinition === 'string' ? findBuiltin(nameOrDefinition) : nameOrDefinition,
  );
  const alias = Object.hasOwn(NETWORK_ALIASES, network) ? NETWORK_ALIASES[network] : undefined;
  const names = Object.keys(definition.networks);
  const key = names.includes(network) ? network : (alias ?? network);
  const found = names.includes(key) ? definition.networks[key] : undefined;
  if (found === undefined) {
    throw new PoolError('invalid_coin', `${definition.name} has no network "${network}"; it has ${names.join(', ')}`);
  }
  return {
    name: definition.name,
    symbol: definition.symbol,
    network: key,
    algorithm: definition.algorithm,
    difficultyFactor: definition.difficultyFactor ?? DEFAULT_FACTOR[definition.algorithm],
    gbtRules: found.gbtRules ?? definition.gbtRules,
    versionMask: definition.versionMask === 0 ? 0 : hexToU32(definition.versionMask.replace(/^0x/, '')),
    coinbaseMaturity: found.coinbaseMaturity ?? definition.coinbaseMaturity,
    blockSpacingSeconds: definition.blockSpacingSeconds,
    payees: definition.payees,
    coinbasePayload: definition.coinbasePayload,
    mweb: definition.mweb,
    addresses: { p2pkh: found.p2pkh, p2sh: found.p2sh, bech32: found.bech32, taproot: found.taproot },
    rpcPort: found.rpcPort,
    p2pPort: found.p2pPort,
  };
}

function findBuiltin(name: string): CoinDefinition {
  const definition = Object.hasOwn(builtinCoins, name) ? builtinCoins[name] : undefined;
  if (definition === undefined) {
    throw new PoolError('invalid_coin', `unknown coin "${name}"; built in are ${coinNames().join(', ')}`);
  }
  return definition;
}
