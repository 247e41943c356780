import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorMessage, type Logger, PoolError, silentLogger } from '@headframe/primitives';
import type { AnyProxy } from './create-proxy.js';
import { renderMetrics } from './metrics.js';
import { renderStatusPage } from './status-page.js';

/** Where the status of a proxy can be read. */
export interface StatusServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Nobody needs more at once; a flood of connections must not take descriptors from miners. */
const MAX_CONNECTIONS = 64;
const TIMEOUT_MS = 10_000;

/**
 * Opens the status page (`/`), its JSON (`/status`), Prometheus metrics (`/metrics`) and `/healthz`.
 * @throws PoolError `listen_failed`
 */
export async function startStatusServer(
  proxy: AnyProxy,
  options: { readonly host: string; readonly port: number },
  log: Logger = silentLogger,
): Promise<StatusServer> {
  const server = createServer(
    { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, keepAliveTimeout: TIMEOUT_MS },
    (request, response) => {
      try {
        answer(proxy, request, response);
      } catch (error) {
        log.error({ err: error }, 'status page failed');
        reply(response, 500, 'text/plain', 'error\n');
      }
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  const { address, port } = await listen(server, options);
  return { host: address, port, close: () => close(server) };
}

function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new PoolError('listen_failed', `status page on ${host}:${port}: ${errorMessage(error)}`, { cause: error }),
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
      else reject(new PoolError('listen_failed', 'the status page has no address'));
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answer(proxy: AnyProxy, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    reply(response, 405, 'text/plain', 'only GET\n');
    return;
  }
  const [path] = (request.url ?? '/').split('?');
  const nowMs = Date.now();
  switch (path) {
    case '/':
      reply(response, 200, 'text/html; charset=utf-8', renderStatusPage(proxy.stats(), nowMs));
      return;
    case '/status':
      reply(response, 200, 'application/json', `${JSON.stringify(proxy.stats())}\n`);
      return;
    case '/metrics':
      reply(response, 200, 'text/plain; version=0.0.4', renderMetrics(proxy.stats(), nowMs));
      return;
    case '/healthz':
      reply(response, 200, 'text/plain', 'ok\n');
      return;
    case '/readyz': {
      const isReady = proxy.mode === 'one-to-one' || proxy.upstream !== undefined;
      reply(response, isReady ? 200 : 503, 'text/plain', isReady ? 'ready\n' : 'no upstream\n');
      return;
    }
    default:
      reply(response, 404, 'text/plain', 'there is /, /status, /metrics, /healthz and /readyz\n');
  }
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  });
  response.end(body);
}
