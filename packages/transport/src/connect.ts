import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, TLSSocket } from 'node:tls';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
} from '@headframe/primitives';
import { type Connection, DEFAULT_LINGER_MS } from './connection.js';
import { SocketConnection, type SocketConnectionEnvironment, STREAM_WATERMARK } from './socket-connection.js';

/** How to trust the server. By default its certificate must be signed by a known authority and name the host. */
export interface TlsClientOptions {
  /** Name to ask for and to check. Default: the host, unless it is an address. */
  readonly servername?: string;
  /** Authorities to trust instead of the well-known ones, PEM. */
  readonly ca?: string | readonly string[];
  /** Accept exactly the certificate with this SHA-256 fingerprint (hex, colons allowed) and look at nothing else. */
  readonly fingerprint256?: string;
  /** Accept a certificate that no authority signed. Encrypts, but does not tell the server from an impostor. */
  readonly allowSelfSigned?: boolean;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Present: TLS from the first byte. */
  readonly tls?: TlsClientOptions;
  /** For everything: name lookup, TCP and TLS. Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** See {@link Connection.end}. Default 5,000. */
  readonly lingerMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 60_000;

/** Verification results that mean "nobody I know signed this", as opposed to expired, revoked or malformed. */
const UNSIGNED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/**
 * Connects to a server; resolves when bytes can be sent. Settles always: rejects with PoolError `connection_refused`
 * (anything that went wrong, a certificate included), `request_timeout`, `aborted`, or `invalid_argument`.
 */
export function connectTcp(options: ConnectOptions): Promise<Connection> {
  const { host, port, signal } = options;
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return Promise.reject(new PoolError('invalid_argument', `not a host and port: ${host}:${port}`));
  }
  if (signal?.aborted === true) return Promise.reject(connectError('aborted', options, signal.reason));
  const clock = options.clock ?? systemClock;
  return new Promise((resolve, reject) => {
    const socket = openSocket(options);
    let timer: Timer | undefined;
    const release = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('close', onClose);
    };
    const fail = (error: PoolError): void => {
      release();
      socket.on('error', ignore);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(connectError('aborted', options, signal?.reason));
    const onError = (error: Error): void => fail(connectError('connection_refused', options, error));
    const onClose = (): void => fail(connectError('connection_refused', options));
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    timer = clock.setTimeout(() => fail(connectError('request_timeout', options)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => {
      const distrust = socket instanceof TLSSocket ? whyDistrust(socket, options.tls ?? {}) : undefined;
      if (distrust !== undefined) {
        fail(connectError('connection_refused', options, new Error(distrust)));
        return;
      }
      release();
      // tls.connect() takes no such options.
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEPALIVE_MS);
      resolve(new SocketConnection(socket, socket.localPort ?? 0, environmentOf(options, clock)));
    });
  });
}

function openSocket(options: ConnectOptions): Socket {
  const { host, port, tls } = options;
  const common = {
    host,
    port,
    allowHalfOpen: true,
    highWaterMark: STREAM_WATERMARK,
    writableHighWaterMark: STREAM_WATERMARK,
  };
  if (tls === undefined) return connectSocket(common);
  // With a pin or leave for self-signed ones we judge the certificate ourselves, in whyDistrust.
  const judgeOurselves = tls.fingerprint256 !== undefined || tls.allowSelfSigned === true;
  return connectTls({
    ...common,
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls.ca === undefined ? {} : { ca: typeof tls.ca === 'string' ? tls.ca : [...tls.ca] }),
    rejectUnauthorized: !judgeOurselves,
  });
}

function whyDistrust(socket: TLSSocket, tls: TlsClientOptions): string | undefined {
  const { fingerprint256 } = tls;
  if (fingerprint256 !== undefined) {
    const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
    const seen = certificate.fingerprint256 ?? '';
    if (plainHex(seen) === plainHex(fingerprint256) && seen !== '') return undefined;
    return `certificate has fingerprint ${seen}, not the pinned one`;
  }
  if (socket.authorized) return undefined;
  const problem = String(socket.authorizationError);
  return tls.allowSelfSigned === true && UNSIGNED.has(problem) ? undefined : `certificate refused: ${problem}`;
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

function environmentOf(options: ConnectOptions, clock: Clock): SocketConnectionEnvironment {
  return {
    clock,
    log: options.log ?? silentLogger,
    lingerMs: options.lingerMs ?? DEFAULT_LINGER_MS,
    connectionClosed: ignore,
  };
}

function ignore(): void {}

function connectError(
  code: 'aborted' | 'request_timeout' | 'connection_refused',
  options: ConnectOptions,
  cause?: unknown,
): PoolError {
  const where = `${options.host}:${options.port}`;
  let why = 'closed by the other side';
  if (code === 'aborted') why = 'aborted';
  else if (code === 'request_timeout') why = 'no answer in time';
  else if (cause !== undefined) why = errorMessage(cause);
  return new PoolError(code, `cannot connect to ${where}: ${why}`, {
    cause,
    details: { host: options.host, port: options.port },
  });
}
