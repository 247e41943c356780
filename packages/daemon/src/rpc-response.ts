import { PoolError } from '@headframe/primitives';
import type { HttpAnswer } from './http-post.js';
import type { RpcOutcome, RpcRequest } from './rpc-client.js';

/** Error numbers of Bitcoin-like nodes that mean more than "it failed". */
export const RPC_CODE = {
  /** Method unknown. */
  methodNotFound: -32601,
  /** The node has no peers. */
  notConnected: -9,
  /** Initial block download. */
  initialDownload: -10,
  /** The node is starting. */
  warmingUp: -28,
  /** A block or transaction could not be decoded. */
  decodeFailed: -22,
  /** Parameter out of range, e.g. a height above the tip; a rule set missing in getblocktemplate. */
  invalidParameter: -8,
  /** Block not known. */
  notFound: -5,
} as const;

/** Result of a single call. @throws PoolError `rpc_error` or `rpc_http` */
export function parseSingle(answer: HttpAnswer, method: string): unknown {
  const outcome = outcomeOf(parseBody(answer, method), method, answer.status);
  if (outcome.ok) return outcome.result;
  throw outcome.error;
}

/** Outcomes of a batch, in the order of `calls`; ids run from `firstId`. @throws PoolError `rpc_error` or `rpc_http` */
export function parseBatch(answer: HttpAnswer, calls: readonly RpcRequest[], firstId: number): RpcOutcome[] {
  const body = parseBody(answer, 'batch');
  if (!Array.isArray(body)) {
    // One error for the whole batch, e.g. while the node is warming up.
    const outcome = outcomeOf(body, 'batch', answer.status);
    throw outcome.ok ? httpError('batch', answer.status, 'answer to a batch is no array') : outcome.error;
  }
  const byId = new Map<unknown, unknown>();
  for (const item of body) if (isRecord(item)) byId.set(item.id, item);
  return calls.map(({ method }, index) => {
    const item = byId.get(firstId + index);
    if (item === undefined) return { ok: false, error: httpError(method, answer.status, 'no answer in the batch') };
    return outcomeOf(item, method, answer.status);
  });
}

function parseBody(answer: HttpAnswer, method: string): unknown {
  if (answer.status === 401 || answer.status === 403) {
    const reason = answer.status === 401 ? 'wrong user, password or cookie' : 'this address is not allowed';
    throw httpError(method, answer.status, reason);
  }
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    // Core's work queue is full, or it is shutting down.
    const text = answer.status === 503 ? 'the node takes no more work' : 'answer is not JSON';
    throw httpError(method, answer.status, text);
  }
}

function outcomeOf(body: unknown, method: string, status: number): RpcOutcome {
  if (!isRecord(body)) return { ok: false, error: httpError(method, status, 'answer is no JSON-RPC response') };
  const error = body.error;
  if (error !== undefined && error !== null) return { ok: false, error: rpcError(method, error) };
  if (!('result' in body)) return { ok: false, error: httpError(method, status, 'answer has no result') };
  // An HTTP error whose body claims success is a proxy in between, not the node.
  if (status >= 400) return { ok: false, error: httpError(method, status, 'HTTP error') };
  return { ok: true, result: body.result };
}

function rpcError(method: string, error: unknown): PoolError {
  const record = isRecord(error) ? error : { message: String(error) };
  const code = typeof record.code === 'number' ? record.code : 0;
  const rpcMessage = printable(typeof record.message === 'string' ? record.message : '');
  return new PoolError('rpc_error', `${method}: ${rpcMessage} (${code})`, { details: { code, rpcMessage, method } });
}

function httpError(method: string, status: number, reason: string): PoolError {
  const text = `${reason} (HTTP ${status})`;
  return new PoolError('rpc_http', `${method}: ${text}`, { details: { status, method, reason: text } });
}

/** The node's text on one line and of bounded length; it ends up in logs. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
}

/** True for an object that is no array: what JSON calls an object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
