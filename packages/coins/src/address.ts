import { sha256d } from '@headframe/hashing';
import { isPoolError, PoolError } from '@headframe/primitives';
import { base58, bech32, bech32m } from '@scure/base';
import { builtinCoins } from './builtin.js';
import { type AddressPrefixes, type Coin, resolveCoin } from './coin.js';
import { type DecodedAddress, p2pkhScript, p2shScript, witnessScript, witnessScriptType } from './script.js';

const HASH_LENGTH = 20;
const CHECKSUM_LENGTH = 4;
/** No address of any supported form is longer; base58 decoding takes quadratic time, so longer text is not tried. */
const MAX_ADDRESS_LENGTH = 120;

/**
 * The script an address stands for, on this coin and network.
 *
 * @throws PoolError `wrong_network` when the address is right but belongs to another network or coin that Headframe
 *   knows (the message says which), `invalid_address` with the reason otherwise.
 * @example
 * const { script, type } = decodeAddress(coin, 'bcrt1q...');
 */
export function decodeAddress(coin: Coin, address: string): DecodedAddress {
  if (address.length === 0) throw invalid('the address is empty');
  if (address.length > MAX_ADDRESS_LENGTH) throw invalid(`${address.length} characters are too many`);
  // Base58 first: with a valid checksum and exactly this length it cannot be anything else, while "Nc1..." may be
  // a Namecoin base58 address that looks like a segwit address written in mixed case.
  const base = decodeBase58(address);
  if (base.ok) return fromBase58(coin, base.version, base.hash);
  const separator = address.lastIndexOf('1');
  const prefix = address.slice(0, Math.max(0, separator)).toLowerCase();
  if (prefix !== '' && prefix === coin.addresses.bech32) return decodeSegwit(coin.addresses, address, prefix);
  const owners = prefix === '' ? [] : ownersOf(coin, (other) => other.bech32 === prefix);
  if (owners.length > 0) {
    decodeSegwit({ ...coin.addresses, bech32: prefix, taproot: true }, address, prefix);
    throw wrongNetwork(coin, owners);
  }
  // Neither form: say what is wrong with the form it resembles.
  if (/[0OIl]/.test(address) && separator > 0 && /^[a-zA-Z]+$/.test(prefix)) {
    throw invalid(`"${prefix}" is not a prefix of ${describe(coin)} or of a coin known here`);
  }
  throw invalid(base.reason);
}

/** True when {@link decodeAddress} accepts the address. */
export function isAddress(coin: Coin, address: string): boolean {
  try {
    decodeAddress(coin, address);
    return true;
  } catch (error) {
    if (isPoolError(error)) return false;
    throw error;
  }
}

type Base58Result =
  | { readonly ok: true; readonly version: number; readonly hash: Uint8Array }
  | { readonly ok: false; readonly reason: string };

function decodeBase58(address: string): Base58Result {
  let bytes: Uint8Array;
  try {
    bytes = base58.decode(address);
  } catch {
    const at = address.search(/[^1-9A-HJ-NP-Za-km-z]/);
    return { ok: false, reason: `character ${at + 1} is not a base58 digit` };
  }
  // One version byte with most coins, two with some.
  const versionLength = bytes.length - HASH_LENGTH - CHECKSUM_LENGTH;
  if (versionLength !== 1 && versionLength !== 2) {
    return { ok: false, reason: `it decodes to ${bytes.length} bytes where 25 are expected` };
  }
  const body = bytes.subarray(0, bytes.length - CHECKSUM_LENGTH);
  const sum = sha256d(body);
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    if (sum[i] !== bytes[body.length + i]) return { ok: false, reason: 'the checksum is wrong' };
  }
  const first = body[0] ?? 0;
  const version = versionLength === 1 ? first : (first << 8) | (body[1] ?? 0);
  return { ok: true, version, hash: body.slice(versionLength) };
}

function fromBase58(coin: Coin, version: number, hash: Uint8Array): DecodedAddress {
  if (coin.addresses.p2pkh.includes(version)) return { script: p2pkhScript(hash), type: 'p2pkh' };
  if (coin.addresses.p2sh.includes(version)) return { script: p2shScript(hash), type: 'p2sh' };
  const owners = ownersOf(coin, (other) => other.p2pkh.includes(version) || other.p2sh.includes(version));
  if (owners.length > 0) throw wrongNetwork(coin, owners);
  throw invalid(`version byte ${version} does not belong to ${describe(coin)}`);
}

// BIP 173 and BIP 350.
function decodeSegwit(prefixes: AddressPrefixes, address: string, prefix: string): DecodedAddress {
  if (address !== address.toLowerCase() && address !== address.toUpperCase()) {
    throw invalid('upper and lower case are mixed');
  }
  if (address.length > 90) throw invalid(`${address.length} characters are too many`);
  const text = address.toLowerCase();
  const at = text.slice(prefix.length + 1).search(/[^qpzry9x8gf2tvdw0s3jn54khce6mua7l]/);
  if (at >= 0) throw invalid(`character ${prefix.length + 2 + at} is not a bech32 digit`);
  const v0 = bech32.decodeUnsafe(text);
  const decoded = v0 ?? bech32m.decodeUnsafe(text);
  if (decoded === undefined) throw invalid('the checksum is wrong');
  const [version, ...words] = decoded.words;
  if (version === undefined) throw invalid('it holds no witness program');
  if (version > 16) throw invalid(`witness version ${version} does not exist`);
  if (version === 0 && v0 === undefined) throw invalid('witness version 0 takes a bech32 checksum, not bech32m');
  if (version > 0 && v0 !== undefined) throw invalid(`witness version ${version} takes a bech32m checksum, not bech32`);
  const program = bech32.fromWordsUnsafe(words);
  if (!program) throw invalid('the padding is not zero bits, or too long');
  if (program.length < 2 || program.length > 40)
    throw invalid(`a witness program of ${program.length} bytes is illegal`);
  const type = witnessScriptType(version, program.length);
  if (type === undefined) throw invalid(`a version 0 witness program has 20 or 32 bytes, not ${program.length}`);
  if (version > 0 && !prefixes.taproot) throw invalid(`witness version ${version} is not active on this network`);
  return { script: witnessScript(version, program), type };
}

interface KnownNetwork extends AddressPrefixes {
  readonly coin: string;
  readonly network: string;
}

let knownNetworks: readonly KnownNetwork[] | undefined;

function ownersOf(coin: Coin, matches: (prefixes: AddressPrefixes) => boolean): readonly string[] {
  knownNetworks ??= Object.entries(builtinCoins).flatMap(([name, definition]) =>
    Object.keys(definition.networks).map((network) => ({
      coin: name,
      network,
      ...resolveCoin(name, network).addresses,
    })),
  );
  return knownNetworks
    .filter((known) => !(known.coin === coin.name && known.network === coin.network) && matches(known))
    .map((known) => `${known.coin} ${known.network}`);
}

function describe(coin: Coin): string {
  return `${coin.name} ${coin.network}`;
}

function invalid(reason: string): PoolError {
  return new PoolError('invalid_address', `not a valid address: ${reason}`);
}

function wrongNetwork(coin: Coin, owners: readonly string[]): PoolError {
  return new PoolError(
    'wrong_network',
    `the address belongs to ${owners.join(' or ')}, but this is ${describe(coin)}`,
    { details: { owners } },
  );
}
