import { expect, it } from 'vitest';
import { makeApi, TOKEN } from './support.js';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly responses?: Readonly<Record<string, unknown>>;
  readonly security?: unknown;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes?: object };
}

/** The router's own list, whatever was said of its routes: `METHOD /path/{parameter}`. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  const routes: string[] = [];
  for (const text of tree.split('\n')) {
    // Box-drawing characters: a bar or a space and three spaces per level, then a branch.
    const match = /^((?:[\u2502 ] {3})*)[\u251c\u2514]\u2500\u2500 (\S+)(?: \((.+)\))?$/.exec(text);
    if (match === null) continue;
    const [, indent = '', part = '', methods = ''] = match;
    const depth = indent.length / 4;
    const path = `${depth === 0 ? '' : parents[depth - 1]}${part}`;
    parents[depth] = path;
    for (const method of methods.split(', ')) {
      if (method !== '' && method !== 'HEAD') routes.push(`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    }
  }
  return routes;
}

async function documentOf(adminToken?: string): Promise<{ document: Document; routes: string[] }> {
  const { server, get } = makeApi({ adminToken });
  const answer = await get('/api/v1/openapi.json');
  expect(answer.statusCode).toBe(200);
  const document = answer.json() as Document;
  return { document, routes: routesOf(server.app.printRoutes({ commonPrefix: false })) };
}

it('describes every route of the API, with parameters, tags and answers', async () => {
  const { document, routes } = await documentOf(TOKEN);
  expect(document.openapi).toMatch(/^3\.1\./);
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const own = ['GET /healthz', 'GET /readyz', 'GET /api/v1/openapi.json'];
  expect([...described, ...own].sort()).toEqual(routes.sort());
  const tags = new Set(document.tags.map(({ name }) => name));
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const at = `${method} ${path}`;
      expect(operation.summary, at).toBeTruthy();
      expect(
        operation.tags?.every((tag) => tags.has(tag)),
        at,
      ).toBe(true);
      expect(Object.keys(operation.responses ?? {}).sort(), at).toEqual(['200', 'default']);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const named = operation.parameters?.filter((one) => one.in === 'path') ?? [];
      expect(named.map(({ name }) => name).sort(), at).toEqual(inPath.sort());
      expect(
        named.every(({ required }) => required === true),
        at,
      ).toBe(true);
      expect(operation.security !== undefined, at).toBe(path.startsWith('/api/v1/admin'));
    }
  }
});

it('leaves no reference open and no schema unused', async () => {
  const { document } = await documentOf(TOKEN);
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
  // Sent by the live feed alone.
  for (const name of ['JobEvent', 'ShareEvent']) used.add(name);
  expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort());
  expect(used).toContain('PoolInfo');
  expect(used).toContain('Problem');
  expect(document.components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer' } });
});

it('knows nothing of admin routes where there are none', async () => {
  const { document, routes } = await documentOf();
  expect(Object.keys(document.paths).filter((path) => path.includes('admin'))).toEqual([]);
  expect(document.tags.map(({ name }) => name)).not.toContain('admin');
  expect(document.components.securitySchemes).toBeUndefined();
  expect(routes.join('\n')).not.toContain('admin');
});
