import { createHash } from 'node:crypto';
import { errorMessage, PoolError } from '@headframe/primitives';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { createBase58check } from '@scure/base';

const base58check = createBase58check((data: Uint8Array) =>
  Uint8Array.from(createHash('sha256').update(data).digest()),
);
/** U16 1: a key of secp256k1. */
const KEY_PREFIX: readonly number[] = [1, 0];
/** Longest text looked at; a key has 52 characters or fewer. Base58 takes quadratic time. */
const MAX_TEXT = 64;

function decodeText(text: string, what: string): Uint8Array {
  if (text.length > MAX_TEXT) throw new PoolError('invalid_argument', `${what} is too long`);
  try {
    return base58check.decode(text);
  } catch (error) {
    throw new PoolError('invalid_argument', `${what} is not valid: ${errorMessage(error)}`);
  }
}

function isPoint(x: Uint8Array): boolean {
  try {
    schnorr.utils.lift_x(secp256k1.Point.Fp.fromBytes(x));
    return true;
  } catch {
    return false;
  }
}

/**
 * An authority's public key (x coordinate, 32 bytes) as people write it: base58check of `01 00` and the key.
 * @throws PoolError `invalid_argument` when it is no key
 */
export function encodeAuthorityKey(key: Uint8Array): string {
  if (key.length !== 32 || !isPoint(key)) throw new PoolError('invalid_argument', 'not the x coordinate of a key');
  return base58check.encode(Uint8Array.from([...KEY_PREFIX, ...key]));
}

/**
 * The x coordinate (32 bytes) of a written public key.
 * @throws PoolError `invalid_argument` when the text is no key
 */
export function decodeAuthorityKey(text: string): Uint8Array {
  const bytes = decodeText(text, 'the authority key');
  if (bytes.length !== 34 || bytes[0] !== KEY_PREFIX[0] || bytes[1] !== KEY_PREFIX[1]) {
    throw new PoolError('invalid_argument', 'the authority key is of another kind');
  }
  const key = bytes.slice(2);
  if (!isPoint(key)) throw new PoolError('invalid_argument', 'the authority key is no point of the curve');
  return key;
}

/**
 * An authority's secret key (32 bytes) as text: base58check of the key alone, the form of the reference pool.
 * @throws PoolError `invalid_argument` when it is no key
 */
export function encodeAuthoritySecret(key: Uint8Array): string {
  if (!secp256k1.utils.isValidSecretKey(key)) throw new PoolError('invalid_argument', 'not a secret key');
  return base58check.encode(key);
}

/** The secret key (32 bytes) of such a text. @throws PoolError `invalid_argument` when the text is no key */
export function decodeAuthoritySecret(text: string): Uint8Array {
  const key = decodeText(text, 'the secret key');
  if (!secp256k1.utils.isValidSecretKey(key)) throw new PoolError('invalid_argument', 'the secret key is not valid');
  return key;
}

/** The public key (x coordinate, 32 bytes) of a secret one. @throws PoolError `invalid_argument` when it is no key */
export function authorityKeyOf(secretKey: Uint8Array): Uint8Array {
  if (!secp256k1.utils.isValidSecretKey(secretKey)) throw new PoolError('invalid_argument', 'not a secret key');
  return schnorr.getPublicKey(secretKey);
}
