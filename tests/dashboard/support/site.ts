import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FixtureApi } from '../../../apps/dashboard/dev/fixture-api.js';

/** The built page. */
export const DIST = fileURLToPath(new URL('../../../apps/dashboard/dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** What the page must live with: nothing inline, nothing from elsewhere. */
const POLICY = "default-src 'self'";

export interface Site {
  readonly url: string;
  readonly api: FixtureApi;
  close(): Promise<void>;
}

/**
 * Serves the built page with made-up data, under the strictest policy. `now` is the time of the data; `folder` the path
 * under which a reverse proxy shows it.
 */
export async function openSite(now: () => number, folder = '/'): Promise<Site> {
  const api = new FixtureApi(now);
  const server: Server = createServer((request, response) => {
    if (request.url?.startsWith(folder) !== true) {
      response.writeHead(404).end();
      return;
    }
    request.url = `/${request.url.slice(folder.length)}`;
    if (api.handle(request, response)) return;
    const path = new URL(request.url ?? '/', 'http://site').pathname;
    const file = normalize(path === '/' ? '/index.html' : path);
    readFile(join(DIST, file)).then(
      (content) => {
        const type = TYPES[extname(file)] ?? 'application/octet-stream';
        response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY });
        response.end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${folder}`,
    api,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
