import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { type Clock, errorMessage, type Logger, PoolError, silentLogger, systemClock } from '@headframe/primitives';
import { type Connection, DEFAULT_LINGER_MS, type Listener } from './connection.js';
import { SocketConnection, type SocketConnectionEnvironment, STREAM_WATERMARK } from './socket-connection.js';

export interface UnixListenOptions {
  /** Path of the socket. What a process that is gone left there is taken over; anything else is left alone. */
  readonly path: string;
  /** Permissions of the socket, from the moment it exists. Default 0o600: its owner alone. */
  readonly mode?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** See {@link Connection.end}. Default 5,000. */
  readonly lingerMs?: number;
}

/** Longest path that every system takes for a socket. */
const MAX_PATH_BYTES = 103;

/**
 * Listens on a UNIX socket; resolves when it does. The `remoteAddress` of its connections is empty. Closing removes the
 * socket from the folder.
 * @throws PoolError `listen_failed` (as a rejection): another process listens there, or something else has that name
 */
export async function listenUnix(
  options: UnixListenOptions,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const { path } = options;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new PoolError('listen_failed', `the path of a socket has at most ${MAX_PATH_BYTES} bytes: ${path}`);
  }
  const listener = new UnixListener(options, onConnection);
  const refused = await listener.open();
  if (refused === undefined) return listener;
  if (refused.code !== 'EADDRINUSE' || !(await isLeftBehind(path))) throw listenError(path, refused);
  unlinkSync(path);
  const again = await listener.open();
  if (again !== undefined) throw listenError(path, again);
  return listener;
}

class UnixListener implements Listener, SocketConnectionEnvironment {
  readonly clock: Clock;
  readonly log: Logger;
  readonly lingerMs: number;
  readonly address: { readonly host: string; readonly port: number };
  readonly #path: string;
  readonly #mode: number;
  readonly #server: Server;
  #connections = 0;

  constructor(options: UnixListenOptions, onConnection: (connection: Connection) => void) {
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? silentLogger;
    this.lingerMs = options.lingerMs ?? DEFAULT_LINGER_MS;
    this.address = { host: options.path, port: 0 };
    this.#path = options.path;
    this.#mode = options.mode ?? 0o600;
    this.#server = createServer({ allowHalfOpen: true, highWaterMark: STREAM_WATERMARK }, (socket) => {
      this.#connections++;
      const connection = new SocketConnection(socket, 0, this);
      try {
        onConnection(connection);
      } catch (error) {
        this.log.error({ connection: connection.id, error: errorMessage(error) }, 'connection handler threw');
        connection.destroy();
      }
    });
  }

  get connections(): number {
    return this.#connections;
  }

  /** Resolves with why it does not listen, if it does not. */
  open(): Promise<NodeJS.ErrnoException | undefined> {
    return new Promise((resolve) => {
      const server = this.#server;
      server.once('error', resolve);
      // The socket is made within `listen`: with this mask nobody else can open it even for a moment.
      const before = setMask(0o777 & ~this.#mode);
      try {
        server.listen(this.#path, () => {
          server.off('error', resolve);
          server.on('error', (error) => this.log.error({ error: error.message }, 'cannot accept connections'));
          try {
            chmodSync(this.#path, this.#mode);
            resolve(undefined);
          } catch (error) {
            server.close();
            resolve(error instanceof Error ? error : new Error(errorMessage(error)));
          }
        });
      } finally {
        if (before !== undefined) setMask(before);
      }
    });
  }

  close(): Promise<void> {
    // Unlinks the socket at once; the callback would wait for all connections to end.
    this.#server.close();
    return Promise.resolve();
  }

  connectionClosed(): void {
    this.#connections--;
  }
}

/** The mask before; undefined in a worker thread, which may not set it. */
function setMask(mask: number): number | undefined {
  try {
    return process.umask(mask);
  } catch {
    return undefined;
  }
}

/** True for a socket that nobody listens on any more. */
async function isLeftBehind(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

function listenError(path: string, cause: NodeJS.ErrnoException): PoolError {
  const inUse = cause.code === 'EADDRINUSE';
  const reason = inUse ? 'another program listens there, or it is no socket' : cause.message;
  return new PoolError('listen_failed', `cannot listen on ${path}: ${reason}`, { cause, details: { path } });
}
