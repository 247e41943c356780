import { type Clock, errorMessage, systemClock, type Timer } from '@headframe/primitives';
import {
  type Connection,
  type ConnectionHandler,
  type ConnectionKind,
  DEFAULT_LINGER_MS,
  nextConnectionId,
} from './connection.js';

export interface MemoryPairOptions {
  readonly clock?: Clock;
  /** Deliver in pieces of this many bytes, across writes. Default: one piece per write. */
  readonly chunkBytes?: number;
  /** Bytes a direction takes before the rest counts as unsent, like the buffers of two kernels. Default 65,536. */
  readonly windowBytes?: number;
  /** See {@link Connection.end}. Default 5,000. */
  readonly lingerMs?: number;
  /** Default `127.0.0.1`, seen by the server. */
  readonly clientAddress?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
}

export interface MemoryPair {
  readonly client: MemoryConnection;
  readonly server: MemoryConnection;
}

const DEFAULT_WINDOW_BYTES = 65_536;

/**
 * Two ends of a connection without a network, for tests. Delivery is asynchronous (microtasks), in order, and keeps
 * to what a socket does: backpressure, half-close, linger, one `closed` per end. Each chunk is overwritten after the
 * handler saw it, so that a handler that keeps lent bytes is found out.
 */
export function createMemoryPair(options: MemoryPairOptions = {}): MemoryPair {
  const clientPort = options.clientPort ?? 50_000;
  const serverPort = options.serverPort ?? 3333;
  const client = new MemoryConnection(options, '127.0.0.1', serverPort, clientPort);
  const server = new MemoryConnection(options, options.clientAddress ?? '127.0.0.1', clientPort, serverPort);
  client.peer = server;
  server.peer = client;
  return { client, server };
}

/** One end of a {@link MemoryPair}. */
export class MemoryConnection implements Connection {
  readonly id: number = nextConnectionId();
  readonly kind: ConnectionKind = 'memory';
  readonly secure = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** Bytes accepted by `write`, sent or not. */
  bytesWritten = 0;
  /** Bytes given to a handler. */
  bytesRead = 0;
  /** The other end; set by {@link createMemoryPair}. @internal */
  peer: MemoryConnection | undefined = undefined;
  readonly #options: MemoryPairOptions;
  readonly #clock: Clock;
  #handler: ConnectionHandler | undefined = undefined;
  /** What is on its way to this end. */
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;
  #unreadBytes = 0;
  #incomingEnd = false;
  #started = false;
  #paused = false;
  #frozen = false;
  #ending = false;
  #toldEnded = false;
  #congested = false;
  #scheduled = false;
  #closed = false;
  #error: Error | undefined = undefined;
  #linger: Timer | undefined = undefined;

  constructor(options: MemoryPairOptions, remoteAddress: string, remotePort: number, localPort: number) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.localPort = localPort;
  }

  get closing(): boolean {
    return this.#ending || this.#closed;
  }
  get unsentBytes(): number {
    const onTheWay = this.#closed ? 0 : (this.peer?.bytesWaiting ?? 0);
    return Math.max(0, onTheWay - this.#windowBytes);
  }
  /** Bytes on their way to this end. */
  get bytesWaiting(): number {
    return this.#incomingBytes;
  }
  get closed(): boolean {
    return this.#closed;
  }

  get #windowBytes(): number {
    return this.#options.windowBytes ?? DEFAULT_WINDOW_BYTES;
  }

  /** Stops reading like a process that was stopped: nothing arrives here, and the other end feels it. */
  freeze(): void {
    this.#frozen = true;
  }
  /** Goes on reading. */
  thaw(): void {
    this.#frozen = false;
    this.#schedule();
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#closed) {
      this.#tellClosed();
      return;
    }
    this.#started = true;
    // What was given back comes before this returns.
    if (this.#unreadBytes > 0) this.#deliver();
    this.#schedule();
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#closed) return;
    this.#incoming.unshift(Buffer.from(bytes));
    this.#incomingBytes += bytes.length;
    this.#unreadBytes += bytes.length;
    this.bytesRead -= bytes.length;
    this.#started = false;
  }

  write(bytes: Uint8Array | string): void {
    if (this.closing || bytes.length === 0) return;
    this.bytesWritten += bytes.length;
    // Buffers, as sockets deliver them: their slice() is a view, which a handler may have overlooked.
    this.peer?.receive(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes));
    if (this.unsentBytes > 0) this.#congested = true;
  }

  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.closing) return;
    this.#ending = true;
    this.#started = true;
    this.#paused = false;
    this.peer?.receiveEnd();
    this.#schedule();
    if (this.#closed) return;
    this.#linger ??= this.#clock.setTimeout(() => this.destroy(), this.#options.lingerMs ?? DEFAULT_LINGER_MS);
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error ??= error;
    this.#close();
    this.peer?.receiveEnd();
  }

  /** @internal */
  receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#incoming.push(bytes);
    this.#incomingBytes += bytes.length;
    this.#schedule();
  }

  /** @internal */
  receiveEnd(): void {
    this.#incomingEnd = true;
    this.#schedule();
  }

  /** @internal The other end has taken bytes. */
  taken(): void {
    if (!this.#congested || this.#closed || this.unsentBytes > 0) return;
    this.#congested = false;
    this.#call((handler) => handler.drain());
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#incomingBytes > 0) {
      if (!this.#started || this.#paused || this.#frozen || this.#closed) return;
      const chunk = this.#take();
      this.bytesRead += chunk.length;
      if (!this.#ending) this.#call((handler) => handler.data(chunk));
      chunk.fill(0xaa);
      this.peer?.taken();
    }
    if (!this.#incomingEnd || !this.#started || this.#paused || this.#frozen || this.#closed) return;
    if (this.#ending) this.#close();
    else if (!this.#toldEnded) this.#tellEnded();
  }

  #take(): Uint8Array {
    const size = this.#options.chunkBytes;
    let chunk: Uint8Array;
    if (size === undefined) chunk = this.#incoming.shift() ?? new Uint8Array(0);
    else {
      chunk = Buffer.alloc(Math.min(size, this.#incomingBytes));
      for (let at = 0; at < chunk.length; ) {
        const first = this.#incoming[0] ?? chunk;
        const part = first.subarray(0, chunk.length - at);
        chunk.set(part, at);
        at += part.length;
        if (part.length === first.length) this.#incoming.shift();
        else this.#incoming[0] = first.subarray(part.length);
      }
    }
    this.#incomingBytes -= chunk.length;
    this.#unreadBytes = Math.max(0, this.#unreadBytes - chunk.length);
    return chunk;
  }

  #tellEnded(): void {
    this.#toldEnded = true;
    if (this.#handler?.ended === undefined) this.end();
    else {
      this.#linger ??= this.#clock.setTimeout(() => this.destroy(), this.#options.lingerMs ?? DEFAULT_LINGER_MS);
      this.#call((handler) => handler.ended?.());
    }
  }

  #call(method: (handler: ConnectionHandler) => void): void {
    if (this.#handler === undefined) return;
    try {
      method(this.#handler);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(errorMessage(error)));
    }
  }

  #close(): void {
    this.#closed = true;
    this.#linger?.cancel();
    this.#linger = undefined;
    this.#incoming = [];
    this.#incomingBytes = 0;
    queueMicrotask(() => this.#tellClosed());
  }

  #tellClosed(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    try {
      handler?.closed(this.#error);
    } catch {
      // As with sockets: a close handler that throws harms nobody.
    }
  }
}
