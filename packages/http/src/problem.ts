import { STATUS_CODES } from 'node:http';
import { errorMessage, isPoolError, type PoolError, type PoolErrorCode } from '@headframe/primitives';
import type { FastifyReply } from 'fastify';
import type { Problem } from './schemas/common.js';

/** Every code of a problem, and what it means. Tell problems apart by it. */
export const PROBLEM_CODES = {
  invalid_request: 'The request is not as its schema has it; `detail` says where.',
  invalid_argument: 'A value is not possible here, e.g. a cursor of another list.',
  invalid_address: 'Not an address of this coin.',
  wrong_network: 'An address of another coin or network.',
  invalid_difficulty: 'Not a difficulty that can be set.',
  invalid_media_type: 'The body is no JSON.',
  invalid_config: 'The configuration that was read again is wrong; the one before stays in force.',
  unauthorized: 'The admin token is missing or wrong.',
  not_found: 'There is no such route, account, block, session or payment.',
  storage_off: 'This pool keeps no statistics; `detail` names the key that turns them on.',
  payments_off: 'This pool makes no payments; `detail` names the key that turns them on.',
  conflict: 'Not possible in the state it is in, e.g. to approve what is paid.',
  insufficient_funds: 'The wallet has less than is to be paid.',
  wallet_locked: 'The wallet is locked.',
  rejected: 'The node refused a transaction.',
  body_too_large: 'The body has more bytes than any route takes.',
  url_too_long: 'The URL or a part of its path is too long.',
  headers_too_large: 'The headers have too many bytes.',
  rate_limited: 'Too many requests from this address; `Retry-After` tells when to go on.',
  too_many_failures: 'Too many wrong tokens from this address.',
  too_many_streams: 'Too many live streams from this address.',
  internal: 'A fault of the pool; its log knows more.',
  not_supported: 'This pool cannot do that.',
  rpc_error: 'The node answered an error.',
  rpc_http: 'The node answered no RPC.',
  rpc_timeout: 'The node did not answer in time.',
  rpc_unavailable: 'The node cannot be reached.',
  no_node: 'No node can be asked.',
  storage_failed: 'The storage does not answer.',
  no_job: 'There is no job yet.',
  busy: 'Too much is asked at once.',
  timeout: 'No answer, or no whole request, in time.',
  closing: 'The server is closing.',
} as const;

/** Code of a problem. */
export type ProblemCode = keyof typeof PROBLEM_CODES;

/** An answer other than success. Its message is for the caller: nothing internal may be in it. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
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
export function notConfigured(part: 'storage' | 'payments', key: string): ApiProblem {
  return new ApiProblem(404, `${part}_off`, `this pool has no ${part}: set ${key} in its configuration`);
}

const STATUS: Partial<Record<PoolErrorCode & ProblemCode, number>> = {
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
};

/** All of these mean that the storage cannot be asked now. */
const STORAGE: ReadonlySet<PoolErrorCode> = new Set(['storage_failed', 'queue_full', 'closed', 'worker_failed']);

/** Codes whose message was written for whoever asked, and tells nothing of the machine. */
const OPEN_MESSAGES: ReadonlySet<PoolErrorCode> = new Set([
  'invalid_argument',
  'invalid_address',
  'wrong_network',
  'invalid_difficulty',
  'not_found',
  'conflict',
]);

function hasStatus(code: PoolErrorCode): code is PoolErrorCode & ProblemCode {
  return Object.hasOwn(STATUS, code);
}

function poolProblem({ code, message }: PoolError, isAdmin: boolean): ApiProblem | undefined {
  if (STORAGE.has(code)) {
    return new ApiProblem(503, 'storage_failed', 'the storage does not answer', { 'retry-after': '5' });
  }
  if (!hasStatus(code)) return undefined;
  const detail = isAdmin || OPEN_MESSAGES.has(code) ? message : 'a part of the pool does not answer';
  return new ApiProblem(STATUS[code] ?? 500, code, detail);
}

const FASTIFY_CODES: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
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
