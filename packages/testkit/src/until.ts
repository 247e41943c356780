import { setTimeout as sleep } from 'node:timers/promises';
import { settle } from '@headframe/primitives/testing';

/** Turns of the event loop before the processor is left to others in between. */
const EAGER_TURNS = 200;

/**
 * Waits until `condition` holds, letting sockets, promises and immediates run in between. A fake clock stands still
 * meanwhile; real time is only spent while something outside (a socket, a thread) has to answer.
 * @throws Error naming `what` after `timeoutMs` of real time (default 10,000)
 */
export async function until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await settle();
    if (turn > EAGER_TURNS) await sleep(1);
  }
}
