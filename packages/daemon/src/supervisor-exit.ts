import { PoolError } from '@headframe/primitives';

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What Core-like nodes say before they end, and what it means. Their exit code is 1 whatever happened. */
const LAST_WORDS: readonly {
  readonly pattern: RegExp;
  readonly code: 'conflict' | 'storage_failed' | 'listen_failed';
}[] = [
  { pattern: /cannot obtain a lock on (the )?(data )?directory/i, code: 'conflict' },
  { pattern: /disk space is (too )?low|no space left on device/i, code: 'storage_failed' },
  { pattern: /unable to (bind|start http server)|failed to listen on any port/i, code: 'listen_failed' },
];

const MEANING = {
  conflict: 'another node is using its data directory',
  storage_failed: 'the disk is full',
  listen_failed: 'it cannot open a port',
} as const;

/** How an error begins, with or without the time in front; not any line of the log with an error in it. */
const COMPLAINT = /^(\S+Z )?(error|fatal|exception|terminate called|.*assertion)\b/i;

/**
 * The error for a node that ended by itself. Its code: `conflict` another node holds the data directory,
 * `storage_failed` the disk is full, `listen_failed` a port is taken, else `worker_failed`.
 */
export function exitError(name: string, exit: ProcessExit, lastLines: readonly string[]): PoolError {
  const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
  for (let i = lastLines.length - 1; i >= 0; i--) {
    const line = lastLines[i] ?? '';
    const found = LAST_WORDS.find(({ pattern }) => pattern.test(line));
    if (found === undefined) continue;
    return new PoolError(found.code, `${name} ended ${how}: ${MEANING[found.code]} (${line})`, {
      details: { ...exit },
    });
  }
  // Whoever killed it gave it no time to say why.
  const complaint = exit.signal === 'SIGKILL' ? undefined : lastLines.findLast((line) => COMPLAINT.test(line));
  const said = complaint === undefined ? '' : `; it said: ${complaint}`;
  return new PoolError('worker_failed', `${name} ended ${how}${said}`, { details: { ...exit } });
}
