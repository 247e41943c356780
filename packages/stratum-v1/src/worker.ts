import { type Reject, reject } from '@headframe/primitives';

/** Longest username taken. Some firmware overflows above 127, and an address with a rig name fits in it. */
export const MAX_USERNAME_LENGTH = 127;

export interface WorkerName {
  /** The part before the first separator: an address or an account name. */
  readonly account: string;
  /** The part after it; empty when there is none. */
  readonly worker: string;
}

/**
 * Splits a username at the first separator. `.` is what nearly everyone uses; pools that allow others name them.
 *
 * @example
 * splitWorkerName('bc1qxy.rig1'); // { account: 'bc1qxy', worker: 'rig1' }
 */
export function splitWorkerName(username: string, separators = '.'): WorkerName {
  for (let i = 0; i < username.length; i++) {
    if (separators.includes(username.charAt(i))) {
      return { account: username.slice(0, i), worker: username.slice(i + 1) };
    }
  }
  return { account: username, worker: '' };
}

export interface AuthorizeParams {
  /** Surrounding whitespace removed; never empty. */
  readonly username: string;
  /** Null when it was missing, null or no string. */
  readonly password: string | null;
}

/** Params of `mining.authorize`: `[username]` or `[username, password]`. A {@link Reject} says what is wrong with them. */
export function parseAuthorize(params: unknown, maxLength = MAX_USERNAME_LENGTH): AuthorizeParams | Reject {
  if (!Array.isArray(params) || params.length === 0) return reject('invalid-params', 'Username is missing');
  const [name, password]: readonly unknown[] = params;
  if (typeof name !== 'string') return reject('invalid-params', 'Username must be a string');
  const username = name.trim();
  if (username === '') return reject('invalid-params', 'Username is empty');
  if (username.length > maxLength) return reject('invalid-params', `Username is longer than ${maxLength} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(username)) return reject('invalid-params', 'Username contains control characters');
  return { username, password: typeof password === 'string' ? password : null };
}
