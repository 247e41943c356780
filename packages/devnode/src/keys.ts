import { ByteWriter, bytesToHex } from '@headframe/primitives';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { hash160, sha256d } from './hashes.js';
import { publicKeyHashScript, SIGHASH_ALL, type Signable, witnessSighash } from './sighash.js';

/** A key of the wallet with the P2WPKH script that pays it. */
export interface WalletKey {
  readonly secret: Uint8Array;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  readonly hash: Uint8Array;
  readonly script: Uint8Array;
  readonly isChange: boolean;
}

/**
 * The key with this number. Plain hashing instead of BIP 32: the chain is a toy, the same seed just has to give the same
 * keys. A hash is no valid key with a probability of 2^-128, so that is not looked after.
 */
export function deriveKey(seed: Uint8Array, index: number, isChange: boolean): WalletKey {
  const secret = sha256d(new ByteWriter(64).write(seed).u32le(index).finish());
  const publicKey = secp256k1.getPublicKey(secret, true);
  const hash = hash160(publicKey);
  return { secret, publicKey, hash, script: Uint8Array.of(0, 20, ...hash), isChange };
}

/** Witness stack that spends a P2WPKH output: signature of everything, and the key. */
export function signInput(transaction: Signable, index: number, key: WalletKey, value: bigint): Uint8Array[] {
  const scriptCode = publicKeyHashScript(key.hash);
  const digest = witnessSighash(transaction, { index, scriptCode, value, hashType: SIGHASH_ALL });
  const der = secp256k1.sign(digest, key.secret, { prehash: false, format: 'der', lowS: true });
  return [Uint8Array.of(...der, SIGHASH_ALL), key.publicKey];
}

/** Key of a script in maps. */
export function scriptKey(script: Uint8Array): string {
  return bytesToHex(script);
}
