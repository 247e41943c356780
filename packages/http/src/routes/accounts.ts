import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type ApiContext, ledgerOf } from '../context.js';
import { AccountReader } from '../read/accounts.js';
import { accountPaymentOf, paymentOf } from '../read/payments.js';
import { readSeries } from '../read/series.js';
import { accountInfo, statementPage, topAccounts } from '../schemas/accounts.js';
import { pageQuery } from '../schemas/common.js';
import { workerInfo } from '../schemas/miners.js';
import { accountPaymentPage, paymentPage } from '../schemas/payments.js';
import { series, seriesQuery } from '../schemas/series.js';
import { amountOf } from '../units.js';
import { defineGet } from './define.js';

/** As long as the longest username a miner may log in with. */
const name = z.string().min(1).max(256);
export const accountParams = z.object({ account: name });
const workerParams = z.object({ account: name, worker: name.describe('The whole username, as in lists.') });
const CACHE_MS = 3_000;
const SERIES_CACHE_MS = 5_000;

const pageOptions = ({ limit, after }: z.output<typeof pageQuery>) => ({
  limit,
  ...(after === undefined ? {} : { after }),
});

/** Routes about accounts, workers and payments. */
export function accountRoutes(app: FastifyInstance, context: ApiContext): void {
  const { view, links, clock } = context;
  const accounts = new AccountReader(context);
  defineGet(app, context, {
    path: '/accounts/top',
    tag: 'accounts',
    summary: 'Accounts with the most work of the last day',
    query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
    answer: topAccounts,
    cacheMs: SERIES_CACHE_MS,
    read: async ({ query }) => ({ items: [...(await accounts.top(query.limit))] }),
  });
  defineGet(app, context, {
    path: '/accounts/:account',
    tag: 'accounts',
    summary: 'An account with a page of its workers',
    params: accountParams,
    query: pageQuery,
    answer: accountInfo,
    cacheMs: CACHE_MS,
    read: ({ params, query }) => accounts.account(params.account, query.limit, query.after),
  });
  defineGet(app, context, {
    path: '/accounts/:account/series',
    tag: 'accounts',
    summary: 'Hashrate and shares of an account over time',
    params: accountParams,
    query: seriesQuery,
    answer: series,
    cacheMs: SERIES_CACHE_MS,
    read: ({ params, query }) => readSeries(ledgerOf(view), { account: params.account }, { query, nowMs: clock.now() }),
  });
  defineGet(app, context, {
    path: '/accounts/:account/payments',
    tag: 'accounts',
    summary: 'Payments to an account, the latest first',
    params: accountParams,
    query: pageQuery,
    answer: accountPaymentPage,
    cacheMs: CACHE_MS,
    read: async ({ params: { account }, query }) => {
      const page = await ledgerOf(view).accounting.payments({ account }, pageOptions(query));
      return { items: page.items.map((record) => accountPaymentOf(record, account, links)), next: page.next ?? null };
    },
  });
  defineGet(app, context, {
    path: '/accounts/:account/statement',
    tag: 'accounts',
    summary: 'Credits and payments of an account, the latest first',
    params: accountParams,
    query: pageQuery,
    answer: statementPage,
    cacheMs: CACHE_MS,
    read: async ({ params: { account }, query }) => {
      const page = await ledgerOf(view).accounting.statement(account, pageOptions(query));
      const items = page.items.map(({ timeMs, key, kind, state, amount }) => ({
        timeMs,
        key,
        kind,
        state,
        amount: amountOf(amount),
      }));
      return { items, next: page.next ?? null };
    },
  });
  defineGet(app, context, {
    path: '/accounts/:account/workers/:worker',
    tag: 'accounts',
    summary: 'A worker with its connections',
    params: workerParams,
    answer: workerInfo,
    cacheMs: CACHE_MS,
    read: ({ params }) => accounts.worker(params.account, params.worker),
  });
  defineGet(app, context, {
    path: '/accounts/:account/workers/:worker/series',
    tag: 'accounts',
    summary: 'Hashrate and shares of a worker over time',
    params: workerParams,
    query: seriesQuery,
    answer: series,
    cacheMs: SERIES_CACHE_MS,
    read: ({ params: { account, worker }, query }) =>
      readSeries(ledgerOf(view), { account, worker }, { query, nowMs: clock.now() }),
  });
  defineGet(app, context, {
    path: '/payments',
    tag: 'payments',
    summary: 'Payments that were sent, the latest first',
    query: pageQuery,
    answer: paymentPage,
    cacheMs: CACHE_MS,
    read: async ({ query }) => {
      const page = await ledgerOf(view).accounting.payments({ statuses: ['sent', 'confirmed'] }, pageOptions(query));
      return { items: page.items.map((record) => paymentOf(record, links)), next: page.next ?? null };
    },
  });
}
