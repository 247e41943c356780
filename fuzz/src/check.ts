import { isPoolError, type PoolErrorCode } from '@headframe/primitives';

/** Throws unless the condition holds. */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Runs a parser that may throw PoolErrors of these codes and nothing else; undefined when it threw one. */
export function tolerate<T>(codes: readonly PoolErrorCode[], run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isPoolError(error) && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** JSON of the bytes as a peer's line is read; undefined when they are none. */
export function parseJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(Buffer.from(bytes).toString('utf8')) };
  } catch {
    return undefined;
  }
}
