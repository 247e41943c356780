import { positiveNumber } from './text.js';

/** Longest password that is read, and the most options in it; the rest is ignored. */
export const MAX_PASSWORD_LENGTH = 512;
const MAX_PASSWORD_OPTIONS = 32;

/** Options that miners put in the password. */
export interface PasswordOptions {
  /** `d=` or `diff=`: difficulty to start from. */
  readonly difficulty: number | undefined;
  /** `md=`: vardiff must not go below. */
  readonly minimumDifficulty: number | undefined;
  /** `fd=`: difficulty to stay at. */
  readonly fixedDifficulty: number | undefined;
  /** Every other `key=value`, keys in lower case, and words without a value (empty text); the placeholder `x` excluded. */
  readonly rest: ReadonlyMap<string, string>;
}

/**
 * Reads options out of a password: `key=value` separated by comma, semicolon or space. Lenient, for passwords are
 * free text: what is not understood lands in `rest`, numbers that are none are ignored. A later option wins.
 *
 * @example
 * parsePassword('x,d=1024;md=16').difficulty; // 1024
 */
export function parsePassword(password: unknown): PasswordOptions {
  let difficulty: number | undefined;
  let minimumDifficulty: number | undefined;
  let fixedDifficulty: number | undefined;
  const rest = new Map<string, string>();
  const text = typeof password === 'string' ? password.slice(0, MAX_PASSWORD_LENGTH) : '';
  const words = text.split(/[,;\s]+/, MAX_PASSWORD_OPTIONS);
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = (equals < 0 ? word : word.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? '' : word.slice(equals + 1);
    if (key === '' || (key === 'x' && equals < 0)) continue;
    if (key === 'd' || key === 'diff') difficulty = positiveNumber(value) ?? difficulty;
    else if (key === 'md') minimumDifficulty = positiveNumber(value) ?? minimumDifficulty;
    else if (key === 'fd') fixedDifficulty = positiveNumber(value) ?? fixedDifficulty;
    else rest.set(key, value);
  }
  return { difficulty, minimumDifficulty, fixedDifficulty, rest };
}
