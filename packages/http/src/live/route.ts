import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addressKey } from '../address.js';
import type { ApiContext } from '../context.js';
import { API_PREFIX, PROBLEM_RESPONSE } from '../routes/define.js';
import type { LiveFeed } from './feed.js';
import type { LiveWatch } from './watch.js';

/** How long a browser waits before it reconnects. */
const RETRY_MS = 3_000;

/** `GET /events`: the live feed as server-sent events. */
export function eventRoute(
  app: FastifyInstance,
  { log }: Pick<ApiContext, 'log'>,
  { feed, watch }: { readonly feed: LiveFeed; readonly watch: LiveWatch },
): void {
  app.get(`${API_PREFIX}/events`, {
    schema: {
      tags: ['live'],
      summary: 'What happens, as server-sent events',
      description:
        'Events `pool`, `job`, `node` and `share` carry the newest state, `block` and `payment` what happened. ' +
        'A stream begins with the state of things; with `Last-Event-ID` also with what was missed.',
      response: {
        200: {
          description:
            'A stream that does not end. The schemas of the data are PoolInfo, JobEvent, NodesInfo, ShareEvent, Block and Payment.',
          content: { 'text/event-stream': { schema: z.string() } },
        },
        default: PROBLEM_RESPONSE,
      },
    },
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const address = addressKey(request.ip);
      feed.checkRoom(address);
      await watch.welcome();
      feed.checkRoom(address);
      const { raw } = reply;
      if (raw.destroyed) return reply.hijack();
      const headers = reply.getHeaders();
      reply.hijack();
      for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // Reverse proxies that buffer would hold events back.
        'x-accel-buffering': 'no',
      });
      raw.write(`retry: ${RETRY_MS}\n\n`);
      const lastEventId = request.headers['last-event-id'];
      const subscription = feed.add(raw, address, typeof lastEventId === 'string' ? lastEventId : undefined);
      raw.on('drain', () => subscription.drained());
      raw.on('close', () => subscription.leave());
      raw.on('error', (error) => log.debug({ error: error.message }, 'a live stream broke'));
      return reply;
    },
  });
}
