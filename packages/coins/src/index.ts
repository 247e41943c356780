export { decodeAddress, isAddress } from './address.js';
export { builtinCoins } from './builtin.js';
export { type AddressPrefixes, type Coin, coinNames, parseCoinDefinition, resolveCoin } from './coin.js';
export { encodeAddress } from './encode-address.js';
export {
  type CoinDefinition,
  coinDefinitionSchema,
  type ParsedCoinDefinition,
  type PayeeRule,
} from './schema.js';
export { type AddressType, type DecodedAddress, p2pkhScript, p2shScript, witnessScript } from './script.js';
