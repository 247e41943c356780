import type { Coin } from '@headframe/coins';
import { concatBytes, equalBytes } from '@headframe/primitives';
import { sha256d } from './hashes.js';

const BECH32_DIGITS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const BASE58_DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BECH32M = 0x2bc830a3; // BIP 350

function bech32Sum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [i, g] of [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].entries()) {
      if ((top >>> i) & 1) sum ^= g;
    }
  }
  return sum;
}

/** BIP 173 and BIP 350. */
function segwitAddress(prefix: string, version: number, program: Uint8Array): string {
  const words = [version];
  let bits = 0;
  let have = 0;
  for (const byte of program) {
    bits = ((bits << 8) | byte) & 0xfff;
    for (have += 8; have >= 5; have -= 5) words.push((bits >>> (have - 5)) & 31);
  }
  if (have > 0) words.push((bits << (5 - have)) & 31);
  const letters = [...prefix].map((letter) => letter.charCodeAt(0));
  const spread = [...letters.map((code) => code >>> 5), 0, ...letters.map((code) => code & 31)];
  const sum = bech32Sum([...spread, ...words, 0, 0, 0, 0, 0, 0]) ^ (version === 0 ? 1 : BECH32M);
  const check = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31);
  return `${prefix}1${[...words, ...check].map((word) => BECH32_DIGITS[word]).join('')}`;
}

function base58Address(version: number, hash: Uint8Array): string {
  const body = Uint8Array.of(...(version > 0xff ? [version >>> 8] : []), version & 0xff, ...hash);
  const bytes = concatBytes(body, sha256d(body).subarray(0, 4));
  let number = 0n;
  for (const byte of bytes) number = number * 256n + BigInt(byte);
  let text = '';
  for (; number > 0n; number /= 58n) text = BASE58_DIGITS[Number(number % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(Math.max(0, zeros)) + text;
}

/** Kind of an output script in Core's words, with its address where it has one. */
export interface ScriptDescription {
  readonly type: string;
  readonly address: string | undefined;
  readonly witness: { readonly version: number; readonly program: Uint8Array } | undefined;
}

/** What kind of script this is on a coin. */
export function describeScript(coin: Coin, script: Uint8Array): ScriptDescription {
  const { p2pkh, p2sh, bech32 } = coin.addresses;
  const isForm = (length: number, start: readonly number[], end: readonly number[]): boolean =>
    script.length === length &&
    equalBytes(script.subarray(0, start.length), Uint8Array.from(start)) &&
    equalBytes(script.subarray(length - end.length), Uint8Array.from(end));
  if (isForm(25, [0x76, 0xa9, 20], [0x88, 0xac])) {
    const address = p2pkh[0] === undefined ? undefined : base58Address(p2pkh[0], script.subarray(3, 23));
    return { type: 'pubkeyhash', address, witness: undefined };
  }
  if (isForm(23, [0xa9, 20], [0x87])) {
    const prefix = p2sh[0]; // further ones are old forms that are still read
    const address = prefix === undefined ? undefined : base58Address(prefix, script.subarray(2, 22));
    return { type: 'scripthash', address, witness: undefined };
  }
  if (script[0] === 0x6a) return { type: 'nulldata', address: undefined, witness: undefined };
  const first = script[0] ?? 0xff;
  const version = first === 0 ? 0 : first - 0x50;
  const length = script[1] ?? 0;
  if (version >= 0 && version <= 16 && length >= 2 && length <= 40 && script.length === length + 2) {
    const program = script.subarray(2);
    const address = bech32 === undefined ? undefined : segwitAddress(bech32, version, program);
    const known =
      version === 0
        ? length === 20
          ? 'witness_v0_keyhash'
          : 'witness_v0_scripthash'
        : version === 1 && length === 32
          ? 'witness_v1_taproot'
          : 'witness_unknown';
    return { type: known, address, witness: { version, program } };
  }
  return { type: 'nonstandard', address: undefined, witness: undefined };
}
