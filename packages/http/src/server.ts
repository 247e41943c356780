import type { AddressInfo } from 'node:net';
import { errorMessage, PoolError, systemClock, type Timer } from '@headframe/primitives';
import type { FastifyInstance } from 'fastify';
import { accountName } from './account-name.js';
import { addressKey } from './address.js';
import { AdminGuard, readAdminToken } from './admin/auth.js';
import { ADMIN_PREFIX } from './admin/define.js';
import { adminMinerRoutes } from './admin/miners.js';
import { adminPayoutRoutes } from './admin/payouts.js';
import { adminPoolRoutes } from './admin/pool.js';
import { createApp } from './app.js';
import { type ApiContext, creditsAccounts } from './context.js';
import { dashboardRoutes } from './dashboard.js';
import { healthRoutes } from './health.js';
import { HTTP_LIMITS } from './limits.js';
import { LiveFeed } from './live/feed.js';
import { eventRoute } from './live/route.js';
import { LiveWatch } from './live/watch.js';
import { AnswerMemo } from './memo.js';
import { measureRequests, metricsRoute } from './metrics-route.js';
import { collectRoutes, openapiRoute } from './openapi.js';
import type { HttpModules, HttpOptions } from './options.js';
import { BlockReader } from './read/blocks.js';
import { explorerLinks } from './read/links.js';
import { MinerBook } from './read/miner-book.js';
import { PoolReader } from './read/pool-info.js';
import { accountRoutes } from './routes/accounts.js';
import { poolRoutes } from './routes/pool.js';
import type { PoolView } from './view.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8080;

/** The HTTP server of a pool. */
export interface HttpServer {
  /** The fastify instance: add routes before `start`, or `inject` requests in tests. */
  readonly app: FastifyInstance;
  /** `http://host:port`; undefined before `start`. */
  readonly url: string | undefined;
  /** Opens the port. @throws PoolError `listen_failed` */
  start(): Promise<void>;
  /**
   * Graceful and idempotent: ends the live streams, lets answers under way go out (`closeMs` at most), closes all
   * connections. Also stops listening to the pool.
   */
  close(): Promise<void>;
}

/**
 * Makes the HTTP server of a pool. Nothing is opened before `start()`.
 *
 * @throws PoolError `invalid_config` for a token that is too short or cannot be read, a dashboard that is not built, or
 *   a proxy that is no CIDR
 * @example
 * const http = createHttpServer(pool, { port: 8080, name: 'My pool' });
 * await http.start();
 */
export function createHttpServer(view: PoolView, options: HttpOptions = {}, modules: HttpModules = {}): HttpServer {
  const clock = modules.clock ?? systemClock;
  const log = modules.log ?? view.log;
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const token = readAdminToken(options);
  const guard = token === undefined ? undefined : new AdminGuard(token, { clock, maxFailures: limits.adminFailures });
  const hasDashboard = options.dashboardFolder !== undefined && options.dashboard !== false;
  const app = createApp(options, { limits, log, hasDashboard });
  // First what can fail: from here on timers run and the pool is listened to.
  if (hasDashboard && options.dashboardFolder !== undefined) dashboardRoutes(app, options.dashboardFolder);

  const links = explorerLinks(options.explorer);
  const memo = new AnswerMemo({ clock, maxBytes: limits.memoBytes, maxReads: limits.reads });
  const blocks = new BlockReader(view, links, clock);
  const pool = new PoolReader(view, options, { clock, blocks });
  const miners = new MinerBook(view, clock);
  const context: ApiContext = { view, options, limits, clock, log, memo, links, pool, blocks, miners };
  const feed = new LiveFeed({ clock, log, limits });
  const watch = new LiveWatch(context, feed);

  const metrics = options.metrics === 'off' ? undefined : modules.createMetrics?.();
  if (metrics !== undefined) measureRequests(app, metrics);

  if (creditsAccounts(view)) {
    app.addHook('preHandler', async ({ params }) => {
      if (typeof params !== 'object' || params === null || !('account' in params)) return;
      if (typeof params.account === 'string') params.account = accountName(view.coin, params.account);
    });
  }
  collectRoutes(app, { hasAdmin: guard !== undefined });
  app.register(async (scope) => {
    healthRoutes(scope, context);
    metricsRoute(scope, context, { guard, metrics });
    poolRoutes(scope, context);
    accountRoutes(scope, context);
    eventRoute(scope, context, { feed, watch });
    openapiRoute(scope, context);
  });
  if (guard !== undefined) {
    app.register(async (scope) => {
      scope.addHook('onRequest', async (request) => {
        guard.check(request.headers.authorization, addressKey(request.ip));
      });
      adminMinerRoutes(scope, context);
      adminPoolRoutes(scope, context);
      adminPayoutRoutes(scope, context);
    });
    log.debug({ prefix: ADMIN_PREFIX }, 'admin routes are on');
  }

  let url: string | undefined;
  let closing: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    feed.close();
    watch.close();
    miners.close();
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(() => {
        app.server.closeAllConnections();
        resolve();
      }, limits.closeMs);
    });
    await Promise.race([app.close(), late]);
    timer?.cancel();
  };

  return {
    app,
    get url() {
      return url;
    },
    async start() {
      const { host = DEFAULT_HOST, port = DEFAULT_PORT } = options;
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw new PoolError(
          'listen_failed',
          `the HTTP server cannot listen on ${host}:${port}: ${errorMessage(error)}`,
          {
            cause: error,
          },
        );
      }
      url = urlOf(app.server.address(), host);
      log.info({ url }, 'HTTP server listens');
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function urlOf(address: AddressInfo | string | null, host: string): string | undefined {
  if (address === null || typeof address === 'string') return undefined;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
