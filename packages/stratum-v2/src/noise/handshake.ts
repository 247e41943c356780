import { concatBytes, PoolError } from '@headframe/primitives';
import { CERTIFICATE_BYTES, certificateProblem, decodeCertificate, type NoiseCertificate } from './certificate.js';
import { TAG_BYTES } from './cipher.js';
import { checkLength, NOISE_KEY_BYTES, type NoiseKeyPair, sharedSecret } from './keys.js';
import {
  decryptAndHash,
  encryptAndHash,
  initialState,
  mixHash,
  mixKey,
  type SymmetricState,
  split,
} from './symmetric.js';

/** Bytes of the client's message. */
export const ACT1_BYTES = NOISE_KEY_BYTES;
const ENCRYPTED_KEY_BYTES = NOISE_KEY_BYTES + TAG_BYTES;
/** Bytes of the server's message: a key, an encrypted key, an encrypted certificate. */
export const ACT2_BYTES = NOISE_KEY_BYTES + ENCRYPTED_KEY_BYTES + CERTIFICATE_BYTES + TAG_BYTES;

const NO_BYTES = new Uint8Array(0);

/** What a finished handshake leaves to one side. */
export interface NoiseSession {
  /** Key for what this side sends, 32 bytes. */
  readonly sendKey: Uint8Array;
  /** Key for what the other side sends, 32 bytes. */
  readonly receiveKey: Uint8Array;
  /** Hash of everything said, the same on both sides, 32 bytes. */
  readonly handshakeHash: Uint8Array;
}

/** What the client learns beyond the keys. */
export interface ClientSession extends NoiseSession {
  /** The server's static key as on the wire, 64 bytes. */
  readonly staticPublicKey: Uint8Array;
  readonly certificate: NoiseCertificate;
}

/** The client between its message and the server's. */
export interface InitiatorState {
  readonly ephemeral: NoiseKeyPair;
  readonly symmetric: SymmetricState;
}

/** The client's first step: the 64 bytes to send, and the state to finish with. The key must be used once only. */
export function initiate(ephemeral: NoiseKeyPair): { readonly act1: Uint8Array; readonly state: InitiatorState } {
  checkLength(ephemeral.publicKey, NOISE_KEY_BYTES, 'a public key');
  return {
    act1: Uint8Array.from(ephemeral.publicKey),
    state: { ephemeral, symmetric: afterAct1(ephemeral.publicKey) },
  };
}

function afterAct1(publicKey: Uint8Array): SymmetricState {
  // The empty payload of the message counts, too.
  return mixHash(mixHash(initialState(), publicKey), NO_BYTES);
}

/** Whom the client trusts, and when it is. */
export interface FinishOptions {
  /** X coordinate of the authority's key, 32 bytes; without it no certificate is verified and anybody may answer. */
  readonly authorityKey: Uint8Array | undefined;
  /** The time, in seconds since 1970. */
  readonly nowSeconds: number;
  /** Seconds by which clocks may differ; default 10. */
  readonly clockSkewSeconds?: number;
}

/**
 * The client's second step, with the server's 234 bytes.
 * @throws PoolError `protocol_violation` on another length or a wrong tag, `rejected` on a certificate that is not
 *   good (`details.problem` is a {@link CertificateProblem}), `invalid_data` when the keys do not combine
 */
export function finishInitiator(state: InitiatorState, act2: Uint8Array, options: FinishOptions): ClientSession {
  if (act2.length !== ACT2_BYTES) {
    throw new PoolError('protocol_violation', `the server's message has ${ACT2_BYTES} bytes, not ${act2.length}`);
  }
  const { ephemeral } = state;
  const theirs = act2.slice(0, NOISE_KEY_BYTES);
  const certificateAt = NOISE_KEY_BYTES + ENCRYPTED_KEY_BYTES;
  const afterEe = mixKey(mixHash(state.symmetric, theirs), sharedSecret(ephemeral, theirs, true));
  const [afterS, staticPublicKey] = decryptAndHash(afterEe, act2.slice(NOISE_KEY_BYTES, certificateAt));
  const afterEs = mixKey(afterS, sharedSecret(ephemeral, staticPublicKey, true));
  const [symmetric, certificateBytes] = decryptAndHash(afterEs, act2.slice(certificateAt));
  const certificate = decodeCertificate(certificateBytes);
  const { authorityKey, ...times } = options;
  if (authorityKey !== undefined) {
    const problem = certificateProblem(certificate, { authorityKey, staticPublicKey, ...times });
    if (problem !== undefined) {
      throw new PoolError('rejected', `the server's certificate is not good: ${problem}`, { details: { problem } });
    }
  }
  const [sendKey, receiveKey] = split(symmetric);
  return { sendKey, receiveKey, handshakeHash: symmetric.hash, staticPublicKey, certificate };
}

/** What the server answers with. */
export interface RespondOptions {
  /** A key for this handshake only. */
  readonly ephemeral: NoiseKeyPair;
  /** The server's own key. */
  readonly static: NoiseKeyPair;
  /** 74 bytes by which the authority vouches for the static key ({@link signCertificate}). */
  readonly certificate: Uint8Array;
}

/**
 * The server's only step: the 234 bytes to send for the client's 64, and the keys. Any 64 bytes are a client's
 * message; whoever sent others than a key's fails with the first frame.
 * @throws PoolError `protocol_violation` on another length, `invalid_data` when the keys do not combine,
 *   `invalid_argument` on options out of range
 */
export function respond(
  act1: Uint8Array,
  options: RespondOptions,
): { readonly act2: Uint8Array; readonly session: NoiseSession } {
  if (act1.length !== ACT1_BYTES) {
    throw new PoolError('protocol_violation', `the client's message has ${ACT1_BYTES} bytes, not ${act1.length}`);
  }
  const { ephemeral, static: ours, certificate } = options;
  checkLength(ephemeral.publicKey, NOISE_KEY_BYTES, 'a public key');
  checkLength(ours.publicKey, NOISE_KEY_BYTES, 'a public key');
  checkLength(certificate, CERTIFICATE_BYTES, 'a certificate');
  const theirs = Uint8Array.from(act1);
  const afterE = mixHash(afterAct1(theirs), ephemeral.publicKey);
  const afterEe = mixKey(afterE, sharedSecret(ephemeral, theirs, false));
  const [afterS, encryptedKey] = encryptAndHash(afterEe, ours.publicKey);
  const afterEs = mixKey(afterS, sharedSecret(ours, theirs, false));
  const [symmetric, encryptedCertificate] = encryptAndHash(afterEs, certificate);
  const [receiveKey, sendKey] = split(symmetric);
  return {
    act2: concatBytes(ephemeral.publicKey, encryptedKey, encryptedCertificate),
    session: { sendKey, receiveKey, handshakeHash: symmetric.hash },
  };
}
