import { sha256d } from '@headframe/hashing';
import { base58, bech32, bech32m } from '@scure/base';
import type { Coin } from './coin.js';

const OP_0 = 0x00;
const OP_1 = 0x51;
const OP_16 = 0x60;

/**
 * The address that stands for a script on this coin and network; undefined for scripts that have none (data, bare
 * keys, the witness commitment). The inverse of `decodeAddress`; where a network has several prefixes, the first.
 *
 * @example
 * const address = encodeAddress(coin, output.script);
 */
export function encodeAddress(coin: Coin, script: Uint8Array): string | undefined {
  const { p2pkh, p2sh, bech32: prefix, taproot } = coin.addresses;
  if (isP2pkh(script)) return base58Address(p2pkh[0], script.subarray(3, 23));
  if (isP2sh(script)) return base58Address(p2sh[0], script.subarray(2, 22));
  const program = witnessProgram(script);
  if (program === undefined || prefix === undefined) return undefined;
  const { version, bytes } = program;
  if (version === 0) {
    if (bytes.length !== 20 && bytes.length !== 32) return undefined;
    return bech32.encode(prefix, [0, ...bech32.toWords(bytes)]);
  }
  return taproot ? bech32m.encode(prefix, [version, ...bech32m.toWords(bytes)]) : undefined;
}

function isP2pkh(script: Uint8Array): boolean {
  const [dup, hash160, push] = script;
  if (script.length !== 25 || dup !== 0x76 || hash160 !== 0xa9 || push !== 20) return false;
  return script[23] === 0x88 && script[24] === 0xac;
}

function isP2sh(script: Uint8Array): boolean {
  return script.length === 23 && script[0] === 0xa9 && script[1] === 20 && script[22] === 0x87;
}

// BIP 141: a version opcode and one push of 2 to 40 bytes, nothing else.
function witnessProgram(script: Uint8Array): { readonly version: number; readonly bytes: Uint8Array } | undefined {
  const [opcode = -1, length = -1] = script;
  if (length < 2 || length > 40 || script.length !== length + 2) return undefined;
  if (opcode !== OP_0 && (opcode < OP_1 || opcode > OP_16)) return undefined;
  return { version: opcode === OP_0 ? 0 : opcode - OP_1 + 1, bytes: script.subarray(2) };
}

function base58Address(version: number | undefined, hash: Uint8Array): string | undefined {
  if (version === undefined) return undefined;
  const head = version > 0xff ? [version >> 8, version & 0xff] : [version];
  const body = Uint8Array.of(...head, ...hash);
  return base58.encode(Uint8Array.of(...body, ...sha256d(body).subarray(0, 4)));
}
