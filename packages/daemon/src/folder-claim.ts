import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage, PoolError } from '@headframe/primitives';

/** Longest path of a UNIX socket that every system takes. */
const MAX_SOCKET_PATH = 100;

/** Held while a process uses a folder. */
export interface FolderClaim {
  release(): Promise<void>;
}

/** What a claim is called. */
export interface FolderClaimOptions {
  /** Name of the socket in the folder. */
  readonly file: string;
  /** Who else may hold it, for the error: `another pool`. */
  readonly holder: string;
  /** Code of the error when somebody else holds the folder. */
  readonly heldCode: 'storage_failed' | 'conflict';
  /** Mode of a folder that is made. */
  readonly mode?: number;
}

/**
 * Claims a folder for this process: two on one folder would write over each other. The claim is a UNIX socket that this
 * process listens on, so that it ends with the process however that ends; what a killed one leaves behind is found dead
 * and taken over.
 *
 * @throws PoolError `heldCode` when another process holds the folder, `storage_failed` when it cannot be made
 */
export async function claimFolder(folder: string, options: FolderClaimOptions): Promise<FolderClaim> {
  const path = await openFolder(folder, options);
  for (let attempt = 0; ; attempt++) {
    const server = createServer((socket) => socket.destroy());
    const refused = await listen(server, path);
    if (refused === undefined) return { release: () => close(server) };
    if (refused.code !== 'EADDRINUSE') {
      throw new PoolError('storage_failed', `cannot lock ${folder}: ${refused.message}`, { cause: refused });
    }
    if (attempt > 0 || (await isAlive(path))) {
      throw new PoolError(options.heldCode, `${options.holder} is using ${folder}`, { cause: refused });
    }
    await rm(path, { force: true });
  }
}

/** Makes the folder; the path of its socket. */
async function openFolder(folder: string, { file, mode }: FolderClaimOptions): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, ...(mode !== undefined && { mode }) });
    return socketPath(await realpath(folder), file);
  } catch (error) {
    throw new PoolError('storage_failed', `cannot use the folder ${folder}: ${errorMessage(error)}`, { cause: error });
  }
}

function socketPath(folder: string, file: string): string {
  const path = join(folder, file);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  return join(tmpdir(), `headframe-${createHash('sha256').update(path).digest('hex').slice(0, 24)}.lock`);
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
