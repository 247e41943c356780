import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type ApiContext, ledgerOf } from '../context.js';
import { connectInfoOf, hostOf } from '../read/connect.js';
import { rejectsOf } from '../read/rejects.js';
import { readSeries } from '../read/series.js';
import { templateOf } from '../read/template.js';
import { blockDetails, blockPage } from '../schemas/blocks.js';
import { pageQuery } from '../schemas/common.js';
import { connectInfo } from '../schemas/connect.js';
import { minerPage } from '../schemas/miners.js';
import { coinInfo, nodesInfo, poolInfo, rejectsInfo } from '../schemas/pool.js';
import { series, seriesQuery } from '../schemas/series.js';
import { templateInfo } from '../schemas/template.js';
import { defineGet } from './define.js';

/** Sessions are numbered from 1; a cursor of this list is the last number. */
const sessionPageQuery = pageQuery.extend({
  after: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe('`next` of the page before.'),
});

/** A page of connections, for everybody or for the operator. */
export function minersPage<Item>(
  { miners }: ApiContext,
  query: { readonly limit: number; readonly after?: string | undefined },
  show: (connected: Parameters<ApiContext['miners']['item']>[0]) => Item,
): { items: Item[]; next: string | null } {
  const { items, hasMore } = miners.page(query.limit, Number(query.after ?? -1));
  const last = items.at(-1);
  return { items: items.map(show), next: hasMore && last !== undefined ? String(last.session.id) : null };
}

export { sessionPageQuery };

/** Routes about the pool as a whole. */
export function poolRoutes(app: FastifyInstance, context: ApiContext): void {
  const { view, pool, blocks, miners, options, clock } = context;
  defineGet(app, context, {
    path: '/pool',
    tag: 'pool',
    summary: 'The pool at a glance',
    description: 'Answers from memory while the storage does not; `statisticsMs` tells how old its numbers are.',
    answer: poolInfo,
    cacheMs: 1_000,
    read: () => pool.info(),
  });
  defineGet(app, context, {
    path: '/coin',
    tag: 'pool',
    summary: 'The coin',
    answer: coinInfo,
    cacheMs: 60_000,
    read: () => pool.coin(),
  });
  defineGet(app, context, {
    path: '/nodes',
    tag: 'pool',
    summary: 'State of the coin nodes',
    answer: nodesInfo,
    cacheMs: 1_000,
    read: () => pool.nodes(),
  });
  defineGet(app, context, {
    path: '/connect',
    tag: 'pool',
    summary: 'How to connect a miner',
    answer: connectInfo,
    cacheMs: 10_000,
    variesBy: ({ headers }) => hostOf(headers.host) ?? '',
    read: ({ request }) => connectInfoOf(view, options.publicHost ?? hostOf(request.headers.host)),
  });
  defineGet(app, context, {
    path: '/template',
    tag: 'pool',
    summary: 'The job of the moment',
    description: 'What miners work on, so that they can check it: coinbase, outputs, merkle branch.',
    answer: templateInfo,
    cacheMs: 1_000,
    read: () => templateOf(view),
  });
  defineGet(app, context, {
    path: '/rejects',
    tag: 'pool',
    summary: 'Refused shares by reason',
    answer: rejectsInfo,
    cacheMs: 2_000,
    read: () => rejectsOf(view, pool.startedMs),
  });
  defineGet(app, context, {
    path: '/series',
    tag: 'pool',
    summary: 'Hashrate and shares of the pool over time',
    query: seriesQuery,
    answer: series,
    cacheMs: 5_000,
    read: ({ query }) => readSeries(ledgerOf(view), {}, { query, nowMs: clock.now() }),
  });
  defineGet(app, context, {
    path: '/miners',
    tag: 'pool',
    summary: 'Connections of miners',
    query: sessionPageQuery,
    answer: minerPage,
    cacheMs: 2_000,
    read: ({ query }) => minersPage(context, query, (connected) => miners.item(connected)),
  });
  defineGet(app, context, {
    path: '/blocks',
    tag: 'blocks',
    summary: 'Blocks, the highest first',
    query: pageQuery,
    answer: blockPage,
    cacheMs: 3_000,
    read: ({ query }) => blocks.page(query.limit, query.after),
  });
  defineGet(app, context, {
    path: '/blocks/:hash',
    tag: 'blocks',
    summary: 'A block with its round and credits',
    params: z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits') }),
    answer: blockDetails,
    cacheMs: 5_000,
    read: ({ params }) => blocks.details(params.hash),
  });
}
