import { readFileSync } from 'node:fs';
import type { Bus } from '@headframe/mining';
import { addressAuthorize, outputSetsFor } from '@headframe/payouts';
import { type Clock, errorMessage, type Logger, PoolError } from '@headframe/primitives';
import {
  type AuthorizeHandler,
  defaultAccountKey,
  type MiningListenerOptions,
  MiningServer,
  type ValidatorFactory,
} from '@headframe/server';
import type { BanOptions } from '@headframe/sessions';
import { createValidator } from '@headframe/validator';
import { type ConfigProblem, configError } from './config/problems.js';
import type { PoolConfig } from './config/schema.js';
import type { PoolHandlers } from './options.js';
import type { PoolSetup } from './setup.js';

interface ServerModules {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where accounts are credited, a username is an address; else every name is taken. */
function defaultAuthorize<Account>(setup: PoolSetup): AuthorizeHandler<Account> | undefined {
  // Only a pool of the default account type comes without a handler, and that type is a part of what this answers.
  return setup.creditsAccounts ? (addressAuthorize(setup.coin) as AuthorizeHandler<Account>) : undefined;
}

/**
 * Nobody mines as the pool's own account where that is a name: who registered as `pool` would be paid what the pool
 * keeps. A refusal of one authorize, which the log explains.
 */
function guardedKey<Account>(
  { creditsAccounts, poolAccount, poolAddress }: PoolSetup,
  keyOf: (account: Account) => string,
): (account: Account) => string {
  if (!creditsAccounts || poolAccount === poolAddress) return keyOf;
  return (account) => {
    const key = keyOf(account);
    if (key === poolAccount) throw new PoolError('invalid_argument', `${key} is the account of the pool itself`);
    return key;
  };
}

/** When a pool bans. */
export function banOptions({ bans }: PoolConfig): BanOptions {
  return {
    enabled: bans.enabled,
    durationMs: bans.seconds * 1000,
    badRatio: bans.invalidRatio,
    minBad: bans.minInvalid,
    ...(bans.allow === undefined ? {} : { allow: bans.allow }),
  };
}

/** The edge of a configuration. @throws PoolError `invalid_config` when a certificate cannot be read */
export function createMiningServer<Account>(
  config: PoolConfig,
  setup: PoolSetup,
  handlers: PoolHandlers<Account>,
  modules: ServerModules,
): MiningServer<Account> {
  const { coin, versionMask } = setup;
  const authorize = handlers.authorize ?? defaultAuthorize<Account>(setup);
  const options = {
    listeners: config.listeners.map(listenerOptions),
    difficultyFactor: coin.difficultyFactor,
    versionMask,
    instance: config.instance,
    limits: { ...config.limits, leaseMs: config.leaseSeconds * 1000 },
    bans: banOptions(config),
    refreshSpreadMs: config.jobs.spread * 1000,
    ...(config.payout.scheme === 'coinbase-split' ? { outputSets: outputSetsFor } : {}),
    ...(authorize === undefined ? {} : { authorize }),
    ...(handlers.admit === undefined ? {} : { admit: handlers.admit }),
    accountKey: guardedKey<Account>(setup, handlers.accountKey ?? defaultAccountKey),
  };
  const validator: ValidatorFactory<Account> = (listener) =>
    createValidator({
      mode: config.validation,
      algorithm: coin.algorithm,
      listener,
      log: modules.log,
      ...(config.threads === undefined ? {} : { threads: config.threads }),
    });
  return new MiningServer<Account>(options, { ...modules, validator });
}

function listenerOptions(listener: PoolConfig['listeners'][number], index: number): MiningListenerOptions {
  const { host, port, difficulty, extranonce2Size, proxyProtocol, publicUrl, protocol } = listener;
  return {
    host,
    port,
    difficulty,
    extranonce2Size,
    ...(listener.tls === undefined ? {} : { tls: readTls(listener.tls, index) }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    ...(publicUrl === undefined ? {} : { stratumUrl: publicUrl }),
    ...(protocol === 'auto' ? {} : { protocols: ['stratum-v1'] }),
  };
}

type TlsConfig = NonNullable<PoolConfig['listeners'][number]['tls']>;

/** @throws PoolError `invalid_config` when a file cannot be read */
function readTls(tls: TlsConfig, index: number): { key: string; cert: string; required: boolean } {
  const problems: ConfigProblem[] = [];
  const read = (text: string | undefined, file: string | undefined, key: string): string => {
    if (text !== undefined) return text;
    try {
      return readFileSync(file ?? '', 'utf8');
    } catch (error) {
      problems.push({ path: `listeners[${index}].tls.${key}`, message: `cannot be read: ${errorMessage(error)}` });
      return '';
    }
  };
  const cert = read(tls.cert, tls.certFile, 'certFile');
  const key = read(tls.key, tls.keyFile, 'keyFile');
  if (problems.length > 0) throw configError(problems);
  return { key, cert, required: tls.only };
}
