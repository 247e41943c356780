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
