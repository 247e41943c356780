import type { Clock, Timer } from '@headframe/primitives';

/** Waits for a promise, but not longer than so long; false when it was not done by then. Rejects if the promise does. */
export async function within(promise: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), ms);
  });
  const done = promise.then(() => true);
  return Promise.race([done, late]).finally(() => timer?.cancel());
}
