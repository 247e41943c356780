import { PoolAdmin } from '@headframe/pool';
import type { Ban } from '@headframe/sessions';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problem.js';
import type { Connected } from '../read/miner-book.js';
import { minersPage, sessionPageQuery } from '../routes/pool.js';
import {
  type AdminSession,
  adminSessionPage,
  ban,
  banList,
  banRequest,
  banTarget,
  countAnswer,
  difficultyAnswer,
  difficultyRequest,
  done,
  notifyRequest,
  reconnectRequest,
} from '../schemas/admin.js';
import { defineAdmin } from './define.js';

const sessionParams = z.object({ id: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER) });

/** The verdict on one session is over at once and in no list. */
function banOf({ scope, key, reason, sinceMs, untilMs }: Ban): z.output<typeof ban>[] {
  return scope === 'session' ? [] : [{ scope, key, reason, sinceMs, untilMs }];
}

/** Routes about connections and bans. */
export function adminMinerRoutes(app: FastifyInstance, context: ApiContext): void {
  const { view, miners } = context;
  const admin = new PoolAdmin(view);
  const show = (connected: Connected): AdminSession => {
    const { session } = connected;
    const { remoteAddress, remotePort, listener } = session;
    return { ...miners.item(connected), remoteAddress, remotePort, listener: listener.index };
  };
  defineAdmin(app, {
    method: 'GET',
    path: '/sessions',
    summary: 'Connections with their addresses',
    query: sessionPageQuery,
    answer: adminSessionPage,
    run: ({ query }) => minersPage(context, query, show),
  });
  defineAdmin(app, {
    method: 'DELETE',
    path: '/sessions/:id',
    summary: 'Close a connection',
    params: sessionParams,
    answer: done,
    run: ({ params }) => {
      admin.kick(params.id);
      return { done: true as const };
    },
  });
  defineAdmin(app, {
    method: 'PUT',
    path: '/sessions/:id/difficulty',
    summary: 'Fix the difficulty of a connection',
    description: 'Within the range of its listener; the answer tells what it became.',
    params: sessionParams,
    body: difficultyRequest,
    answer: difficultyAnswer,
    run: ({ params, body }) => ({
      session: params.id,
      difficulty: admin.setDifficulty(params.id, body.difficulty),
    }),
  });
  defineAdmin(app, {
    method: 'GET',
    path: '/bans',
    summary: 'Bans in force, the oldest first',
    answer: banList,
    run: () => ({ items: admin.bans().flatMap(banOf) }),
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/bans',
    summary: 'Ban an address, subnet, account or worker',
    description: 'Its connections are closed. A longer ban replaces a shorter one; the answer is the ban in force.',
    body: banRequest,
    answer: ban,
    run: ({ body: { scope, key, reason, seconds } }) => {
      const made = admin.ban(scope, key, { reason, seconds });
      return { scope, key: made.key, reason: made.reason, sinceMs: made.sinceMs, untilMs: Math.round(made.untilMs) };
    },
  });
  defineAdmin(app, {
    method: 'DELETE',
    path: '/bans',
    summary: 'End a ban',
    query: banTarget,
    answer: done,
    run: ({ query: { scope, key } }) => {
      admin.unban(scope, key);
      return { done: true as const };
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/reconnect',
    summary: 'Ask miners to reconnect',
    description: 'One session or all; with host and port: to another pool. Many miners ignore it.',
    body: reconnectRequest,
    answer: countAnswer,
    run: ({ body: { session, host, port, waitSeconds = 0 } }) => {
      if ((host === undefined) !== (port === undefined)) {
        throw new ApiProblem(400, 'invalid_request', 'host and port go together');
      }
      const target = host === undefined || port === undefined ? undefined : { host, port, waitSeconds };
      return { sessions: admin.reconnect({ session, target }) };
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/notify',
    summary: 'Show a text on all miners',
    description: 'By client.show_message; most miners show it in their log, if at all.',
    body: notifyRequest,
    answer: countAnswer,
    run: ({ body }) => ({ sessions: admin.message(body.text) }),
  });
}
