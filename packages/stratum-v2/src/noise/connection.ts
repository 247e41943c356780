import { isPoolError, PoolError } from '@headframe/primitives';
import { ByteCollector } from '../collector.js';
import { type Frame, type FrameLimits, payloadLimit } from '../frame.js';
import {
  ACT1_BYTES,
  ACT2_BYTES,
  type ClientSession,
  type FinishOptions,
  finishInitiator,
  type InitiatorState,
  initiate,
  type NoiseSession,
  type RespondOptions,
  respond,
} from './handshake.js';
import type { NoiseKeyPair } from './keys.js';
import { FrameDecrypter, FrameEncrypter } from './transport.js';

/** Gathers the other side's part of the handshake from chunks, then decrypts what follows it. */
class HandshakeReader<S extends NoiseSession> {
  readonly #limits: FrameLimits;
  readonly #collector = new ByteCollector();
  #session: S | undefined;
  #encrypter: FrameEncrypter | undefined;
  #decrypter: FrameDecrypter | undefined;
  #failure: PoolError | undefined;

  constructor(length: number, limits: FrameLimits) {
    payloadLimit(limits);
    this.#limits = limits;
    this.#collector.want(length);
  }

  get session(): S | undefined {
    return this.#session;
  }

  /** Calls `finish` with the other side's part once it is complete; hands frames to `sink`. */
  push(chunk: Uint8Array, finish: (part: Uint8Array) => S, sink: (frame: Frame) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    let at = 0;
    if (this.#decrypter === undefined) {
      at = this.#collector.take(chunk, 0);
      if (!this.#collector.isDone) return;
      try {
        const session = finish(this.#collector.finish());
        this.#encrypter = new FrameEncrypter(session.sendKey);
        this.#decrypter = new FrameDecrypter(session.receiveKey, this.#limits);
        this.#session = session;
      } catch (error) {
        if (isPoolError(error)) this.#failure = error;
        throw error;
      }
    }
    this.#decrypter.push(chunk.subarray(at), sink);
  }

  encrypt(frame: Frame): Uint8Array {
    if (this.#encrypter === undefined) throw new PoolError('invalid_argument', 'the handshake is not finished');
    return this.#encrypter.encrypt(frame);
  }
}

/** The server's end of a connection: the handshake, then frames, however the bytes are cut. */
export class NoiseServerEnd {
  readonly #options: RespondOptions;
  readonly #reader: HandshakeReader<NoiseSession>;

  /** @throws PoolError `invalid_argument` on a limit out of range */
  constructor(options: RespondOptions & FrameLimits) {
    this.#options = options;
    this.#reader = new HandshakeReader(ACT1_BYTES, options);
  }

  /** The keys; undefined before the handshake is finished. */
  get session(): NoiseSession | undefined {
    return this.#reader.session;
  }

  /**
   * Takes bytes of the client. Returns the 234 bytes to answer with, once; frames go to `sink`, after the answer was
   * made and before it is returned.
   * @throws PoolError as {@link respond} and {@link FrameDecrypter} do, then and on every later call
   */
  push(chunk: Uint8Array, sink: (frame: Frame) => void): Uint8Array | undefined {
    let answer: Uint8Array | undefined;
    const finish = (act1: Uint8Array): NoiseSession => {
      const { act2, session } = respond(act1, this.#options);
      answer = act2;
      return session;
    };
    this.#reader.push(chunk, finish, sink);
    return answer;
  }

  /** The encrypted bytes of a frame. @throws PoolError `invalid_argument` before the handshake is finished */
  encrypt(frame: Frame): Uint8Array {
    return this.#reader.encrypt(frame);
  }
}

/** What a client opens a connection with. */
export interface ClientEndOptions extends FrameLimits, Omit<FinishOptions, 'nowSeconds'> {
  /** A key for this connection only. */
  readonly ephemeral: NoiseKeyPair;
}

/** The client's end of a connection: send {@link opening}, then hand over what comes. */
export class NoiseClientEnd {
  readonly #options: ClientEndOptions;
  readonly #state: InitiatorState;
  readonly #reader: HandshakeReader<ClientSession>;
  /** The 64 bytes to send first. */
  readonly opening: Uint8Array;

  /** @throws PoolError `invalid_argument` on a key or limit that is none */
  constructor(options: ClientEndOptions) {
    this.#options = options;
    const { act1, state } = initiate(options.ephemeral);
    this.opening = act1;
    this.#state = state;
    this.#reader = new HandshakeReader(ACT2_BYTES, options);
  }

  /** Keys, and the server's certificate; undefined before the handshake is finished. */
  get session(): ClientSession | undefined {
    return this.#reader.session;
  }

  /**
   * Takes bytes of the server at this time (seconds since 1970); frames go to `sink`.
   * @throws PoolError as {@link finishInitiator} and {@link FrameDecrypter} do, then and on every later call
   */
  push(chunk: Uint8Array, nowSeconds: number, sink: (frame: Frame) => void): void {
    const finish = (act2: Uint8Array): ClientSession =>
      finishInitiator(this.#state, act2, { ...this.#options, nowSeconds });
    this.#reader.push(chunk, finish, sink);
  }

  /** The encrypted bytes of a frame. @throws PoolError `invalid_argument` before the handshake is finished */
  encrypt(frame: Frame): Uint8Array {
    return this.#reader.encrypt(frame);
  }
}
