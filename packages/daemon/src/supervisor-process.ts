import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { errorMessage, PoolError } from '@headframe/primitives';
import type { ProcessExit } from './supervisor-exit.js';
import { type Guardian, startGuardian } from './supervisor-guardian.js';
import type { OutputStream } from './supervisor-output.js';

/** A running node. */
export interface DaemonProcess {
  readonly pid: number;
  /** Resolves once, when the process has ended and its output was read. */
  readonly exited: Promise<ProcessExit>;
  /** Harmless when it has ended. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface SpawnRequest {
  /** Absolute path. */
  readonly binary: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Seconds between SIGTERM and SIGKILL if this process dies without stopping the node. */
  readonly orphanSeconds: number;
  onOutput(stream: OutputStream, bytes: Buffer): void;
}

/** Starts a process. @throws PoolError `not_found` or `worker_failed` */
export type SpawnDaemon = (request: SpawnRequest) => Promise<DaemonProcess>;

/** A program that a node started may hold its output open: what is left of it is not worth more time. */
const LAST_OUTPUT_MS = 500;

/**
 * Starts a node without a shell, in a process group of its own: a Ctrl-C in the terminal would otherwise end it before
 * the pool has handed in its last blocks.
 */
export const spawnDaemon: SpawnDaemon = ({ binary, args, env, orphanSeconds, onOutput }) =>
  new Promise((resolveStart, rejectStart) => {
    const failed = (error: unknown): void => {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      const code = isMissing ? 'not_found' : 'worker_failed';
      rejectStart(new PoolError(code, `cannot start ${binary}: ${errorMessage(error)}`, { cause: error }));
    };
    let child: ReturnType<typeof spawnPiped>;
    try {
      child = spawnPiped(binary, args, env);
    } catch (error) {
      failed(error);
      return;
    }
    let guardian: Guardian | undefined;
    const exited = new Promise<ProcessExit>((resolveExit) => {
      child.once('exit', (code, signal) => {
        guardian?.dismiss();
        const late = setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, LAST_OUTPUT_MS);
        child.once('close', () => {
          clearTimeout(late);
          resolveExit({ code, signal });
        });
      });
    });
    child.stdout.on('data', (bytes: Buffer) => onOutput('stdout', bytes)).on('error', () => {});
    child.stderr.on('data', (bytes: Buffer) => onOutput('stderr', bytes)).on('error', () => {});
    // Stays: a signal that cannot be sent is an error event too.
    child.on('error', failed);
    child.once('spawn', () => {
      const { pid } = child;
      if (pid === undefined) return;
      guardian = startGuardian(pid, orphanSeconds);
      resolveStart({
        pid,
        exited,
        kill: (signal) => {
          child.kill(signal);
        },
      });
    });
  });

function spawnPiped(binary: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  return spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env, windowsHide: true });
}

/** The path of a program. @throws PoolError `not_found` when it is not there or may not be run */
export async function findBinary(nameOrPath: string, path = process.env.PATH ?? ''): Promise<string> {
  const isPath = nameOrPath.includes('/') || nameOrPath.includes('\\');
  const candidates = isPath
    ? [resolve(nameOrPath)]
    : path
        .split(delimiter)
        .filter((folder) => folder !== '')
        .map((folder) => join(folder, nameOrPath));
  let reason = isPath ? '' : 'it is in no folder of PATH';
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      if ((await stat(candidate)).isFile()) return candidate;
      if (isPath) reason = 'it is not a file';
    } catch (error) {
      if (isPath) reason = errorMessage(error);
    }
  }
  throw new PoolError('not_found', `cannot find the program ${nameOrPath}: ${reason}`);
}
