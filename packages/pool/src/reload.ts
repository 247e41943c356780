import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@headframe/primitives';
import type { PoolConfig } from './config/schema.js';

/** What became of a new configuration. Paths as in problems: `listeners[0].difficulty`. */
export interface ReloadResult {
  /** In force now. */
  readonly applied: readonly string[];
  /** Different, but only read at the start. */
  readonly needsRestart: readonly string[];
}

/** What changes while the pool runs, by path. Each is called with the whole new configuration. */
export type LiveChanges = ReadonlyMap<string, (config: PoolConfig) => void>;

/** Paths that differ: top-level keys, taken apart into the keys below them where one of those can change live. */
export function changedPaths(before: PoolConfig, after: PoolConfig): string[] {
  const paths: string[] = [];
  const compare = (path: string, a: unknown, b: unknown, depth: number): void => {
    if (isDeepStrictEqual(a, b)) return;
    if (depth > 0 && isObject(a) && isObject(b) && Array.isArray(a) === Array.isArray(b)) {
      if (Array.isArray(a) && Array.isArray(b)) {
        if (a.length !== b.length) paths.push(path);
        else for (const [i, item] of a.entries()) compare(`${path}[${i}]`, item, b[i], depth - 1);
        return;
      }
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
        compare(`${path}.${key}`, Reflect.get(a, key), Reflect.get(b, key), depth - 1);
      }
      return;
    }
    paths.push(path);
  };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const depth = key === 'listeners' ? 2 : key === 'payout' || key === 'log' ? 1 : 0;
    compare(key, Reflect.get(before, key), Reflect.get(after, key), depth);
  }
  return paths;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * Applies what can change live; the rest is told. `config` is what is in force then.
 */
export function applyChanges(
  before: PoolConfig,
  after: PoolConfig,
  live: LiveChanges,
): ReloadResult & { readonly config: PoolConfig } {
  const applied: string[] = [];
  const needsRestart: string[] = [];
  const config = structuredClone(before);
  for (const path of changedPaths(before, after)) {
    const change = live.get(path);
    if (change === undefined) needsRestart.push(path);
    else {
      change(after);
      copyPath(after, config, path);
      applied.push(path);
    }
  }
  return { applied, needsRestart, config };
}

function copyPath(from: object, to: object, path: string): void {
  const parts = path.split(/[.[\]]+/).filter((part) => part !== '');
  const last = parts.pop() ?? '';
  let source = from;
  let target = to;
  for (const part of parts) {
    const [a, b] = [Reflect.get(source, part), Reflect.get(target, part)];
    if (!isObject(a) || !isObject(b)) return;
    source = a;
    target = b;
  }
  Reflect.set(target, last, Reflect.get(source, last));
}

/** Pino and others have their level as a property; a logger without one keeps what it has. */
export function setLevel(log: Logger, level: string): void {
  if ('level' in log) log.level = level;
}
