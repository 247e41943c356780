import type { Clock } from '@headframe/primitives';

/** A value that is read anew when it is older than `ttlMs`, once for all who ask. */
export interface Recent<Value> {
  /** Rejects as the read did; a failure is remembered as long as a value, so that a dead storage is not asked by everybody. */
  get(): Promise<Value>;
  /** What was read last, however old. */
  readonly latest: { readonly value: Value; readonly atMs: number } | undefined;
  /** The next `get` reads. */
  expire(): void;
}

/** Makes a {@link Recent}. `read` is not called again while a call is out. */
export function recent<Value>(clock: Clock, ttlMs: number, read: () => Promise<Value>): Recent<Value> {
  let latest: { readonly value: Value; readonly atMs: number } | undefined;
  let current: Promise<Value> | undefined;
  let untilMs = 0;
  let isRunning = false;
  let isExpired = false;

  const start = (): Promise<Value> => {
    isRunning = true;
    isExpired = false;
    const run = read().finally(() => {
      isRunning = false;
      // What was read while something changed may be of before.
      untilMs = isExpired ? 0 : clock.monotonic() + ttlMs;
    });
    run.then(
      (value) => {
        latest = { value, atMs: clock.now() };
      },
      () => {},
    );
    return run;
  };
  return {
    get() {
      if (current === undefined || (!isRunning && clock.monotonic() >= untilMs)) current = start();
      return current;
    },
    get latest() {
      return latest;
    },
    expire() {
      isExpired = true;
      untilMs = 0;
    },
  };
}

/** What became of a promise within some time: its value, or undefined when it failed or took too long. */
export async function within<Value>(clock: Clock, ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  let cancel: (() => void) | undefined;
  const late = new Promise<undefined>((resolve) => {
    const timer = clock.setTimeout(() => resolve(undefined), ms);
    cancel = () => timer.cancel();
  });
  try {
    return await Promise.race([promise.catch(() => undefined), late]);
  } finally {
    cancel?.();
  }
}
