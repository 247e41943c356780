import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type Clock, isPoolError, PoolError, systemClock } from '@headframe/primitives';
import { type HttpAnswer, httpPost } from './http-post.js';
import { RpcAuth, type RpcCredentials } from './rpc-auth.js';
import { parseBatch, parseSingle } from './rpc-response.js';

export interface RpcClientOptions extends RpcCredentials {
  /** `http://host:port/` or `https://...`; a user and password in it count as `user` and `password`. */
  readonly url: string;
  /** Time for a whole call. Default 15,000. */
  readonly timeoutMs?: number;
  /**
   * Kept-alive connections. Default 2: a Core-like node has 4 RPC threads, a waiting long poll holds one of them, and
   * submitblock must always find one free.
   */
  readonly maxSockets?: number;
  /** Calls under way or waiting for a kept-alive connection; more fail with `queue_full`. Default 1,000. */
  readonly maxPending?: number;
  /** Bytes of one answer. Default 64 MiB: a full template in hex is below 10 MiB. */
  readonly maxResponseBytes?: number;
  readonly clock?: Clock;
}

export interface RpcCallOptions {
  /** Overrides the client's; `Infinity` waits as long as the connection lives (long polls). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** `own` opens a connection for this call alone: nothing that hangs on the kept-alive ones can delay it. */
  readonly connection?: 'shared' | 'own';
  /** False: never send twice, not even when a kept-alive connection turned out to be dead. Default true. */
  readonly idempotent?: boolean;
}

export interface RpcRequest {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Outcome of one call of a batch. */
export type RpcOutcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: PoolError };

/**
 * JSON-RPC 1.0 over HTTP as coin nodes speak it. Every promise settles. Errors, all PoolError:
 * `rpc_error` the node answered an error (`details.code` is the node's number, `details.rpcMessage` its text);
 * `rpc_http` the answer is no JSON-RPC (`details.status`; 401 and 403 mean wrong credentials or address);
 * `rpc_timeout`; `rpc_unavailable` no connection, or it broke; `queue_full`; `aborted`; `closed`. `details.reason` is the
 * message without method and URL.
 */
export interface RpcClient {
  /** The URL without credentials. */
  readonly url: string;
  call(method: string, params?: readonly unknown[], options?: RpcCallOptions): Promise<unknown>;
  /** Many calls in one request. Outcomes come in the order of the calls. Rejects when the request as a whole failed. */
  batch(calls: readonly RpcRequest[], options?: RpcCallOptions): Promise<RpcOutcome[]>;
  /** Drops the connections; calls under way fail with `closed`. Idempotent. */
  close(): void;
}

/** Free connections are dropped after this time, well before Core's own 30 s, so that few calls meet a dead one. */
const IDLE_SOCKET_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_MAX_PENDING = 1000;
const DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Makes a client. @throws PoolError `invalid_argument` when the URL is none or not HTTP. */
export function createRpcClient(options: RpcClientOptions): RpcClient {
  return new HttpRpcClient(options);
}

class HttpRpcClient implements RpcClient {
  readonly url: string;
  readonly #target: URL;
  readonly #auth: RpcAuth;
  readonly #shared: http.Agent | https.Agent;
  readonly #own: http.Agent | https.Agent;
  readonly #timeoutMs: number;
  readonly #maxResponseBytes: number;
  readonly #maxPending: number;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #nextId = 1;
  #pending = 0;

  constructor(options: RpcClientOptions) {
    // Every call under way listens to it; their number has its own bound.
    setMaxListeners(0, this.#closing.signal);
    this.#target = parseUrl(options.url);
    this.#auth = new RpcAuth(credentialsOf(options, this.#target));
    this.#target.username = '';
    this.#target.password = '';
    this.url = this.#target.href;
    const Agent = this.#target.protocol === 'https:' ? https.Agent : http.Agent;
    this.#shared = new Agent({ keepAlive: true, maxSockets: options.maxSockets ?? 2, timeout: IDLE_SOCKET_MS });
    this.#own = new Agent({ keepAlive: false });
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#maxResponseBytes = options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
    this.#maxPending = options.maxPending ?? DEFAULT_MAX_PENDING;
    this.#clock = options.clock ?? systemClock;
  }

  async call(method: string, params: readonly unknown[] = [], options: RpcCallOptions = {}): Promise<unknown> {
    const body = { jsonrpc: '1.0', id: this.#nextId++, method, params };
    const answer = await this.#post(JSON.stringify(body), method, options);
    return parseSingle(answer, method);
  }

  async batch(calls: readonly RpcRequest[], options: RpcCallOptions = {}): Promise<RpcOutcome[]> {
    if (calls.length === 0) return [];
    const firstId = this.#nextId;
    this.#nextId += calls.length;
    const body = calls.map(({ method, params }, index) => ({ jsonrpc: '1.0', id: firstId + index, method, params }));
    const answer = await this.#post(JSON.stringify(body), 'batch', options);
    return parseBatch(answer, calls, firstId);
  }

  close(): void {
    this.#closing.abort();
    this.#shared.destroy();
    this.#own.destroy();
  }

  async #post(text: string, method: string, options: RpcCallOptions): Promise<HttpAnswer> {
    const counted = options.connection !== 'own';
    if (counted && this.#pending >= this.#maxPending) {
      throw new PoolError('queue_full', `${method} at ${this.url}: ${this.#pending} calls are waiting already`);
    }
    if (counted) this.#pending++;
    try {
      // No await before the first byte when the credentials are known: a block leaves in the tick it was found in.
      if (!this.#auth.ready) await this.#auth.reload();
      const body = Buffer.from(text, 'utf8');
      const answer = await this.#send(body, options);
      // The node writes a new cookie at every start: on 401 read it again, and try once more if it changed.
      if (answer.status === 401 && (await this.#auth.reload())) return await this.#send(body, options);
      return answer;
    } catch (error) {
      throw this.#explain(error, method);
    } finally {
      if (counted) this.#pending--;
    }
  }

  async #send(body: Buffer, options: RpcCallOptions, isRetry = false): Promise<HttpAnswer> {
    const closing = this.#closing.signal;
    if (closing.aborted) throw new PoolError('closed', 'RPC client is closed');
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const { header } = this.#auth;
    const outcome = await httpPost({
      url: this.#target,
      agent: options.connection === 'own' ? this.#own : this.#shared,
      headers: { 'content-type': 'application/json', ...(header === undefined ? {} : { authorization: header }) },
      body,
      timeoutMs: Number.isFinite(timeoutMs) ? timeoutMs : undefined,
      maxResponseBytes: this.#maxResponseBytes,
      clock: this.#clock,
      signals: options.signal === undefined ? [closing] : [closing, options.signal],
    });
    if (!('error' in outcome)) return outcome;
    if (closing.aborted) throw new PoolError('closed', 'RPC client was closed');
    if (outcome.unanswered && !isRetry && options.idempotent !== false) return this.#send(body, options, true);
    throw outcome.error;
  }

  #explain(error: unknown, method: string): unknown {
    if (!isPoolError(error)) return error;
    return new PoolError(error.code, `${method} at ${this.url}: ${error.message}`, {
      details: { ...error.details, method, reason: error.message },
    });
  }
}

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // Not the text itself: it may hold a password.
    throw new PoolError('invalid_argument', 'not a URL of a node (expected http://host:port)');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new PoolError('invalid_argument', `a node is reached by http or https, not ${url.protocol}`);
  }
  return url;
}

function credentialsOf(options: RpcCredentials, url: URL): RpcCredentials {
  if (options.user !== undefined || options.password !== undefined) return options;
  if (url.username === '' && url.password === '') return options;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}
