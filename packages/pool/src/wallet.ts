import { bcoinWallet, coreWallet, type Wallet } from '@headframe/payouts';
import { type Clock, type Logger, PoolError } from '@headframe/primitives';
import type { PoolConfig } from './config/schema.js';
import type { PoolSetup } from './setup.js';
import { daemonOptions } from './supervised-nodes.js';

/**
 * The wallet of a configuration: where it says, or at the first node with that node's login.
 * @throws PoolError `invalid_config` without `payout.payments`
 */
export function createPoolWallet(
  config: PoolConfig,
  { coin, poolAddress }: PoolSetup,
  modules: { readonly clock?: Clock; readonly log?: Logger },
): Wallet {
  const wallet = config.payout.payments?.wallet;
  if (wallet === undefined) {
    throw new PoolError('invalid_config', 'payout.payments: is needed for a wallet');
  }
  const node = daemonOptions(config, 0, coin);
  const isElsewhere = wallet.url !== undefined;
  const login = isElsewhere ? wallet : { ...node, ...defined(wallet) };
  const { user, password, cookieFile } = login;
  const url = wallet.url ?? node.url;
  const { name, passphrase } = wallet;
  if (wallet.type === 'bcoin') {
    const beside = { url: node.url, ...defined({ user: node.user, password: node.password }) };
    const own = defined({ password: wallet.password, name, passphrase });
    return bcoinWallet({ url, coin, node: beside, ...own }, modules);
  }
  const own = defined({ user, password, cookieFile, name, passphrase });
  return coreWallet({ url, coin, address: poolAddress, ...own }, modules);
}

function defined<T extends object>(value: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
