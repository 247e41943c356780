import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { type Clock, errorMessage, PoolError } from '@headframe/primitives';

/** Time for a connection to a port of this machine. */
const PROBE_MS = 1000;

/**
 * Writes a file that only its owner can read, whatever the mode of the one before.
 * @throws PoolError `storage_failed`
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  // A name of its own: nobody can have opened it, or have put a link there.
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new PoolError('storage_failed', `cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** True when some program accepts connections there. */
export function isPortTaken(host: string, port: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const settle = (isTaken: boolean): void => {
      timer.cancel();
      socket.destroy();
      resolve(isTaken);
    };
    const timer = clock.setTimeout(() => settle(false), PROBE_MS);
    socket.once('connect', () => settle(true));
    socket.on('error', () => settle(false));
  });
}
