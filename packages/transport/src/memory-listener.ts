import { PoolError } from '@headframe/primitives';
import type { Listener } from './connection.js';
import { createMemoryPair, type MemoryConnection, type MemoryPairOptions } from './memory.js';

/** A {@link Listener} without a network. */
export interface MemoryListener extends Listener {
  /** Connects; returns the end of the client. @throws PoolError `connection_refused` when refused or closed. */
  connect(options?: MemoryPairOptions): MemoryConnection;
}

export interface MemoryListenOptions extends MemoryPairOptions {
  readonly accept?: (remoteAddress: string) => boolean;
}

/** Listens in memory. `onConnection` is called before `connect` returns. */
export function listenMemory(
  options: MemoryListenOptions,
  onConnection: (connection: MemoryConnection) => void,
): MemoryListener {
  const open: MemoryConnection[] = [];
  let listening = true;
  const address = { host: 'memory', port: options.serverPort ?? 3333 };
  const count = (): number => {
    for (let i = open.length - 1; i >= 0; i--) if (open[i]?.closed === true) open.splice(i, 1);
    return open.length;
  };
  return {
    address,
    get connections() {
      return count();
    },
    connect(overrides = {}) {
      const { client, server } = createMemoryPair({ ...options, ...overrides });
      if (!listening || options.accept?.(server.remoteAddress) === false) {
        throw new PoolError('connection_refused', 'the memory listener does not accept this connection');
      }
      open.push(server);
      onConnection(server);
      return client;
    },
    close() {
      listening = false;
      return Promise.resolve();
    },
  };
}
