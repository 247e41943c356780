import type { Ban } from '@headframe/sessions';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiContext } from '../context.js';
import { ApiProblem, notFound } from '../problem.js';
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
  const show = (connected: Connected): AdminSession => {
    const { session } = connected;
    const { remoteAddress, remotePort, listener } = session;
    return { ...miners.item(connected), remoteAddress, remotePort, listener: listener.index };
  };
  const find = (id: number): Connected => {
    const found = miners.find(id);
    if (found === undefined) throw notFound('no such session');
    return found;
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
      view.server.kick(find(params.id).session);
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
    run: ({ params, body }) => {
      const { session, channel } = find(params.id);
      if (channel === undefined) throw notFound('this session has no channel yet');
      return { session: session.id, difficulty: view.server.setDifficulty(session, body.difficulty).value };
    },
  });
  defineAdmin(app, {
    method: 'GET',
    path: '/bans',
    summary: 'Bans in force, the oldest first',
    answer: banList,
    run: () => ({ items: view.bans.list().flatMap(banOf) }),
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/bans',
    summary: 'Ban an address, subnet, account or worker',
    description: 'Its connections are closed. A longer ban replaces a shorter one; the answer is the ban in force.',
    body: banRequest,
    answer: ban,
    run: ({ body: { scope, key, reason, seconds } }) => {
      const made = view.bans.add(scope, key, {
        reason,
        ...(seconds === undefined ? {} : { durationMs: seconds * 1000 }),
      });
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
      if (!view.bans.remove(scope, key)) throw notFound('no such ban');
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
      const chosen = session === undefined ? [...miners.all()] : [find(session)];
      let count = 0;
      for (const connected of chosen) {
        if (connected.channel === undefined) continue;
        view.server.reconnect(connected.session, target);
        count++;
      }
      return { sessions: count };
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/notify',
    summary: 'Show a text on all miners',
    description: 'By client.show_message; most miners show it in their log, if at all.',
    body: notifyRequest,
    answer: countAnswer,
    run: ({ body }) => ({ sessions: view.server.notifyAll('client.show_message', [body.text]) }),
  });
}
