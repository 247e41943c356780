/**
 * Why something was refused. The union is closed: every code has one wire mapping per protocol and one line in
 * `docs/reference/errors.md`. Handlers and hooks return a rejection; they need not throw.
 */
export type RejectCode =
  | 'other'
  | 'invalid-params'
  | 'invalid-extranonce2'
  | 'invalid-ntime'
  | 'invalid-nonce'
  | 'invalid-version-bits'
  | 'ntime-too-old'
  | 'ntime-too-new'
  | 'unknown-method'
  | 'not-supported'
  | 'job-not-found'
  | 'stale'
  | 'duplicate'
  | 'low-difficulty'
  | 'unauthorized'
  | 'not-subscribed'
  | 'banned'
  | 'busy'
  | 'rate-limited'
  | 'timeout'
  | 'internal';

const REJECT = Symbol.for('headframe.reject');

/** A refusal as a value (STYLE E2). Recognise it with {@link isReject}, which also works across package copies. */
export interface Reject {
  readonly [REJECT]: true;
  readonly code: RejectCode;
  /** Text for the miner; the protocol's standard text for the code when absent. */
  readonly reason: string | undefined;
}

/**
 * Refuses a request, share or connection from a handler or hook.
 *
 * @example
 * pool.hook('beforeShare', ({ account }) => (account.suspended ? reject('unauthorized', 'suspended') : undefined));
 */
export function reject(code: RejectCode, reason?: string): Reject {
  return { [REJECT]: true, code, reason };
}

/** True when `value` was made by {@link reject}. */
export function isReject(value: unknown): value is Reject {
  return typeof value === 'object' && value !== null && (value as Partial<Reject>)[REJECT] === true;
}
