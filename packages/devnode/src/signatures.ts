import { createPublicKey, verify } from 'node:crypto';
import { BoundedSet, bytesToHex, equalBytes } from '@headframe/primitives';
import type { Coin, CoinLookup } from './coins.js';
import { hash160 } from './hashes.js';
import { DEV_NODE_LIMITS } from './limits.js';
import { publicKeyHashScript, witnessSighashInner } from './sighash.js';
import { spentKey, type Transaction } from './transaction.js';

/** The 20-byte key hash of a P2WPKH script, undefined for every other script. */
export function keyHashOf(script: Uint8Array): Uint8Array | undefined {
  return script.length === 22 && script[0] === 0x00 && script[1] === 20 ? script.subarray(2) : undefined;
}

/** DER header of a compressed secp256k1 key as OpenSSL reads keys (RFC 5480). */
const KEY_HEADER = Uint8Array.of(
  ...[0x30, 0x36, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x22, 0x00],
);

/** Half of the curve's order: an S above it is the mirror image of one below (BIP 62 rule 5). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** The S of a DER signature of exactly the form of BIP 66, without the hash type; undefined for any other form. */
function strictDerS(der: Uint8Array): bigint | undefined {
  if (der.length < 8 || der.length > 72 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const lengthR = der[3] ?? 0;
  const lengthS = der[5 + lengthR] ?? 0;
  if (lengthR + lengthS + 6 !== der.length || der[2] !== 0x02 || der[4 + lengthR] !== 0x02) return undefined;
  const r = der.subarray(4, 4 + lengthR);
  const s = der.subarray(6 + lengthR);
  for (const number of [r, s]) {
    const first = number[0];
    if (first === undefined || first >= 0x80) return undefined; // empty or negative
    if (first === 0 && number.length > 1 && (number[1] ?? 0) < 0x80) return undefined; // longer than needed
  }
  return BigInt(`0x${bytesToHex(s)}`);
}

function failed(why: string): string {
  return `mandatory-script-verify-flag-failed (${why})`;
}

/** @returns undefined when the input may spend the coin, otherwise the reason in the words of nodes. */
function checkInput(transaction: Transaction, index: number, coin: Coin): string | undefined {
  const input = transaction.inputs[index];
  const program = keyHashOf(coin.script);
  if (input === undefined || program === undefined) return undefined; // other scripts are not run here
  const [signature, key, ...rest] = input.witness;
  if (input.scriptSig.length > 0) return failed('Witness requires empty scriptSig');
  if (signature === undefined) return failed('Witness program was passed an empty witness');
  if (key === undefined || rest.length > 0) return failed('Witness program hash mismatch');
  if (!equalBytes(hash160(key), program)) return failed('Script failed an OP_EQUALVERIFY operation');
  if (key.length !== 33) return failed('Using non-compressed keys in segwit');
  const der = signature.subarray(0, -1);
  const s = strictDerS(der);
  if (s === undefined) return failed('Non-canonical DER signature');
  if (s > HALF_ORDER) return failed('Non-canonical signature: S value is unnecessarily high');
  const hashType = signature.at(-1) ?? 0;
  const scriptCode = publicKeyHashScript(program);
  const inner = witnessSighashInner(transaction, { index, scriptCode, value: coin.value, hashType });
  // OpenSSL hashes once more: SHA-256d in all. It is another implementation than the one the wallet signs with.
  const isRight = verify('sha256', inner, publicKey(key), der);
  return isRight ? undefined : failed('Signature must be zero for failed CHECK(MULTI)SIG operation');
}

function publicKey(key: Uint8Array): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: Buffer.from([...KEY_HEADER, ...key]), format: 'der', type: 'spki' });
}

/** Checks signatures, each transaction's once: the mempool, a template and a block all ask. */
export class SignatureChecks {
  /** By wtxid, which covers inputs and witness; what an outpoint pays is fixed by its transaction id. */
  readonly #passed = new BoundedSet<string>(DEV_NODE_LIMITS.maxCheckedSignatures);

  /** Every P2WPKH input is signed. Call it when all inputs are known to exist. */
  check(transaction: Transaction, coins: CoinLookup): string | undefined {
    const id = bytesToHex(transaction.wtxid);
    if (this.#passed.has(id)) return undefined;
    for (const [index, input] of transaction.inputs.entries()) {
      const coin = coins(spentKey(input));
      if (coin === undefined) continue;
      const reason = this.#checkInput(transaction, index, coin);
      if (reason !== undefined) return reason;
    }
    this.#passed.add(id);
    return undefined;
  }

  #checkInput(transaction: Transaction, index: number, coin: Coin): string | undefined {
    try {
      return checkInput(transaction, index, coin);
    } catch {
      return failed('Public key is neither compressed or uncompressed'); // OpenSSL: no point of the curve
    }
  }
}
