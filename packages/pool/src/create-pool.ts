import type { AuthorizeHandler, DefaultAccount } from '@headframe/server';
import { parseConfig } from './config/problems.js';
import type { PoolHandlers, PoolModules, PoolOptions } from './options.js';
import { Pool } from './pool.js';

/**
 * Makes a pool. Nothing is opened before `listen()`.
 *
 * @throws PoolError `invalid_config` that lists everything that is wrong
 * @example
 * const pool = createPool({
 *   coin: 'bitcoin', network: 'regtest',
 *   daemons: [{ url: 'http://127.0.0.1:18443', user: 'u', password: 'p' }],
 *   payout: { scheme: 'solo', address: 'bcrt1q...' },
 *   listeners: [{ port: 3333 }],
 * });
 * pool.on('block', ({ height, hash }) => console.log('block', height, hash));
 * await pool.listen();
 */
export function createPool<Account>(
  options: PoolOptions<Account> & { readonly authorize: AuthorizeHandler<Account> },
  modules?: PoolModules,
): Pool<Account>;
export function createPool(options: PoolOptions<DefaultAccount>, modules?: PoolModules): Pool;
export function createPool<Account>(options: PoolOptions<Account>, modules: PoolModules = {}): Pool<Account> {
  const { authorize, admit, accountKey, ...config } = options;
  const handlers: PoolHandlers<Account> = {
    ...(authorize === undefined ? {} : { authorize }),
    ...(admit === undefined ? {} : { admit }),
    ...(accountKey === undefined ? {} : { accountKey }),
  };
  return new Pool(parseConfig(config), handlers, modules);
}
