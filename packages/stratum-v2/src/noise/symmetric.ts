import { createHash, hkdfSync } from 'node:crypto';
import { NoiseCipher } from './cipher.js';

const PROTOCOL_NAME = 'Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256';
const NO_BYTES = new Uint8Array(0);

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}

/** State of a handshake as Noise describes it. A value: each step gives a new one. */
export interface SymmetricState {
  /** ck, 32 bytes. */
  readonly chainingKey: Uint8Array;
  /** h, 32 bytes: everything said so far. */
  readonly hash: Uint8Array;
  /** k, 32 bytes; undefined before the first key is mixed in. */
  readonly key: Uint8Array | undefined;
}

/** The state before the first byte, with the empty prologue mixed in. */
export function initialState(): SymmetricState {
  // The name has 45 bytes, more than a hash: it is hashed.
  const chainingKey = sha256(Buffer.from(PROTOCOL_NAME, 'ascii'));
  return { chainingKey, hash: sha256(chainingKey), key: undefined };
}

/** Noise HKDF with two outputs, 32 bytes each. */
function hkdf2(chainingKey: Uint8Array, input: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const out = new Uint8Array(hkdfSync('sha256', input, chainingKey, NO_BYTES, 64));
  return [out.slice(0, 32), out.slice(32)];
}

export function mixHash(state: SymmetricState, data: Uint8Array): SymmetricState {
  return { ...state, hash: sha256(state.hash, data) };
}

export function mixKey(state: SymmetricState, input: Uint8Array): SymmetricState {
  const [chainingKey, key] = hkdf2(state.chainingKey, input);
  return { ...state, chainingKey, key };
}

// Each key of this pattern encrypts one thing only, so that its nonce is always 0.

export function encryptAndHash(state: SymmetricState, plain: Uint8Array): readonly [SymmetricState, Uint8Array] {
  const bytes = state.key === undefined ? plain : new NoiseCipher(state.key).encrypt(plain, state.hash);
  return [mixHash(state, bytes), bytes];
}

/** @throws PoolError `protocol_violation` on a wrong tag */
export function decryptAndHash(state: SymmetricState, bytes: Uint8Array): readonly [SymmetricState, Uint8Array] {
  const plain = state.key === undefined ? bytes : new NoiseCipher(state.key).decrypt(bytes, state.hash);
  return [mixHash(state, bytes), plain];
}

/** The keys of the transport: first from initiator to responder, then back. */
export function split(state: SymmetricState): readonly [Uint8Array, Uint8Array] {
  return hkdf2(state.chainingKey, NO_BYTES);
}
