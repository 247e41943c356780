import { type Clock, isPoolError, PoolError, systemClock, type Timer, TypedEmitter } from '@headframe/primitives';
import { backoffDelay } from './backoff.js';
import { ElectrumCalls, type Operation, pingSession } from './calls.js';
import type { ConnectionObserver } from './connection.js';
import { dialSession, untilAborted } from './dial.js';
import { type ElectrumEndpoint, parseElectrumServer } from './endpoint.js';
import { type SubscriptionEvents, SubscriptionHub } from './hub.js';
import type { AddressNotification, HeadersNotification, NumBlocksNotification } from './notifications.js';
import type { ElectrumClientOptions } from './options.js';
import type { ElectrumSession } from './session.js';

export interface ElectrumClientEvents extends SubscriptionEvents {
  connected: { readonly software: string; readonly version: string };
  /** The connection, or an attempt to come back, failed. `retryInMs` is undefined when there will be no other. */
  disconnected: { readonly error: unknown; readonly retryInMs: number | undefined };
  /** `close()` was called; nothing follows. */
  closed: undefined;
}

/** A session that lasted this long was a good one: the next failure is the first again. */
const GOOD_SESSION_MS = 60_000;

/**
 * A client of one Electrum server. It settles the version, keeps the connection alive, comes back when it is lost, and
 * renews the subscriptions then. While there is no connection, calls reject with `connection_closed`.
 *
 * @example
 * const client = new ElectrumClient({ server: 'ssl://electrum.example:50002' });
 * await client.connect();
 * client.on('headers', ({ height }) => console.log('block', height));
 * const tip = await client.subscribeHeaders();
 */
export class ElectrumClient extends ElectrumCalls {
  readonly endpoint: ElectrumEndpoint;
  readonly #options: ElectrumClientOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #events: TypedEmitter<ElectrumClientEvents>;
  readonly #hub: SubscriptionHub;
  readonly #closing = new AbortController();
  #session: ElectrumSession | undefined = undefined;
  #connecting: Promise<void> | undefined = undefined;
  #closed: Promise<void> | undefined = undefined;
  #pingTimer: Timer | undefined = undefined;
  #retryTimer: Timer | undefined = undefined;
  #connectedMs = 0;
  #failures = 0;
  #wasConnected = false;

  /** @throws PoolError `invalid_argument` for a server address that is none */
  constructor(options: ElectrumClientOptions) {
    super();
    this.endpoint = parseElectrumServer(options.server);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#events = new TypedEmitter(options.onListenerError);
    // The hub's events are a part of the client's.
    const events = this.#events as unknown as TypedEmitter<SubscriptionEvents>;
    this.#hub = new SubscriptionHub(events, options.maxSubscriptions ?? 10_000);
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }
  /** What the server calls itself; undefined while there is no connection. */
  get software(): string | undefined {
    return this.#session?.software;
  }
  /** Protocol version in use; undefined while there is no connection. */
  get version(): string | undefined {
    return this.#session?.version;
  }
  get subscriptions(): number {
    return this.#hub.size;
  }

  /** Adds a listener; returns the function that removes it. Listeners must not be async. */
  on<Name extends keyof ElectrumClientEvents>(
    event: Name,
    listener: (payload: ElectrumClientEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Connects and settles the version. A first connection that fails is not tried again by itself; one that is lost
   * later is. Idempotent. An aborted `signal` ends the wait, not the attempt.
   * @throws PoolError (as a rejection) `connection_refused`, `request_timeout`, `not_supported`, `aborted`, `closed`, or
   * an ElectrumError
   */
  connect(signal?: AbortSignal): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(new PoolError('closed', 'the client is closed'));
    if (this.#session !== undefined) return Promise.resolve();
    this.#retryTimer?.cancel();
    this.#connecting ??= this.#open()
      .catch((error: unknown) => {
        if (this.#wasConnected && this.#closed === undefined) this.#retry(error);
        throw error;
      })
      .finally(() => {
        this.#connecting = undefined;
      });
    return signal === undefined ? this.#connecting : untilAborted(this.#connecting, signal, () => {});
  }

  /** Software and version of the server. Below 1.4 it is asked again, which keeps the connection alive. */
  async getServerVersion(): Promise<{ readonly software: string; readonly version: string }> {
    const session = this.#current();
    const { software, version } = session;
    if (!session.has('server.ping')) await pingSession(session);
    return { software, version };
  }

  /** Subscribes to the tip; resolves with the present one. Event `headers`. */
  async subscribeHeaders(): Promise<HeadersNotification> {
    const found = await this.#hub.subscribe({ method: 'blockchain.headers.subscribe', key: undefined }, this.#run);
    return found as HeadersNotification;
  }
  /** Subscribes to a script; resolves with its status. Event `scripthash`. */
  async subscribeScripthash(scripthash: string): Promise<string | null> {
    const key = scripthash.toLowerCase();
    const found = await this.#hub.subscribe({ method: 'blockchain.scripthash.subscribe', key }, this.#run);
    return 'status' in found ? found.status : null;
  }
  /** Ends a subscription; false when there was none. Below 1.4.2 the server is not told. */
  unsubscribeScripthash(scripthash: string): Promise<boolean> {
    return this.#hub.unsubscribe(scripthash.toLowerCase(), this.#run);
  }
  /** Subscribes to an address; servers below 1.3 only. Event `address`. */
  async subscribeAddress(address: string): Promise<string | null> {
    const found = await this.#hub.subscribe({ method: 'blockchain.address.subscribe', key: address }, this.#run);
    return (found as AddressNotification).status;
  }
  /** Subscribes to the height; servers of 1.0 only. Event `numblocks`. */
  async subscribeNumBlocks(): Promise<number> {
    const found = await this.#hub.subscribe({ method: 'blockchain.numblocks.subscribe', key: undefined }, this.#run);
    return (found as NumBlocksNotification).height;
  }

  /** Sends what is queued, rejects what waits, closes for good; resolves when the connection has ended. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  protected override run<T>(operation: Operation<T>): Promise<T> {
    return this.#run(operation);
  }

  readonly #run = async <T>(operation: Operation<T>): Promise<T> => operation.run(this.#current());

  #current(): ElectrumSession {
    if (this.#session !== undefined) return this.#session;
    const what = this.#closed === undefined ? 'there is no connection' : 'the client is closed';
    throw new PoolError('connection_closed', `${this.endpoint.host}:${this.endpoint.port}: ${what}`);
  }

  async #open(): Promise<void> {
    const session = await dialSession(this.endpoint, this.#options, () => this.#observer(), this.#closing.signal);
    if (session.connection.closed || this.#closing.signal.aborted) {
      session.connection.destroy();
      throw new PoolError('connection_closed', 'the server hung up');
    }
    this.#session = session;
    this.#wasConnected = true;
    this.#connectedMs = this.#clock.monotonic();
    const everyMs = this.#options.pingIntervalMs ?? 60_000;
    this.#pingTimer = this.#clock.setInterval(() => this.#ping(session), everyMs);
    this.#events.safeEmit('connected', { software: session.software, version: session.version });
    void this.#hub.renew(session);
  }

  #observer(): ConnectionObserver {
    return {
      notification: (method, params) => {
        if (this.#hub.receive(method, params) || this.#options.strict !== true) return;
        const error = new PoolError('protocol_violation', `the server notifies of ${method.slice(0, 64)} unasked`);
        this.#session?.connection.destroy(error);
      },
      invalid: (method, reason) => this.#events.safeEmit('invalid', { method, reason }),
      closed: (error) => {
        // Connections that were only tried end too.
        if (this.#session?.connection.closed === true) this.#lost(error);
      },
    };
  }

  #ping(session: ElectrumSession): void {
    pingSession(session).catch((error: unknown) => {
      // Any answer will do, a refusal too.
      if (isPoolError(error, 'request_timeout')) session.connection.destroy(error);
    });
  }

  #lost(error: unknown): void {
    this.#session = undefined;
    this.#pingTimer?.cancel();
    if (this.#clock.monotonic() - this.#connectedMs >= GOOD_SESSION_MS) this.#failures = 0;
    this.#retry(error);
  }

  #retry(error: unknown): void {
    const { reconnect = {} } = this.#options;
    if (reconnect === false || this.#closed !== undefined) {
      this.#events.safeEmit('disconnected', { error, retryInMs: undefined });
      return;
    }
    this.#failures++;
    const retryInMs = backoffDelay(this.#failures, reconnect, this.#random);
    this.#retryTimer = this.#clock.setTimeout(() => {
      // A failure has been told and the next attempt set when this rejects.
      this.connect().catch(() => {});
    }, retryInMs);
    this.#events.safeEmit('disconnected', { error, retryInMs });
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#retryTimer?.cancel();
    await this.#connecting?.catch(() => {});
    await this.#session?.connection.close();
    this.#events.safeEmit('closed', undefined);
  }
}
