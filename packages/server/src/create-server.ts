import type { AuthorizeHandler, DefaultAccount, MiningServerModules, MiningServerOptions } from './options.js';
import { MiningServer } from './server.js';

/**
 * Makes a mining server. The account type is what the `authorize` handler returns; without one, every username is
 * taken as an account.
 *
 * @throws PoolError `invalid_config` for a wrong difficulty, limit or extranonce size
 * @example
 * const server = createServer({
 *   listeners: [{ port: 3333, difficulty: { start: 1024, target: 15 } }],
 *   authorize: ({ username }) => accounts.get(username) ?? reject('unauthorized', 'unknown account'),
 * });
 * server.on('share', ({ account, difficulty }) => stats.add(account.id, difficulty));
 * await server.listen();
 */
export function createServer<Account>(
  options: MiningServerOptions<Account> & { readonly authorize: AuthorizeHandler<Account> },
  modules?: MiningServerModules<Account>,
): MiningServer<Account>;
export function createServer(
  options: MiningServerOptions<DefaultAccount>,
  modules?: MiningServerModules<DefaultAccount>,
): MiningServer<DefaultAccount>;
export function createServer<Account>(
  options: MiningServerOptions<Account>,
  modules: MiningServerModules<Account> = {},
): MiningServer<Account> {
  return new MiningServer(options, modules);
}
