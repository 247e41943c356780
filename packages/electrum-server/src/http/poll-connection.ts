import { type Connection, type ConnectionHandler, type ConnectionKind, nextConnectionId } from '@headframe/transport';

/** Where the peer is, and how it came. */
export interface PollPeer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly secure: boolean;
}

/** Bytes that may wait for the next request before they count as unsent, like the buffers of a socket. */
const WINDOW_BYTES = 131_072;

/**
 * A connection whose bytes come and go with the requests of a client that polls: what is written waits for
 * {@link take}, what is {@link give}n is delivered.
 */
export class PollConnection implements Connection {
  readonly id: number = nextConnectionId();
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly secure: boolean;
  readonly kind: ConnectionKind;
  /** Called when lines came to wait, and at the end. */
  onChange: () => void = () => {};
  #handler: ConnectionHandler | undefined = undefined;
  #incoming: Uint8Array[] = [];
  #isReading = false;
  #isPaused = false;
  /** ASCII lines, and the beginning of one. */
  #out = '';
  #isCongested = false;
  #isEnding = false;
  #isClosed = false;
  #error: Error | undefined = undefined;

  constructor(peer: PollPeer) {
    this.remoteAddress = peer.remoteAddress;
    this.remotePort = peer.remotePort;
    this.localPort = peer.localPort;
    this.secure = peer.secure;
    this.kind = peer.secure ? 'tls' : 'tcp';
  }

  get closing(): boolean {
    return this.#isEnding || this.#isClosed;
  }
  get unsentBytes(): number {
    return Math.max(0, this.#out.length - WINDOW_BYTES);
  }
  /** Text that waits to be fetched. */
  get waiting(): string {
    return this.#out;
  }

  /** Bytes of the client. */
  give(bytes: Uint8Array): void {
    if (this.closing) return;
    this.#incoming.push(bytes);
    this.#deliver();
  }

  /** Takes the whole lines that wait. */
  take(): readonly string[] {
    const end = this.#out.lastIndexOf('\n') + 1;
    const lines = this.#out.slice(0, end).split('\n');
    this.#out = this.#out.slice(end);
    if (this.#isCongested && this.unsentBytes === 0) {
      this.#isCongested = false;
      this.#call((handler) => handler.drain());
    }
    return lines.filter((line) => line !== '');
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#isClosed) {
      handler.closed(this.#error);
      return;
    }
    this.#isReading = true;
    this.#deliver();
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#isClosed) return;
    this.#incoming.unshift(Uint8Array.from(bytes));
    this.#isReading = false;
  }

  write(bytes: Uint8Array | string): void {
    if (this.closing || bytes.length === 0) return;
    this.#out += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
    if (this.unsentBytes > 0) this.#isCongested = true;
    this.onChange();
  }

  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  /** What waits can be fetched once more. */
  end(): void {
    if (this.closing) return;
    this.#isEnding = true;
    queueMicrotask(() => this.#close(undefined));
  }

  destroy(error?: Error): void {
    if (this.#isClosed) return;
    this.#out = '';
    this.#isEnding = true;
    queueMicrotask(() => this.#close(error));
  }

  #deliver(): void {
    while (this.#isReading && !this.#isPaused && !this.#isClosed) {
      const chunk = this.#incoming.shift();
      if (chunk === undefined) return;
      this.#call((handler) => handler.data(chunk));
    }
  }

  #call(run: (handler: ConnectionHandler) => void): void {
    if (this.#handler === undefined) return;
    try {
      run(this.#handler);
    } catch (error) {
      this.destroy(error instanceof Error ? error : undefined);
    }
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    this.#incoming = [];
    this.#call((handler) => handler.closed(error));
    this.onChange();
  }
}
