import type { FastifyInstance } from 'fastify';
import { addressKey } from './address.js';
import type { AdminGuard } from './admin/auth.js';
import type { ApiContext } from './context.js';
import type { Metrics } from './metrics.js';

/** Makes the metrics of a pool. */
export type MetricsFactory = () => Metrics;

/** `/metrics` for Prometheus: for everybody, for holders of the admin token, or for nobody. */
export function metricsRoute(
  app: FastifyInstance,
  { options }: Pick<ApiContext, 'options'>,
  parts: { readonly guard: AdminGuard | undefined; readonly metrics: Metrics | undefined },
): void {
  const { guard, metrics } = parts;
  const access = options.metrics ?? 'open';
  if (metrics === undefined || access === 'off' || (access === 'admin' && guard === undefined)) return;
  app.get('/metrics', { config: { rateLimit: false }, schema: { hide: true } }, async (request, reply) => {
    if (access === 'admin') guard?.check(request.headers.authorization, addressKey(request.ip));
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.render());
  });
}

/** Measures every request of the app, by the pattern of its route. Before routes are added. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.observeRequest(route, request.method, reply.statusCode, reply.elapsedTime / 1000);
  });
}
