import type { FastifyInstance } from 'fastify';
import { addressKey } from './address.js';
import type { AdminGuard } from './admin/auth.js';
import type { ApiContext } from './context.js';
import type { PoolView } from './view.js';

/** Metrics in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Makes the metrics of a pool. */
export type MetricsFactory = (view: PoolView) => Metrics;

/** `/metrics` for Prometheus: for everybody, for holders of the admin token, or for nobody. */
export function metricsRoute(
  app: FastifyInstance,
  { view, options }: ApiContext,
  parts: { readonly guard: AdminGuard | undefined; readonly createMetrics: MetricsFactory | undefined },
): void {
  const { guard, createMetrics } = parts;
  const access = options.metrics ?? 'open';
  if (createMetrics === undefined || access === 'off' || (access === 'admin' && guard === undefined)) return;
  const metrics = createMetrics(view);
  app.get('/metrics', { config: { rateLimit: false }, schema: { hide: true } }, async (request, reply) => {
    if (access === 'admin') guard?.check(request.headers.authorization, addressKey(request.ip));
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.render());
  });
}
