import type { RequestOptions } from '@headframe/jsonrpc';
import {
  bytesToHex,
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
  TypedEmitter,
  u32ToHex,
} from '@headframe/primitives';
import { StratumError, type Subscription } from '@headframe/stratum-v1';
import { Backoff, type ReconnectPolicy } from './backoff.js';
import { type ConnectStratumOptions, dial, endpointOf } from './connect.js';
import { authorizeWorker, type HandshakeOptions, handshake, type WorkerCredentials } from './handshake.js';
import type { MinerJob } from './job.js';
import { MiningState } from './mining-state.js';
import type { PushEvents } from './push-events.js';
import type { FoundShare } from './search.js';
import { StratumClient } from './stratum-client.js';
import { isSameDomain, type StratumEndpoint } from './url.js';
import { waitFor } from './wait.js';

export interface MiningClientOptions extends ConnectStratumOptions, HandshakeOptions {
  /** Names to authorize, at least one; the first one is the default for submits. */
  readonly workers: readonly [WorkerCredentials, ...WorkerCredentials[]];
  /** What to do when the connection is lost; false: nothing. Default: come back with growing, jittered delays. */
  readonly reconnect?: false | ReconnectPolicy;
  /** Hands the session id of the last connection in, so that the pool may go on with the same extranonce. Default true. */
  readonly resume?: boolean;
  /** Whether `client.reconnect` may name another host. Default `same-domain`, see `isSameDomain`. */
  readonly redirect?: 'same-domain' | 'any' | 'never';
  /** A pool that says nothing for so long is given up. Default 120,000. */
  readonly silenceTimeoutMs?: number;
  /** A number from 0 up to 1, for the jitter. Default Math.random. */
  readonly random?: () => number;
}

export interface MiningClientEvents {
  /** Introduced and authorized; jobs may have come before. */
  ready: {
    readonly subscription: Subscription;
    readonly versionMask: number;
    /** The pool gave the extranonce1 of the last connection again. */
    readonly resumed: boolean;
  };
  job: MinerJob;
  /** For the next job. */
  difficulty: number;
  /** Text of `client.show_message`. */
  message: string;
  /** A connection was lost or not made. `retryInMs` is undefined when that was the last try. */
  disconnected: { readonly error: Error; readonly retryInMs: number | undefined };
  /** Every notification as it came. */
  notification: { readonly method: string; readonly params: unknown };
  invalid: { readonly method: string | undefined; readonly reason: string };
  /** The end, exactly once. */
  closed: { readonly error: Error | undefined };
}

/** A connection that lived as long as this was fine: the next failure starts with the short delay again. */
const STABLE_MS = 30_000;

/**
 * A miner's relation to a pool across connections: introduces itself, keeps the current job, comes back after a loss
 * and resumes its session. What it waits with does not keep a process alive; an open connection does.
 *
 * @example
 * const client = new MiningClient({ url: 'stratum+tcp://127.0.0.1:3333', workers: [{ username: 'bc1q....rig' }] });
 * client.on('job', (job) => search(job));
 * await client.start();
 */
export class MiningClient {
  readonly #options: MiningClientOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events: TypedEmitter<MiningClientEvents>;
  readonly #endpoint: StratumEndpoint | undefined;
  readonly #workers: WorkerCredentials[];
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #redirected: StratumEndpoint | undefined = undefined;
  #skipDelay = false;
  #client: StratumClient | undefined = undefined;
  #state: MiningState | undefined = undefined;
  #subscription: Subscription | undefined = undefined;
  #isReady = false;
  #readyAtMs = 0;
  #started: Promise<void> | undefined = undefined;
  #running: Promise<void> = Promise.resolve();

  /** @throws PoolError `invalid_argument` on an address that is none */
  constructor(options: MiningClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#events = new TypedEmitter(
      options.onListenerError ??
        ((error, event) => this.#log.error({ event, error: errorMessage(error) }, 'listener threw')),
    );
    this.#endpoint = endpointOf(options);
    this.#workers = [...options.workers];
    this.#backoff = new Backoff(options.reconnect || {}, options.random ?? Math.random);
  }

  /** The job to work on; undefined before the first one and while there is no connection. */
  get job(): MinerJob | undefined {
    return this.#state?.job;
  }
  /** True while introduced and authorized. */
  get ready(): boolean {
    return this.#isReady;
  }
  get subscription(): Subscription | undefined {
    return this.#subscription;
  }
  /** The connection of the moment, for requests of your own. */
  get connection(): StratumClient | undefined {
    return this.#client;
  }

  /** Adds a listener; returns the function that removes it. Listeners must not be async. */
  on<Name extends keyof MiningClientEvents>(
    event: Name,
    listener: (payload: MiningClientEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Connects, and from then on keeps connected. Resolves when ready for the first time. Rejects when closed or aborted
   * before, when `maxFailures` is reached, and without `reconnect` on the first failure. A second call returns the same promise.
   */
  start(): Promise<void> {
    this.#started ??= new Promise((resolve, reject) => {
      const { signal } = this.#options;
      const onAbort = (): void => void this.close();
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      this.#running = this.#run(resolve).then((error) => {
        signal?.removeEventListener('abort', onAbort);
        reject(error ?? new PoolError('closed', 'the client was closed'));
        this.#events.safeEmit('closed', { error });
      });
    });
    return this.#started;
  }

  /** Closes the connection and stays away; resolves when all is done. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#client?.close();
    await this.#running;
  }

  /** Hands a share in; resolves when it is accepted. @throws StratumError (as a rejection) with the pool's reason */
  async submit(share: Omit<FoundShare, 'hash'>, worker?: string): Promise<void> {
    const username = worker ?? this.#options.workers[0].username;
    const { jobId, ntime, nonce, versionBits } = share;
    const extranonce2 = bytesToHex(share.extranonce2);
    const client = this.#connected();
    const result = await (versionBits === undefined
      ? client.request('mining.submit', [username, jobId, extranonce2, u32ToHex(ntime), u32ToHex(nonce)])
      : client.request('mining.submit', [
          username,
          jobId,
          extranonce2,
          u32ToHex(ntime),
          u32ToHex(nonce),
          u32ToHex(versionBits),
        ]));
    if (result !== true) throw new StratumError('other', 'the pool did not accept the share');
  }

  /** Authorizes one more worker, now and after every reconnect. @throws StratumError when the pool says no */
  async authorize(worker: WorkerCredentials): Promise<void> {
    await authorizeWorker(this.#connected(), worker);
    if (!this.#workers.some(({ username }) => username === worker.username)) this.#workers.push(worker);
  }

  /** Wishes for a difficulty; the pool decides. */
  async suggestDifficulty(difficulty: number): Promise<void> {
    await this.request('mining.suggest_difficulty', [difficulty]);
  }

  /** Milliseconds until the pool answered `mining.ping` (an error is an answer too). */
  async ping(options?: RequestOptions): Promise<number> {
    const startMs = this.#clock.monotonic();
    try {
      await this.request('mining.ping', [], options);
    } catch (error) {
      if (!(error instanceof Error && 'rejectCode' in error)) throw error;
    }
    return this.#clock.monotonic() - startMs;
  }

  /** Transactions of a job as hex, without the coinbase. @throws PoolError `invalid_data` when the answer is no such list */
  async getTransactions(jobId: string, options?: RequestOptions): Promise<readonly string[]> {
    const result = await this.request('mining.get_transactions', [jobId], options);
    if (!Array.isArray(result) || !result.every((entry) => typeof entry === 'string')) {
      throw new PoolError('invalid_data', 'get_transactions: the answer is no list of hex strings');
    }
    return result;
  }

  /** Calls any method on the connection of the moment. @throws PoolError `connection_closed` when there is none */
  async request(method: string, params: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#connected().request(method, params, options);
  }

  #connected(): StratumClient {
    const client = this.#client;
    if (client === undefined || client.closed) throw new PoolError('connection_closed', 'not connected to the pool');
    return client;
  }

  /** Connects again and again; returns why it stopped, undefined when it was told to. */
  async #run(onReady: () => void): Promise<Error | undefined> {
    for (;;) {
      let error: Error;
      try {
        error = await this.#session(onReady);
      } catch (thrown) {
        error = thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
      }
      this.#isReady = false;
      this.#client = undefined;
      this.#state = undefined;
      if (this.#stop.signal.aborted) return undefined;
      const retryInMs = this.#nextDelayMs();
      this.#events.safeEmit('disconnected', { error, retryInMs });
      if (retryInMs === undefined) return error;
      await waitFor(this.#clock, retryInMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return undefined;
    }
  }

  /** One connection from dialling to its end; returns why it ended. */
  async #session(onReady: () => void): Promise<Error> {
    const endpoint = this.#redirected ?? this.#endpoint;
    // A redirection holds for one connection; when that is lost or not made, we go home.
    this.#redirected = undefined;
    const connection = await dial(endpoint, { ...this.#options, signal: this.#stop.signal });
    const client = new StratumClient(connection, this.#options);
    if (this.#stop.signal.aborted) client.destroy();
    this.#client = client;
    const timers: Timer[] = [];
    const ended = new Promise<Error>((resolve) => {
      client.on('closed', ({ error }) => {
        for (const timer of timers) timer.cancel();
        resolve(error ?? new PoolError('connection_closed', 'the pool closed the connection'));
      });
      if (client.closed) resolve(new PoolError('connection_closed', 'the pool closed the connection'));
    });
    client.on('notification', (message) => this.#events.safeEmit('notification', message));
    client.on('invalid', (problem) => this.#events.safeEmit('invalid', problem));
    client.on('client.show_message', (text) => this.#events.safeEmit('message', text));
    client.on('client.reconnect', (target) => {
      // The first one counts: it and the silence timer are the only two a connection has.
      if (timers.length >= 2) return;
      const timer = this.#scheduleReconnect(client, endpoint, target);
      if (timer !== undefined) timers.push(timer);
    });
    const state = new MiningState(client, {
      job: (job) => this.#events.safeEmit('job', job),
      difficulty: (difficulty) => this.#events.safeEmit('difficulty', difficulty),
    });
    this.#state = state;
    const silenceMs = this.#options.silenceTimeoutMs ?? 120_000;
    timers.push(
      this.#clock.setInterval(() => {
        if (client.silentMs < silenceMs) return;
        client.destroy(new PoolError('request_timeout', `the pool was silent for ${silenceMs} ms`));
      }, silenceMs / 4),
    );
    const last = this.#subscription;
    const sessionId = this.#options.resume === false ? undefined : last?.sessionId;
    try {
      const result = await handshake(client, this.#workers, sessionId, this.#options, (opened) => {
        this.#subscription = opened.subscription;
        state.open(opened.subscription, opened.versionMask);
      });
      this.#isReady = true;
      this.#readyAtMs = this.#clock.monotonic();
      const resumed =
        last !== undefined && bytesToHex(last.extranonce1) === bytesToHex(result.subscription.extranonce1);
      this.#events.safeEmit('ready', { ...result, resumed });
      onReady();
    } catch (error) {
      client.destroy();
      await ended;
      throw error;
    }
    const error = await ended;
    if (this.#clock.monotonic() - this.#readyAtMs >= STABLE_MS) this.#backoff.reset();
    return error;
  }

  #scheduleReconnect(
    client: StratumClient,
    endpoint: StratumEndpoint | undefined,
    target: PushEvents['client.reconnect'],
  ): Timer | undefined {
    const host = target.host ?? endpoint?.host;
    const port = target.port ?? endpoint?.port;
    const redirect = this.#options.redirect ?? 'same-domain';
    const isElsewhere = endpoint !== undefined && (host !== endpoint.host || port !== endpoint.port);
    const isAllowed =
      redirect === 'any' || (redirect === 'same-domain' && isSameDomain(endpoint?.host ?? '', host ?? ''));
    if (isElsewhere && !isAllowed) {
      this.#log.warn({ host, port }, 'client.reconnect to another host ignored');
      return undefined;
    }
    return this.#clock.setTimeout(() => {
      // Also when sent back to where we are: that may itself be where an earlier redirection led.
      if (endpoint !== undefined && host !== undefined && port !== undefined) {
        this.#redirected = { host, port, secure: endpoint.secure };
      }
      this.#skipDelay = true;
      void client.close();
    }, target.waitSeconds * 1000);
  }

  /** Wait before the next try; undefined when there is none. */
  #nextDelayMs(): number | undefined {
    if (this.#options.reconnect === false) return undefined;
    if (!this.#skipDelay) return this.#backoff.failed();
    this.#skipDelay = false;
    return 0;
  }
}
