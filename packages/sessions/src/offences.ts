import type { SessionCore } from './session.js';

/** One of each is forgiven after so much time: firmware that sends an unknown keepalive every minute must not add up. */
const FORGIVE_MS = 60_000;

/** Mistakes of one session, lately. Made with the first one. */
export class Offences {
  #malformed = 0;
  #unknown = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Counts a malformed line; answers how many there were lately. */
  malformed(nowMs: number): number {
    this.#forgive(nowMs);
    this.#malformed++;
    return this.#malformed;
  }

  /** Counts an unknown method; answers how many there were lately. */
  unknown(nowMs: number): number {
    this.#forgive(nowMs);
    this.#unknown++;
    return this.#unknown;
  }

  #forgive(nowMs: number): void {
    const times = Math.floor((nowMs - this.#sinceMs) / FORGIVE_MS);
    if (times <= 0) return;
    this.#sinceMs += times * FORGIVE_MS;
    this.#malformed = Math.max(0, this.#malformed - times);
    this.#unknown = Math.max(0, this.#unknown - times);
  }
}

/** Closes a session whose mistakes add up. */
export class Conduct {
  readonly #session: SessionCore;
  #offences: Offences | undefined = undefined;

  constructor(session: SessionCore) {
    this.#session = session;
  }

  /** A line was no request. */
  malformed(): void {
    const nowMs = this.#session.host.clock.monotonic();
    this.#offences ??= new Offences(nowMs);
    if (this.#offences.malformed(nowMs) > this.#session.host.limits.malformedLines) this.#session.close('malformed');
  }

  /** A method does not exist. */
  unknownMethod(): void {
    const { clock, limits } = this.#session.host;
    const nowMs = clock.monotonic();
    this.#offences ??= new Offences(nowMs);
    if (this.#offences.unknown(nowMs) > limits.unknownMethods) this.#session.close('too-many-unknown-methods');
  }
}
