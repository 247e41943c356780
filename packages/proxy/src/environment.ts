import { PoolError } from '@headframe/primitives';

/** Begins the name of every variable that sets a key. */
const PREFIX = 'HEADFRAME_PROXY_';
/** Names the file; no key. */
const RESERVED = 'HEADFRAME_PROXY_CONFIG';
/** Longest list that variables can build. */
const MAX_POSITION = 99;

type Tree = { [key: string]: unknown } | unknown[];

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

/** `UPSTREAMS__0__USER` to `['upstreams', '0', 'user']`: one underscore begins a capital. */
function pathOf(name: string): string[] {
  return name
    .slice(PREFIX.length)
    .split('__')
    .map((part) => part.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function put(tree: Tree, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (Array.isArray(tree) && !(Number(key) <= MAX_POSITION && /^\d+$/.test(key))) {
    throw new PoolError('invalid_config', `environment: "${key}" is no list position up to ${MAX_POSITION}`);
  }
  const before: unknown = Object.getOwnPropertyDescriptor(tree, key)?.value;
  let next: unknown = value;
  if (rest.length > 0) {
    const child: Tree = isTree(before) ? before : /^\d+$/.test(rest[0] ?? '') ? [] : {};
    put(child, rest, value);
    next = child;
  }
  Object.defineProperty(tree, key, { value: next, writable: true, enumerable: true, configurable: true });
}

/**
 * A copy of `config` with the variables of `env` put in: `HEADFRAME_PROXY_` and the path in capitals, parts separated by
 * two underscores (`HEADFRAME_PROXY_LISTENERS__0__PORT=3333`). Values are read as JSON where they are JSON, else as text.
 * @throws PoolError `invalid_config` for a list position that cannot be
 */
export function applyProxyEnvironment(config: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  const result: Tree = isTree(config) ? (structuredClone(config) as Tree) : {};
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(PREFIX) || name === RESERVED || text === undefined) continue;
    put(result, pathOf(name), readValue(text));
  }
  return result;
}
