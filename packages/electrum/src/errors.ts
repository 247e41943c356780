import {
  errorMessage,
  isPoolError,
  isReject,
  PoolError,
  type PoolErrorCode,
  type RejectCode,
} from '@headframe/primitives';

/** One line of {@link ELECTRUM_ERRORS}. */
export interface ElectrumErrorEntry {
  readonly code: number;
  /** Text when there is no better one. */
  readonly message: string;
  /** When it is sent; for the documentation. */
  readonly summary: string;
}

/** Errors of the wire: those of JSON-RPC, and what servers agreed on beyond. */
export const ELECTRUM_ERRORS = {
  parse: { code: -32700, message: 'invalid JSON', summary: 'A line that is no JSON.' },
  'invalid-request': { code: -32600, message: 'invalid request', summary: 'JSON that is no request.' },
  'unknown-method': { code: -32601, message: 'unknown method', summary: 'No such method in this version.' },
  'invalid-params': {
    code: -32602,
    message: 'invalid arguments',
    summary: 'Arguments missing, too many or of a wrong type.',
  },
  internal: { code: -32603, message: 'internal error', summary: 'Something failed in the server; its log has it.' },
  'bad-request': {
    code: 1,
    message: 'bad request',
    summary: 'Out of range, not found, refused by the network, no common version.',
  },
  daemon: { code: 2, message: 'daemon error', summary: 'What the node answered, passed on.' },
  'excessive-use': {
    code: -101,
    message: 'excessive resource usage',
    summary: 'The session used up its budget; it is closed.',
  },
  busy: { code: -102, message: 'server busy - request timed out', summary: 'Try again, or elsewhere.' },
  'history-too-large': {
    code: 10_001,
    message: 'history too large',
    summary: 'More transactions than the server tells about.',
  },
} as const satisfies Readonly<Record<string, ElectrumErrorEntry>>;

export type ElectrumErrorKind = keyof typeof ELECTRUM_ERRORS;

/** The `error` of a modern answer. */
export interface ElectrumErrorObject {
  readonly code: number;
  readonly message: string;
}

/** Characters kept of a peer's message: a rejected transaction is quoted in it, and logs must not be filled by a peer. */
const MAX_MESSAGE = 1000;

export interface ElectrumErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An error that is, or came as, the answer of a server. Handlers throw it to answer exactly that; requests of the
 * client reject with it. Its `code` is `request_failed`; tell them apart by {@link rpcCode}.
 */
export class ElectrumError extends PoolError {
  /** Number on the wire; undefined when an old server gave a text only. */
  readonly rpcCode: number | undefined;

  constructor(rpcCode: number | undefined, message: string, options: ElectrumErrorOptions = {}) {
    super('request_failed', message, { ...options, details: { ...options.details, rpcCode } });
    this.rpcCode = rpcCode;
  }
}

/** True for an {@link ElectrumError} (of the given kind), also of another copy of this package. */
export function isElectrumError(error: unknown, kind?: ElectrumErrorKind): error is ElectrumError {
  if (!isPoolError(error, 'request_failed') || !('rpcCode' in error)) return false;
  return kind === undefined || error.rpcCode === ELECTRUM_ERRORS[kind].code;
}

/** An error by its name. @example throw electrumError('bad-request', 'height 17 out of range'); */
export function electrumError(
  kind: ElectrumErrorKind,
  message?: string,
  options?: ElectrumErrorOptions,
): ElectrumError {
  const entry = ELECTRUM_ERRORS[kind];
  return new ElectrumError(entry.code, message ?? entry.message, options);
}

function printable(text: string): string {
  return text.slice(0, MAX_MESSAGE).replace(/[^\x20-\x7e\n]/g, '?');
}

/**
 * Reads the `error` of an answer: an object, a text (old servers), the text of a Python dictionary (older ones), or a
 * list. Never throws. The message is printable ASCII and newlines, cut at 1,000 characters.
 */
export function electrumErrorFromWire(error: unknown, method?: string): ElectrumError {
  const [code, message] = readWire(error);
  const rpcCode = typeof code === 'number' && Number.isSafeInteger(code) ? code : undefined;
  const text = typeof message === 'string' && message !== '' ? printable(message) : 'unknown error';
  return new ElectrumError(rpcCode, text, method === undefined ? {} : { details: { method } });
}

function readWire(error: unknown): readonly [unknown, unknown] {
  if (Array.isArray(error)) return [error[0], error[1]];
  if (typeof error === 'object' && error !== null) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    return [code, message];
  }
  if (typeof error !== 'string') return [undefined, undefined];
  // {'code': -5, 'message': u'No such transaction'}, in either order, as Python prints a dictionary.
  if (!error.startsWith('{') || error.length > MAX_MESSAGE) return [undefined, error];
  const code = /['"]code['"]: (-?\d{1,9})\b/.exec(error)?.[1];
  const message = /['"]message['"]: u?(?:'([^']*)'|"([^"]*)")/.exec(error);
  if (message === null) return [undefined, error];
  return [code === undefined ? undefined : Number(code), message[1] ?? message[2]];
}

const REJECT_KINDS: Readonly<Partial<Record<RejectCode, ElectrumErrorKind>>> = {
  'unknown-method': 'unknown-method',
  'invalid-params': 'invalid-params',
  'rate-limited': 'excessive-use',
  banned: 'excessive-use',
  busy: 'busy',
  timeout: 'busy',
  internal: 'internal',
};

const THROWN_KINDS: Readonly<Partial<Record<PoolErrorCode, ElectrumErrorKind>>> = {
  invalid_argument: 'bad-request',
  invalid_hex: 'bad-request',
  invalid_data: 'bad-request',
  invalid_address: 'bad-request',
  wrong_network: 'bad-request',
  not_found: 'bad-request',
  not_supported: 'bad-request',
  rejected: 'bad-request',
  rpc_error: 'daemon',
  rpc_timeout: 'busy',
  queue_full: 'busy',
};

/** Wire form of a rejection: the code of its kind, and `reason` or the standard text. */
export function rejectToElectrumError(code: RejectCode, reason?: string): ElectrumErrorObject {
  const entry = ELECTRUM_ERRORS[REJECT_KINDS[code] ?? 'bad-request'];
  return { code: entry.code, message: reason === undefined || reason === '' ? entry.message : printable(reason) };
}

/**
 * Wire form of whatever a handler threw or refused with. Errors that tell about the insides of the server become
 * `internal error`: log them.
 */
export function toElectrumError(error: unknown): ElectrumErrorObject {
  if (isReject(error)) return rejectToElectrumError(error.code, error.reason);
  if (isElectrumError(error)) return { code: error.rpcCode ?? 1, message: printable(error.message) };
  const kind = isPoolError(error) ? THROWN_KINDS[error.code] : undefined;
  if (kind === undefined) return { code: ELECTRUM_ERRORS.internal.code, message: ELECTRUM_ERRORS.internal.message };
  return { code: ELECTRUM_ERRORS[kind].code, message: printable(errorMessage(error)) };
}
