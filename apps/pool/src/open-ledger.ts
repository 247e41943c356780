import { existsSync } from 'node:fs';
import type { Coin } from '@headframe/coins';
import { type Ledger, openLedger } from '@headframe/ledger';
import { canonicalAddress } from '@headframe/payouts';
import { ledgerUrl, openPoolLedger, type PoolConfig, type PoolSetup, parseConfig, setUp } from '@headframe/pool';
import { isPoolError, PoolError, silentLogger } from '@headframe/primitives';
import { type Args, type OptionHelp, UsageError } from './args.js';
import { loadConfig } from './load-config.js';

/** Options of every command that reads the ledger. */
export const LEDGER_OPTIONS: Readonly<Record<string, OptionHelp>> = {
  config: { type: 'string', short: 'c', value: 'FILE', help: 'Configuration of the pool, as `start` takes it.' },
  url: { type: 'string', value: 'URL', help: 'The database alone: sqlite:FILE or postgres://...' },
  json: { type: 'boolean', help: 'Print one JSON document.' },
};

/** Options of commands that need the whole configuration. */
export const CONFIG_OPTIONS: Readonly<Record<string, OptionHelp>> = {
  config: { type: 'string', short: 'c', value: 'FILE', help: 'Configuration of the pool, as `start` takes it.' },
  json: { type: 'boolean', help: 'Print one JSON document.' },
};

/** A pool's configuration, and what it means for the chain. */
export interface LoadedPool {
  readonly config: PoolConfig;
  readonly setup: PoolSetup;
  readonly coin: Coin;
}

/** @throws PoolError `invalid_config` */
export async function loadPool(args: Args): Promise<LoadedPool> {
  const config = parseConfig(await loadConfig(args.text('config'), process.env));
  const setup = setUp(config);
  return { config, setup, coin: setup.coin };
}

/**
 * The account that a person means: where accounts are addresses, bech32 may come in capitals, as QR codes have it.
 * Without a configuration a name is what it is.
 */
export function accountMeant(pool: LoadedPool | undefined, name: string): string {
  if (pool === undefined || !pool.setup.creditsAccounts) return name;
  try {
    return canonicalAddress(pool.coin, name);
  } catch (error) {
    if (isPoolError(error)) return name;
    throw error;
  }
}

/** Where the ledger is, and the configuration when that says it. */
export interface LedgerPlace {
  readonly url: string;
  readonly pool: LoadedPool | undefined;
}

/**
 * Finds the ledger by `--url`, or by the configuration.
 * @throws UsageError when neither is given; PoolError `invalid_config`, `not_supported` without a ledger
 */
export async function ledgerPlace(args: Args): Promise<LedgerPlace> {
  const url = args.text('url');
  if (url !== undefined) {
    if (!/^(sqlite:.+|postgres(ql)?:\/\/.+)$/.test(url)) {
      throw new UsageError('--url must be sqlite:FILE or postgres://user:password@host/database');
    }
    return { url, pool: undefined };
  }
  if (args.text('config') === undefined && process.env.HEADFRAME_CONFIG === undefined) {
    throw new UsageError('which pool? --config FILE, HEADFRAME_CONFIG, or --url for the database alone');
  }
  const pool = await loadPool(args);
  const found = ledgerUrl(pool.config);
  if (found === undefined) {
    throw new PoolError('not_supported', 'this pool has no ledger: storage.url is log:, the plain share log');
  }
  return { url: found, pool };
}

/** A question must not make an empty database out of a mistyped path. */
export function requireDatabase(url: string): void {
  const file = /^sqlite:(.+)$/.exec(url)?.[1];
  if (file !== undefined && !existsSync(file)) {
    throw new PoolError('not_found', `there is no database at ${file}; a pool makes it at its first start`);
  }
}

/** Runs `work` on the ledger and closes it whatever happens. `pool` is undefined when only a URL was given. */
export async function withLedger<Result>(
  args: Args,
  work: (ledger: Ledger, pool: LoadedPool | undefined) => Promise<Result>,
): Promise<Result> {
  const { url, pool } = await ledgerPlace(args);
  requireDatabase(url);
  const ledger =
    pool === undefined
      ? await openLedger({ url, log: silentLogger })
      : await openPoolLedger(pool.config, pool.coin, { log: silentLogger });
  try {
    return await work(ledger, pool);
  } finally {
    await ledger.close();
  }
}
