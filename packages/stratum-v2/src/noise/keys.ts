import { createHash } from 'node:crypto';
import { PoolError } from '@headframe/primitives';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { elligatorSwift } from '@scure/btc-signer/p2p.js';

/** Bytes of randomness that {@link noiseKeyPair} takes. */
export const KEY_PAIR_RANDOM_BYTES = 64;
/** Bytes of a public key on the wire (ElligatorSwift, BIP 324). */
export const NOISE_KEY_BYTES = 64;

/** A key for a handshake. */
export interface NoiseKeyPair {
  /** 32 bytes, big-endian. */
  readonly secretKey: Uint8Array;
  /** 64 bytes: one of the many ElligatorSwift encodings of the point's x coordinate. */
  readonly publicKey: Uint8Array;
}

/** Tries to find an encoding: one in four succeeds, so that this many failing says that the hash is broken. */
const MAX_ENCODING_TRIES = 4096;

/** @throws PoolError `invalid_argument` unless there are `length` bytes */
export function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) {
    throw new PoolError('invalid_argument', `${what} has ${length} bytes, not ${bytes.length}`);
  }
}

/**
 * A key pair from 64 random bytes: 32 for the secret, 32 to choose an encoding of the public key. The same bytes give
 * the same pair.
 * @throws PoolError `invalid_argument` when there are not 64 bytes, or when the first 32 are no secret key (which
 *   random ones are, except with a probability of 2^-128)
 */
export function noiseKeyPair(random: Uint8Array): NoiseKeyPair {
  checkLength(random, KEY_PAIR_RANDOM_BYTES, 'the randomness of a key pair');
  const secretKey = Uint8Array.from(random.subarray(0, 32));
  if (!secp256k1.utils.isValidSecretKey(secretKey)) {
    throw new PoolError('invalid_argument', 'these random bytes are no secret key');
  }
  const { Fp } = secp256k1.Point;
  const x = Fp.fromBytes(schnorr.getPublicKey(secretKey));
  // BIP 324 XElligatorSwift, with u and the case drawn from a hash of the caller's randomness.
  for (let i = 0; i < MAX_ENCODING_TRIES; i++) {
    const counter = new Uint8Array(4);
    new DataView(counter.buffer).setUint32(0, i, true);
    const digest = createHash('sha512')
      .update('headframe/ellswift')
      .update(random.subarray(32))
      .update(counter)
      .digest();
    const u = Fp.create(Fp.fromBytes(Uint8Array.from(digest.subarray(0, 32)), true));
    if (Fp.is0(u)) continue;
    const t = elligatorSwift._inv(x, u, (digest[32] ?? 0) & 7);
    if (typeof t !== 'bigint' || Fp.is0(t)) continue;
    const publicKey = new Uint8Array(NOISE_KEY_BYTES);
    publicKey.set(Fp.toBytes(u), 0);
    publicKey.set(Fp.toBytes(t), 32);
    return { secretKey, publicKey };
  }
  throw new PoolError('invalid_argument', 'no encoding of the public key was found');
}

/**
 * The x coordinate (32 bytes, big-endian) of a public key as it came over the wire. Any 64 bytes are a key.
 * @throws PoolError `invalid_argument` when there are not 64 bytes
 */
export function noiseKeyX(publicKey: Uint8Array): Uint8Array {
  checkLength(publicKey, NOISE_KEY_BYTES, 'a public key');
  return elligatorSwift.decode(publicKey);
}

/**
 * What both sides share (BIP 324 v2_ecdh), 32 bytes.
 * @throws PoolError `invalid_data` when the keys do not combine
 */
export function sharedSecret(ours: NoiseKeyPair, theirs: Uint8Array, isInitiator: boolean): Uint8Array {
  try {
    return elligatorSwift.getSharedSecretBip324(ours.secretKey, theirs, ours.publicKey, isInitiator);
  } catch (cause) {
    throw new PoolError('invalid_data', 'the keys of the handshake do not combine', { cause });
  }
}
