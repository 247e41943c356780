import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../packages/', import.meta.url));
const names = readdirSync(folder);

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(`${folder}${name}/package.json`, 'utf8')) as Manifest;

/** Packages of this workspace that `name` declares, and those that they declare, and so on. */
function declaredBy(name: string, found = new Set<string>([name])): ReadonlySet<string> {
  for (const dependency of Object.keys(manifestOf(name).dependencies ?? {})) {
    const below = /^@headframe\/(.+)$/.exec(dependency)?.[1];
    if (below === undefined || found.has(below)) continue;
    found.add(below);
    declaredBy(below, found);
  }
  return found;
}

// Writes the URL of every module that is loaded; hooks run in a thread of their own, hence no console.
const HOOKS = `import { writeSync } from 'node:fs';
export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)});`;

/** Imports a built package by its name in a process of its own; answers what was loaded for that. */
function importAlone(name: string): {
  readonly status: number | null;
  readonly error: string;
  readonly loaded: string[];
} {
  const script = `const api = await import('@headframe/${name}'); if (Object.keys(api).length === 0) process.exit(3);`;
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(REGISTER)}`,
    '--input-type=module',
    '-e',
    script,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: `${folder}${name}`, encoding: 'utf8' });
  return { status, error: stderr, loaded: stdout.split('\n').filter((url) => url.startsWith('file:')) };
}

/** `server` of `file:///.../packages/server/dist/index.js`; what comes from elsewhere by its package name. */
function ownerOf(url: string): string {
  const inWorkspace = /\/packages\/([^/]+)\/dist\//.exec(url)?.[1];
  return inWorkspace ?? /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? url;
}

/** Other people's code that a bare server or client may load: small, without natives or connections of its own. */
const LIGHT = ['@scure/base', 'bignumber.js', 'eventemitter3', 'zod'];

describe('each package by itself', () => {
  it.each(names)('%s is imported by its name alone, and loads nothing that it does not declare', (name) => {
    const { status, error, loaded } = importAlone(name);
    expect(error).toBe('');
    expect(status).toBe(0);
    const workspace = new Set(loaded.map(ownerOf).filter((owner) => names.includes(owner)));
    const declared = declaredBy(name);
    expect([...workspace].filter((owner) => !declared.has(owner))).toEqual([]);
    expect(workspace.has(name)).toBe(true);
  });

  it('a bare server and a bare client load no database, broker, web server or logger', () => {
    for (const name of ['server', 'client', 'sessions']) {
      const owners = new Set(importAlone(name).loaded.map(ownerOf));
      expect([...owners].filter((owner) => !names.includes(owner) && !LIGHT.includes(owner))).toEqual([]);
      for (const heavy of ['pool', 'ledger', 'http', 'daemon', 'payouts']) expect(owners.has(heavy), heavy).toBe(false);
    }
  });

  it('each has a README with an example that names it', () => {
    for (const name of names) {
      const blocks = [...readFileSync(`${folder}${name}/README.md`, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)];
      expect(
        blocks.some(([, code = '']) => code.includes(`'@headframe/${name}`)),
        name,
      ).toBe(true);
    }
  });
});
