import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ApiContext } from './context.js';
import { answerOf } from './memo.js';
import { API_PREFIX, sendAnswer } from './routes/define.js';

const DESCRIPTION =
  'Times are Unix milliseconds (`...Ms`), hashrates are hashes per second, amounts are decimal strings in base units ' +
  'and in coins. Lists come in pages: pass `next` of one as `after` for the following. Every answer has an ETag.';

const TAGS = [
  { name: 'pool', description: 'The pool as a whole.' },
  { name: 'blocks', description: 'Blocks that were found.' },
  { name: 'accounts', description: 'Accounts and their workers.' },
  { name: 'payments', description: 'Payments.' },
  { name: 'live', description: 'The live feed.' },
];
const ADMIN_TAG = { name: 'admin', description: 'For the operator: only there when an admin token is configured.' };

/** Collects the routes that are defined after it. */
export function collectRoutes(app: FastifyInstance, options: { readonly hasAdmin: boolean }): void {
  app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Headframe', description: DESCRIPTION, version: '1' },
      tags: options.hasAdmin ? [...TAGS, ADMIN_TAG] : TAGS,
      ...(options.hasAdmin
        ? { components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } } }
        : {}),
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

const CACHE_MS = 60_000;

/** `GET /openapi.json`: the description of all routes, made from the schemas that check them. */
export function openapiRoute(app: FastifyInstance, { memo }: Pick<ApiContext, 'memo'>): void {
  app.get(`${API_PREFIX}/openapi.json`, { schema: { hide: true } }, async (request, reply) => {
    const answer = await memo.get('openapi', CACHE_MS, () => openapiText(app));
    return sendAnswer(request, reply, { answer: answerOf(answer.body), cacheMs: CACHE_MS });
  });
}

/** The OpenAPI document of a ready server, as JSON. */
export function openapiText(app: FastifyInstance): string {
  return JSON.stringify(pruned(app.swagger()));
}

/** What only the live feed sends: no answer of a route leads to it. */
const EVENT_SCHEMAS: readonly string[] = ['JobEvent', 'ShareEvent'];
const REFERENCE = '#/components/schemas/';

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** Without the schemas that no route leads to: every one comes twice, for what is sent and for what is answered. */
function pruned(document: unknown): unknown {
  const fields = fieldsOf(document);
  const components = fieldsOf(fields.components);
  const schemas = fieldsOf(components.schemas);
  const kept = new Map<string, unknown>();
  const visit = (value: unknown): void => {
    for (const [key, part] of Object.entries(fieldsOf(value))) {
      if (key === '$ref' && typeof part === 'string') keep(part.slice(REFERENCE.length));
      else visit(part);
    }
  };
  const keep = (name: string): void => {
    if (kept.has(name) || !(name in schemas)) return;
    kept.set(name, schemas[name]);
    visit(schemas[name]);
  };
  visit(fields.paths);
  for (const name of EVENT_SCHEMAS) keep(name);
  const sorted = [...kept].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...fields, components: { ...components, schemas: Object.fromEntries(sorted) } };
}
