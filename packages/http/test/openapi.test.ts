import { expect, it } from 'vitest';
import { makeApi } from './support.js';

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

async function documentOf(adminToken?: string): Promise<{ document: Document; routes: string[] }> {
  const options = adminToken === undefined ? { adminToken: undefined } : { adminToken };
  const { server, get } = makeApi(options);
  const routes: string[] = [];
  const answer = await get('/api/v1/openapi.json');
  expect(answer.statusCode).toBe(200);
  // The router's own list: what is served, whatever was said of it.
  for (const line of server.app.printRoutes({ commonPrefix: false, includeHooks: false }).split('\n'))
    routes.push(line);
  return { document: answer.json() as Document, routes };
}

it('describes every route of the API, with parameters, tags and answers', async () => {
  const { server, get } = makeApi();
  const document = (await get('/api/v1/openapi.json')).json() as Document;
  expect(document.openapi).toMatch(/^3\.1\./);
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(new Set(described).size).toBe(described.length);
  expect(described.length).toBeGreaterThanOrEqual(39);
  for (const line of described) {
    const [method = '', path = ''] = line.split(' ');
    expect(server.app.hasRoute({ method: method as 'GET', url: path.replaceAll(/\{(\w+)\}/g, ':$1') }), line).toBe(
      true,
    );
  }
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
  const { document } = await documentOf('correct-horse-battery');
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
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
