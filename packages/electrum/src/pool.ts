import type { RequestOptions } from '@headframe/jsonrpc';
import {
  type Clock,
  errorMessage,
  isPoolError,
  PoolError,
  systemClock,
  type Timer,
  TypedEmitter,
} from '@headframe/primitives';
import type { ReconnectOptions } from './backoff.js';
import { broadcastOn, ElectrumCalls, type Operation, pingSession } from './calls.js';
import type { ConnectionObserver } from './connection.js';
import { dialSession } from './dial.js';
import { parseElectrumServer } from './endpoint.js';
import { isElectrumError } from './errors.js';
import { type SubscriptionEvents, SubscriptionHub } from './hub.js';
import { decodeNotification, HeadersNotification } from './notifications.js';
import type { ElectrumConnectOptions } from './options.js';
import { agreedHeight, PoolMember, type ServerStatus, vetSession } from './pool-member.js';
import type { ElectrumSession } from './session.js';

export interface ElectrumPoolOptions extends ElectrumConnectOptions {
  /** Servers in order of preference, see `parseElectrumServer`. */
  readonly servers: readonly string[];
  /** Hash of the first block, display order. Servers on another chain are not used. Default: any chain. */
  readonly genesisHash?: string;
  /** Servers connected to at once. Default 3. */
  readonly connections?: number;
  /** Blocks that a server may be behind most others. Default 2. */
  readonly maxLagBlocks?: number;
  /** Servers tried per call. Default 3. */
  readonly attempts?: number;
  /** Servers that a transaction is given to. Default 3. */
  readonly broadcastTo?: number;
  /** How a failed server is tried again. */
  readonly reconnect?: ReconnectOptions;
}

export interface ElectrumPoolEvents extends SubscriptionEvents {
  /** A server can be used. */
  connected: { readonly server: string; readonly software: string; readonly version: string };
  /** A server was lost, could not be reached, or is on another chain (`refused`: it is not tried again). */
  disconnected: { readonly server: string; readonly error: unknown; readonly refused: boolean };
  /** Subscriptions are on this server now. */
  primary: { readonly server: string };
}

/** Answers in a row that did not come, or made no sense, after which a server is left. */
const MAX_STRIKES = 3;

/** Several servers as one: calls go to a healthy one and, if they change nothing, to another when it fails. */
export class ElectrumPool extends ElectrumCalls {
  readonly #options: ElectrumPoolOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #members: readonly PoolMember[];
  readonly #events: TypedEmitter<ElectrumPoolEvents>;
  readonly #hub: SubscriptionHub;
  readonly #closing = new AbortController();
  /** Calls that wait for a server. */
  readonly #waiting = new Set<() => void>();
  #primary: PoolMember | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #pingTimer: Timer | undefined = undefined;
  #started = false;
  #lastError: unknown = undefined;
  #closed: Promise<void> | undefined = undefined;

  /** @throws PoolError `invalid_argument` for no servers, or an address that is none */
  constructor(options: ElectrumPoolOptions) {
    super();
    if (options.servers.length === 0) throw new PoolError('invalid_argument', 'a pool needs servers');
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#members = [...new Set(options.servers)].map((text) => new PoolMember(text, parseElectrumServer(text)));
    this.#events = new TypedEmitter(options.onListenerError);
    const events = this.#events as unknown as TypedEmitter<SubscriptionEvents>;
    this.#hub = new SubscriptionHub(events, options.maxSubscriptions ?? 10_000);
  }

  /** Adds a listener; returns the function that removes it. Listeners must not be async. */
  on<Name extends keyof ElectrumPoolEvents>(
    event: Name,
    listener: (payload: ElectrumPoolEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /** Begins to connect; resolves when one server can be used. @throws as {@link ElectrumCalls} while none can */
  async connect(signal?: AbortSignal): Promise<void> {
    this.#start();
    await this.#pick(new Set(), signal);
  }

  /** All servers and how they are. */
  status(): readonly ServerStatus[] {
    return this.#members.map((member) => ({
      server: member.server,
      state: member.state,
      primary: member === this.#primary,
      height: member.height,
      lagging: this.#isLagging(member),
      failures: member.failures,
      software: member.session?.software,
      version: member.session?.version,
    }));
  }

  /** Subscribes to the tip; resolves with the present one. Event `headers`. */
  async subscribeHeaders(): Promise<HeadersNotification> {
    const found = await this.#hub.subscribe(
      { method: 'blockchain.headers.subscribe', key: undefined },
      this.#onPrimary,
    );
    return found as HeadersNotification;
  }
  /** Subscribes to a script; resolves with its status. Event `scripthash`. */
  async subscribeScripthash(scripthash: string): Promise<string | null> {
    const key = scripthash.toLowerCase();
    const found = await this.#hub.subscribe({ method: 'blockchain.scripthash.subscribe', key }, this.#onPrimary);
    return 'status' in found ? found.status : null;
  }
  /** Ends a subscription; false when there was none. */
  unsubscribeScripthash(scripthash: string): Promise<boolean> {
    return this.#hub.unsubscribe(scripthash.toLowerCase(), this.#onPrimary);
  }

  /**
   * Gives a transaction to several servers at once; resolves with its id when one took it.
   * @throws the refusal of the first server when none did
   */
  override async broadcast(rawHex: string, options?: RequestOptions): Promise<string> {
    const first = await this.#pick(new Set(), options?.signal);
    const others = this.#usable().filter((member) => member !== first);
    const chosen = [first, ...others].slice(0, this.#options.broadcastTo ?? 3);
    const sent = chosen.map((member) =>
      this.#on(member, { idempotent: false, run: (session) => broadcastOn(session, rawHex, options) }),
    );
    try {
      return await Promise.any(sent);
    } catch (error) {
      const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
      throw errors.find((each) => isElectrumError(each)) ?? errors[0];
    }
  }

  /** Leaves all servers; calls under way reject with `connection_closed`. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  protected override async run<T>(operation: Operation<T>, signal?: AbortSignal): Promise<T> {
    const tried = new Set<PoolMember>();
    const attempts = this.#options.attempts ?? 3;
    for (;;) {
      const member = await this.#pick(tried, signal);
      tried.add(member);
      try {
        return await this.#on(member, operation);
      } catch (error) {
        const again = operation.idempotent && isServersFault(error) && signal?.aborted !== true;
        if (!again || tried.size >= attempts || !this.#hasOther(tried)) throw error;
      }
    }
  }

  /** Subscriptions belong to the primary: the one whose notifications are told. */
  readonly #onPrimary = async <T>(operation: Operation<T>): Promise<T> => {
    const attempts = this.#options.attempts ?? 3;
    for (let attempt = 1; ; attempt++) {
      const found = await this.#pick(new Set(), undefined);
      try {
        return await this.#on(this.#primary ?? found, operation);
      } catch (error) {
        if (attempt >= attempts || !isPoolError(error, 'connection_closed') || this.#closed !== undefined) throw error;
      }
    }
  };

  /** True when a server that was not tried can be used, or may be soon. */
  #hasOther(tried: ReadonlySet<PoolMember>): boolean {
    return this.#members.some((member) => !tried.has(member) && ['ready', 'connecting'].includes(member.state));
  }

  async #on<T>(member: PoolMember, operation: Operation<T>): Promise<T> {
    const { session } = member;
    if (session === undefined) throw new PoolError('connection_closed', `${member.server}: there is no connection`);
    try {
      const result = await operation.run(session);
      member.strikes = 0;
      return result;
    } catch (error) {
      // Silent, or talking nonsense. Not at once: the caller's timeout may be short, or the answer may be odd.
      const bad = isPoolError(error, 'request_timeout') || isPoolError(error, 'invalid_data');
      if (bad && ++member.strikes >= MAX_STRIKES) session.connection.destroy(error);
      throw error;
    }
  }

  #start(): void {
    if (this.#closed !== undefined) throw new PoolError('closed', 'the pool is closed');
    if (this.#started) return;
    this.#started = true;
    this.#pingTimer = this.#clock.setInterval(() => this.#pingAll(), this.#options.pingIntervalMs ?? 60_000);
    this.#maintain();
  }

  /** Servers that can be asked, best first. */
  #usable(): PoolMember[] {
    const ready = this.#members.filter(({ state }) => state === 'ready');
    const rank = (member: PoolMember): number => (this.#isLagging(member) ? 2 : 0) + (member === this.#primary ? 0 : 1);
    return ready.sort((a, b) => rank(a) - rank(b));
  }

  #isLagging(member: PoolMember): boolean {
    const heights = this.#members.flatMap(({ height }) => height ?? []);
    const agreed = agreedHeight(heights);
    return (
      agreed !== undefined && member.height !== undefined && agreed - member.height > (this.#options.maxLagBlocks ?? 2)
    );
  }

  /** The best server that was not tried yet; waits for one when there is none. */
  async #pick(tried: ReadonlySet<PoolMember>, signal: AbortSignal | undefined): Promise<PoolMember> {
    this.#start();
    const { connectTimeoutMs = 15_000, maxPending = 1000 } = this.#options;
    const untilMs = this.#clock.monotonic() + connectTimeoutMs;
    for (;;) {
      if (this.#closed !== undefined) throw new PoolError('closed', 'the pool is closed');
      if (signal?.aborted === true) throw new PoolError('aborted', 'aborted', { cause: signal.reason });
      const found = this.#usable().find((member) => !tried.has(member));
      if (found !== undefined) return found;
      const leftMs = untilMs - this.#clock.monotonic();
      if (leftMs <= 0 || this.#members.every(({ state }) => state === 'refused')) throw this.#noServer();
      if (this.#waiting.size >= maxPending) throw new PoolError('queue_full', 'too many calls wait for a server');
      await this.#change(leftMs, signal);
    }
  }

  #noServer(): PoolError {
    const cause = this.#lastError;
    const why = cause === undefined ? '' : `: ${errorMessage(cause)}`;
    return new PoolError('connection_closed', `no server can be used${why}`, { cause });
  }

  /** Resolves when a server came or went, after `ms`, or when the signal says so. */
  #change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = this.#clock.setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }

  /** Connects to as many servers as wanted, those with the fewest failures first, and comes back when one is due. */
  #maintain(): void {
    if (this.#closed !== undefined) return;
    this.#timer?.cancel();
    const nowMs = this.#clock.monotonic();
    const wanted = this.#options.connections ?? 3;
    const idle = this.#members.filter(({ state }) => state === 'idle').sort((a, b) => a.failures - b.failures);
    let active = this.#members.filter(({ state }) => state === 'connecting' || state === 'ready').length;
    for (const member of idle) {
      if (active >= wanted || member.notBeforeMs > nowMs) continue;
      active++;
      void this.#connectTo(member);
    }
    if (active >= wanted) return;
    const waiting = idle.filter(({ state }) => state === 'idle');
    if (waiting.length === 0) return;
    const dueMs = Math.min(...waiting.map(({ notBeforeMs }) => notBeforeMs));
    this.#timer = this.#clock.setTimeout(() => this.#maintain(), Math.max(1, dueMs - nowMs));
  }

  async #connectTo(member: PoolMember): Promise<void> {
    member.state = 'connecting';
    const { signal } = this.#closing;
    let session: ElectrumSession | undefined;
    try {
      session = await dialSession(member.endpoint, this.#options, () => this.#observer(member), signal);
      member.session = session;
      const height = await vetSession(session, this.#options.genesisHash);
      if (session.connection.closed) throw new PoolError('connection_closed', 'the server hung up');
      member.height = Math.max(member.height ?? 0, height);
      member.state = 'ready';
      this.#events.safeEmit('connected', {
        server: member.server,
        software: session.software,
        version: session.version,
      });
      this.#choosePrimary();
      this.#wake();
    } catch (error) {
      session?.connection.destroy();
      if (isPoolError(error, 'wrong_network')) member.state = 'refused';
      this.#lost(member, error);
    }
  }

  #observer(member: PoolMember): ConnectionObserver {
    return {
      notification: (method, params) => this.#notified(member, method, params),
      invalid: (method, reason) => this.#events.safeEmit('invalid', { method, reason }),
      closed: (error) => {
        if (member.state === 'ready' && member.session?.connection.closed === true) this.#lost(member, error);
      },
    };
  }

  #notified(member: PoolMember, method: string, params: unknown): void {
    if (method === HeadersNotification.method) {
      try {
        const tip = decodeNotification(method, params);
        if (tip instanceof HeadersNotification) member.height = tip.height;
      } catch (error) {
        this.#events.safeEmit('invalid', { method, reason: errorMessage(error) });
        return;
      }
    }
    if (member === this.#primary) {
      const asked = this.#hub.receive(method, params) || method === HeadersNotification.method;
      if (!asked && this.#options.strict === true) {
        const error = new PoolError('protocol_violation', `the server notifies of ${method.slice(0, 64)} unasked`);
        member.session?.connection.destroy(error);
      }
    }
    if (this.#primary !== undefined && this.#isLagging(this.#primary)) this.#choosePrimary();
  }

  #choosePrimary(): void {
    const current = this.#primary;
    const best = this.#usable()[0];
    if (best === undefined || best === current) return;
    this.#primary = best;
    this.#events.safeEmit('primary', { server: best.server });
    if (best.session !== undefined) void this.#hub.renew(best.session);
  }

  #lost(member: PoolMember, error: unknown): void {
    const wasGood = member.state === 'ready';
    this.#lastError = error;
    member.failed(this.#clock.monotonic(), this.#options.reconnect ?? {}, this.#random);
    if (this.#closed !== undefined) return;
    this.#events.safeEmit('disconnected', { server: member.server, error, refused: member.state === 'refused' });
    if (wasGood && member === this.#primary) {
      this.#primary = undefined;
      this.#choosePrimary();
    }
    this.#wake();
    this.#maintain();
  }

  #pingAll(): void {
    for (const { session, state } of this.#members) {
      if (session === undefined || state !== 'ready') continue;
      pingSession(session).catch((error: unknown) => {
        if (isPoolError(error, 'request_timeout')) session.connection.destroy(error);
      });
    }
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#pingTimer?.cancel();
    this.#wake();
    await Promise.all(this.#members.map(({ session }) => session?.connection.close()));
  }
}

/** True when another server may well answer. */
function isServersFault(error: unknown): boolean {
  if (isElectrumError(error)) {
    return (
      isElectrumError(error, 'busy') || isElectrumError(error, 'excessive-use') || isElectrumError(error, 'internal')
    );
  }
  if (!isPoolError(error)) return false;
  return ['connection_closed', 'request_timeout', 'queue_full', 'invalid_data', 'not_supported'].includes(error.code);
}
