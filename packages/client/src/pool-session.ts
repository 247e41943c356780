import { equalBytes, PoolError, type Timer } from '@headframe/primitives';
import type { Subscription } from '@headframe/stratum-v1';
import { type ConnectStratumOptions, dial } from './connect.js';
import { isSameDomain } from './domain.js';
import { type HandshakeOptions, type HandshakeResult, handshake } from './handshake.js';
import { MiningState, type MiningStateListener } from './mining-state.js';
import type { ReconnectNotification } from './notifications.js';
import type { KnownPool } from './pools.js';
import { StratumClient, type UnsolicitedMessage } from './stratum-client.js';
import type { StratumEndpoint } from './url.js';

/** A pool sends a job every 30 to 60 seconds; the common mining programs wait 90 to 120. */
const DEFAULT_IDLE_TIMEOUT_MS = 120_000;

export interface PoolSessionOptions extends ConnectStratumOptions, HandshakeOptions {
  readonly redirect?: 'same-domain' | 'any' | 'never';
}

/** What a session tells; the state of mining included. */
export interface PoolSessionListener extends MiningStateListener {
  subscribed(subscription: Subscription): void;
  message(message: UnsolicitedMessage): void;
  notice(text: string): void;
  invalid(problem: { readonly method: string | undefined; readonly reason: string }): void;
  /** `client.reconnect` to where it may not send us. */
  redirectRefused(target: ReconnectNotification): void;
}

/** One connection to one pool, from the first byte to the last. */
export class PoolSession {
  readonly pool: KnownPool;
  /** Where it leads: the pool's address, or where the pool sent us. */
  readonly endpoint: StratumEndpoint | undefined;
  readonly client: StratumClient;
  readonly state: MiningState;
  /** Resolves with why it ended; never rejects. */
  readonly ended: Promise<Error>;
  readonly #options: PoolSessionOptions;
  readonly #listener: PoolSessionListener;
  #reconnectTimer: Timer | undefined = undefined;
  #result: HandshakeResult | undefined = undefined;
  #readyAtMs: number | undefined = undefined;
  #isResumed = false;
  #isReconnect = false;
  #redirected: StratumEndpoint | undefined = undefined;

  /** @throws PoolError (as a rejection) when the pool cannot be reached */
  static async open(
    pool: KnownPool,
    endpoint: StratumEndpoint | undefined,
    options: PoolSessionOptions,
    listenerOf: (session: PoolSession) => PoolSessionListener,
  ): Promise<PoolSession> {
    const connection = await dial(endpoint, { ...options, ...pool.entry });
    return new PoolSession(pool, endpoint, new StratumClient(connection, clientOptions(options)), options, listenerOf);
  }

  constructor(
    pool: KnownPool,
    endpoint: StratumEndpoint | undefined,
    client: StratumClient,
    options: PoolSessionOptions,
    listenerOf: (session: PoolSession) => PoolSessionListener,
  ) {
    this.pool = pool;
    this.endpoint = endpoint;
    this.client = client;
    this.#options = options;
    this.#listener = listenerOf(this);
    this.ended = new Promise((resolve) => {
      const end = (error: Error | undefined): void => {
        this.#reconnectTimer?.cancel();
        resolve(error ?? new PoolError('connection_closed', 'the pool closed the connection'));
      };
      client.on('closed', ({ error }) => end(error));
      if (client.closed) end(undefined);
    });
    const listener = this.#listener;
    client.on('message', (message) => listener.message(message));
    client.on('invalid', (problem) => listener.invalid(problem));
    client.on('client.show_message', ({ text }) => listener.notice(text));
    client.on('client.reconnect', (target) => this.#scheduleReconnect(target));
    this.state = new MiningState(client, listener);
  }

  /** The answers of subscribe and configure; undefined before them. */
  get result(): HandshakeResult | undefined {
    return this.#result;
  }
  /** Introduced and authorized, and not closed. */
  get ready(): boolean {
    return this.#readyAtMs !== undefined && !this.client.closed;
  }
  /** Milliseconds since it was ready; 0 before. */
  get readyForMs(): number {
    return this.#readyAtMs === undefined ? 0 : this.client.clock.monotonic() - this.#readyAtMs;
  }
  /** True when the session ended because the pool asked to come back. */
  get isReconnect(): boolean {
    return this.#isReconnect;
  }
  /** Where the pool asked to come back to; undefined: the list decides. */
  get redirected(): StratumEndpoint | undefined {
    return this.#redirected;
  }

  /** The pool gave the extranonce1 of the last connection again. */
  get resumed(): boolean {
    return this.#isResumed;
  }

  /**
   * Introduces itself. Closes the connection and rejects when that fails.
   * @param last what the pool said last time, to see whether it resumed
   */
  async introduce(sessionId: string | undefined, last: Subscription | undefined): Promise<void> {
    try {
      await handshake(this.client, this.pool.workers, sessionId, this.#options, (answers) => {
        this.#result = answers;
        this.#isResumed = last !== undefined && equalBytes(last.extranonce1, answers.subscription.extranonce1);
        this.#listener.subscribed(answers.subscription);
        this.state.open(answers.subscription, answers.versionMask);
      });
      this.#readyAtMs = this.client.clock.monotonic();
    } catch (error) {
      this.client.destroy();
      // What broke the connection tells more than the request that fell with it.
      const end = await this.ended;
      throw end instanceof PoolError && end.code !== 'connection_closed' ? end : error;
    }
  }

  #scheduleReconnect(target: ReconnectNotification): void {
    // The first one counts: a pool that repeats itself must not hold us here for ever, nor cost us timers.
    if (this.#reconnectTimer !== undefined) return;
    const { endpoint } = this;
    const host = target.host ?? endpoint?.host;
    const port = target.port ?? endpoint?.port;
    const policy = this.#options.redirect ?? 'same-domain';
    const isElsewhere = endpoint !== undefined && (host !== endpoint.host || port !== endpoint.port);
    const isAllowed = policy === 'any' || (policy === 'same-domain' && isSameDomain(endpoint?.host ?? '', host ?? ''));
    if (isElsewhere && !isAllowed) {
      this.#listener.redirectRefused(target);
      return;
    }
    this.#reconnectTimer = this.client.clock.setTimeout(() => {
      // Also when sent back to where we are: that may itself be where an earlier redirection led.
      if (endpoint !== undefined && host !== undefined && port !== undefined) {
        this.#redirected = { host, port, secure: endpoint.secure };
      }
      this.#isReconnect = true;
      void this.client.close();
    }, target.waitSeconds * 1000);
  }
}

function clientOptions(options: PoolSessionOptions): PoolSessionOptions {
  return { ...options, idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS };
}
