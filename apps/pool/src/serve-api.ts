import { fileURLToPath } from 'node:url';
import { dashboardFolder } from '@headframe/dashboard';
import { createHttpServer, createMetrics, type HttpOptions, type HttpServer } from '@headframe/http';
import { API_SERVICE, type Pool } from '@headframe/pool';

/** Serves what `api` of the pool's configuration says, as long as the pool lives; undefined without that key. */
export function serveApi<Account>(pool: Pool<Account>, more: Pick<HttpOptions, 'reload'> = {}): HttpServer | undefined {
  const { api } = pool.config;
  if (api === undefined) return undefined;
  const server = createHttpServer(
    pool,
    { ...api, ...more, dashboardFolder: fileURLToPath(dashboardFolder) },
    { createMetrics: () => createMetrics(pool) },
  );
  pool.service({ name: API_SERVICE, start: () => server.start(), close: () => server.close() });
  return server;
}
