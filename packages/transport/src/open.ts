import type { SecureContext } from 'node:tls';
import { type Clock, errorMessage, type Logger, type Timer } from '@headframe/primitives';
import type { AddressMatcher } from './address.js';
import type { Connection, ConnectionHandler } from './connection.js';
import { type Detector, detectTls, MAX_PREFIX_BYTES } from './detect.js';
import { parseProxyHeader } from './proxy-header.js';
import { SocketConnection } from './socket-connection.js';

/** Who may say, in a PROXY header, whom it speaks for. */
export interface ProxyPolicy {
  /**
   * `off`: a PROXY header is an unknown protocol. `optional`: trusted peers may send one; from others it is a
   * violation. `required`: everybody must be trusted and send one.
   */
  readonly mode: 'off' | 'optional' | 'required';
  readonly trusted: AddressMatcher;
  /** Time for a required header. Default 5,000. */
  readonly timeoutMs?: number;
}

export interface TlsPolicy {
  /** `required`: everything is TLS. `auto`: a ClientHello begins TLS, anything else is plain. */
  readonly mode: 'required' | 'auto';
  /** Of `tls.createSecureContext`. A function is asked for each connection, so that certificates can be replaced. */
  readonly context: SecureContext | (() => SecureContext);
}

export interface OpenOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked in this order; the first that says yes gets the connection, unless one before it still wants more bytes. */
  readonly detectors: readonly Detector[];
  /** Time until the protocol is known, TLS handshake included. Default 10,000; stops connections that say nothing. */
  readonly timeoutMs?: number;
  readonly proxy?: ProxyPolicy;
  readonly tls?: TlsPolicy;
}

/** Why a connection was closed before its protocol was known. */
export type OpenFailure =
  | 'client-closed'
  | 'socket-error'
  | 'detect-timeout'
  | 'bad-proxy-header'
  | 'unknown-protocol'
  | 'internal-error';

export type OpenResult =
  | {
      readonly ok: true;
      readonly connection: Connection;
      /** Name of the detector that said yes. */
      readonly protocol: string;
      /** The miner's address: from the PROXY header when there was one, else of the socket. */
      readonly remoteAddress: string;
      readonly remotePort: number;
    }
  | {
      readonly ok: false;
      readonly connection: Connection;
      readonly reason: OpenFailure;
      /** For the log. */
      readonly detail: string | undefined;
    };

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_PROXY_TIMEOUT_MS = 5000;

/**
 * Takes a new connection to the point where its protocol is known: PROXY header, TLS, first bytes. Calls `done`
 * exactly once. On success the connection waits for `connection.start(handler)`, which should be called from `done`;
 * all bytes after the PROXY header are delivered to that handler, those looked at first. On failure the connection is
 * destroyed.
 */
export function openConnection(connection: Connection, options: OpenOptions, done: (result: OpenResult) => void): void {
  const opening = new Opening(connection, options, done);
  opening.begin();
}

class Opening implements ConnectionHandler {
  readonly #connection: Connection;
  readonly #options: OpenOptions;
  readonly #done: (result: OpenResult) => void;
  #step: 'proxy' | 'tls' | 'handshake' | 'detect' | 'over';
  #remoteAddress: string;
  #remotePort: number;
  #timer: Timer | undefined = undefined;
  /** Bytes looked at that did not suffice to decide. */
  #prefix: Uint8Array | undefined = undefined;

  constructor(connection: Connection, options: OpenOptions, done: (result: OpenResult) => void) {
    this.#connection = connection;
    this.#options = options;
    this.#done = done;
    this.#remoteAddress = connection.remoteAddress;
    this.#remotePort = connection.remotePort;
    const mode = options.proxy?.mode ?? 'off';
    this.#step = mode !== 'off' ? 'proxy' : options.tls !== undefined ? 'tls' : 'detect';
  }

  begin(): void {
    const { proxy } = this.#options;
    if (proxy?.mode === 'required') {
      if (!proxy.trusted.matches(this.#connection.remoteAddress)) {
        this.#fail('bad-proxy-header', 'the peer is no trusted proxy');
        return;
      }
      this.#arm(proxy.timeoutMs ?? DEFAULT_PROXY_TIMEOUT_MS);
    } else this.#arm(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#connection.start(this);
  }

  data(chunk: Uint8Array): void {
    let bytes = chunk;
    const prefix = this.#prefix;
    if (prefix !== undefined) {
      bytes = new Uint8Array(prefix.length + chunk.length);
      bytes.set(prefix);
      bytes.set(chunk, prefix.length);
      this.#prefix = undefined;
    }
    const rest = this.#advance(bytes);
    // What is kept is small: a PROXY header has a bound, and detection looks at MAX_PREFIX_BYTES at most.
    // Not slice(): on a Buffer that is a view, and the bytes are only lent.
    if (rest !== undefined) this.#prefix = Uint8Array.from(rest);
  }

  drain(): void {}

  ended(): void {
    this.#fail('client-closed', undefined);
  }

  closed(error?: Error): void {
    this.#fail(error === undefined ? 'client-closed' : 'socket-error', error?.message);
  }

  /** Takes as many steps as the bytes allow; returns those that the next step needs more of. */
  #advance(received: Uint8Array): Uint8Array | undefined {
    let bytes = received;
    if (this.#step === 'proxy') {
      const headerLength = this.#readProxyHeader(bytes);
      if (headerLength === undefined) return this.#isOver() ? undefined : bytes;
      bytes = bytes.subarray(headerLength);
      this.#step = this.#options.tls !== undefined ? 'tls' : 'detect';
    }
    if (bytes.length === 0) return undefined;
    if (this.#step === 'tls') {
      const isTls = detectTls(bytes, bytes.length);
      if (isTls === 'more') return bytes;
      if (isTls === 'yes') {
        this.#step = 'handshake';
        this.#startTls(bytes);
        return undefined;
      }
      if (this.#options.tls?.mode === 'required') {
        this.#fail('unknown-protocol', 'no TLS hello');
        return undefined;
      }
      this.#step = 'detect';
    } else if (this.#step === 'handshake') this.#step = 'detect';
    return this.#step === 'detect' && !this.#detect(bytes) ? bytes : undefined;
  }

  /** Length of the header, 0 when there is none and none is needed; undefined: not known yet, or failed. */
  #readProxyHeader(bytes: Uint8Array): number | undefined {
    const { proxy } = this.#options;
    const result = parseProxyHeader(bytes);
    switch (result.status) {
      case 'more':
        return undefined;
      case 'absent':
        if (proxy?.mode !== 'required') return 0;
        this.#fail('bad-proxy-header', 'a PROXY header is required');
        return undefined;
      case 'invalid':
        this.#fail('bad-proxy-header', result.reason);
        return undefined;
      case 'done': {
        if (proxy?.trusted.matches(this.#connection.remoteAddress) !== true) {
          this.#fail('bad-proxy-header', 'the peer is no trusted proxy');
          return undefined;
        }
        if (result.source !== undefined) {
          this.#remoteAddress = result.source.address;
          this.#remotePort = result.source.port;
        }
        // From here on the miner has its own time.
        if (proxy.mode === 'required') this.#arm(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
        return result.headerLength;
      }
    }
  }

  #startTls(hello: Uint8Array): void {
    const context = this.#options.tls?.context;
    if (context === undefined || !(this.#connection instanceof SocketConnection)) {
      this.#fail('unknown-protocol', `TLS does not run over a ${this.#connection.kind} connection`);
      return;
    }
    try {
      this.#connection.startTls(typeof context === 'function' ? context() : context, hello);
    } catch (error) {
      this.#fail('internal-error', errorMessage(error));
    }
  }

  /** True when it is decided. */
  #detect(bytes: Uint8Array): boolean {
    const length = Math.min(bytes.length, MAX_PREFIX_BYTES);
    for (const detector of this.#options.detectors) {
      const detection = detector.detect(bytes, length);
      if (detection === 'no') continue;
      if (detection === 'yes') {
        this.#succeed(detector.name, bytes);
        return true;
      }
      if (length < MAX_PREFIX_BYTES) return false;
    }
    this.#fail('unknown-protocol', `begins with ${Buffer.from(bytes.subarray(0, 8)).toString('hex')}`);
    return true;
  }

  #succeed(protocol: string, bytes: Uint8Array): void {
    this.#finish();
    const connection = this.#connection;
    connection.unread(bytes);
    const remoteAddress = this.#remoteAddress;
    this.#tell({ ok: true, connection, protocol, remoteAddress, remotePort: this.#remotePort });
  }

  #fail(reason: OpenFailure, detail: string | undefined): void {
    if (this.#isOver()) return;
    this.#finish();
    this.#connection.destroy();
    this.#tell({ ok: false, connection: this.#connection, reason, detail });
  }

  #tell(result: OpenResult): void {
    try {
      this.#done(result);
    } catch (error) {
      // Often called from a timer, where a throw would end the process.
      this.#options.log.error({ connection: this.#connection.id, error: errorMessage(error) }, 'open callback threw');
      this.#connection.destroy(error instanceof Error ? error : new Error(errorMessage(error)));
    }
  }

  #isOver(): boolean {
    return this.#step === 'over';
  }

  #finish(): void {
    this.#step = 'over';
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#prefix = undefined;
  }

  #arm(timeoutMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimeout(() => this.#fail('detect-timeout', undefined), timeoutMs);
  }
}
