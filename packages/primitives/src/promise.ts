/** A value now or later. Code that takes one touches a promise only when it got one (STYLE A4). */
export type MaybePromise<T> = T | Promise<T>;

/** True for anything with a `then` method. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
