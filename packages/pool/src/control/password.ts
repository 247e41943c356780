import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { PoolError } from '@headframe/primitives';

/** A password as scrypt leaves it; made from the text of a configuration. */
export interface PasswordHash {
  /** Base-2 logarithm of the cost. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** 32 MiB and some 80 ms: a guess costs that too. */
const LOG_N = 15;
const BLOCK = 8;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Memory of the costliest hash that is taken from a configuration: 128 * N * r bytes. */
const MAX_BYTES = 2 ** 28;

/** `scrypt:15:8:1:SALT:HASH`, salt and hash in base64url. */
const FORMAT = /^scrypt:(\d{1,2}):(\d{1,2}):(\d{1,2}):([A-Za-z0-9_-]{11,86}):([A-Za-z0-9_-]{43,86})$/;

/**
 * Reads `scrypt:LOGN:R:P:SALT:HASH`.
 * @throws PoolError `invalid_config` for another text, or a cost out of range (N 2^10 to 2^20, at most 256 MiB)
 */
export function parsePasswordHash(text: string): PasswordHash {
  const [, logN, r, p, salt = '', hash = ''] = FORMAT.exec(text.trim()) ?? [];
  const found = { logN: Number(logN), r: Number(r), p: Number(p) };
  const isSane = found.logN >= 10 && found.logN <= 20 && found.r >= 1 && found.p >= 1 && found.p <= 4;
  if (!isSane || 128 * 2 ** found.logN * found.r > MAX_BYTES) {
    throw new PoolError('invalid_config', 'not a password hash: make one with `headframe control hash`');
  }
  return { ...found, salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') };
}

function derive(password: string, { logN, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: 2 * 128 * 2 ** logN * r + 1_048_576 };
  return new Promise((resolve, reject) => {
    // In a thread of the pool: the event loop judges shares meanwhile.
    scrypt(password.normalize('NFC'), salt, hash.length, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** True when the password is the one of the hash; compared in a time that tells nothing. */
export async function isPassword(password: string, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

/** The text for `control.passwordHash`, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const shape = { logN: LOG_N, r: BLOCK, p: 1, salt, hash: new Uint8Array(HASH_BYTES) };
  const hash = await derive(password, shape);
  return `scrypt:${LOG_N}:${BLOCK}:1:${salt.toString('base64url')}:${hash.toString('base64url')}`;
}
