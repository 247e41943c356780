import { API_SERVICE, type Pool } from '@headframe/pool';
import { createMetrics } from './metrics.js';
import type { HttpOptions } from './options.js';
import { createHttpServer } from './server.js';

/**
 * Adds the HTTP API, metrics and dashboard to a pool: opened after its listeners, closed before them.
 *
 * @throws PoolError `invalid_config`, as `createHttpServer`
 * @example
 * pool.use(httpApi, { port: 8080, name: 'My pool' });
 */
export function httpApi<Account>(pool: Pool<Account>, options: HttpOptions): void {
  const server = createHttpServer(pool, options, { createMetrics: () => createMetrics(pool) });
  pool.service({ name: API_SERVICE, start: () => server.start(), close: () => server.close() });
}
