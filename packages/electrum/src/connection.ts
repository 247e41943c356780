import {
  LineFramer,
  type LineSink,
  PendingRequests,
  parsePacket,
  type RequestMessage,
  type RequestOptions,
  type RpcMessage,
} from '@headframe/jsonrpc';
import { type Clock, PoolError } from '@headframe/primitives';
import type { Connection } from '@headframe/transport';
import { ELECTRUM_ERRORS, electrumErrorFromWire } from './errors.js';
import {
  DEFAULT_MAX_LINE_BYTES,
  encodeElectrumBatch,
  encodeElectrumError,
  encodeElectrumRequest,
  encodeElectrumResult,
} from './message.js';

/** What a connection tells its owner. */
export interface ConnectionObserver {
  notification(method: string, params: unknown): void;
  /** Something that makes no sense came; the connection goes on. */
  invalid(method: string | undefined, reason: string): void;
  /** The end, exactly once; requests under way have been rejected. */
  closed(error: Error | undefined): void;
}

export interface WireOptions {
  readonly clock: Clock;
  /** Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Requests without an answer at once. Default 1,000; stops a server that never answers from costing memory. */
  readonly maxPending?: number;
  /** Longest line that is taken. Default 2 MiB. */
  readonly maxLineBytes?: number;
}

/** Answers in one batch; the server decides how it groups them, the pending requests are the bound. */
const MAX_ANSWERS = 10_000;
/** Unsent bytes beyond which requests are refused: the server does not read. Four large transactions. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

/** The client's side of one connection, before anybody knows the version: requests, batches, notifications. */
export class ElectrumConnection {
  readonly #connection: Connection;
  readonly #observer: ConnectionObserver;
  readonly #clock: Clock;
  readonly #pending: PendingRequests;
  readonly #framer: LineFramer;
  readonly #sink: LineSink = {
    line: (bytes, start, end) => {
      this.#lastLineMs = this.#clock.monotonic();
      this.#packet(bytes, start, end);
      return !this.#isClosed;
    },
  };
  readonly #ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  /** Collects the requests of a batch while one is made. */
  #batch: string[] | undefined = undefined;
  #unflushed = '';
  #isClosed = false;
  #lastLineMs: number;

  /** Takes the connection over. */
  constructor(connection: Connection, options: WireOptions, observer: ConnectionObserver) {
    this.#connection = connection;
    this.#observer = observer;
    this.#clock = options.clock;
    this.#lastLineMs = options.clock.monotonic();
    this.#framer = new LineFramer({ maxLineBytes: options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES });
    this.#pending = new PendingRequests({
      clock: options.clock,
      send: (text) => this.#send(text),
      capacity: options.maxPending ?? 1000,
      timeoutMs: options.requestTimeoutMs ?? 30_000,
      encode: encodeElectrumRequest,
      toError: electrumErrorFromWire,
    });
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    connection.start({
      data: (chunk) => this.#receive(chunk),
      drain: () => {},
      closed: (error) => this.#onClosed(error),
    });
  }

  get closed(): boolean {
    return this.#isClosed;
  }
  get secure(): boolean {
    return this.#connection.secure;
  }
  get pendingRequests(): number {
    return this.#pending.size;
  }
  /** Milliseconds since the server last sent a line. */
  get silentMs(): number {
    return this.#clock.monotonic() - this.#lastLineMs;
  }

  /** Sends a request; see `PendingRequests` for how it settles. Requests made in one go leave in one write. */
  request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    return this.#pending.request(method, params, options);
  }

  /** Sends several requests as one JSON array; each settles by itself. */
  batch(
    calls: readonly { readonly method: string; readonly params: readonly unknown[] }[],
    options?: RequestOptions,
  ): readonly Promise<unknown>[] {
    const collected: string[] = [];
    this.#batch = collected;
    const answers = calls.map(({ method, params }) => this.#pending.request(method, params, options));
    this.#batch = undefined;
    if (collected.length > 0) {
      try {
        this.#send(encodeElectrumBatch(collected));
      } catch (error) {
        this.destroy(error instanceof Error ? error : undefined);
      }
    }
    return answers;
  }

  /** Sends what is queued, rejects what waits, closes; resolves when the connection has ended. */
  close(): Promise<void> {
    this.#flush();
    this.#pending.close();
    this.#connection.end();
    return this.#ended;
  }

  destroy(error?: Error): void {
    this.#connection.destroy(error);
  }

  #send(text: string): void {
    if (this.#batch !== undefined) {
      this.#batch.push(text);
      return;
    }
    if (this.#connection.closing) throw new PoolError('connection_closed', 'the connection is closed');
    if (this.#connection.unsentBytes > MAX_UNSENT_BYTES) throw new PoolError('queue_full', 'the server does not read');
    if (this.#unflushed === '') queueMicrotask(() => this.#flush());
    this.#unflushed += `${text}\n`;
  }

  #flush(): void {
    const lines = this.#unflushed;
    this.#unflushed = '';
    if (lines !== '') this.#connection.write(lines);
  }

  #receive(chunk: Uint8Array): void {
    const status = this.#framer.push(chunk, this.#sink);
    if (status !== 'ok') this.destroy(new PoolError('protocol_violation', 'the server sent a line beyond all limits'));
  }

  #packet(bytes: Uint8Array, start: number, end: number): void {
    const packet = parsePacket(bytes, start, end, MAX_ANSWERS);
    if (packet.kind !== 'batch') this.#message(packet);
    else for (const message of packet.messages) this.#message(message);
  }

  #message(message: RpcMessage): void {
    switch (message.kind) {
      case 'response':
        if (!this.#pending.settle(message))
          this.#observer.invalid(undefined, `an answer to nothing, id ${message.idText.slice(0, 40)}`);
        break;
      case 'notification':
        this.#observer.notification(message.method, message.params);
        break;
      case 'request':
        this.#requested(message);
        break;
      case 'invalid':
        this.#observer.invalid(undefined, message.reason);
        break;
    }
  }

  /** From 1.6 on servers may ping. Nothing else is answered, so that a flood of requests costs nothing but this line. */
  #requested({ method, idText }: RequestMessage): void {
    if (this.#connection.closing || this.#connection.unsentBytes > MAX_UNSENT_BYTES) return;
    if (method === 'server.ping') this.#send(encodeElectrumResult(idText, null));
    else this.#send(encodeElectrumError(idText, ELECTRUM_ERRORS['unknown-method']));
  }

  #onClosed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unflushed = '';
    this.#framer.clear();
    this.#pending.close(error);
    this.#resolveEnded();
    this.#observer.closed(error);
  }
}
