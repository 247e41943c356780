import { randomFillSync } from 'node:crypto';

const TOKEN_BYTES = 16;
/** Random bytes for the next tokens: asking for many at a time costs a tenth. Never used twice. */
const random = Buffer.alloc(256 * TOKEN_BYTES);
let used = random.length;

/** 16 random bytes as 32 hex digits: the session id a miner may come back with. Unguessable, as it is worth money. */
export function newSessionToken(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  const token = random.toString('hex', used, used + TOKEN_BYTES);
  used += TOKEN_BYTES;
  return token;
}

/**
 * True for text that this server may have given out as a session id. Miners send ids of other pools, and the
 * placeholder that old servers gave to everybody; none of those may cost a lookup or an error.
 */
export function isSessionToken(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{32}$/.test(text);
}

interface Entry<Kept> {
  readonly kept: Kept;
  readonly expiresMs: number;
}

export interface LeaseOptions<Kept> {
  readonly ttlMs: number;
  /** Most leases; beyond it the oldest ends early. */
  readonly limit: number;
  /** The lease ended without a resume: free what it held. */
  readonly onEnd: (kept: Kept, nowMs: number) => void;
}

/**
 * What closed sessions left behind, for a miner that comes back within `ttlMs`. A lease exists only after its session
 * has ended and is handed out once, so nothing is ever shared by two live sessions.
 */
export class LeaseStore<Kept> {
  readonly #options: LeaseOptions<Kept>;
  /** In order of expiry, as all live equally long. */
  readonly #entries = new Map<string, Entry<Kept>>();

  constructor(options: LeaseOptions<Kept>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  put(token: string, kept: Kept, nowMs: number): void {
    if (this.#options.limit < 1) {
      this.#options.onEnd(kept, nowMs);
      return;
    }
    if (this.#entries.size >= this.#options.limit) {
      const oldest = this.#entries.entries().next().value;
      if (oldest !== undefined) this.#end(oldest[0], oldest[1], nowMs);
    }
    this.#entries.set(token, { kept, expiresMs: nowMs + this.#options.ttlMs });
  }

  /** Ends the lease and hands over what it kept; undefined when there is none. */
  take(token: string, nowMs: number): Kept | undefined {
    this.expire(nowMs);
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    this.#entries.delete(token);
    return entry.kept;
  }

  /** Ends what has run out. */
  expire(nowMs: number): void {
    for (const [token, entry] of this.#entries) {
      if (entry.expiresMs > nowMs) return;
      this.#end(token, entry, nowMs);
    }
  }

  /** Ends all. */
  clear(nowMs: number): void {
    for (const [token, entry] of this.#entries) this.#end(token, entry, nowMs);
  }

  #end(token: string, entry: Entry<Kept>, nowMs: number): void {
    this.#entries.delete(token);
    this.#options.onEnd(entry.kept, nowMs);
  }
}
