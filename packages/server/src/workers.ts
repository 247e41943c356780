/** A name that authorises, with the account it works for. */
export interface Worker<Account = unknown> {
  /** As the miner wrote it, whitespace around it removed. */
  readonly name: string;
  /** What `authorize` returned. */
  readonly account: Account;
  /** Key of the account: what is credited and banned. */
  readonly key: string;
  /** Where the account wants to be paid; empty when the account names none. */
  readonly address: string;
}

/**
 * The workers of a channel by name. No operation but `remove` looks at more than one of them, however many there are.
 */
export class WorkerTable<Account = unknown> {
  readonly #limit: number;
  /** A session with one worker, the usual one, needs no map. */
  #first: Worker<Account> | undefined = undefined;
  #byName: Map<string, Worker<Account>> | undefined = undefined;
  /** By name in lower case; null where two names would be one. Made when a name is not found as it is. */
  #folded: Map<string, Worker<Account> | null> | undefined = undefined;
  /** Keys of all accounts, once there is more than one worker. */
  #keys: Set<string> | undefined = undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#byName?.size ?? (this.#first === undefined ? 0 : 1);
  }

  /** The worker authorised first. */
  get first(): Worker<Account> | undefined {
    return this.#first;
  }

  *[Symbol.iterator](): IterableIterator<Worker<Account>> {
    if (this.#byName !== undefined) yield* this.#byName.values();
    else if (this.#first !== undefined) yield this.#first;
  }

  /** True when a worker of this name may be added. */
  hasRoom(name: string): boolean {
    return this.size < this.#limit || this.#exact(name) !== undefined;
  }

  /** Adds or replaces a worker. True when the name is new. */
  add(worker: Worker<Account>): boolean {
    const { name } = worker;
    const known = this.#exact(name) !== undefined;
    const first = this.#first;
    if (first === undefined || first.name === name) this.#first = worker;
    if (first !== undefined && (first.name !== name || this.#byName !== undefined)) {
      this.#byName ??= new Map([[first.name, first]]);
      this.#byName.set(name, worker);
      this.#keys ??= new Set([first.key]);
      this.#keys.add(worker.key);
    }
    if (this.#folded !== undefined) fold(this.#folded, worker);
    return !known;
  }

  /**
   * The worker a share names: exactly, or but for whitespace and case when that is unambiguous (firmware changes both).
   * An empty name means the only worker there is.
   */
  find(name: string): Worker<Account> | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    if (first.name === name) return first;
    const exact = this.#byName?.get(name);
    if (exact !== undefined) return exact;
    if (name === '') return this.size === 1 ? first : undefined;
    if (this.#folded === undefined) {
      this.#folded = new Map();
      for (const worker of this) fold(this.#folded, worker);
    }
    return this.#folded.get(name.trim().toLowerCase()) ?? undefined;
  }

  /** Takes a worker away; false when none has exactly this name. */
  remove(name: string): boolean {
    if (this.#exact(name) === undefined) return false;
    this.#byName?.delete(name);
    if (this.#first?.name === name) this.#first = this.#byName?.values().next().value;
    if (this.#keys !== undefined) this.#keys = new Set([...this].map(({ key }) => key));
    this.#folded = undefined;
    return true;
  }

  /** True when a worker of this account is here. */
  hasKey(key: string): boolean {
    return this.#keys?.has(key) ?? this.#first?.key === key;
  }

  #exact(name: string): Worker<Account> | undefined {
    if (this.#byName !== undefined) return this.#byName.get(name);
    return this.#first?.name === name ? this.#first : undefined;
  }
}

function fold<Account>(folded: Map<string, Worker<Account> | null>, worker: Worker<Account>): void {
  const key = worker.name.toLowerCase();
  const known = folded.get(key);
  folded.set(key, known === undefined || known?.name === worker.name ? worker : null);
}
