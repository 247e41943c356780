import { setTimeout as sleep } from 'node:timers/promises';

/** Long, because it costs only who waits in vain: a busy machine starts a process in tens of seconds. */
const PATIENCE_MS = 60_000;

/**
 * Polls until `probe` returns something other than undefined or false. For the outside world only (processes, nodes),
 * where there is no clock to turn.
 * @throws Error naming `what` and the last error after `timeoutMs`.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}${last === undefined ? '' : `: ${String(last)}`}`);
    }
    await sleep(20);
  }
}

/** `promise`, or an error naming `what` after `timeoutMs`. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = PATIENCE_MS): Promise<T> {
  const abort = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: abort.signal }).then(
    () => {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
  }
}
