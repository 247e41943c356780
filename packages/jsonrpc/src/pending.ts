import { type Clock, isPoolError, PoolError, type PoolErrorCode, type Timer } from '@headframe/primitives';
import { encodeRequest } from './encode.js';
import type { ResponseMessage } from './message.js';
import { type PeerError, readPeerError } from './peer-error.js';

export interface PendingRequestsOptions {
  readonly clock: Clock;
  /** Writes one encoded request. A throw rejects the request. */
  readonly send: (line: string) => void;
  /** Requests that may wait for an answer at once. Default 16; stops a peer that never answers from costing memory. */
  readonly capacity?: number;
  /** How long to wait for an answer. Default 30,000. */
  readonly timeoutMs?: number;
  /** Text of a request. Default {@link encodeRequest}. */
  readonly encode?: (id: number, method: string, params: unknown) => string;
  /** What to reject with when the peer answers an error. Default: PoolError `request_failed`, see the class. */
  readonly toError?: (error: unknown, method: string) => PoolError;
}

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One request under way. Settling it again does nothing. */
class Pending {
  readonly method: string;
  readonly timer: Timer;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PoolError) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;

  constructor(
    method: string,
    timer: Timer,
    resolve: (result: unknown) => void,
    reject: (error: PoolError) => void,
    signal: AbortSignal | undefined,
    onAbort: () => void,
  ) {
    this.method = method;
    this.timer = timer;
    this.resolve = resolve;
    this.reject = reject;
    this.signal = signal;
    this.onAbort = onAbort;
  }

  release(): void {
    this.timer.cancel();
    this.signal?.removeEventListener('abort', this.onAbort);
  }
}

/**
 * The requests we sent and still wait for. Every promise settles: with the peer's result, or by a rejection with a
 * PoolError: `request_failed` (the peer answered an error; `details.error` is a {@link PeerError}),
 * `request_timeout`, `connection_closed`, `queue_full` or `aborted`.
 */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #send: (line: string) => void;
  readonly #capacity: number;
  readonly #timeoutMs: number;
  readonly #encode: (id: number, method: string, params: unknown) => string;
  readonly #toError: (error: unknown, method: string) => PoolError;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;

  constructor(options: PendingRequestsOptions) {
    this.#clock = options.clock;
    this.#send = options.send;
    this.#capacity = options.capacity ?? 16;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#encode = options.encode ?? encodeRequest;
    this.#toError = options.toError ?? refusal;
  }

  /** Requests without an answer so far. */
  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request; resolves with the peer's result. Ids are integers from 1 on, unique among those under way. */
  request(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { signal } = options;
    if (this.#closed) return Promise.reject(failure('connection_closed', method));
    if (signal?.aborted === true) return Promise.reject(failure('aborted', method, signal.reason));
    if (this.#pending.size >= this.#capacity) return Promise.reject(failure('queue_full', method));
    const id = this.#takeId();
    return new Promise((resolve, reject) => {
      const line = this.#encode(id, method, params);
      const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
      const timer = this.#clock.setTimeout(() => this.#fail(id, 'request_timeout'), timeoutMs);
      const onAbort = (): void => this.#fail(id, 'aborted', signal?.reason);
      this.#pending.set(id, new Pending(method, timer, resolve, reject, signal, onAbort));
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        this.#send(line);
      } catch (cause) {
        // A full send queue is a reason of its own: the connection lives, and the peer does not read.
        this.#fail(id, isPoolError(cause, 'queue_full') ? 'queue_full' : 'connection_closed', cause);
      }
    });
  }

  /** Settles the request that `message` answers. False when none waits for it: late, or never asked. */
  settle(message: ResponseMessage): boolean {
    // Some firmware echoes a number as a string.
    const id = typeof message.id === 'string' ? Number(message.id) : message.id;
    const pending = id === null ? undefined : this.#pending.get(id);
    if (id === null || pending === undefined) return false;
    this.#pending.delete(id);
    pending.release();
    if (message.error === null) pending.resolve(message.result);
    else pending.reject(this.#toError(message.error, pending.method));
    return true;
  }

  /** Rejects everything under way and every later request with `connection_closed`. Idempotent. */
  close(cause?: unknown): void {
    this.#closed = true;
    for (const id of [...this.#pending.keys()]) this.#fail(id, 'connection_closed', cause);
  }

  #takeId(): number {
    for (;;) {
      const id = this.#nextId;
      // Firmware that parses ids as signed 32-bit integers exists.
      this.#nextId = id === 0x7fffffff ? 1 : id + 1;
      if (!this.#pending.has(id)) return id;
    }
  }

  #fail(id: number, code: PoolErrorCode, cause?: unknown): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.release();
    pending.reject(failure(code, pending.method, cause));
  }
}

const TEXT: Partial<Record<PoolErrorCode, string>> = {
  request_timeout: 'no answer in time',
  connection_closed: 'the connection is closed',
  queue_full: 'too many requests without an answer, or too many bytes unsent',
  aborted: 'aborted',
};

function refusal(wire: unknown, method: string): PoolError {
  const error: PeerError = readPeerError(wire);
  return new PoolError('request_failed', `the peer refused ${method}: ${error.message}`, {
    details: { method, error },
  });
}

function failure(code: PoolErrorCode, method: string, cause?: unknown): PoolError {
  return new PoolError(code, `${method}: ${TEXT[code] ?? code}`, { cause, details: { method } });
}
