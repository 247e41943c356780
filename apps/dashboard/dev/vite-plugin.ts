import type { Plugin } from 'vite';
import * as answers from './answers.js';
import { FixtureApi } from './fixture-api.js';

const POOL_EVERY_MS = 5_000;
const BLOCK_EVERY_MS = 60_000;

/**
 * `vite` alone shows the page with made-up data. `POOL_URL=http://127.0.0.1:8080 vite` shows a real pool instead.
 */
export function fixtureApi(): Plugin {
  return {
    name: 'headframe-fixture-api',
    apply: 'serve',
    config: () => {
      const target = process.env.POOL_URL;
      return target === undefined ? {} : { server: { proxy: { '/api': { target } } } };
    },
    configureServer: (server) => {
      if (process.env.POOL_URL !== undefined) return;
      const api = new FixtureApi(() => Date.now());
      const events = setInterval(
        () => api.emit('pool', answers.poolInfo(api.world, api.scene, Date.now())),
        POOL_EVERY_MS,
      );
      const blocks = setInterval(() => api.findBlock(), BLOCK_EVERY_MS);
      server.httpServer?.once('close', () => {
        clearInterval(events);
        clearInterval(blocks);
      });
      server.middlewares.use((request, response, next) => {
        if (!api.handle(request, response)) next();
      });
    },
  };
}
