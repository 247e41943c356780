import { errorMessage, isPoolError, PoolError, type TypedEmitter } from '@headframe/primitives';
import type { Operation } from './calls.js';
import {
  type AddressNotification,
  decodeNotification,
  type ElectrumNotification,
  type HeadersNotification,
  type NumBlocksNotification,
  type ScripthashNotification,
} from './notifications.js';
import type { ElectrumSession } from './session.js';
import { notificationOf, type Subscription, SubscriptionBook } from './subscriptions.js';

/** What servers say, as a client or pool tells it. */
export interface SubscriptionEvents {
  /** A new tip. After a reconnect also what was missed meanwhile. */
  headers: HeadersNotification;
  scripthash: ScripthashNotification;
  address: AddressNotification;
  numblocks: NumBlocksNotification;
  /** Every notification as it came, before it is looked at. */
  notification: { readonly method: string; readonly params: unknown };
  /** Something that makes no sense came from a server. */
  invalid: { readonly method: string | undefined; readonly reason: string };
  /** A subscription that a server did not take after a reconnect; it is gone. */
  subscriptionLost: { readonly method: string; readonly key: string | undefined; readonly error: unknown };
}

type Runner = <T>(operation: Operation<T>) => Promise<T>;

/** Subscriptions renewed at once after a reconnect: below the requests that servers work on at a time. */
const RENEW_AT_ONCE = 50;

/** Subscriptions of one client or pool, above connections. */
export class SubscriptionHub {
  readonly #book: SubscriptionBook;
  readonly #events: TypedEmitter<SubscriptionEvents>;
  /** Unsubscribed where the server cannot be told (below 1.4.2): it goes on notifying. */
  readonly #muted = new Set<string>();
  readonly #capacity: number;

  constructor(events: TypedEmitter<SubscriptionEvents>, capacity: number) {
    this.#events = events;
    this.#capacity = capacity;
    this.#book = new SubscriptionBook(capacity);
  }

  get size(): number {
    return this.#book.size;
  }

  /** Subscribes, and gives the present state as the notification it would be. */
  async subscribe(subscription: Subscription, run: Runner): Promise<ElectrumNotification> {
    const known = this.#book.has(subscription);
    this.#book.add(subscription);
    try {
      const result = await run({ idempotent: true, run: (session) => callFor(session, subscription) });
      const notification = notificationOf(subscription, result);
      this.#muted.delete(mutedKey(notification));
      this.#book.learn(notification);
      return notification;
    } catch (error) {
      if (!known) this.#book.delete(subscription);
      throw error;
    }
  }

  /** Ends a script's subscription; false when there was none. */
  async unsubscribe(scripthash: string, run: Runner): Promise<boolean> {
    const subscription: Subscription = { method: 'blockchain.scripthash.subscribe', key: scripthash };
    const known = this.#book.delete(subscription);
    if (!known) return false;
    const told = await run({
      idempotent: true,
      run: async (session) => {
        if (!session.has('blockchain.scripthash.unsubscribe')) return false;
        await session.request('blockchain.scripthash.unsubscribe', [scripthash]);
        return true;
      },
    });
    if (!told && this.#muted.size < this.#capacity) this.#muted.add(`${subscription.method} ${scripthash}`);
    return true;
  }

  /** Takes a notification. False when nobody subscribed to it. */
  receive(method: string, params: unknown): boolean {
    this.#events.safeEmit('notification', { method, params });
    let notification: ElectrumNotification | undefined;
    try {
      notification = decodeNotification(method, params);
    } catch (error) {
      this.#events.safeEmit('invalid', { method, reason: errorMessage(error) });
      return true;
    }
    if (notification === undefined) return false;
    const news = this.#book.learn(notification);
    if (news === 'new') this.#emit(notification);
    return news !== 'unknown' || this.#muted.has(mutedKey(notification));
  }

  /**
   * Subscribes to everything again on a new session and tells what changed meanwhile. A session that does not answer
   * is destroyed; whoever owns it gets another. Never rejects.
   */
  async renew(session: ElectrumSession): Promise<void> {
    this.#muted.clear();
    const list = this.#book.list();
    for (let from = 0; from < list.length && !session.connection.closed; from += RENEW_AT_ONCE) {
      await Promise.all(list.slice(from, from + RENEW_AT_ONCE).map((entry) => this.#renewOne(session, entry)));
    }
  }

  async #renewOne(session: ElectrumSession, subscription: Subscription): Promise<void> {
    let result: unknown;
    try {
      result = await callFor(session, subscription);
    } catch (error) {
      if (session.connection.closed || !this.#book.has(subscription)) return;
      if (isPoolError(error, 'request_timeout')) {
        session.connection.destroy(error);
        return;
      }
      this.#book.delete(subscription);
      const { method, key } = subscription;
      this.#events.safeEmit('subscriptionLost', { method, key, error });
      return;
    }
    const notification = notificationOf(subscription, result);
    if (this.#book.learn(notification) === 'new') this.#emit(notification);
  }

  #emit(notification: ElectrumNotification): void {
    const { method } = notification.toCall();
    switch (method) {
      case 'blockchain.headers.subscribe':
        this.#events.safeEmit('headers', notification as HeadersNotification);
        break;
      case 'blockchain.numblocks.subscribe':
        this.#events.safeEmit('numblocks', notification as NumBlocksNotification);
        break;
      case 'blockchain.address.subscribe':
        this.#events.safeEmit('address', notification as AddressNotification);
        break;
      case 'blockchain.scripthash.subscribe':
        this.#events.safeEmit('scripthash', notification as ScripthashNotification);
        break;
    }
  }
}

function mutedKey(notification: ElectrumNotification): string {
  const { method, params } = notification.toCall();
  return `${method} ${String(params[0])}`;
}

async function callFor(session: ElectrumSession, { method, key }: Subscription): Promise<unknown> {
  if (session.connection.closed) throw new PoolError('connection_closed', 'the connection is closed');
  return session.call(method, key === undefined ? [] : [key]);
}
