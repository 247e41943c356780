import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import { PoolError } from '@headframe/primitives';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const INDEX = 'index.html';
/** Files under it have a hash of their content in the name. */
const HASHED = /[\\/]assets[\\/][^\\/]+$/;
const IMMUTABLE = 'public, max-age=31536000, immutable';
const REVALIDATE = 'no-cache';

/**
 * Serves the built dashboard at `/`.
 * @throws PoolError `invalid_config` when the folder holds no page
 */
export function dashboardRoutes(app: FastifyInstance, folder: string): void {
  const root = resolve(folder);
  if (!existsSync(join(root, INDEX))) {
    throw new PoolError('invalid_config', `the dashboard is not built: there is no ${INDEX} in ${root}`);
  }
  app.register(fastifyStatic, {
    root,
    prefix: '/',
    index: INDEX,
    dotfiles: 'ignore',
    redirect: false,
    schemaHide: true,
    cacheControl: false,
    setHeaders: (response, path) => response.setHeader('cache-control', HASHED.test(path) ? IMMUTABLE : REVALIDATE),
  });
}

/**
 * True for a request that a browser makes when a person opens a page of the dashboard by its path: it gets the one page
 * there is, by way of `#`. Files and questions of the API get their 404.
 */
export function wantsPage({ method, url, headers }: Pick<FastifyRequest, 'method' | 'url' | 'headers'>): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const path = url.split('?')[0] ?? url;
  // Worker names may hold a dot, so it is the folder and not the ending that tells files from pages.
  if (/^\/(api|assets|metrics|healthz|readyz)(\/|$)/.test(path)) return false;
  return (headers.accept ?? '').includes('text/html');
}

/**
 * Leads a path of a page to the page itself, which has its places behind `#`: `/accounts/x` to `../#/accounts/x`.
 * Relative, so that it is right behind a proxy that serves the pool under a path of its own.
 */
export function leadToPage(url: string, reply: FastifyReply): FastifyReply {
  const path = (url.split('?')[0] ?? url).replaceAll(/[^\x21-\x7e]/g, encodeURIComponent);
  const up = '../'.repeat(path.split('/').length - 2);
  return reply
    .code(302)
    .header('cache-control', REVALIDATE)
    .header('location', `${up === '' ? './' : up}#${path}`)
    .send();
}
