import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, errorMessage, type Logger, PoolError, silentLogger, systemClock } from '@headframe/primitives';
import { normalizeAddress } from './address.js';
import { type Connection, DEFAULT_LINGER_MS, type Listener } from './connection.js';
import { SocketConnection, type SocketConnectionEnvironment, STREAM_WATERMARK } from './socket-connection.js';

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connections the kernel may hold until they are accepted. Default 4096: a farm that comes back at once. */
  readonly backlog?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** See {@link Connection.end}. Default 5,000. */
  readonly lingerMs?: number;
  /** Asked before anything is made of a socket; `false` closes it at once. The address is normalised. */
  readonly accept?: (remoteAddress: string) => boolean;
  /**
   * Told when the system failed to accept. Accepting goes on. When file descriptors run out, Node usually turns
   * newcomers away without a word: bound the connections below the limit of descriptors instead of waiting for this.
   */
  readonly acceptFailed?: (error: Error) => void;
}

/** Time between two log lines on failing accepts: they come thousands a second when descriptors run out. */
const ACCEPT_LOG_MS = 10_000;

/** Seconds of silence before TCP asks whether the peer is still there; firmware uses 45 to 60 itself. */
const KEEPALIVE_MS = 60_000;

/**
 * Listens for TCP connections; resolves when it does. Sockets have TCP_NODELAY and keepalive on. TLS is begun by
 * `openConnection`, because a PROXY header may come before it.
 * @throws PoolError `listen_failed` (as a rejection) with what to do about it.
 */
export function listenTcp(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener> {
  const listener = new TcpListener(options, onConnection);
  return listener.open(options);
}

class TcpListener implements Listener, SocketConnectionEnvironment {
  readonly clock: Clock;
  readonly log: Logger;
  readonly lingerMs: number;
  readonly #server: Server;
  readonly #accept: ListenOptions['accept'];
  readonly #acceptFailed: ListenOptions['acceptFailed'];
  readonly #onConnection: (connection: Connection) => void;
  #address = { host: '', port: 0 };
  #connections = 0;
  #failedAccepts = 0;
  #lastFailureLogMs = Number.NEGATIVE_INFINITY;

  constructor(options: ListenOptions, onConnection: (connection: Connection) => void) {
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? silentLogger;
    this.lingerMs = options.lingerMs ?? DEFAULT_LINGER_MS;
    this.#accept = options.accept;
    this.#acceptFailed = options.acceptFailed;
    this.#onConnection = onConnection;
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_MS,
      highWaterMark: STREAM_WATERMARK,
    });
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }
  get connections(): number {
    return this.#connections;
  }

  open(options: ListenOptions): Promise<Listener> {
    const { host, port } = options;
    return new Promise((resolve, reject) => {
      const server = this.#server;
      const onError = (cause: Error): void => reject(listenError(host, port, cause));
      server.once('error', onError);
      server.listen({ host, port, backlog: options.backlog ?? 4096 }, () => {
        const address = server.address();
        if (address !== null && typeof address === 'object')
          this.#address = { host: address.address, port: address.port };
        server.off('error', onError);
        server.on('error', (error) => this.#onAcceptError(error));
        resolve(this);
      });
      server.on('connection', (socket) => this.#onSocket(socket));
    });
  }

  close(): Promise<void> {
    // Closes the listening socket at once; the callback would wait for all connections to end.
    this.#server.close();
    return Promise.resolve();
  }

  connectionClosed(): void {
    this.#connections--;
  }

  #onSocket(socket: Socket): void {
    const { remoteAddress } = socket;
    // Undefined: the peer is gone already.
    if (remoteAddress === undefined || !this.#admits(normalizeAddress(remoteAddress))) {
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    this.#connections++;
    const connection = new SocketConnection(socket, this.#address.port, this);
    try {
      this.#onConnection(connection);
    } catch (error) {
      this.log.error({ connection: connection.id, error: errorMessage(error) }, 'connection handler threw');
      connection.destroy();
    }
  }

  #admits(remoteAddress: string): boolean {
    try {
      return this.#accept?.(remoteAddress) ?? true;
    } catch (error) {
      this.log.error({ error: errorMessage(error) }, 'admission check threw');
      return false;
    }
  }

  #onAcceptError(error: Error): void {
    this.#failedAccepts++;
    const nowMs = this.clock.monotonic();
    if (nowMs - this.#lastFailureLogMs >= ACCEPT_LOG_MS) {
      this.#lastFailureLogMs = nowMs;
      this.log.error(
        { error: error.message, failures: this.#failedAccepts, connections: this.#connections },
        'cannot accept connections',
      );
      this.#failedAccepts = 0;
    }
    try {
      this.#acceptFailed?.(error);
    } catch (thrown) {
      this.log.error({ error: errorMessage(thrown) }, 'accept-failed callback threw');
    }
  }
}

function ignore(): void {}

function listenError(host: string, port: number, cause: Error): PoolError {
  const code = 'code' in cause ? String(cause.code) : '';
  const where = `${host}:${port}`;
  let message = `cannot listen on ${where}: ${cause.message}`;
  if (code === 'EADDRINUSE') message = `cannot listen on ${where}: another program uses this port`;
  else if (code === 'EACCES') message = `cannot listen on ${where}: not permitted (ports below 1024 need privileges)`;
  else if (code === 'EADDRNOTAVAIL') message = `cannot listen on ${where}: this machine has no such address`;
  else if (code === 'ENOTFOUND') message = `cannot listen on ${where}: no such host`;
  return new PoolError('listen_failed', message, { cause, details: { host, port, code } });
}
