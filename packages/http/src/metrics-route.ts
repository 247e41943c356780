import type { FastifyInstance } from 'fastify';
import { addressKey } from './address.js';
import type { AdminGuard } from './admin/auth.js';
import type { ApiContext } from './context.js';
import type { Metrics } from './metrics.js';

/** The page is not made more often: it is not counted by the rate limit, and takes a millisecond of the main thread. */
const FRESH_MS = 500;

/** Makes the metrics of a pool. */
export type MetricsFactory = () => Metrics;

/** `/metrics` for Prometheus: for everybody, for holders of the admin token, or for nobody. */
export function metricsRoute(
  app: FastifyInstance,
  { options, clock }: Pick<ApiContext, 'options' | 'clock'>,
  parts: { readonly guard: AdminGuard | undefined; readonly metrics: Metrics | undefined },
): void {
  const { guard, metrics } = parts;
  const access = options.metrics ?? 'open';
  if (metrics === undefined || access === 'off' || (access === 'admin' && guard === undefined)) return;
  let page: Promise<string> | undefined;
  let freshUntilMs = Number.NEGATIVE_INFINITY;
  const read = (): Promise<string> => {
    const nowMs = clock.monotonic();
    if (page !== undefined && nowMs < freshUntilMs) return page;
    freshUntilMs = nowMs + FRESH_MS;
    page = metrics.render();
    return page;
  };
  app.get('/metrics', { config: { rateLimit: false }, schema: { hide: true } }, async (request, reply) => {
    if (access === 'admin') guard?.check(request.headers.authorization, addressKey(request.ip));
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.contentType)
      .send(await read());
  });
}

/** Measures every request of the app, by the pattern of its route. Before routes are added. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.observeRequest(route, request.method, reply.statusCode, reply.elapsedTime / 1000);
  });
}
