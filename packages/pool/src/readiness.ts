import { PoolError } from '@headframe/primitives';

/** One thing that a pool waits for before it counts as ready. */
export interface ReadinessEntry {
  readonly name: string;
  readonly isOk: boolean;
  /** Why not. */
  readonly reason: string | undefined;
}

/** Names that can be set: each is a line on a page that load balancers ask for every second. */
const MAX_ENTRIES = 64;
const MAX_REASON_LENGTH = 200;

/**
 * Whether a pool may be sent miners, as far as its owner says: `/readyz` shows it beside what the pool knows itself
 * (node, job, storage). Nothing set means ready.
 *
 * @example
 * pool.readiness.set('warm-up', false, 'cache is loading');
 * await loadCache();
 * pool.readiness.set('warm-up', true);
 */
export class Readiness {
  readonly #entries = new Map<string, ReadinessEntry>();
  readonly #onChange: (isReady: boolean, entries: readonly ReadinessEntry[]) => void;

  /** @param onChange called after each change */
  constructor(onChange: (isReady: boolean, entries: readonly ReadinessEntry[]) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** Says how something is. @throws PoolError `invalid_argument` for a name that is none, `queue_full` for the 65th */
  set(name: string, isOk: boolean, reason?: string): void {
    if (!/^[\x21-\x7e]{1,64}$/.test(name)) throw new PoolError('invalid_argument', 'not a name: ASCII without spaces');
    const before = this.#entries.get(name);
    if (before === undefined && this.#entries.size >= MAX_ENTRIES) {
      throw new PoolError('queue_full', `more than ${MAX_ENTRIES} names`);
    }
    const said = isOk ? undefined : (reason ?? 'not ready').replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_LENGTH);
    if (before?.isOk === isOk && before.reason === said) return;
    this.#entries.set(name, { name, isOk, reason: said });
    this.#onChange(this.isReady, this.list());
  }

  /** Forgets a name. */
  clear(name: string): void {
    if (this.#entries.delete(name)) this.#onChange(this.isReady, this.list());
  }

  /** All that was set, by name. */
  list(): ReadinessEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** One line for each that is not ok; empty: ready. */
  get problems(): string[] {
    return this.list().flatMap(({ name, isOk, reason }) => (isOk ? [] : [`${name}: ${reason ?? 'not ready'}`]));
  }
  get isReady(): boolean {
    for (const { isOk } of this.#entries.values()) if (!isOk) return false;
    return true;
  }
}
