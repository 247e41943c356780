import {
  encodeError,
  encodeNotification,
  encodeResult,
  type FramerStatus,
  LineFramer,
  type LineSink,
  PendingRequests,
  parseMessage,
  type RequestMessage,
  type RequestOptions,
} from '@headframe/jsonrpc';
import {
  type Clock,
  errorMessage,
  isPoolError,
  isPromiseLike,
  isReject,
  type MaybePromise,
  PoolError,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import {
  isStratumError,
  type MethodName,
  type MethodParams,
  stratumErrorFromWire,
  toStratumError,
} from '@headframe/stratum-v1';
import type { Connection, ConnectionHandler } from '@headframe/transport';
import { decodePush, type PushEvents } from './push-events.js';

/** What a pool may do to a miner without being asked. Names of the wire carry decoded payloads. */
export interface StratumClientEvents extends PushEvents {
  /** Every notification as it came, known or not, before it is decoded. */
  notification: { readonly method: string; readonly params: unknown };
  /** A line or a notification that makes no sense. The connection goes on. */
  invalid: { readonly method: string | undefined; readonly reason: string };
  /** The end, exactly once. Requests under way have been rejected. */
  closed: { readonly error: Error | undefined };
}

/** Answers a request of the pool: the returned value is the result, a rejection the error. */
export type ServerRequestHandler = (params: unknown) => MaybePromise<unknown>;

export interface StratumClientOptions {
  /** Name and version of the software, for `mining.subscribe` and `client.get_version`. Default `headframe`. */
  readonly agent?: string;
  readonly clock?: Clock;
  /** Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Requests waiting for an answer at once. Default 1024. */
  readonly maxPending?: number;
  /** Longest line a pool may send. Default 1 MiB: a coinbase with many outputs makes long ones. */
  readonly maxLineBytes?: number;
  readonly onListenerError?: (error: unknown, event: string) => void;
}

/** Requests of the pool being answered at once; beyond that they are refused as busy. */
const MAX_SERVER_REQUESTS = 64;
/** Unsent bytes beyond which requests are refused: the pool does not read. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/**
 * The miner's side of one V1 connection: requests as promises, notifications as events. It knows the wire, not mining;
 * `MiningClient` adds the state, reconnecting and resuming.
 *
 * Every request settles: with the result, or with a rejection: a `StratumError` (code `request_failed`) when the pool
 * answered an error, or a PoolError `request_timeout`, `connection_closed`, `queue_full` or `aborted`.
 * Requests made in one go leave in one write.
 */
export class StratumClient {
  readonly agent: string;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly #events: TypedEmitter<StratumClientEvents>;
  readonly #framer: LineFramer;
  readonly #sink: LineSink = {
    line: (bytes, start, end) => {
      this.#lastLineMs = this.clock.monotonic();
      this.#handleLine(bytes, start, end);
      return true;
    },
  };
  readonly #pending: PendingRequests;
  readonly #handlers = new Map<string, ServerRequestHandler>();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #isClosed = false;
  #unflushed = '';
  #answering = 0;
  #lastLineMs: number;

  /** Takes the connection over. See `connectStratum` for the usual way. */
  constructor(connection: Connection, options: StratumClientOptions = {}) {
    this.agent = options.agent ?? 'headframe';
    this.connection = connection;
    this.clock = options.clock ?? systemClock;
    this.#events = new TypedEmitter(options.onListenerError);
    this.#framer = new LineFramer({ maxLineBytes: options.maxLineBytes ?? 1024 * 1024 });
    this.#pending = new PendingRequests({
      clock: this.clock,
      send: (line) => this.#send(line),
      capacity: options.maxPending ?? 1024,
      timeoutMs: options.requestTimeoutMs ?? 30_000,
    });
    this.#lastLineMs = this.clock.monotonic();
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.handle('mining.ping', () => 'pong');
    this.handle('client.get_version', () => this.agent);
    const handler: ConnectionHandler = {
      data: (chunk) => this.#receive(chunk),
      drain: () => {},
      closed: (error) => this.#onClosed(error),
    };
    connection.start(handler);
  }

  get closed(): boolean {
    return this.#isClosed;
  }
  /** Requests without an answer so far. */
  get pendingRequests(): number {
    return this.#pending.size;
  }
  /** Milliseconds since the pool last sent a line. */
  get silentMs(): number {
    return this.clock.monotonic() - this.#lastLineMs;
  }

  /** Adds a listener; returns the function that removes it. Listeners must not be async. */
  on<Name extends keyof StratumClientEvents>(
    event: Name,
    listener: (payload: StratumClientEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /** Answers a method that the pool calls with an id. Replaces the handler there was, the built-in ones included. */
  handle(method: string, handler: ServerRequestHandler): void {
    this.#handlers.set(method, handler);
  }

  /** Calls a method of the pool. The result is as it came. */
  request<Name extends MethodName>(
    method: Name,
    params: MethodParams<Name>,
    options?: RequestOptions,
  ): Promise<unknown>;
  request(method: string, params: unknown, options?: RequestOptions): Promise<unknown>;
  async request(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    try {
      return await this.#pending.request(method, params, options);
    } catch (error) {
      throw toClientError(error);
    }
  }

  /** Sends a notification. Does nothing once closed. */
  notify(method: string, params: unknown): void {
    if (!this.#isClosed) this.#send(encodeNotification(method, params));
  }

  /** Rejects what waits, sends what is queued, closes, and resolves when the connection has ended. Idempotent. */
  close(): Promise<void> {
    this.#flush();
    this.#pending.close();
    this.connection.end();
    return this.#closed;
  }

  /** Closes at once. */
  destroy(error?: Error): void {
    this.connection.destroy(error);
  }

  #send(line: string): void {
    if (this.connection.closing) throw new PoolError('connection_closed', 'the connection is closed');
    if (this.connection.unsentBytes > MAX_UNSENT_BYTES) throw new PoolError('queue_full', 'the pool does not read');
    if (this.#unflushed === '') queueMicrotask(() => this.#flush());
    this.#unflushed += line;
  }

  #flush(): void {
    const lines = this.#unflushed;
    if (lines === '') return;
    this.#unflushed = '';
    this.connection.write(lines);
  }

  #receive(chunk: Uint8Array): void {
    const status: FramerStatus = this.#framer.push(chunk, this.#sink);
    if (status !== 'ok') this.destroy(new PoolError('protocol_violation', 'the pool sent a line beyond all limits'));
  }

  #handleLine(bytes: Uint8Array, start: number, end: number): void {
    const message = parseMessage(bytes, start, end);
    switch (message.kind) {
      case 'response':
        if (!this.#pending.settle(message)) this.#invalid(undefined, `an answer to nothing, id ${message.idText}`);
        break;
      case 'notification':
        this.#notified(message.method, message.params);
        break;
      case 'request':
        this.#requested(message);
        break;
      case 'invalid':
        this.#invalid(undefined, message.reason);
        break;
    }
  }

  #notified(method: string, params: unknown): boolean {
    this.#events.safeEmit('notification', { method, params });
    try {
      const push = decodePush(method, params);
      if (push === undefined) return false;
      push(this.#events);
    } catch (error) {
      this.#invalid(method, errorMessage(error));
    }
    return true;
  }

  #requested(message: RequestMessage): void {
    const { method, params, idText } = message;
    const handler = this.#handlers.get(method);
    if (handler === undefined) {
      // Some pools put ids on notifications.
      if (this.#notified(method, params)) this.#reply(encodeResult(idText, true));
      else this.#reply(encodeError(idText, toStratumError('unknown-method')));
      return;
    }
    if (this.#answering >= MAX_SERVER_REQUESTS) {
      this.#reply(encodeError(idText, toStratumError('busy')));
      return;
    }
    try {
      const answer = handler(params);
      if (!isPromiseLike(answer)) {
        this.#answer(idText, answer);
        return;
      }
      this.#answering++;
      answer.then(
        (value) => this.#answered(() => this.#answer(idText, value)),
        (error: unknown) => this.#answered(() => this.#answerError(idText, error)),
      );
    } catch (error) {
      this.#answerError(idText, error);
    }
  }

  #answered(reply: () => void): void {
    this.#answering--;
    reply();
  }

  #answer(idText: string, value: unknown): void {
    if (isReject(value)) {
      this.#reply(encodeError(idText, toStratumError(value.code, value.reason)));
      return;
    }
    let line: string;
    try {
      line = encodeResult(idText, value);
    } catch (error) {
      this.#answerError(idText, error);
      return;
    }
    this.#reply(line);
  }

  #answerError(idText: string, error: unknown): void {
    this.#reply(encodeError(idText, isStratumError(error) ? error.toTuple() : toStratumError('internal')));
  }

  #reply(line: string): void {
    if (this.connection.closing) return;
    try {
      this.#send(line);
    } catch (error) {
      this.destroy(error instanceof Error ? error : undefined);
    }
  }

  #invalid(method: string | undefined, reason: string): void {
    this.#events.safeEmit('invalid', { method, reason });
  }

  #onClosed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unflushed = '';
    this.#framer.clear();
    this.#pending.close(error);
    this.#events.safeEmit('closed', { error });
    this.#resolveClosed();
  }
}

function toClientError(error: unknown): unknown {
  if (!isPoolError(error, 'request_failed')) return error;
  const peer = error.details.error;
  return typeof peer === 'object' && peer !== null ? stratumErrorFromWire(peer) : error;
}
