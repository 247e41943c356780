import { encodeJson } from '@headframe/jsonrpc';
import { isPoolError, type Reject } from '@headframe/primitives';

/** Numbers of JSON-RPC errors; the first five are those of the standard. */
export const RPC_ERRORS = {
  parse: { code: -32700, text: 'Parse error', meaning: 'The request is no JSON, too long or nested too deeply.' },
  request: { code: -32600, text: 'Invalid Request', meaning: 'JSON, but no JSON-RPC 2.0 call, or too large a batch.' },
  method: { code: -32601, text: 'Method not found', meaning: 'There is no such method.' },
  params: {
    code: -32602,
    text: 'Invalid params',
    meaning: 'The params are not as the method has them; the text says where.',
  },
  internal: {
    code: -32603,
    text: 'Internal error',
    meaning: 'A fault of the pool or of a handler; the log knows more.',
  },
  unauthorized: { code: -32001, text: 'Unauthorized', meaning: 'The secret is missing or wrong.' },
  failures: {
    code: -32002,
    text: 'Too many failures',
    meaning: 'Too many wrong secrets from this address; wait a minute.',
  },
  timeout: { code: -32003, text: 'Timeout', meaning: 'The call took too long and was given up.' },
  busy: { code: -32004, text: 'Busy', meaning: 'Too much is asked at once; ask again.' },
  refused: {
    code: -32005,
    text: 'Refused',
    meaning: 'The pool cannot do that; `data.code` is the code of the error (see errors.md).',
  },
} as const;

/** Name of an error of the control RPC. */
export type RpcErrorName = keyof typeof RPC_ERRORS;

/** A call that was not carried out. */
export interface RpcFailure {
  readonly error: RpcErrorName;
  /** In place of the standard text. */
  readonly message?: string;
  /** What `data.code` says. */
  readonly code?: string;
}

/** One call of a request. */
export interface RpcCall {
  /** Undefined: a notification, which is not answered. */
  readonly id: string | number | null | undefined;
  readonly method: string;
  /** Array or object; an empty object when there were none. */
  readonly params: unknown;
}

/** A call, or what is wrong with it. */
export type ReadCall =
  | { readonly call: RpcCall }
  | { readonly failure: RpcFailure; readonly id: string | number | null };

/** What a request holds. */
export type ReadRequest =
  | { readonly kind: 'single'; readonly item: ReadCall }
  | { readonly kind: 'batch'; readonly items: readonly ReadCall[] };

const MAX_METHOD_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 300;

function dropProto(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/**
 * Reads the text of a request. Never throws. A member `jsonrpc` may be left out but says 2.0 if it is there; so may
 * `params`.
 */
export function readRequest(text: string, maxBatch: number): ReadRequest {
  let value: unknown;
  try {
    value = text.includes('__proto__') || text.includes('\\u') ? JSON.parse(text, dropProto) : JSON.parse(text);
  } catch {
    return { kind: 'single', item: { failure: { error: 'parse' }, id: null } };
  }
  if (!Array.isArray(value)) return { kind: 'single', item: readCall(value) };
  if (value.length === 0 || value.length > maxBatch) {
    const message = value.length === 0 ? 'an empty batch' : `a batch of more than ${maxBatch} calls`;
    return { kind: 'single', item: { failure: { error: 'request', message }, id: null } };
  }
  return { kind: 'batch', items: value.map(readCall) };
}

function readCall(value: unknown): ReadCall {
  const bad = (message: string, id: string | number | null = null): ReadCall => ({
    failure: { error: 'request', message },
    id,
  });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('a call is an object');
  const { id, method, params, jsonrpc } = value as Record<string, unknown>;
  const hasId = Object.hasOwn(value, 'id');
  if (hasId && id !== null && typeof id !== 'string' && typeof id !== 'number') return bad('id: text, number or null');
  const echoed = hasId ? (id as string | number | null) : null;
  if (jsonrpc !== undefined && jsonrpc !== '2.0') return bad('jsonrpc: must be "2.0"', echoed);
  if (typeof method !== 'string' || method.length > MAX_METHOD_LENGTH) return bad('method: must be a name', echoed);
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return bad('params: must be a list or an object', echoed);
  }
  return { call: { id: hasId ? echoed : undefined, method, params: params ?? {} } };
}

/** An answer in ASCII, without a newline. @throws PoolError `invalid_argument` for a result that is no JSON */
export function encodeAnswer(id: string | number | null, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${encodeJson(id)},"result":${encodeJson(result)}}`;
}

/** An error answer in ASCII, without a newline. */
export function encodeFailure(id: string | number | null, { error, message, code }: RpcFailure): string {
  const about = RPC_ERRORS[error];
  const text = (message ?? about.text).slice(0, MAX_MESSAGE_LENGTH);
  const data = { code: code ?? error };
  return `{"jsonrpc":"2.0","id":${encodeJson(id)},"error":${encodeJson({ code: about.code, message: text, data })}}`;
}

/** A rejection of a handler as a failure. */
export function failureOf(refusal: Reject): RpcFailure {
  if (refusal.code === 'invalid-params') {
    return { error: 'params', ...(refusal.reason === undefined ? {} : { message: refusal.reason }) };
  }
  return { error: 'refused', code: refusal.code, message: refusal.reason ?? refusal.code };
}

/** Something thrown as a failure; undefined for what nobody threw on purpose. */
export function failureOfError(error: unknown): RpcFailure | undefined {
  if (!isPoolError(error)) return undefined;
  if (error.code === 'invalid_argument') return { error: 'params', message: error.message };
  return { error: 'refused', code: error.code, message: error.message };
}
