/** How bytes travel. */
export type ConnectionKind = 'tcp' | 'tls' | 'memory';

/**
 * What a connection calls. Methods may throw: the connection is then destroyed with the error, and nothing else is
 * harmed.
 */
export interface ConnectionHandler {
  /** Bytes from the peer. They are lent for the duration of the call; whoever keeps them copies them. */
  data(chunk: Uint8Array): void;
  /** What {@link Connection.unsentBytes} counted has gone; it was above 0 after a write. */
  drain(): void;
  /**
   * The peer said that it will send no more (half-close); it may still read. Without this method the connection
   * flushes and ends. With it, the handler calls {@link Connection.end} when its answers are written; the connection
   * is destroyed if that takes longer than the linger time.
   */
  ended?(): void;
  /** The end, called exactly once per connection; `error` tells why when it was no orderly end. */
  closed(error?: Error): void;
}

/** One byte stream between two peers. */
export interface Connection {
  /** Unique in this process, increasing. */
  readonly id: number;
  /** Address of the other end of the socket; IPv4 in IPv6 is written as IPv4. Stays readable after the end. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** True when encrypted. */
  readonly secure: boolean;
  readonly kind: ConnectionKind;
  /** True once nothing can be written any more: after {@link end}, {@link destroy}, or the end. */
  readonly closing: boolean;
  /** Bytes written and not yet taken by the operating system. */
  readonly unsentBytes: number;

  /**
   * Begins to deliver to `handler`; a later call hands over to another one. Bytes given back by {@link unread} are
   * delivered first, before this returns. On a connection that has closed already, `closed` is called before this
   * returns.
   */
  start(handler: ConnectionHandler): void;
  /** Gives bytes back (they are copied): they come before all others, to the handler of the next {@link start}. */
  unread(bytes: Uint8Array): void;
  /** Sends bytes, or text whose characters are all below 256. One system call when the socket is idle. Ignored after the end. */
  write(bytes: Uint8Array | string): void;
  /** Stops calling `data` until {@link resume}; the peer gets to feel it (TCP backpressure). */
  pause(): void;
  resume(): void;
  /** Sends what is unsent, says that no more will come, waits a while for the peer to do the same, then destroys. Idempotent. */
  end(): void;
  /** Closes at once and forgets what is unsent. `closed` follows, with `error`. Idempotent. */
  destroy(error?: Error): void;
}

/** Something that accepts connections. */
export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  /** Connections accepted and not closed yet. */
  readonly connections: number;
  /** Stops accepting; open connections live on. Idempotent. */
  close(): Promise<void>;
}

/** How long a connection that has ended waits for the peer to end too. Longer than any sane round trip. */
export const DEFAULT_LINGER_MS = 5000;

let lastId = 0;

/** The next connection id of this process. */
export function nextConnectionId(): number {
  return ++lastId;
}
