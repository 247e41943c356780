import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage, PoolError } from '@headframe/primitives';

/** Longest path of a UNIX socket that every system takes. */
const MAX_SOCKET_PATH = 100;

/** Held while a pool uses its data folder. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Claims a folder for this process: two pools on one folder would write over each other. The claim is a UNIX socket
 * that this process listens on, so that it ends with the process however that ends; what a killed one leaves behind is
 * found dead and taken over.
 *
 * @throws PoolError `storage_failed` when another process holds the folder, or it cannot be made
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = await openFolder(folder);
  for (let attempt = 0; ; attempt++) {
    const server = createServer((socket) => socket.destroy());
    const refused = await listen(server, path);
    if (refused === undefined) return { release: () => close(server) };
    if (refused.code !== 'EADDRINUSE' || attempt > 0 || (await isAlive(path))) {
      const message =
        refused.code === 'EADDRINUSE' ? `another pool is using ${folder}` : `cannot lock ${folder}: ${refused.message}`;
      throw new PoolError('storage_failed', message, { cause: refused });
    }
    await rm(path, { force: true });
  }
}

/** Makes the folder; the path of its socket. */
async function openFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return socketPath(await realpath(folder));
  } catch (error) {
    throw new PoolError('storage_failed', `cannot use the folder ${folder}: ${errorMessage(error)}`, { cause: error });
  }
}

function socketPath(folder: string): string {
  const path = join(folder, 'lock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  return join(tmpdir(), `headframe-${createHash('sha256').update(folder).digest('hex').slice(0, 24)}.lock`);
}

function listen(server: Server, path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(path, () => {
      server.off('error', resolve);
      server.unref();
      resolve(undefined);
    });
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
