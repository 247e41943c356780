import type { ScriptStatus } from '../chain/calls.js';
import type { ElectrumProtocol } from './context.js';

/** One script that one session wants to hear about. */
export interface Subscription {
  readonly protocol: ElectrumProtocol;
  readonly scripthash: string;
  /** What the session calls it: the script hash, or an address. */
  readonly key: string;
  /** Name of the notification. */
  readonly method: string;
  /** What the session was told last; undefined until its request is answered. */
  status: ScriptStatus | undefined;
}

/** All script subscriptions of a server. Bounded by what its callers allow. */
export class Subscriptions {
  readonly #byScript = new Map<string, Set<Subscription>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }
  /** Scripts with at least one subscription. */
  scripthashes(): IterableIterator<string> {
    return this.#byScript.keys();
  }
  has(scripthash: string): boolean {
    return this.#byScript.has(scripthash);
  }
  of(scripthash: string): Iterable<Subscription> {
    return this.#byScript.get(scripthash) ?? [];
  }

  /** The subscription of a session under a key, made when there is none. */
  add(protocol: ElectrumProtocol, scripthash: string, key: string, method: string): Subscription {
    const { scripts } = protocol.state;
    const existing = scripts.get(key);
    if (existing !== undefined) return existing;
    const subscription: Subscription = { protocol, scripthash, key, method, status: undefined };
    scripts.set(key, subscription);
    const all = this.#byScript.get(scripthash) ?? new Set();
    all.add(subscription);
    this.#byScript.set(scripthash, all);
    this.#size++;
    return subscription;
  }

  /** @returns false when there was none */
  remove(protocol: ElectrumProtocol, key: string): boolean {
    const { scripts } = protocol.state;
    const subscription = scripts.get(key);
    if (subscription === undefined) return false;
    scripts.delete(key);
    const all = this.#byScript.get(subscription.scripthash);
    all?.delete(subscription);
    if (all?.size === 0) this.#byScript.delete(subscription.scripthash);
    this.#size--;
    return true;
  }

  /** A session has ended. */
  removeAll(protocol: ElectrumProtocol): void {
    for (const key of [...protocol.state.scripts.keys()]) this.remove(protocol, key);
  }
}
