import {
  encodeJson,
  LineFramer,
  type PeerError,
  parseMessage,
  type ResponseMessage,
  type RpcMessage,
  readPeerError,
} from '@headframe/jsonrpc';
import type { Clock, Timer } from '@headframe/primitives';
import type { Connection } from '@headframe/transport';

/** A line of the pool, with what a client library would hide. */
export interface WireLine {
  readonly message: RpcMessage;
  /** Members of the object as sent; empty when the line was no object. */
  readonly keys: readonly string[];
  readonly bytes: number;
  /** Clock.monotonic() when it came. */
  readonly atMs: number;
}

/** What came back for a request. */
export type WireAnswer =
  | { readonly kind: 'result'; readonly result: unknown; readonly line: WireLine; readonly latencyMs: number }
  | { readonly kind: 'error'; readonly error: PeerError; readonly line: WireLine; readonly latencyMs: number }
  /** Nothing within the time. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'closed' };

/** Lines kept; a pool that sends more during a probe floods. */
const MAX_LINES = 5000;
const MAX_LINE_BYTES = 1024 * 1024;

interface Waiter {
  readonly matches: (line: WireLine) => boolean;
  readonly settle: (line: WireLine | undefined) => void;
}

function keysOf(bytes: Uint8Array, start: number, end: number, message: RpcMessage): readonly string[] {
  if (message.kind === 'invalid') return [];
  const value: unknown = JSON.parse(Buffer.from(bytes.subarray(start, end)).toString('utf8'));
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** A connection whose every line is looked at. */
export class ProbeWire {
  readonly lines: WireLine[] = [];
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #agent: string;
  readonly #waiters = new Set<Waiter>();
  readonly #framer = new LineFramer({ maxLineBytes: MAX_LINE_BYTES });
  #isClosed = false;
  #nextId = 1;

  constructor(connection: Connection, clock: Clock, agent: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#agent = agent;
    const sink = {
      line: (bytes: Uint8Array, start: number, end: number): boolean => this.#line(bytes, start, end),
    };
    connection.start({
      data: (chunk) => {
        if (this.#framer.push(chunk, sink) !== 'ok') connection.destroy();
      },
      drain: () => {},
      closed: () => {
        this.#isClosed = true;
        for (const waiter of [...this.#waiters]) waiter.settle(undefined);
      },
    });
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  send(text: string): void {
    this.#connection.write(text);
  }

  /** The first line from place `from` on that matches; undefined after `timeoutMs` or at the end. */
  next(from: number, matches: (line: WireLine) => boolean, timeoutMs: number): Promise<WireLine | undefined> {
    const found = this.lines.slice(from).find(matches);
    if (found !== undefined || this.#isClosed) return Promise.resolve(found);
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const waiter: Waiter = {
        matches,
        settle: (line) => {
          timer?.cancel();
          this.#waiters.delete(waiter);
          resolve(line);
        },
      };
      timer = this.#clock.setTimeout(() => waiter.settle(undefined), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** A request as a line, and its id as JSON text. */
  request(method: string, params: unknown, idText: string = String(this.#nextId++)): { line: string; idText: string } {
    return { idText, line: `{"id":${idText},"method":${encodeJson(method)},"params":${encodeJson(params)}}\n` };
  }

  /** The answer to the id; `from` is the place to look from. */
  async answer(idText: string, from: number, timeoutMs: number): Promise<WireAnswer> {
    const startMs = this.#clock.monotonic();
    const isAnswer = (line: WireLine): boolean => line.message.kind === 'response' && sameId(line.message, idText);
    const line = await this.next(from, isAnswer, timeoutMs);
    if (line === undefined || line.message.kind !== 'response') return { kind: this.#isClosed ? 'closed' : 'silence' };
    const { error, result } = line.message;
    const latencyMs = Math.max(0, line.atMs - startMs);
    if (error !== null) return { kind: 'error', error: readPeerError(error), line, latencyMs };
    return { kind: 'result', result, line, latencyMs };
  }

  ask(method: string, params: unknown, timeoutMs: number): Promise<WireAnswer> {
    const from = this.lines.length;
    const { line, idText } = this.request(method, params);
    this.send(line);
    return this.answer(idText, from, timeoutMs);
  }

  close(): void {
    this.#connection.end();
    this.#connection.destroy();
  }

  #line(bytes: Uint8Array, start: number, end: number): boolean {
    const message = parseMessage(bytes, start, end);
    const line: WireLine = {
      message,
      keys: keysOf(bytes, start, end, message),
      bytes: end - start,
      atMs: this.#clock.monotonic(),
    };
    if (this.lines.length >= MAX_LINES) {
      this.#connection.destroy();
      return true;
    }
    this.lines.push(line);
    if (message.kind === 'request') this.#oblige(message.method, message.idText);
    for (const waiter of [...this.#waiters]) if (waiter.matches(line)) waiter.settle(line);
    return true;
  }

  /** A pool that asks gets an answer, as any miner gives one. */
  #oblige(method: string, idText: string): void {
    if (method === 'mining.ping') this.send(`{"id":${idText},"result":"pong","error":null}\n`);
    else if (method === 'client.get_version') {
      this.send(`{"id":${idText},"result":${encodeJson(this.#agent)},"error":null}\n`);
    }
  }
}

/** The same id, whatever became of its type: whether the type is right is a check of its own. */
function sameId(message: ResponseMessage, idText: string): boolean {
  return message.idText === idText || message.idText === `"${idText}"` || `"${message.idText}"` === idText;
}
