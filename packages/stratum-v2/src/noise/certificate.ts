import { createHash } from 'node:crypto';
import { ByteReader, ByteWriter, PoolError } from '@headframe/primitives';
import { schnorr } from '@noble/curves/secp256k1.js';
import { SIGNATURE, U16, U32 } from '../codec.js';
import { checkLength, noiseKeyX } from './keys.js';

/** Bytes of a certificate: version U16, valid from U32, not valid after U32, signature. */
export const CERTIFICATE_BYTES = 74;
const SIGNED_BYTES = 10;

/** The authority's word that a static key may be used from one second to another. */
export interface NoiseCertificate {
  /** 0 is the only version. */
  readonly version: number;
  /** Seconds since 1970, inclusive. */
  readonly validFromSeconds: number;
  /** Seconds since 1970, inclusive. */
  readonly notValidAfterSeconds: number;
  /** BIP 340, 64 bytes. */
  readonly signature: Uint8Array;
}

/** What the authority signs: SHA-256 of the first ten bytes and the x coordinate of the static key. */
function signedHash(head: Uint8Array, staticKeyX: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(head).update(staticKeyX).digest());
}

/** The bytes of a certificate. @throws PoolError `invalid_argument` on a value out of range */
export function encodeCertificate(certificate: NoiseCertificate): Uint8Array {
  const writer = new ByteWriter(CERTIFICATE_BYTES);
  U16.write(writer, certificate.version);
  U32.write(writer, certificate.validFromSeconds);
  U32.write(writer, certificate.notValidAfterSeconds);
  SIGNATURE.write(writer, certificate.signature);
  return writer.finish();
}

/** A certificate from its 74 bytes; nothing is verified. @throws PoolError `invalid_data` on another length */
export function decodeCertificate(bytes: Uint8Array): NoiseCertificate {
  if (bytes.length !== CERTIFICATE_BYTES) {
    throw new PoolError('invalid_data', `a certificate has ${CERTIFICATE_BYTES} bytes, not ${bytes.length}`);
  }
  const reader = new ByteReader(bytes);
  const version = reader.u16le();
  const validFromSeconds = reader.u32le();
  const notValidAfterSeconds = reader.u32le();
  return { version, validFromSeconds, notValidAfterSeconds, signature: reader.copy(64) };
}

export interface SignCertificateOptions {
  /** 32 bytes, big-endian. */
  readonly authoritySecretKey: Uint8Array;
  /** The public key to vouch for, as on the wire (64 bytes). */
  readonly staticPublicKey: Uint8Array;
  /** Seconds since 1970. Some clients allow no difference of clocks: date it back by an hour. */
  readonly validFromSeconds: number;
  /** Seconds since 1970. */
  readonly notValidAfterSeconds: number;
  /** 32 random bytes (BIP 340's auxiliary randomness). */
  readonly random: Uint8Array;
}

/**
 * The 74 bytes that vouch for a static key. One certificate may serve every handshake of that key.
 * @throws PoolError `invalid_argument` on a value out of range or a secret key that is none
 */
export function signCertificate(options: SignCertificateOptions): Uint8Array {
  const { authoritySecretKey, validFromSeconds, notValidAfterSeconds } = options;
  checkLength(authoritySecretKey, 32, 'a secret key');
  checkLength(options.random, 32, 'the randomness of a signature');
  const unsigned = encodeCertificate({
    version: 0,
    validFromSeconds,
    notValidAfterSeconds,
    signature: new Uint8Array(64),
  });
  const hash = signedHash(unsigned.subarray(0, SIGNED_BYTES), noiseKeyX(options.staticPublicKey));
  try {
    unsigned.set(schnorr.sign(hash, authoritySecretKey, options.random), SIGNED_BYTES);
  } catch (cause) {
    throw new PoolError('invalid_argument', 'the authority has no valid secret key', { cause });
  }
  return unsigned;
}

export interface VerifyCertificateOptions {
  /** X coordinate of the authority's key, 32 bytes. */
  readonly authorityKey: Uint8Array;
  /** The static key that the server showed, as on the wire (64 bytes). */
  readonly staticPublicKey: Uint8Array;
  /** The time, in seconds since 1970. */
  readonly nowSeconds: number;
  /** Seconds by which clocks may differ; default 10. */
  readonly clockSkewSeconds?: number;
}

/** Allowed difference of clocks where none is given: what the reference implementation allows. */
const DEFAULT_CLOCK_SKEW_SECONDS = 10;

/** Why a certificate is not good; undefined when it is. */
export type CertificateProblem = 'version' | 'not-yet-valid' | 'expired' | 'signature';

/** Checks a certificate; returns what is wrong with it first, undefined when it is good. Never throws. */
export function certificateProblem(
  certificate: NoiseCertificate,
  options: VerifyCertificateOptions,
): CertificateProblem | undefined {
  const skew = options.clockSkewSeconds ?? DEFAULT_CLOCK_SKEW_SECONDS;
  if (certificate.version !== 0) return 'version';
  // Written so that a time that is no number fails.
  if (!(options.nowSeconds + skew >= certificate.validFromSeconds)) return 'not-yet-valid';
  if (!(options.nowSeconds - skew <= certificate.notValidAfterSeconds)) return 'expired';
  try {
    const head = encodeCertificate(certificate).subarray(0, SIGNED_BYTES);
    const hash = signedHash(head, noiseKeyX(options.staticPublicKey));
    return schnorr.verify(certificate.signature, hash, options.authorityKey) ? undefined : 'signature';
  } catch {
    return 'signature';
  }
}
