import type { RejectCode } from '@headframe/primitives';

/** Error numbers of the protocol. */
export const ELECTRUM_ERROR = {
  parse: -32700,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  excessiveUse: -101,
  busy: -102,
  badRequest: 1,
  daemon: 2,
  historyTooLarge: 10_001,
} as const;

const ELECTRUM_FAILURE = Symbol.for('headframe.electrum.failure');

/** An error answer as a value, with a number of the protocol. A handler returns it; see {@link electrumError}. */
export interface ElectrumFailure {
  readonly [ELECTRUM_FAILURE]: true;
  readonly code: number;
  readonly message: string;
}

/**
 * An error answer with its own number, for handlers. `reject(code, reason)` works as well and gets the number that
 * stands for its code.
 *
 * @example
 * server.method('blockchain.block.weather', { handler: () => electrumError(ELECTRUM_ERROR.badRequest, 'no weather') });
 */
export function electrumError(code: number, message: string): ElectrumFailure {
  return { [ELECTRUM_FAILURE]: true, code, message };
}

/** True when `value` was made by {@link electrumError}. */
export function isElectrumFailure(value: unknown): value is ElectrumFailure {
  return typeof value === 'object' && value !== null && (value as Partial<ElectrumFailure>)[ELECTRUM_FAILURE] === true;
}

/** Number and text of a rejection on the wire. */
export function failureOfReject(code: RejectCode, reason: string | undefined): Omit<ElectrumFailure, symbol> {
  const known = REJECTIONS[code];
  return { code: known?.code ?? ELECTRUM_ERROR.badRequest, message: reason ?? known?.message ?? code };
}

const REJECTIONS: Partial<Record<RejectCode, { readonly code: number; readonly message: string }>> = {
  'unknown-method': { code: ELECTRUM_ERROR.unknownMethod, message: 'unknown method' },
  'not-supported': { code: ELECTRUM_ERROR.unknownMethod, message: 'not supported' },
  'invalid-params': { code: ELECTRUM_ERROR.invalidParams, message: 'invalid params' },
  internal: { code: ELECTRUM_ERROR.internal, message: 'internal error' },
  'rate-limited': { code: ELECTRUM_ERROR.excessiveUse, message: 'excessive resource usage' },
  busy: { code: ELECTRUM_ERROR.busy, message: 'server busy' },
  timeout: { code: ELECTRUM_ERROR.busy, message: 'server busy: request timed out' },
};
