import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BoundedMap, type Clock, errorMessage, PoolError } from '@headframe/primitives';
import type { HttpOptions } from '../options.js';
import { ApiProblem } from '../problem.js';

const WINDOW_MS = 60_000;
/** Addresses whose failures are remembered; past it the oldest is forgotten. */
const MAX_ADDRESSES = 10_000;
const MIN_TOKEN_LENGTH = 16;
/** Longer headers are not hashed. */
const MAX_HEADER_LENGTH = 1_024;

/**
 * The admin token of the options.
 * @throws PoolError `invalid_config` when its file cannot be read, or it is too short or cannot stand in a header
 */
export function readAdminToken({ adminToken, adminTokenFile }: HttpOptions): string | undefined {
  let token = adminToken;
  if (token === undefined && adminTokenFile !== undefined) {
    try {
      token = readFileSync(adminTokenFile, 'utf8').trim();
    } catch (error) {
      throw new PoolError('invalid_config', `adminTokenFile cannot be read: ${errorMessage(error)}`);
    }
  }
  if (token !== undefined && token.length < MIN_TOKEN_LENGTH) {
    throw new PoolError('invalid_config', `the admin token must have at least ${MIN_TOKEN_LENGTH} characters`);
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new PoolError('invalid_config', 'the admin token must be printable ASCII without spaces');
  }
  return token;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

interface Failures {
  count: number;
  readonly untilMs: number;
}

/**
 * Knows holders of the admin token. Tokens are compared as digests, in a time that tells nothing. After some failures
 * an address is not listened to for the rest of the minute, not even with the right token: else guessing would go on.
 */
export class AdminGuard {
  readonly #expected: Buffer;
  readonly #clock: Clock;
  readonly #maxFailures: number;
  readonly #failures = new BoundedMap<string, Failures>(MAX_ADDRESSES);

  constructor(token: string, options: { readonly clock: Clock; readonly maxFailures: number }) {
    this.#expected = digest(token);
    this.#clock = options.clock;
    this.#maxFailures = options.maxFailures;
  }

  /** @throws ApiProblem `unauthorized`, or `too_many_failures` */
  check(authorization: string | undefined, address: string): void {
    const nowMs = this.#clock.monotonic();
    const known = this.#failures.get(address);
    const failures = known !== undefined && known.untilMs > nowMs ? known : undefined;
    if (failures !== undefined && failures.count >= this.#maxFailures) {
      const seconds = String(Math.ceil((failures.untilMs - nowMs) / 1000));
      throw new ApiProblem(429, 'too_many_failures', 'too many wrong tokens from this address', {
        'retry-after': seconds,
      });
    }
    if (this.#isRight(authorization)) return;
    if (failures !== undefined) failures.count++;
    else this.#failures.set(address, { count: 1, untilMs: nowMs + WINDOW_MS });
    throw new ApiProblem(401, 'unauthorized', 'needs the admin token: Authorization: Bearer ...', {
      'www-authenticate': 'Bearer realm="headframe"',
    });
  }

  #isRight(authorization: string | undefined): boolean {
    const text = authorization ?? '';
    const match = text.length > MAX_HEADER_LENGTH ? null : /^Bearer +(\S+) *$/i.exec(text);
    const given = digest(match?.[1] ?? '');
    return timingSafeEqual(given, this.#expected) && match !== null;
  }
}
