import type { LightMyRequestResponse } from 'fastify';
import { afterEach } from 'vitest';
import { createHttpServer, type HttpModules, type HttpOptions, type HttpServer } from '../src/index.js';
import { FakePool } from './fake-pool.js';

export const TOKEN = 'correct-horse-battery';
export const ADMIN = { authorization: `Bearer ${TOKEN}` };

const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

export interface Api {
  readonly pool: FakePool;
  readonly server: HttpServer;
  get(path: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<LightMyRequestResponse>;
}

/** A server on a fake pool; closed after the test. */
export function makeApi(options: HttpOptions = {}, pool = new FakePool(), modules: HttpModules = {}): Api {
  const server = createHttpServer(
    pool,
    { port: 0, adminToken: TOKEN, rateLimit: 100_000, ...options },
    { clock: pool.clock, ...modules },
  );
  open.push(server);
  return {
    pool,
    server,
    get: (url, headers = {}) => server.app.inject({ method: 'GET', url, headers }),
    send: (method, url, body) =>
      server.app.inject({ method, url, headers: ADMIN, ...(body === undefined ? {} : { payload: body }) }),
  };
}
