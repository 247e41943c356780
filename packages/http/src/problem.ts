import { STATUS_CODES } from 'node:http';
import { errorMessage, isPoolError, type PoolError, type PoolErrorCode } from '@headframe/primitives';
import type { FastifyReply } from 'fastify';
import type { Problem } from './schemas/common.js';

/** An answer other than success. Its message is for the caller: nothing internal may be in it. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export function notFound(detail: string): ApiProblem {
  return new ApiProblem(404, 'not_found', detail);
}

/** The answer where a part of the pool is not configured: it names the key that would bring it. */
export function notConfigured(part: string, key: string): ApiProblem {
  return new ApiProblem(404, `${part}_off`, `this pool has no ${part}: set ${key} in its configuration`);
}

const STATUS: Partial<Record<PoolErrorCode, number>> = {
  invalid_argument: 400,
  invalid_address: 400,
  wrong_network: 400,
  invalid_difficulty: 400,
  invalid_config: 422,
  not_found: 404,
  conflict: 409,
  insufficient_funds: 409,
  wallet_locked: 409,
  rejected: 409,
  not_supported: 501,
  rpc_error: 502,
  rpc_http: 502,
  rpc_timeout: 502,
  rpc_unavailable: 502,
  no_node: 502,
  storage_failed: 503,
  queue_full: 503,
  closed: 503,
};

/** Codes whose message was written for whoever asked, and tells nothing of the machine. */
const OPEN_MESSAGES: ReadonlySet<PoolErrorCode> = new Set([
  'invalid_argument',
  'invalid_address',
  'wrong_network',
  'invalid_difficulty',
  'not_found',
  'conflict',
]);

function poolProblem(error: PoolError, isAdmin: boolean): ApiProblem | undefined {
  const status = STATUS[error.code];
  if (status === undefined) return undefined;
  if (status === 503)
    return new ApiProblem(503, 'storage_failed', 'the storage does not answer', { 'retry-after': '5' });
  const detail = isAdmin || OPEN_MESSAGES.has(error.code) ? error.message : 'a part of the pool does not answer';
  return new ApiProblem(status, error.code, detail);
}

const FASTIFY_CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_HANDLER_TIMEOUT: 'timeout',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'invalid_media_type',
};

/** Any error as a problem; undefined when it is a fault of ours, to be logged and told as `internal`. */
export function problemOf(error: unknown, options: { readonly isAdmin: boolean }): ApiProblem | undefined {
  if (error instanceof ApiProblem) return error;
  if (isPoolError(error)) return poolProblem(error, options.isAdmin);
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_HANDLER_TIMEOUT')
    return new ApiProblem(503, 'timeout', 'no answer in time', { 'retry-after': '5' });
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  const name = typeof code === 'string' ? FASTIFY_CODES[code] : undefined;
  return new ApiProblem(statusCode, name ?? 'invalid_request', errorMessage(error).slice(0, 300));
}

/** The body of a problem. */
export function problemBody({ status, code, message }: ApiProblem): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail: message };
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, found: ApiProblem): FastifyReply {
  return reply
    .code(found.status)
    .headers({ 'cache-control': 'no-store', ...found.headers })
    .type(PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemBody(found));
}
