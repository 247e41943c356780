/** Codes of thrown errors. Tell errors apart by `code`, never by message or `instanceof` (STYLE E5). */
export type PoolErrorCode =
  | 'invalid_argument'
  | 'invalid_hex'
  | 'invalid_data'
  | 'end_of_data'
  | 'invalid_config'
  | 'invalid_address'
  | 'wrong_network'
  | 'invalid_coin'
  | 'invalid_template'
  | 'coinbase_too_large'
  | 'invalid_difficulty'
  | 'invalid_block'
  | 'rpc_error'
  | 'rpc_http'
  | 'rpc_timeout'
  | 'rpc_unavailable'
  | 'no_node'
  | 'connection_closed'
  | 'connection_refused'
  | 'request_timeout'
  | 'request_failed'
  | 'queue_full'
  | 'aborted'
  | 'closed'
  | 'listen_failed'
  | 'worker_failed'
  | 'storage_failed'
  | 'conflict'
  | 'not_found'
  | 'insufficient_funds'
  | 'wallet_locked'
  | 'rejected'
  | 'protocol_violation'
  | 'not_supported';

export interface PoolErrorOptions {
  readonly cause?: unknown;
  /** Structured details for the log; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Every error Headframe throws on purpose. */
export class PoolError extends Error {
  readonly code: PoolErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: PoolErrorCode, message: string, options: PoolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PoolError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** True for a {@link PoolError} (of the given code), also when it comes from another copy of this package. */
export function isPoolError(error: unknown, code?: PoolErrorCode): error is PoolError {
  if (!(error instanceof Error) || error.name !== 'PoolError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
