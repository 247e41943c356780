import type { MaybePromise } from '@headframe/primitives';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiContext } from '../context.js';
import { type Answer, matchesEtag } from '../memo.js';
import { problem } from '../schemas/common.js';

/** Where all routes of the API are. */
export const API_PREFIX = '/api/v1';

/** How an error is described in the OpenAPI document. */
export const PROBLEM_RESPONSE = {
  description: 'Anything else: a problem with a stable `code`.',
  content: { 'application/problem+json': { schema: problem } },
} as const;

const nothing = z.object({});

/** A route that reads, answered from memory for `cacheMs`. */
export interface GetRoute<Params extends z.ZodType, Query extends z.ZodType, Result extends z.ZodType> {
  /** Behind {@link API_PREFIX}. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly answer: Result;
  readonly cacheMs: number;
  /** What the answer depends on beside path and query. */
  readonly variesBy?: (request: FastifyRequest) => string;
  readonly read: (input: {
    readonly params: z.output<Params>;
    readonly query: z.output<Query>;
    readonly request: FastifyRequest;
  }) => MaybePromise<z.output<Result>>;
}

/** Adds a route that reads. */
export function defineGet<
  Result extends z.ZodType,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
>(app: FastifyInstance, { memo }: Pick<ApiContext, 'memo'>, route: GetRoute<Params, Query, Result>): void {
  const { path, tag, summary, description, params, query, answer, cacheMs, variesBy } = route;
  app.get(`${API_PREFIX}${path}`, {
    schema: {
      tags: [tag],
      summary,
      ...(description === undefined ? {} : { description }),
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      response: { 200: answer, default: PROBLEM_RESPONSE },
    },
    handler: async (request, reply) => {
      const key = JSON.stringify([path, request.params, request.query, variesBy?.(request)]);
      const found = await memo.get(key, cacheMs, async () => {
        // The validator has put the parsed values in the place of what came.
        const input = { params: request.params as z.output<Params>, query: request.query as z.output<Query>, request };
        return JSON.stringify(await route.read(input));
      });
      return sendAnswer(request, reply, { answer: found, cacheMs });
    },
  });
}

/** Sends a finished answer, or 304 to whoever has it. */
export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  { answer, cacheMs }: { readonly answer: Answer; readonly cacheMs: number },
): FastifyReply {
  const seconds = Math.floor(cacheMs / 1000);
  reply.header('etag', answer.etag).header('cache-control', seconds > 0 ? `public, max-age=${seconds}` : 'no-cache');
  if (matchesEtag(request.headers['if-none-match'], answer.etag)) return reply.code(304).send();
  return reply.type('application/json; charset=utf-8').send(answer.body);
}
