import { isPoolError, type PoolError } from '@headframe/primitives';
import { ByteCollector } from '../collector.js';
import {
  checkPayloadLength,
  FRAME_HEADER_BYTES,
  type Frame,
  type FrameHeader,
  type FrameLimits,
  payloadLimit,
  readFrameHeader,
  writeFrameHeader,
} from '../frame.js';
import { NoiseCipher, TAG_BYTES } from './cipher.js';

/** Longest piece of a payload that is encrypted at once: a Noise message has at most 65,535 bytes. */
const PIECE_BYTES = 65_535 - TAG_BYTES;
const ENCRYPTED_HEADER_BYTES = FRAME_HEADER_BYTES + TAG_BYTES;

/** Bytes on the wire of a frame with so long a payload, encrypted. */
export function encryptedFrameLength(payloadLength: number): number {
  return ENCRYPTED_HEADER_BYTES + payloadLength + TAG_BYTES * Math.ceil(payloadLength / PIECE_BYTES);
}

/** Encrypts the frames of one direction. Order matters: what it returns must be sent in the order it was made. */
export class FrameEncrypter {
  readonly #cipher: NoiseCipher;

  /** `nonce` is the first one, 0 after a handshake. @throws PoolError `invalid_argument` on a key that is none */
  constructor(key: Uint8Array, nonce = 0n) {
    this.#cipher = new NoiseCipher(key, nonce);
  }

  /**
   * The encrypted bytes of a frame: its header, then the payload in pieces.
   * @throws PoolError `invalid_argument` on a value out of range, `closed` when the nonces do not last; nothing was
   *   used then
   */
  encrypt(frame: Frame): Uint8Array {
    const { payload } = frame;
    const header = new Uint8Array(FRAME_HEADER_BYTES);
    writeFrameHeader(header, { ...frame, payloadLength: payload.length });
    this.#cipher.checkLeft(1 + Math.ceil(payload.length / PIECE_BYTES));
    const out = new Uint8Array(encryptedFrameLength(payload.length));
    out.set(this.#cipher.encrypt(header), 0);
    let at = ENCRYPTED_HEADER_BYTES;
    for (let from = 0; from < payload.length; from += PIECE_BYTES) {
      const piece = this.#cipher.encrypt(payload.subarray(from, from + PIECE_BYTES));
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }
}

/** Decrypts the frames of one direction, however the bytes are cut. */
export class FrameDecrypter {
  readonly #cipher: NoiseCipher;
  readonly #limit: number;
  readonly #collector = new ByteCollector();
  #header: FrameHeader | undefined;
  /** Decrypted pieces of the payload so far. */
  #pieces: Uint8Array[] = [];
  #decrypted = 0;
  #failure: PoolError | undefined;

  /** `nonce` is the first one, 0 after a handshake. @throws PoolError `invalid_argument` on a value out of range */
  constructor(key: Uint8Array, limits: FrameLimits = {}, nonce = 0n) {
    this.#cipher = new NoiseCipher(key, nonce);
    this.#limit = payloadLimit(limits);
    this.#collector.want(ENCRYPTED_HEADER_BYTES);
  }

  /** Bytes held of a frame that is not complete. */
  get heldBytes(): number {
    return this.#collector.length + this.#decrypted;
  }

  /**
   * Takes bytes and hands each complete frame to `sink`. Nothing of `chunk` is kept; the payload belongs to the
   * receiver. What `sink` throws comes out of here, and the rest of `chunk` is lost: close the connection.
   * @throws PoolError `protocol_violation` on a wrong tag or a payload beyond the limit, `closed` when the nonces are
   *   used up; then and on every later call
   */
  push(chunk: Uint8Array, sink: (frame: Frame) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    for (let at = 0; at < chunk.length; ) {
      at = this.#collector.take(chunk, at);
      if (!this.#collector.isDone) return;
      let frame: Frame | undefined;
      try {
        frame = this.#next(this.#collector.finish());
      } catch (error) {
        if (isPoolError(error)) this.#failure = error;
        this.#pieces = [];
        throw error;
      }
      if (frame !== undefined) sink(frame);
    }
  }

  /** Takes a whole encrypted header or piece; returns the frame when it was the last. */
  #next(encrypted: Uint8Array): Frame | undefined {
    const plain = this.#cipher.decrypt(encrypted);
    if (this.#header === undefined) {
      const header = readFrameHeader(plain);
      checkPayloadLength(header, this.#limit);
      this.#header = header;
    } else {
      this.#pieces.push(plain);
      this.#decrypted += plain.length;
    }
    const { payloadLength, ...head } = this.#header;
    const missing = payloadLength - this.#decrypted;
    if (missing > 0) {
      this.#collector.want(Math.min(missing, PIECE_BYTES) + TAG_BYTES);
      return undefined;
    }
    const payload = this.#joinedPayload(payloadLength);
    this.#header = undefined;
    this.#pieces = [];
    this.#decrypted = 0;
    this.#collector.want(ENCRYPTED_HEADER_BYTES);
    return { ...head, payload };
  }

  #joinedPayload(length: number): Uint8Array {
    const [first] = this.#pieces;
    if (first !== undefined && this.#pieces.length === 1) return first;
    const payload = new Uint8Array(length);
    let at = 0;
    for (const piece of this.#pieces) {
      payload.set(piece, at);
      at += piece.length;
    }
    return payload;
  }
}
