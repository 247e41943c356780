import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../support/wait.js';

const CHILD = fileURLToPath(new URL('./lock-child.mjs', import.meta.url));

/** Locks a SQLite file against writers, from another process. Returns the function that lets go. */
export async function lockDatabase(path: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await within('the lock', once(child.stdout, 'data'));
  return async () => {
    child.stdin.end();
    await within('the end of the lock', ended);
  };
}
