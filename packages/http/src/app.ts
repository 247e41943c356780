import type { Socket } from 'node:net';
import fastifyCors from '@fastify/cors';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import { errorMessage, type Logger } from '@headframe/primitives';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { addressKey, proxyMatcher } from './address.js';
import { leadToPage, wantsPage } from './dashboard.js';
import type { HttpLimits } from './limits.js';
import type { HttpOptions } from './options.js';
import { ApiProblem, notFound, PROBLEM_TYPE, problemBody, problemOf, sendProblem } from './problem.js';

const DEFAULT_RATE_LIMIT = 300;
/** Addresses whose requests are counted. */
const RATE_LIMIT_CACHE = 20_000;
const ADMIN_PATH = /^\/api\/v1\/admin(\/|$)/;

export interface AppParts {
  readonly limits: HttpLimits;
  readonly log: Logger;
  readonly hasDashboard: boolean;
}

/** A fastify instance with everything that holds for all routes: limits, headers, errors. */
export function createApp(options: HttpOptions, { limits, log, hasDashboard }: AppParts): FastifyInstance {
  const proxies = options.trustedProxies ?? [];
  const isProxy = proxyMatcher(proxies);
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const isAdmin = ADMIN_PATH.test(request.url);
    const found = problemOf(error, { isAdmin });
    if (found === undefined || found.status === 503) {
      log[found === undefined ? 'error' : 'warn'](
        { error: errorMessage(error), method: request.method, route: request.routeOptions.url },
        'a request failed',
      );
    }
    return sendProblem(
      reply,
      found ?? new ApiProblem(500, 'internal', 'an unexpected error; the log of the pool knows more'),
    );
  };

  const app = fastify({
    logger: false,
    trustProxy: proxies.length > 0 ? (address) => isProxy(address) : false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.socketMs,
    keepAliveTimeout: limits.keepAliveMs,
    handlerTimeout: limits.handlerMs,
    forceCloseConnections: 'idle',
    routerOptions: {
      maxParamLength: limits.paramLength,
      ignoreTrailingSlash: false,
      onMaxParamLength: (_path, _request, response) => {
        const problem = new ApiProblem(
          414,
          'url_too_long',
          `a part of a path has at most ${limits.paramLength} characters`,
        );
        response.writeHead(problem.status, { 'content-type': PROBLEM_TYPE }).end(JSON.stringify(problemBody(problem)));
      },
    },
    frameworkErrors: (error: FastifyError, request, reply) =>
      void fail(error, request, reply as unknown as FastifyReply),
    clientErrorHandler: (error, socket) => refuseSocket(error, socket),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => fail(error, request, reply));
  limitConnections(app, { limits, isProxy });

  app.addHook('onRequest', async (request) => {
    if ((request.raw.url ?? '').length > limits.urlLength) {
      throw new ApiProblem(414, 'url_too_long', `a URL has at most ${limits.urlLength} characters`);
    }
  });
  app.register(fastifyHelmet, helmetOptions());
  const cors = options.cors ?? [];
  if (cors.length > 0) {
    app.register(fastifyCors, {
      origin: cors.includes('*') ? '*' : [...cors],
      methods: ['GET', 'HEAD'],
      allowedHeaders: ['if-none-match', 'last-event-id', 'cache-control'],
      exposedHeaders: ['etag', 'retry-after'],
      maxAge: 600,
    });
  }
  app.register(fastifyRateLimit, {
    global: true,
    max: options.rateLimit ?? DEFAULT_RATE_LIMIT,
    timeWindow: 60_000,
    cache: RATE_LIMIT_CACHE,
    keyGenerator: ({ ip }) => addressKey(ip),
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { ttl }) =>
      new ApiProblem(429, 'rate_limited', 'too many requests from this address', {
        'retry-after': String(Math.ceil(ttl / 1000)),
      }),
  });
  app.after(() => {
    app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
      if (hasDashboard && wantsPage(request)) return leadToPage(request.url, reply);
      return sendProblem(
        reply,
        notFound(`there is no ${request.method} ${request.url.split('?')[0]?.slice(0, 200) ?? ''}`),
      );
    });
  });
  return app;
}

/** Only what comes from this server, nothing inline: a page that shows names of miners must not run them. */
function helmetOptions(): Parameters<typeof fastifyHelmet>[1] {
  const self = ["'self'"];
  const none = ["'none'"];
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        scriptSrc: self,
        styleSrc: self,
        imgSrc: [...self, 'data:'],
        fontSrc: self,
        connectSrc: self,
        manifestSrc: self,
        baseUri: none,
        formAction: self,
        frameAncestors: none,
      },
    },
    referrerPolicy: { policy: 'same-origin' },
    // Whether a host is to be reached by TLS alone is for whoever ends TLS to say.
    strictTransportSecurity: false,
    // Other pages may read the API where `cors` lets them.
    crossOriginResourcePolicy: false,
  };
}

/** Bounds open connections, in all and by address. */
function limitConnections(
  app: FastifyInstance,
  { limits, isProxy }: { readonly limits: HttpLimits; readonly isProxy: (address: string) => boolean },
): void {
  const open = new Map<string, number>();
  app.server.maxConnections = limits.connections;
  app.server.on('connection', (socket: Socket) => {
    const remote = socket.remoteAddress ?? '';
    // Behind a proxy everybody has its address.
    if (isProxy(remote)) return;
    const key = addressKey(remote);
    const count = (open.get(key) ?? 0) + 1;
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    });
    if (count > limits.connectionsPerAddress) socket.destroy();
  });
}

/** Answers what is no HTTP, or came too slowly. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ([408, 'timeout'] as const)
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ([431, 'headers_too_large'] as const)
        : ([400, 'invalid_request'] as const);
  const body = JSON.stringify(problemBody(new ApiProblem(status, code, 'not a request that can be read')));
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
