import type { MaybePromise } from '@headframe/primitives';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { API_PREFIX, PROBLEM_RESPONSE } from '../routes/define.js';

/** Where the admin routes are, behind the prefix of the API. */
export const ADMIN_PREFIX = `${API_PREFIX}/admin`;

/** A payment run signs and sends many transactions, one after the other. */
const HANDLER_MS = 100_000;

/** A route of the operator: never cached, never stored. */
export interface AdminRoute<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Result extends z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind {@link ADMIN_PREFIX}. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Result;
  readonly run: (input: {
    readonly params: z.output<Params>;
    readonly query: z.output<Query>;
    readonly body: z.output<Body>;
  }) => MaybePromise<z.output<Result>>;
}

/** Adds a route of the operator. */
export function defineAdmin<
  Result extends z.ZodType,
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(app: FastifyInstance, route: AdminRoute<Params, Query, Body, Result>): void {
  const { method, path, summary, description, params, query, body, answer, run } = route;
  app.route({
    method,
    handlerTimeout: HANDLER_MS,
    url: `${ADMIN_PREFIX}${path}`,
    schema: {
      tags: ['admin'],
      summary,
      ...(description === undefined ? {} : { description }),
      security: [{ token: [] }],
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body }),
      response: { 200: answer, default: PROBLEM_RESPONSE },
    },
    handler: async (request, reply) => {
      // The validator has put the parsed values in the place of what came.
      const input = {
        params: request.params as z.output<Params>,
        query: request.query as z.output<Query>,
        body: request.body as z.output<Body>,
      };
      const text = JSON.stringify(await run(input));
      return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(text);
    },
  });
}
