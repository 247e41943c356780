import {
  encodeNotification,
  type FramerStatus,
  LineFramer,
  type LineSink,
  PendingRequests,
  parseMessage,
  type RequestMessage,
  type RequestOptions,
} from '@headframe/jsonrpc';
import { type Clock, errorMessage, isPoolError, PoolError, systemClock, TypedEmitter } from '@headframe/primitives';
import { type MethodName, type MethodParams, stratumErrorFromWire } from '@headframe/stratum-v1';
import type { Connection, ConnectionHandler } from '@headframe/transport';
import { decodeNotification, type NotificationEvents, type StratumNotification } from './notifications.js';
import { type ServerRequestHandler, ServerRequests } from './server-requests.js';
import { ConnectionWatch } from './watch.js';

/** Something a pool said without being asked, as it came. */
export interface UnsolicitedMessage {
  readonly method: string;
  /** As sent; missing and `null` params read as an empty array. */
  readonly params: unknown;
  /** Undefined for a notification; with an id the pool wants an answer, and gets one (see `handle`). */
  readonly id: number | string | undefined;
}

/** What a pool may do to a miner without being asked. Names of the wire carry decoded notifications. */
export interface StratumClientEvents extends NotificationEvents {
  /** The catch-all: every notification and request of the pool, known or not, before anything else is done with it. */
  message: UnsolicitedMessage;
  /** A line or a notification that makes no sense, or an answer nobody waits for. The connection goes on. */
  invalid: { readonly method: string | undefined; readonly reason: string };
  /** The end, exactly once. Requests under way have been rejected. */
  closed: { readonly error: Error | undefined };
}

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
  /** Lines in a row that are no messages, after which the connection is closed. Default 50. */
  readonly maxInvalidLines?: number;
  /** Bytes the pool has not read beyond which nothing more is sent. Default 4 MiB. */
  readonly maxUnsentBytes?: number;
  /** Gives a pool up that reads nothing for so long. Default 60,000; `Infinity` for never. */
  readonly drainTimeoutMs?: number;
  /** Gives a pool up that says nothing for so long: half-open connections look like that. Default: never. */
  readonly idleTimeoutMs?: number;
  /** Asks a pool that has been silent for so long whether it is there; any answer counts. Default: never. */
  readonly keepaliveMs?: number;
  /** What it asks. Default `mining.ping` without params. */
  readonly keepalive?: { readonly method: string; readonly params?: unknown };
  /** Writes `"jsonrpc":"2.0"` into each message and errors as objects, for servers that insist. Default false. */
  readonly jsonrpc2?: boolean;
  readonly onListenerError?: (error: unknown, event: string) => void;
}

/**
 * The asking side of one Stratum connection, in whatever namespace (`mining.*`, `server.*`, yours): requests as
 * promises, notifications as events. It knows the wire, not mining; `MiningClient` adds the state, reconnecting and
 * resuming.
 *
 * Every request settles: with the result (`null` is one), or with a rejection: a `StratumError` (code
 * `request_failed`; `details` has method, code and reason) when the pool answered an error, or a PoolError
 * `request_timeout`, `connection_closed` (`cause` tells why), `queue_full`, `aborted` or `invalid_argument` (params
 * that JSON cannot hold). Requests made in one go leave in one write.
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
  readonly #watch: ConnectionWatch;
  readonly #maxUnsentBytes: number;
  readonly #maxInvalidLines: number;
  readonly #isJsonrpc2: boolean;
  readonly #requests: ServerRequests;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #isClosed = false;
  #unflushed = '';
  #invalidLines = 0;
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
    this.#maxUnsentBytes = options.maxUnsentBytes ?? 4 * 1024 * 1024;
    this.#maxInvalidLines = options.maxInvalidLines ?? 50;
    this.#isJsonrpc2 = options.jsonrpc2 ?? false;
    this.#requests = new ServerRequests((line) => this.#reply(line), { jsonrpc2: this.#isJsonrpc2 });
    this.#lastLineMs = this.clock.monotonic();
    const { method, params = [] } = options.keepalive ?? { method: 'mining.ping' };
    this.#watch = this.#startWatch(options, () => {
      // Whatever comes back is a line, and lines are what the watch looks for.
      this.request(method, params).catch(() => {});
    });
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.handle('mining.ping', () => 'pong');
    this.handle('client.get_version', () => this.agent);
    const handler: ConnectionHandler = {
      data: (chunk) => this.#receive(chunk),
      drain: () => this.#watch.drained(),
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

  /**
   * Answers a method that the pool calls with an id. Replaces the handler there was, the built-in ones (`mining.ping`,
   * `client.get_version`) included. Methods without a handler are answered with "unknown method".
   * @returns the function that takes the handler away again
   */
  handle(method: string, handler: ServerRequestHandler): () => void {
    return this.#requests.handle(method, handler);
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
      throw toClientError(error, method);
    }
  }

  /**
   * Sends a notification. Does nothing once closed.
   * @throws PoolError `queue_full` when the pool does not read, `invalid_argument` for params that JSON cannot hold
   */
  notify(method: string, params: unknown): void {
    if (!this.connection.closing) this.#send(encodeNotification(method, params));
  }

  /**
   * Sends text as it is, in order with everything else: one or more whole lines in ASCII, newline included. Nothing
   * waits for an answer: what comes back is an `invalid` event unless its id is one of a request under way.
   * @throws PoolError `invalid_argument` for anything but ASCII ending in a newline, `connection_closed`, `queue_full`
   */
  sendRaw(text: string): void {
    if (!/^[\t\r\n\x20-\x7e]*\n$/.test(text)) {
      throw new PoolError('invalid_argument', 'raw text must be ASCII and end in a newline');
    }
    this.#write(text);
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

  #startWatch(options: StratumClientOptions, ping: () => void): ConnectionWatch {
    const client = this;
    return new ConnectionWatch(
      this.clock,
      {
        idleTimeoutMs: options.idleTimeoutMs ?? Number.POSITIVE_INFINITY,
        keepaliveMs: options.keepaliveMs ?? Number.POSITIVE_INFINITY,
        drainTimeoutMs: options.drainTimeoutMs ?? 60_000,
      },
      {
        get lastLineMs(): number {
          return client.#lastLineMs;
        },
        get unsentBytes(): number {
          return client.connection.unsentBytes;
        },
        ping,
        dead: (error) => this.destroy(error),
      },
    );
  }

  #send(line: string): void {
    this.#write(this.#isJsonrpc2 ? `{"jsonrpc":"2.0",${line.slice(1)}` : line);
  }

  #write(line: string): void {
    if (this.connection.closing) throw new PoolError('connection_closed', 'the connection is closed');
    if (this.connection.unsentBytes + this.#unflushed.length > this.#maxUnsentBytes) {
      throw new PoolError('queue_full', 'the pool does not read');
    }
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
    if (message.kind !== 'invalid') this.#invalidLines = 0;
    switch (message.kind) {
      case 'response':
        if (!this.#pending.settle(message)) this.#invalid(undefined, `an answer to nothing, id ${message.idText}`);
        break;
      case 'notification':
        this.#events.safeEmit('message', { method: message.method, params: message.params, id: undefined });
        this.#notified(message.method, message.params);
        break;
      case 'request':
        this.#requested(message);
        break;
      case 'invalid':
        this.#invalid(undefined, message.reason);
        if (++this.#invalidLines >= this.#maxInvalidLines) {
          this.destroy(new PoolError('protocol_violation', 'the pool sends lines that are no messages'));
        }
        break;
    }
  }

  #notified(method: string, params: unknown): boolean {
    try {
      const notification = decodeNotification(method, params);
      if (notification === undefined) return false;
      emitTyped(this.#events, notification);
    } catch (error) {
      this.#invalid(method, errorMessage(error));
    }
    return true;
  }

  #requested(message: RequestMessage): void {
    const { method, params, id } = message;
    this.#events.safeEmit('message', { method, params, id });
    this.#requests.answer(message, () => this.#notified(method, params));
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
    this.#watch.stop();
    this.#unflushed = '';
    this.#framer.clear();
    this.#pending.close(error);
    this.#events.safeEmit('closed', { error });
    this.#resolveClosed();
  }
}

type Emitter = Pick<TypedEmitter<NotificationEvents>, 'safeEmit'>;

/** Emits a notification under its method. */
function emitTyped(events: Emitter, notification: StratumNotification): void {
  switch (notification.method) {
    case 'mining.notify':
      events.safeEmit(notification.method, notification);
      break;
    case 'mining.set_difficulty':
      events.safeEmit(notification.method, notification);
      break;
    case 'mining.set_extranonce':
      events.safeEmit(notification.method, notification);
      break;
    case 'mining.set_version_mask':
      events.safeEmit(notification.method, notification);
      break;
    case 'client.reconnect':
      events.safeEmit(notification.method, notification);
      break;
    case 'client.show_message':
      events.safeEmit(notification.method, notification);
      break;
  }
}

function toClientError(error: unknown, method: string): unknown {
  if (!isPoolError(error, 'request_failed')) return error;
  const peer = error.details.error;
  return typeof peer === 'object' && peer !== null ? stratumErrorFromWire(peer, { method }) : error;
}
