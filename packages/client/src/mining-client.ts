import type { RequestOptions } from '@headframe/jsonrpc';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  reject,
  silentLogger,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import { isStratumError, type Subscription } from '@headframe/stratum-v1';
import { Backoff } from './backoff.js';
import { authorizeWorker, targetHex, type WorkerCredentials } from './handshake.js';
import type { MinerJob } from './job.js';
import type { MiningClientEvents, MiningClientOptions } from './mining-options.js';
import type { Extranonce, JobStatus } from './mining-state.js';
import { PoolSession, type PoolSessionListener } from './pool-session.js';
import { type KnownPool, knownPools } from './pools.js';
import type { FoundShare } from './search.js';
import { seekPool } from './seek-pool.js';
import type { ServerRequestHandler } from './server-requests.js';
import type { StratumClient } from './stratum-client.js';
import { type SubmitOutcome, submitShare } from './submit.js';
import type { StratumEndpoint } from './url.js';
import { waitFor } from './wait.js';

/** A connection that lived as long as this was fine: the next failure starts with the short delay again. */
const STABLE_MS = 30_000;

/**
 * A miner's relation to its pools across connections: introduces itself, keeps the current job, comes back after a loss
 * (to the next pool of the list where there is one) and resumes its session. What it waits with does not keep a process
 * alive; an open connection does.
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
  readonly #pools: readonly KnownPool[];
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  /** What each pool said last to `mining.subscribe`. */
  readonly #subscriptions: (Subscription | undefined)[] = [];
  readonly #handlers = new Map<string, ServerRequestHandler>();
  #session: PoolSession | undefined = undefined;
  #lastPool = 0;
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
    this.#pools = knownPools(options, options.workers);
    this.#backoff = new Backoff(options.reconnect || {}, options.random ?? Math.random);
  }

  /** The job to work on; undefined before the first one and while there is no connection. */
  get job(): MinerJob | undefined {
    return this.#session?.state.job;
  }
  /** True while introduced and authorized. */
  get ready(): boolean {
    return this.#session?.ready === true;
  }
  /** The answer to the last `mining.subscribe`. */
  get subscription(): Subscription | undefined {
    return this.#subscriptions[this.#lastPool];
  }
  /** Difficulty of the next job; undefined while there is no connection. */
  get difficulty(): number | undefined {
    return this.#session?.state.difficulty;
  }
  /** Extranonce of the next job; undefined while there is no connection. */
  get extranonce(): Extranonce | undefined {
    return this.#session?.state.extranonce;
  }
  /** Version bits of the next job; 0 when none were granted, undefined while there is no connection. */
  get versionMask(): number | undefined {
    return this.#session?.state.versionMask;
  }
  /** Place in the list of the pool in use, or used last; 0 without a list. */
  get pool(): number {
    return this.#lastPool;
  }
  /** The connection of the moment, for requests of your own. */
  get connection(): StratumClient | undefined {
    return this.#session?.client;
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
    await this.#session?.client.close();
    await this.#running;
  }

  /** A job of this connection by its id, stale ones included; the last 128 are known. */
  findJob(jobId: string): MinerJob | undefined {
    return this.#session?.state.findJob(jobId);
  }

  /** Whether shares of a job still count. */
  jobStatus(jobId: string): JobStatus {
    return this.#session?.state.jobStatus(jobId) ?? 'unknown';
  }

  /**
   * Hands a share in. A refusal is a value; without an answer it rejects with a PoolError `connection_closed`,
   * `request_timeout` or `queue_full`, and whether the share counted is not known.
   */
  submit(share: Omit<FoundShare, 'hash'>, worker?: string): Promise<SubmitOutcome> {
    const session = this.#session;
    if (session?.ready !== true) return Promise.reject(notConnected());
    return submitShare(session.client, worker ?? session.pool.workers[0]?.username ?? '', share);
  }

  /** Authorizes one more worker, now and after every reconnect. @throws StratumError when the pool says no */
  async authorize(worker: WorkerCredentials): Promise<void> {
    await authorizeWorker(this.#connected(), worker);
    for (const { entry, workers } of this.#pools) {
      if (entry.workers === undefined && !workers.some(({ username }) => username === worker.username)) {
        workers.push(worker);
      }
    }
  }

  /** Wishes for a difficulty; the pool decides. @throws StratumError when it does not want to hear of it */
  async suggestDifficulty(difficulty: number): Promise<void> {
    await this.request('mining.suggest_difficulty', [difficulty]);
  }

  /** Wishes for a share target: 32 bytes, little-endian integer. @throws StratumError as {@link suggestDifficulty} */
  async suggestTarget(target: Uint8Array): Promise<void> {
    await this.request('mining.suggest_target', [targetHex(target)]);
  }

  /** Milliseconds until the pool answered `mining.ping` (an error is an answer too). */
  async ping(options?: RequestOptions): Promise<number> {
    const startMs = this.#clock.monotonic();
    try {
      await this.request('mining.ping', [], options);
    } catch (error) {
      if (!isStratumError(error)) throw error;
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

  /**
   * Answers a method that the pool calls with an id, on this connection and all later ones. Replaces the handler there
   * was, the built-in ones (`mining.ping`, `client.get_version`) included.
   * @returns the function that takes the handler away again
   */
  handle(method: string, handler: ServerRequestHandler): () => void {
    this.#handlers.set(method, handler);
    if (this.#session !== undefined) this.#install(this.#session.client, method);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  /** Sends a notification on the connection of the moment. @throws PoolError `connection_closed` when there is none */
  notify(method: string, params: unknown): void {
    this.#connected().notify(method, params);
  }

  #connected(): StratumClient {
    const client = this.#session?.client;
    if (client === undefined || client.closed) throw notConnected();
    return client;
  }

  /** Connects again and again; returns why it stopped, undefined when it was told to. */
  async #run(onReady: () => void): Promise<Error | undefined> {
    let index = 0;
    let endpoint = this.#pools[0]?.endpoint;
    let redirectedMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      const pool = this.#pools[index];
      if (pool === undefined) return undefined;
      let error: Error;
      let last: PoolSession | undefined;
      try {
        const session = await this.#open(pool, endpoint, this.#stop.signal, (opened) => this.#adopt(opened));
        this.#announce(session);
        onReady();
        last = await this.#stay(session);
        error = await last.ended;
      } catch (thrown) {
        error = thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
      }
      this.#session = undefined;
      if (this.#stop.signal.aborted) return undefined;

      let retryInMs: number | undefined;
      const wasStable = last !== undefined && last.readyForMs >= STABLE_MS;
      if (wasStable) this.#backoff.reset();
      const lost = last?.pool.index ?? index;
      if (last?.isReconnect === true) {
        index = lost;
        endpoint = last.redirected ?? pool.endpoint;
        // Two pools that send us to and fro must not make us dial in a loop.
        const nowMs = this.#clock.monotonic();
        retryInMs = nowMs - redirectedMs >= STABLE_MS ? this.#immediate() : this.#failed();
        redirectedMs = nowMs;
      } else {
        // A redirection holds for one connection; when that is lost or not made, we go home.
        index = wasStable ? 0 : (lost + 1) % this.#pools.length;
        endpoint = this.#pools[index]?.endpoint;
        retryInMs = index === 0 ? this.#failed() : this.#immediate();
      }
      this.#events.safeEmit('disconnected', { error, retryInMs, pool: lost });
      if (retryInMs === undefined) return error;
      if (retryInMs > 0) await waitFor(this.#clock, retryInMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return undefined;
    }
  }

  /** Dials and introduces itself. */
  async #open(
    pool: KnownPool,
    endpoint: StratumEndpoint | undefined,
    signal: AbortSignal,
    opened: (session: PoolSession) => void,
  ): Promise<PoolSession> {
    const session = await PoolSession.open(pool, endpoint, { ...this.#options, signal }, (made) => this.#listen(made));
    const onAbort = (): void => {
      if (!session.ready) session.client.destroy();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    opened(session);
    const last = this.#subscriptions[pool.index];
    const sessionId = this.#options.resume === false ? undefined : last?.sessionId;
    try {
      await session.introduce(sessionId, last);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return session;
  }

  /** Makes a session the one whose events are told. */
  #adopt(session: PoolSession): void {
    this.#session = session;
    this.#lastPool = session.pool.index;
    for (const method of this.#handlers.keys()) this.#install(session.client, method);
  }

  /** The handler is looked up when it is asked: it may have been replaced or taken away meanwhile. */
  #install(client: StratumClient, method: string): void {
    client.handle(method, (params) => {
      const handler = this.#handlers.get(method);
      return handler === undefined ? reject('unknown-method') : handler(params);
    });
  }

  #announce(session: PoolSession): void {
    const { result, resumed, pool, endpoint } = session;
    if (result !== undefined) this.#events.safeEmit('ready', { ...result, resumed, pool: pool.index, endpoint });
  }

  /** Events of the session in use; another one, on trial, is silent. */
  #listen(session: PoolSession): PoolSessionListener {
    const emit = <Name extends keyof MiningClientEvents>(event: Name, payload: MiningClientEvents[Name]): void => {
      if (this.#session === session) this.#events.safeEmit(event, payload);
    };
    return {
      subscribed: (subscription) => {
        this.#subscriptions[session.pool.index] = subscription;
      },
      job: (job) => emit('job', job),
      difficulty: (difficulty) => emit('difficulty', difficulty),
      extranonce: (extranonce) => emit('extranonce', extranonce),
      versionMask: (mask) => emit('versionMask', mask),
      message: (message) => emit('message', message),
      notice: (text) => emit('notice', text),
      invalid: (problem) => emit('invalid', problem),
      redirectRefused: (target) => {
        this.#log.warn({ host: target.host, port: target.port }, 'client.reconnect to another host ignored');
        emit('redirectRefused', target);
      },
    };
  }

  /** Stays with a session, and with the better ones that take its place; the last of them, ended. */
  async #stay(first: PoolSession): Promise<PoolSession> {
    let session = first;
    for (;;) {
      const seeking = new AbortController();
      const seek = this.#seekBetter(session.pool.index, seeking.signal);
      await Promise.race([session.ended, ...(seek === undefined ? [] : [seek])]);
      seeking.abort();
      const better = await seek;
      if (better === undefined) return session;
      if (this.#stop.signal.aborted) {
        better.client.destroy();
        return session;
      }
      void session.client.close();
      session = better;
      this.#adopt(better);
      this.#announce(better);
      this.#events.safeEmit('difficulty', better.state.difficulty);
      const { job } = better.state;
      if (job !== undefined) this.#events.safeEmit('job', job);
    }
  }

  /** Tries the pools before `index` beside the one in use; undefined when there are none, or it is not wanted. */
  #seekBetter(index: number, signal: AbortSignal): Promise<PoolSession | undefined> | undefined {
    const { checkEveryMs = 60_000, stableMs = 30_000 } = this.#options.preferred ?? {};
    if (index === 0 || checkEveryMs === Number.POSITIVE_INFINITY) return undefined;
    return seekPool({
      pools: this.#pools.slice(0, index),
      checkEveryMs,
      stableMs,
      clock: this.#clock,
      signal,
      open: (pool) => this.#open(pool, pool.endpoint, signal, () => {}),
      failed: (pool, error) =>
        this.#log.debug({ pool: pool.index, error: errorMessage(error) }, 'a better pool is not back yet'),
    });
  }

  /** Wait before the next try after a whole round of failures; undefined when there is none. */
  #failed(): number | undefined {
    return this.#options.reconnect === false ? undefined : this.#backoff.failed();
  }

  #immediate(): number | undefined {
    return this.#options.reconnect === false ? undefined : 0;
  }
}

function notConnected(): PoolError {
  return new PoolError('connection_closed', 'not connected to the pool');
}
