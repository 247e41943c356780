import { createCipheriv, createDecipheriv } from 'node:crypto';
import { PoolError } from '@headframe/primitives';
import { checkLength } from './keys.js';

/** Bytes that encryption adds. */
export const TAG_BYTES = 16;
/** Noise keeps the last nonce for itself. */
const NONCE_LIMIT = 0xffffffffffffffffn;
const NO_BYTES = new Uint8Array(0);

/** ChaCha20-Poly1305 under one key, with a nonce that counts up. There is no rekeying: a used-up nonce is the end. */
export class NoiseCipher {
  readonly #key: Uint8Array;
  #nonce: bigint;

  /** @throws PoolError `invalid_argument` unless the key has 32 bytes and the nonce fits in 64 bits */
  constructor(key: Uint8Array, nonce = 0n) {
    checkLength(key, 32, 'a key');
    if (nonce < 0n || nonce > NONCE_LIMIT) throw new PoolError('invalid_argument', `a nonce of ${nonce}`);
    this.#key = Uint8Array.from(key);
    this.#nonce = nonce;
  }

  /** The nonce of the next use. */
  get nonce(): bigint {
    return this.#nonce;
  }

  /** @throws PoolError `closed` when fewer than `uses` nonces are left */
  checkLeft(uses: number): void {
    if (this.#nonce + BigInt(uses) > NONCE_LIMIT) throw new PoolError('closed', 'the nonces of this key are used up');
  }

  #nextNonce(): Uint8Array {
    this.checkLeft(1);
    // 32 zero bits, then the counter, little-endian.
    const bytes = new Uint8Array(12);
    new DataView(bytes.buffer).setBigUint64(4, this.#nonce, true);
    this.#nonce += 1n;
    return bytes;
  }

  /** The encrypted bytes with their tag. @throws PoolError `closed` when the nonces are used up */
  encrypt(plain: Uint8Array, associated: Uint8Array = NO_BYTES): Uint8Array {
    const cipher = createCipheriv('chacha20-poly1305', this.#key, this.#nextNonce(), { authTagLength: TAG_BYTES });
    if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: plain.length });
    const out = new Uint8Array(plain.length + TAG_BYTES);
    out.set(cipher.update(plain), 0);
    cipher.final();
    out.set(cipher.getAuthTag(), plain.length);
    return out;
  }

  /**
   * The bytes inside, once the tag has been found right.
   * @throws PoolError `protocol_violation` when the tag is wrong or missing, `closed` when the nonces are used up
   */
  decrypt(encrypted: Uint8Array, associated: Uint8Array = NO_BYTES): Uint8Array {
    const length = encrypted.length - TAG_BYTES;
    if (length < 0)
      throw new PoolError('protocol_violation', `${encrypted.length} encrypted bytes have no room for a tag`);
    const decipher = createDecipheriv('chacha20-poly1305', this.#key, this.#nextNonce(), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(encrypted.subarray(length));
    if (associated.length > 0) decipher.setAAD(associated, { plaintextLength: length });
    const plain = Uint8Array.from(decipher.update(encrypted.subarray(0, length)));
    try {
      decipher.final();
    } catch (cause) {
      throw new PoolError('protocol_violation', 'encrypted bytes have a wrong tag', { cause });
    }
    return plain;
  }
}
