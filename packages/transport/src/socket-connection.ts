import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type Clock, concatBytes, errorMessage, type Logger, type Timer } from '@headframe/primitives';
import { normalizeAddress } from './address.js';
import { type Connection, type ConnectionHandler, type ConnectionKind, nextConnectionId } from './connection.js';

/** What all connections of a listener have in common, so that none of them carries it. */
export interface SocketConnectionEnvironment {
  readonly clock: Clock;
  readonly log: Logger;
  readonly lingerMs: number;
  /** Called once per connection, after its handler heard of the end. */
  connectionClosed(connection: Connection): void;
}

const CONNECTION = Symbol('headframe.connection');

/** A socket that knows its connection: event listeners can be shared functions, with no closure per socket. */
type OwnedSocket = Socket & { [CONNECTION]?: SocketConnection };

/**
 * A stream says `drain` only after a write that left at least this much unsent. 1, because the send queue waits for
 * the word also when a single notify is stuck. Costs at most one event per write (not measurable), and a paused
 * stream reads one chunk ahead at most.
 */
export const STREAM_WATERMARK = 1;

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[CONNECTION]?.onData(chunk);
}
function onDrain(this: OwnedSocket): void {
  this[CONNECTION]?.onDrain();
}
function onEnd(this: OwnedSocket): void {
  this[CONNECTION]?.onEnd();
}
function onError(this: OwnedSocket, error: Error): void {
  this[CONNECTION]?.onError(error);
}
function onClose(this: OwnedSocket): void {
  this[CONNECTION]?.onClose();
}

/** A {@link Connection} over a socket of node:net or node:tls. The socket must allow half-open and be connected. */
export class SocketConnection implements Connection {
  readonly id: number = nextConnectionId();
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #environment: SocketConnectionEnvironment;
  #socket: OwnedSocket;
  #handler: ConnectionHandler | undefined = undefined;
  #unread: Uint8Array | undefined = undefined;
  #error: Error | undefined = undefined;
  #linger: Timer | undefined = undefined;
  #started = false;
  /** Bytes were given back and the handler that shall have them has not come. */
  #awaitsStart = false;
  #paused = false;
  #ending = false;
  #peerEnded = false;
  #congested = false;
  #closed = false;

  /** `localPort` is passed in: asking the socket costs a system call and an object that lives as long as it does. */
  constructor(socket: Socket, localPort: number, environment: SocketConnectionEnvironment) {
    this.remoteAddress = normalizeAddress(socket.remoteAddress ?? '');
    this.remotePort = socket.remotePort ?? 0;
    this.localPort = localPort;
    this.#environment = environment;
    this.#socket = socket;
    this.#attach(socket);
  }

  get kind(): ConnectionKind {
    return this.#socket instanceof TLSSocket ? 'tls' : 'tcp';
  }
  get secure(): boolean {
    return this.#socket instanceof TLSSocket;
  }
  get closing(): boolean {
    return this.#ending || this.#closed || this.#socket.destroyed;
  }
  get unsentBytes(): number {
    return this.#closed ? 0 : this.#socket.writableLength;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#awaitsStart = false;
    if (this.#closed) {
      this.#tellClosed();
      return;
    }
    if (!this.#started) {
      this.#started = true;
      this.#socket.on('data', onData);
      if (this.#paused) this.#socket.pause();
    }
    this.#deliverUnread();
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#closed) return;
    this.#awaitsStart = true;
    const later = this.#unread;
    this.#unread = later === undefined ? Uint8Array.from(bytes) : concatBytes(bytes, later);
  }

  write(bytes: Uint8Array | string): void {
    const socket = this.#socket;
    if (this.#ending || socket.destroyed || bytes.length === 0) return;
    if (typeof bytes === 'string') socket.write(bytes, 'latin1');
    else socket.write(bytes);
    if (socket.writableLength > 0) this.#congested = true;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#started) this.#deliverUnread();
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.end();
    // The end of the peer is seen only while reading; what still comes is for nobody. Once both have ended, the
    // socket closes by itself.
    if (!this.#started) {
      this.#started = true;
      socket.on('data', onData);
    }
    socket.resume();
    this.#armLinger();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error ??= error;
    this.#ending = true;
    this.#socket.destroy();
  }

  /**
   * Becomes the server side of TLS. What was read already and belongs to the hello comes back by `hello`. The handler
   * stays and gets the decrypted bytes; a failed handshake closes the connection with an error.
   */
  startTls(context: SecureContext, hello: Uint8Array): void {
    const plain = this.#socket;
    plain.pause();
    plain.off('data', onData);
    plain.off('drain', onDrain);
    plain.off('end', onEnd);
    plain.off('error', onError);
    plain.off('close', onClose);
    if (hello.length > 0) plain.unshift(hello);
    const options = { isServer: true, secureContext: context, highWaterMark: STREAM_WATERMARK };
    const secured: OwnedSocket = new TLSSocket(plain, options);
    delete plain[CONNECTION];
    this.#socket = secured;
    this.#attach(secured);
    if (this.#started) secured.on('data', onData);
    if (this.#paused) secured.pause();
  }

  /** @internal */
  onData(chunk: Uint8Array): void {
    if (this.#ending || this.#closed) return;
    if (this.#unread !== undefined) {
      // Given back and not taken yet: nobody may overtake it.
      this.#unread = concatBytes(this.#unread, chunk);
      this.#socket.pause();
      return;
    }
    try {
      this.#handler?.data(chunk);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  /** @internal */
  onDrain(): void {
    if (!this.#congested || this.#closed) return;
    this.#congested = false;
    try {
      this.#handler?.drain();
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  /** @internal */
  onEnd(): void {
    this.#peerEnded = true;
    if (!this.#ending && this.#started && this.#unread === undefined) this.#tellEnded();
  }

  /** @internal */
  onError(error: Error): void {
    this.#error ??= error;
  }

  /** @internal */
  onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#linger?.cancel();
    this.#linger = undefined;
    this.#unread = undefined;
    if (this.#handler !== undefined) this.#tellClosed();
    this.#environment.connectionClosed(this);
  }

  #attach(socket: OwnedSocket): void {
    socket[CONNECTION] = this;
    socket.on('drain', onDrain);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  #deliverUnread(): void {
    if (this.#paused || this.#awaitsStart) return;
    const unread = this.#unread;
    if (unread !== undefined) {
      this.#unread = undefined;
      this.onData(unread);
      // The handler may have given bytes back, paused or ended.
      if (this.#awaitsStart || this.#paused || this.closing) return;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#peerEnded) this.#tellEnded();
  }

  #tellEnded(): void {
    const handler = this.#handler;
    if (handler?.ended === undefined) {
      this.end();
      return;
    }
    this.#armLinger();
    try {
      handler.ended();
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  #tellClosed(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    try {
      handler?.closed(this.#error);
    } catch (error) {
      this.#environment.log.error({ connection: this.id, error: errorMessage(error) }, 'close handler threw');
    }
  }

  #handlerThrew(error: unknown): void {
    this.#environment.log.error({ connection: this.id, error: errorMessage(error) }, 'connection handler threw');
    this.destroy(error instanceof Error ? error : new Error(errorMessage(error)));
  }

  #armLinger(): void {
    this.#linger ??= this.#environment.clock.setTimeout(() => this.destroy(), this.#environment.lingerMs);
  }
}
