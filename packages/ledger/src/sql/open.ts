import { type Logger, PoolError } from '@headframe/primitives';
import type { SqlDatabase } from './types.js';

/** Where the data lies, as plain data. */
export interface DatabaseSpec {
  /** `sqlite:PATH` or `postgres://...` */
  readonly url: string;
  readonly readOnly: boolean;
  readonly maxBytes: number | undefined;
  readonly busyTimeoutMs: number | undefined;
}

/** Which engine a URL means. @throws PoolError `invalid_argument` */
export function engineOf(url: string): 'sqlite' | 'postgres' {
  if (/^postgres(ql)?:\/\//.test(url)) return 'postgres';
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  // Each connection would have a memory of its own, and none of it is durable.
  if (path === '' || path.startsWith(':memory:')) {
    throw new PoolError('invalid_argument', 'the storage URL is sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE');
  }
  return 'sqlite';
}

/** Opens a database; only the driver it needs is loaded. */
export async function openDatabase(spec: DatabaseSpec, log: Logger): Promise<SqlDatabase> {
  if (engineOf(spec.url) === 'postgres') {
    const { openPostgres } = await import('./postgres.js');
    return openPostgres({ url: spec.url, log });
  }
  const { openSqlite } = await import('./sqlite.js');
  const { readOnly, maxBytes, busyTimeoutMs } = spec;
  return openSqlite({
    path: spec.url.slice('sqlite:'.length),
    readOnly,
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
  });
}
