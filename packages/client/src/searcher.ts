import { Worker } from 'node:worker_threads';
import { errorMessage, PoolError } from '@headframe/primitives';
import { type SearchRequest, type SearchResult, searchNonce } from './search.js';

/** Something that tries nonces. One search at a time. */
export interface Searcher {
  /** @throws PoolError (as a rejection) `worker_failed` when its thread died, `closed` after close */
  search(request: SearchRequest): Promise<SearchResult>;
  close(): Promise<void>;
}

/** Searches in this thread, letting the event loop turn before each search. */
export function createInlineSearcher(): Searcher {
  let isClosed = false;
  return {
    search: (request) =>
      new Promise((resolve, reject) => {
        setImmediate(() => {
          try {
            if (isClosed) throw new PoolError('closed', 'the searcher is closed');
            resolve(searchNonce(request));
          } catch (error) {
            reject(error);
          }
        });
      }),
    close: async () => {
      isClosed = true;
    },
  };
}

interface Waiting {
  readonly resolve: (result: SearchResult) => void;
  readonly reject: (error: PoolError) => void;
}

/** Searches in a thread of its own; a thread that died is replaced at the next search. Runs from built JavaScript only. */
export class ThreadSearcher implements Searcher {
  #worker: Worker | undefined = undefined;
  #waiting: Waiting | undefined = undefined;
  #isClosed = false;

  search(request: SearchRequest): Promise<SearchResult> {
    if (this.#isClosed) return Promise.reject(new PoolError('closed', 'the searcher is closed'));
    if (this.#waiting !== undefined) return Promise.reject(new PoolError('queue_full', 'one search at a time'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker ??= this.#startWorker();
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#fail('closed', 'the searcher is closed');
    await worker?.terminate();
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('./search-thread.js', import.meta.url));
    worker.on('message', (result: SearchResult) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(result);
    });
    const died = (reason: string): void => {
      if (this.#worker === worker) this.#fail('worker_failed', reason);
    };
    worker.on('error', (error) => died(errorMessage(error)));
    worker.on('exit', (code) => died(`the search thread ended with code ${code}`));
    return worker;
  }

  #fail(code: 'closed' | 'worker_failed', reason: string): void {
    const waiting = this.#waiting;
    this.#worker = undefined;
    this.#waiting = undefined;
    waiting?.reject(new PoolError(code, reason));
  }
}
