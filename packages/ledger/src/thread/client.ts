import { Worker } from 'node:worker_threads';
import { type Clock, errorMessage, type Logger, PoolError } from '@headframe/primitives';
import { MAX_PENDING_CALLS, RESTART_MAX_MS, RESTART_MIN_MS } from '../limits.js';
import type { CallMessage, CallName, CallOf, FailureMessage, ThreadMessage, ThreadStart } from './messages.js';

export interface ThreadClientOptions {
  readonly name: string;
  readonly url: URL;
  readonly start: Omit<ThreadStart, 'nowMs'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How far the migration is, up to 1. */
  onProgress?(part: number): void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PoolError) => void;
}

type ThreadState =
  | { readonly kind: 'running'; readonly worker: Worker }
  /** Died; a new thread is started by the first call after this time. */
  | { readonly kind: 'down'; readonly untilMs: number; readonly why: PoolError }
  | { readonly kind: 'closed' };

function errorOf({ code, message, details }: FailureMessage): PoolError {
  return new PoolError(code, message, { details });
}

const died = (why: string): PoolError =>
  new PoolError('storage_failed', `the database thread died: ${why}`, { details: { reason: 'unavailable' } });

/**
 * Calls into one database thread. When the thread dies its calls are refused and a later call starts a new one, with a
 * pause that grows while that does not help.
 */
export class ThreadClient {
  readonly #options: ThreadClientOptions;
  readonly #pending = new Map<number, Pending>();
  #state: ThreadState = { kind: 'closed' };
  #nextId = 1;
  #failures = 0;
  #closing: Promise<void> | undefined;
  restarts = 0;

  constructor(options: ThreadClientOptions) {
    this.#options = options;
  }

  /** Calls under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Starts the thread. Resolves when its database is open, with the schema versions before and after. */
  open(): Promise<{ readonly from: number; readonly to: number }> {
    return new Promise((resolve, reject) => this.#start(resolve, reject));
  }

  call<Name extends CallName>(
    name: Name,
    args: Parameters<CallOf<Name>>,
    transfer: readonly ArrayBuffer[] = [],
  ): ReturnType<CallOf<Name>> {
    // The thread answers each name with what its method returned.
    return this.#send(name, args, transfer) as ReturnType<CallOf<Name>>;
  }

  /** Ends the thread after the calls under way. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const { worker } = this.#state.kind === 'running' ? this.#state : { worker: undefined };
    if (worker !== undefined) {
      const gone = new Promise<void>((resolve) => {
        worker.once('exit', () => resolve());
      });
      await this.#send('close', [], []).catch(() => {});
      await gone;
    }
    this.#state = { kind: 'closed' };
  }

  #send(name: CallMessage['name'], args: readonly unknown[], transfer: readonly ArrayBuffer[]): Promise<unknown> {
    if (this.#closing !== undefined && name !== 'close') {
      return Promise.reject(new PoolError('closed', 'the ledger is closed'));
    }
    if (this.#pending.size >= MAX_PENDING_CALLS && name !== 'close') {
      return Promise.reject(new PoolError('queue_full', 'too many calls wait for the database'));
    }
    const worker = this.#worker();
    if (worker instanceof PoolError) return Promise.reject(worker);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      const message: CallMessage = { id, name, args };
      worker.postMessage(message, transfer);
    });
  }

  #worker(): Worker | PoolError {
    const state = this.#state;
    if (state.kind === 'running') return state.worker;
    if (state.kind === 'closed') return new PoolError('closed', 'the ledger is closed');
    if (this.#options.clock.monotonic() < state.untilMs) return state.why;
    this.restarts++;
    return this.#start(
      () => this.#options.log.info({ thread: this.#options.name }, 'the database thread is back'),
      () => {},
    );
  }

  #start(onReady: (versions: { from: number; to: number }) => void, onFailed: (error: PoolError) => void): Worker {
    const { name, url, start, clock, log } = this.#options;
    const workerData: ThreadStart = { ...start, nowMs: clock.now() };
    const worker = new Worker(url, { name, workerData });
    let why = 'it ended';
    let failure: PoolError | undefined;
    this.#state = { kind: 'running', worker };
    worker.on('message', (message: ThreadMessage) => {
      switch (message.kind) {
        case 'ready':
          this.#failures = 0;
          onReady(message);
          break;
        case 'progress':
          this.#options.onProgress?.(message.part);
          break;
        case 'failed':
          failure = errorOf(message.failure);
          break;
        case 'warning':
          log.warn({ thread: name, ...message.details }, message.message);
          break;
        case 'answer':
          this.#take(message.id)?.resolve(message.value);
          break;
        case 'refusal':
          this.#take(message.id)?.reject(errorOf(message.failure));
      }
    });
    worker.on('error', (error) => {
      why = errorMessage(error);
    });
    worker.on('exit', () => {
      const error = failure ?? died(why);
      this.#down(error);
      onFailed(error);
    });
    return worker;
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #down(why: PoolError): void {
    const pauseMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** this.#failures++);
    this.#state = { kind: 'down', untilMs: this.#options.clock.monotonic() + pauseMs, why };
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    if (this.#closing === undefined) {
      this.#options.log.error(
        { thread: this.#options.name, error: why.message, calls: lost.length },
        'database thread lost',
      );
    }
    for (const { reject } of lost) reject(why);
  }
}
