import { PoolError } from '@headframe/primitives';

/**
 * Every configuration key can be set by an environment variable: `HEADFRAME_` and the path in capitals, parts
 * separated by two underscores (`HEADFRAME_LISTENERS__0__PORT=3333`, `HEADFRAME_PAYOUT__ADDRESS=...`).
 * Values are read as JSON where they parse as such (numbers, true, objects), else as text.
 */
export const ENV_PREFIX = 'HEADFRAME_';

/** Variables with the prefix that are no configuration key. */
const RESERVED = new Set(['HEADFRAME_REQUIRE_SERVICES', 'HEADFRAME_CONFIG', 'HEADFRAME_CONTROL_TOKEN']);

type Tree = { [key: string]: unknown } | unknown[];

/** `LISTENERS__0__PROXY_PROTOCOL` to `['listeners', '0', 'proxyProtocol']`: one underscore begins a capital. */
function toPath(name: string): string[] {
  return name
    .slice(ENV_PREFIX.length)
    .split('__')
    .map((part) => part.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

function child(tree: Tree, key: string): unknown {
  return Array.isArray(tree) ? tree[Number(key)] : Object.hasOwn(tree, key) ? tree[key] : undefined;
}

/** Longest list that variables can build. */
const MAX_POSITION = 999;

function assign(tree: Tree, key: string, value: unknown): void {
  if (Array.isArray(tree)) {
    const position = Number(key);
    if (!Number.isInteger(position) || position > MAX_POSITION) {
      throw new PoolError('invalid_config', `environment: "${key}" is no list position up to ${MAX_POSITION}`);
    }
    tree[position] = value;
  } else Object.defineProperty(tree, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A copy of `config` with the variables of `env` put in. Digits make a list, anything else an object. */
export function applyEnvironment(config: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  const result: Tree = isTree(config) ? (structuredClone(config) as Tree) : {};
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(ENV_PREFIX) || RESERVED.has(name) || text === undefined) continue;
    const path = toPath(name);
    let tree = result;
    for (const [depth, key] of path.entries()) {
      if (depth === path.length - 1) assign(tree, key, parseValue(text));
      else {
        let next = child(tree, key);
        if (!isTree(next)) {
          next = /^\d+$/.test(path[depth + 1] ?? '') ? [] : {};
          assign(tree, key, next);
        }
        tree = next as Tree;
      }
    }
  }
  return result;
}
