import type { Clock, Timer } from '@headframe/primitives';
import { DEV_NODE_LIMITS } from './limits.js';
import { RPC_ERROR, RpcFault } from './rpc.js';

/** Core looks at the mempool for waiting callers after a minute, then every ten seconds. */
const MEMPOOL_FIRST_MS = 60_000;
const MEMPOOL_NEXT_MS = 10_000;

interface Waiter {
  timer: Timer;
  settle(error?: Error): void;
}

/** getblocktemplate calls that wait for a change (BIP 22 longpoll). */
export class LongPolls {
  readonly #clock: Clock;
  readonly #currentId: () => string;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock, currentId: () => string) {
    this.#clock = clock;
    this.#currentId = currentId;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves on a new tip at once, on a changed mempool at Core's pace. @throws RpcFault (as a rejection) on abort. */
  wait(id: string, signal: AbortSignal): Promise<void> {
    if (id !== this.#currentId()) return Promise.resolve();
    if (this.#waiters.size >= DEV_NODE_LIMITS.maxLongPolls) {
      return Promise.reject(new RpcFault(RPC_ERROR.internal, 'too many long polls'));
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => waiter.settle(new RpcFault(RPC_ERROR.notConnected, 'Shutting down'));
      const check = (): void => {
        if (this.#currentId() === id) waiter.timer = this.#clock.setTimeout(check, MEMPOOL_NEXT_MS);
        else waiter.settle();
      };
      const waiter: Waiter = {
        timer: this.#clock.setTimeout(check, MEMPOOL_FIRST_MS),
        settle: (error) => {
          waiter.timer.cancel();
          signal.removeEventListener('abort', abort);
          this.#waiters.delete(waiter);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#waiters.add(waiter);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** The tip moved. */
  wake(): void {
    for (const waiter of [...this.#waiters]) waiter.settle();
  }
}
