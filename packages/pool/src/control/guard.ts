import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BoundedMap, type Clock } from '@headframe/primitives';
import { CONTROL_LIMITS } from './limits.js';
import { isPassword, type PasswordHash } from './password.js';

/** What holders of the control port know. At least one. */
export interface ControlSecrets {
  readonly token?: string | undefined;
  readonly password?: PasswordHash | undefined;
  /** SHA-256 of the password of older scripts, hex. */
  readonly legacySha256?: string | undefined;
}

/** `failures`: the address is not listened to for a while. `busy`: too many passwords wait to be hashed. */
export type GuardVerdict = 'right' | 'wrong' | 'failures' | 'busy';

interface Failures {
  count: number;
  readonly untilMs: number;
}

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();

/**
 * Knows who may use the control port. Secrets are compared as digests, in a time that tells nothing. After some
 * failures an address is not listened to for the rest of the minute, not even with the right secret: else guessing
 * would go on. An attempt counts as failed until it proved right, so that many at once are no more than the bound.
 */
export class ControlGuard {
  readonly #clock: Clock;
  readonly #token: Buffer | undefined;
  readonly #password: PasswordHash | undefined;
  readonly #legacy: Buffer | undefined;
  readonly #failures = new BoundedMap<string, Failures>(CONTROL_LIMITS.rememberedAddresses);
  /** Key of {@link #known}, so that memory never holds what could be tried elsewhere. */
  readonly #key = randomBytes(32);
  /** The last password that was right: it is not hashed again for each call. */
  #known: Buffer | undefined = undefined;
  #hashing: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #hashes = 0;

  constructor(secrets: ControlSecrets, clock: Clock) {
    this.#clock = clock;
    this.#token = secrets.token === undefined ? undefined : sha256(secrets.token);
    this.#password = secrets.password;
    this.#legacy = secrets.legacySha256 === undefined ? undefined : Buffer.from(secrets.legacySha256, 'hex');
  }

  /** True where the first parameter of a call may be a password. */
  get takesLegacy(): boolean {
    return this.#legacy !== undefined;
  }
  /** Passwords that were hashed since the start. */
  get hashes(): number {
    return this.#hashes;
  }

  /** Judges a token or password. Never rejects. */
  async check(secret: string, address: string): Promise<GuardVerdict> {
    const attempt = this.#begin(address);
    if (attempt === undefined) return 'failures';
    const isLong = secret.length > CONTROL_LIMITS.secretBytes;
    const verdict = isLong ? 'wrong' : await this.#judge(secret);
    if (verdict !== 'wrong') attempt.count--;
    return verdict;
  }

  /** Judges the first parameter of a call: base64 of the password, as scripts for older servers send it. */
  checkLegacy(parameter: unknown, address: string): GuardVerdict {
    const attempt = this.#begin(address);
    if (attempt === undefined) return 'failures';
    if (!this.#isLegacy(parameter)) return 'wrong';
    attempt.count--;
    return 'right';
  }

  async #judge(secret: string): Promise<GuardVerdict> {
    if (this.#token !== undefined && timingSafeEqual(sha256(secret), this.#token)) return 'right';
    const expected = this.#password;
    if (expected === undefined) return 'wrong';
    const digest = createHmac('sha256', this.#key).update(secret).digest();
    if (this.#known !== undefined && timingSafeEqual(digest, this.#known)) return 'right';
    if (this.#waiting >= CONTROL_LIMITS.waitingHashes) return 'busy';
    this.#waiting++;
    this.#hashes++;
    // One after the other: the threads they would take are those of the files and the database.
    const judged = this.#hashing.then(() => isPassword(secret, expected)).catch(() => false);
    this.#hashing = judged;
    const isRight = await judged;
    this.#waiting--;
    if (isRight) this.#known = digest;
    return isRight ? 'right' : 'wrong';
  }

  #isLegacy(parameter: unknown): boolean {
    if (this.#legacy === undefined || typeof parameter !== 'string') return false;
    if (parameter.length > CONTROL_LIMITS.secretBytes) return false;
    // Those servers read the decoded bytes as ASCII, which drops the highest bit.
    const digest = sha256(Buffer.from(parameter, 'base64').map((byte) => byte & 0x7f));
    return timingSafeEqual(digest, this.#legacy);
  }

  #begin(address: string): Failures | undefined {
    const nowMs = this.#clock.monotonic();
    let failures = this.#failures.get(address);
    if (failures === undefined || failures.untilMs <= nowMs) {
      failures = { count: 0, untilMs: nowMs + CONTROL_LIMITS.failureWindowMs };
      this.#failures.set(address, failures);
    }
    if (failures.count >= CONTROL_LIMITS.failures) return undefined;
    failures.count++;
    return failures;
  }
}
