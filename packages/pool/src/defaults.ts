import type { PoolConfigInput } from './config/schema.js';

/** Any part of what `T` has, at any depth; lists count as a whole. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> | undefined }
    : T;

/**
 * Defaults of your own, for several pools or a product built on this one. Returns a function that puts them under a
 * configuration: objects are merged at every depth, lists and values replace. Nothing global changes, and neither
 * argument does.
 *
 * @example
 * const ours = defineDefaults({ network: 'regtest', limits: { idleTimeoutMs: 60_000 }, log: { level: 'warn' } });
 * const pool = createPool(ours({ daemons, payout, listeners, limits: { connections: 100 } }));
 */
export function defineDefaults(
  defaults: DeepPartial<PoolConfigInput>,
): <Config extends PoolConfigInput>(config: Config) => Config {
  const kept = structuredClone(defaults);
  // The result has every key of the argument; what is added below are optional keys of the same schema.
  return <Config extends PoolConfigInput>(config: Config): Config => merge(kept, config) as Config;
}

function merge(under: unknown, over: unknown): unknown {
  if (over === undefined) return isPlain(under) || Array.isArray(under) ? structuredClone(under) : under;
  if (!isPlain(under) || !isPlain(over)) return over;
  const merged: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(under), ...Object.keys(over)])) {
    const value = merge(own(under, key), own(over, key));
    Object.defineProperty(merged, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return merged;
}

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? Reflect.get(object, key) : undefined;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
