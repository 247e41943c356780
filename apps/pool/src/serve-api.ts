import { fileURLToPath } from 'node:url';
import type { HttpOptions, HttpServer } from '@headframe/http';
import { API_SERVICE, type Pool } from '@headframe/pool';

/**
 * Serves what `api` of the pool's configuration says, as long as the pool lives; undefined without that key. The web
 * server is loaded here and not with the program: most commands have no use for it.
 */
export async function serveApi<Account>(
  pool: Pool<Account>,
  more: Pick<HttpOptions, 'reload'> = {},
): Promise<HttpServer | undefined> {
  const { api } = pool.config;
  if (api === undefined) return undefined;
  const [{ createHttpServer, createMetrics }, { dashboardFolder }] = await Promise.all([
    import('@headframe/http'),
    import('@headframe/dashboard'),
  ]);
  const server = createHttpServer(
    pool,
    { ...api, ...more, dashboardFolder: fileURLToPath(dashboardFolder) },
    { createMetrics: () => createMetrics(pool) },
  );
  pool.service({ name: API_SERVICE, start: () => server.start(), close: () => server.close() });
  return server;
}
