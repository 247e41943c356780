import { PoolError } from '@headframe/primitives';
import type { HeaderObject, HeaderTip } from './fields.js';
import {
  AddressNotification,
  type ElectrumNotification,
  HeadersNotification,
  NumBlocksNotification,
  ScripthashNotification,
  type SubscriptionMethod,
} from './notifications.js';

/** What is subscribed to: headers and heights have no key, scripts and addresses are keys. */
export interface Subscription {
  readonly method: SubscriptionMethod;
  readonly key: string | undefined;
}

interface Entry extends Subscription {
  /** What was last known, as text; undefined before the first answer. */
  last: string | undefined;
}

function textOf(notification: ElectrumNotification): { readonly id: string; readonly state: string } {
  const { method, params } = notification.toCall();
  const keyed = params.length === 2;
  return { id: idOf(method, keyed ? String(params[0]) : undefined), state: JSON.stringify(params[params.length - 1]) };
}

function idOf(method: SubscriptionMethod, key: string | undefined): string {
  return key === undefined ? method : `${method} ${key}`;
}

/** The value of a subscription's answer: what its notification would have been. */
export function notificationOf(subscription: Subscription, result: unknown): ElectrumNotification {
  const { method, key = '' } = subscription;
  // Results have passed the schema of their form.
  if (method === HeadersNotification.method) {
    const tip = result as HeaderTip | HeaderObject;
    return 'hex' in tip ? HeadersNotification.ofHex(tip.height, tip.hex) : HeadersNotification.ofObject(tip);
  }
  if (method === NumBlocksNotification.method) return new NumBlocksNotification(result as number);
  if (method === AddressNotification.method) return new AddressNotification(key, result as string | null);
  return new ScripthashNotification(key, result as string | null);
}

/**
 * What a client is subscribed to and what it last heard, so that subscriptions outlive connections and nothing is told
 * twice.
 */
export class SubscriptionBook {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Enters a subscription. @throws PoolError `queue_full` beyond the capacity */
  add(subscription: Subscription): void {
    const id = idOf(subscription.method, subscription.key);
    if (this.#entries.has(id)) return;
    if (this.#entries.size >= this.#capacity) {
      throw new PoolError('queue_full', `more than ${this.#capacity} subscriptions`);
    }
    this.#entries.set(id, { ...subscription, last: undefined });
  }

  /** True when there was one. */
  delete(subscription: Subscription): boolean {
    return this.#entries.delete(idOf(subscription.method, subscription.key));
  }

  has(subscription: Subscription): boolean {
    return this.#entries.has(idOf(subscription.method, subscription.key));
  }

  list(): readonly Subscription[] {
    return [...this.#entries.values()];
  }

  /** Notes what came. `new`: it differs from what was known; `same`; `unknown`: nobody subscribed to it. */
  learn(notification: ElectrumNotification): 'new' | 'same' | 'unknown' {
    const { id, state } = textOf(notification);
    const entry = this.#entries.get(id);
    if (entry === undefined) return 'unknown';
    if (entry.last === state) return 'same';
    entry.last = state;
    return 'new';
  }
}
