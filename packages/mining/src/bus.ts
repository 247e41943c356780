import { deserialize, serialize } from 'node:v8';
import { errorMessage, isPoolError, isPromiseLike, type MaybePromise, PoolError } from '@headframe/primitives';
import type { Bus, BusCalls, BusTopics } from './ports.js';

/** Calls that may wait for an answer at once. An edge has one commit per turn under way; more means nobody answers. */
const DEFAULT_MAX_PENDING_CALLS = 10_000;

export interface BusOptions {
  /** Told when a listener throws; the other listeners still get the message. */
  readonly onListenerError?: (error: unknown, topic: keyof BusTopics) => void;
  /** More calls than this waiting for an answer are refused with `queue_full`. */
  readonly maxPendingCalls?: number;
}

type AnyListener = (message: never) => void;
type AnyHandler = (request: never) => MaybePromise<unknown>;

/** How messages get to the other side: as they are, or through bytes. */
interface Carrier {
  copy<T>(value: T): T;
  error(error: unknown): unknown;
}

class LocalBus implements Bus {
  readonly #carrier: Carrier;
  readonly #onListenerError: (error: unknown, topic: keyof BusTopics) => void;
  readonly #maxPending: number;
  readonly #listeners = new Map<keyof BusTopics, readonly AnyListener[]>();
  readonly #handlers = new Map<keyof BusCalls, AnyHandler>();
  readonly #pending = new Set<(error: PoolError) => void>();
  #closed = false;

  constructor(carrier: Carrier, options: BusOptions) {
    this.#carrier = carrier;
    this.#onListenerError = options.onListenerError ?? (() => {});
    this.#maxPending = options.maxPendingCalls ?? DEFAULT_MAX_PENDING_CALLS;
  }

  publish<Topic extends keyof BusTopics>(topic: Topic, message: BusTopics[Topic]): void {
    if (this.#closed) return;
    // The array is replaced, never changed, so a listener may come or go while it is walked.
    for (const listener of this.#listeners.get(topic) ?? []) {
      try {
        const returned = (listener as (message: BusTopics[Topic]) => unknown)(this.#carrier.copy(message));
        // An async function fits the type, but nobody awaits it: its failure would end the process.
        if (isPromiseLike(returned)) returned.then(undefined, (error: unknown) => this.#onListenerError(error, topic));
      } catch (error) {
        this.#onListenerError(error, topic);
      }
    }
  }

  subscribe<Topic extends keyof BusTopics>(topic: Topic, listener: (message: BusTopics[Topic]) => void): () => void {
    // A wrapper of its own, so that the same function subscribed twice can leave twice.
    const entry: AnyListener = (message: never) => listener(message);
    this.#listeners.set(topic, [...(this.#listeners.get(topic) ?? []), entry]);
    return () => {
      this.#listeners.set(
        topic,
        (this.#listeners.get(topic) ?? []).filter((other) => other !== entry),
      );
    };
  }

  call<Name extends keyof BusCalls>(name: Name, request: BusCalls[Name]['request']): Promise<BusCalls[Name]['reply']> {
    if (this.#closed) return Promise.reject(new PoolError('closed', 'the bus is closed'));
    const handler = this.#handlers.get(name) as
      | ((request: BusCalls[Name]['request']) => MaybePromise<BusCalls[Name]['reply']>)
      | undefined;
    if (handler === undefined) return Promise.reject(new PoolError('not_supported', `nobody answers ${name}`));
    if (this.#pending.size >= this.#maxPending) {
      return Promise.reject(new PoolError('queue_full', `${this.#pending.size} calls wait for an answer already`));
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.#pending.delete(fail);
        reject(error);
      };
      const succeed = (reply: BusCalls[Name]['reply']): void => {
        this.#pending.delete(fail);
        try {
          resolve(this.#carrier.copy(reply));
        } catch (error) {
          reject(error);
        }
      };
      try {
        const answer = handler(this.#carrier.copy(request));
        if (!isPromiseLike(answer)) {
          succeed(answer);
          return;
        }
        this.#pending.add(fail);
        answer.then(succeed, (error: unknown) => fail(this.#carrier.error(error)));
      } catch (error) {
        fail(this.#carrier.error(error));
      }
    });
  }

  answer<Name extends keyof BusCalls>(
    name: Name,
    handler: (request: BusCalls[Name]['request']) => MaybePromise<BusCalls[Name]['reply']>,
  ): () => void {
    if (this.#handlers.has(name)) throw new PoolError('invalid_argument', `${name} is answered already`);
    this.#handlers.set(name, handler);
    return () => {
      if (this.#handlers.get(name) === handler) this.#handlers.delete(name);
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    this.#handlers.clear();
    for (const fail of [...this.#pending]) fail(new PoolError('closed', 'the bus was closed before the answer came'));
    return Promise.resolve();
  }
}

/** Edge and core in one process: listeners get the very object that was published, in the same tick. */
export function createDirectBus(options: BusOptions = {}): Bus {
  return new LocalBus({ copy: (value) => value, error: (error) => error }, options);
}

/**
 * Like the direct bus, but every message goes through bytes, as it would between processes: receivers get copies,
 * and what cannot be serialised fails here and not on the first cluster. For tests and development.
 */
export function createSerialisingBus(options: BusOptions = {}): Bus {
  return new LocalBus({ copy: (value) => deserialize(serialize(value)), error: plainError }, options);
}

// Structured cloning keeps no code on an error, so it travels as fields.
function plainError(error: unknown): PoolError {
  if (!isPoolError(error)) return new PoolError('request_failed', errorMessage(error));
  return new PoolError(error.code, error.message, { details: plainDetails(error.details) });
}

// Details are for the log. Ones that cannot travel must not keep the error itself from arriving.
function plainDetails(details: PoolError['details']): PoolError['details'] {
  try {
    return deserialize(serialize(details));
  } catch {
    return {};
  }
}
