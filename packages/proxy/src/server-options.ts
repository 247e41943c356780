import type { Logger } from '@headframe/primitives';
import type { MiningListenerOptions, ValidatorFactory } from '@headframe/server';
import type { BanOptions } from '@headframe/sessions';
import { createValidator } from '@headframe/validator';
import type { ProxyAccount } from './accounts.js';
import type { ProxyConfig } from './config.js';

/** A listener of the configuration as the server takes it. */
export function listenerOptions(listener: ProxyConfig['listeners'][number]): MiningListenerOptions {
  const { host, port, difficulty, tls, proxyProtocol, publicUrl } = listener;
  return {
    host,
    port,
    difficulty,
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key, required: tls.only } }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    ...(publicUrl === undefined ? {} : { stratumUrl: publicUrl }),
  };
}

/** When a proxy bans. */
export function banOptions({ bans }: ProxyConfig): BanOptions {
  return {
    enabled: bans.enabled,
    durationMs: bans.seconds * 1000,
    ...(bans.allow === undefined ? {} : { allow: bans.allow }),
  };
}

/** Where shares are hashed; undefined: the server's own. */
export function validatorFactory(config: ProxyConfig, log: Logger): ValidatorFactory<ProxyAccount> | undefined {
  const { validation: mode, algorithm } = config;
  return (listener) => createValidator({ mode, algorithm, listener, log });
}
