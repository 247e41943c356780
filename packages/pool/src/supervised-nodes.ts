import { resolve } from 'node:path';
import type { Coin } from '@headframe/coins';
import {
  createDaemonRegistry,
  type DaemonDefinition,
  type DaemonOptions,
  type DaemonRegistry,
  presetOfCoin,
  type SupervisorNotifyOptions,
  type SupervisorOptions,
  supervisedCommand,
} from '@headframe/daemon';
import { type Clock, errorMessage, type Logger } from '@headframe/primitives';
import { configError } from './config/problems.js';
import type { PoolConfig } from './config/schema.js';
import { definedOnly } from './defined-only.js';

type DaemonConfig = PoolConfig['daemons'][number];

export interface SupervisedNodesModules {
  readonly log: Logger;
  readonly clock: Clock;
  /** Words of the command that nodes run on news; default `headframe notify`. */
  readonly notifyCommand?: readonly string[] | undefined;
}

/** How a node of the configuration is reached, be it supervised or not. @throws PoolError `invalid_config` */
export function daemonOptions(config: PoolConfig, index: number, coin: Coin): DaemonOptions {
  const { timeout, zmq, supervise, url, ...daemon } = entryOf(config, index);
  const supervised = supervise === undefined ? undefined : supervisorOptions(config, index, coin);
  const reached =
    supervised === undefined
      ? { ...definedOnly(daemon), url: url ?? '' }
      : checked(index, () => {
          const { name, rpc } = supervisedCommand(supervised);
          return { name, ...rpc };
        });
  return { ...reached, timeoutMs: timeout * 1000, ...(zmq !== undefined && { zmq: definedOnly(zmq) }) };
}

/**
 * The nodes that the pool starts itself, none of them started yet; undefined when there are none.
 * @throws PoolError `invalid_config` that names the entry
 */
export function createSupervisedNodes(
  config: PoolConfig,
  coin: Coin,
  { notifyCommand, ...modules }: SupervisedNodesModules,
): DaemonRegistry | undefined {
  if (config.daemons.every(({ supervise }) => supervise === undefined)) return undefined;
  const registry = createDaemonRegistry(modules);
  for (const [index, { supervise }] of config.daemons.entries()) {
    if (supervise === undefined) continue;
    checked(index, () => registry.add(supervisorOptions(config, index, coin, notifyCommand)));
  }
  return registry;
}

function supervisorOptions(
  config: PoolConfig,
  index: number,
  coin: Coin,
  notifyCommand?: readonly string[],
): SupervisorOptions {
  const entry = entryOf(config, index);
  const { supervise } = entry;
  if (supervise === undefined) throw configError([{ path: `daemons[${index}].supervise`, message: 'is missing' }]);
  const { user, password, url } = entry;
  const report = reportTo(config.control);
  const address = url === undefined ? undefined : new URL(url);
  return definedOnly({
    name: entry.name ?? (config.daemons.length === 1 ? undefined : `node ${index + 1}`),
    daemon: kindOf(supervise, index, coin),
    network: coin.network,
    dataDir: supervise.dataDir,
    binary: supervise.binary,
    args: supervise.args,
    env: supervise.env,
    p2pPort: supervise.p2pPort,
    rpc:
      address === undefined
        ? undefined
        : definedOnly({ host: hostOf(address, index), port: address.port === '' ? undefined : Number(address.port) }),
    authentication:
      user === undefined && password === undefined
        ? undefined
        : ({ kind: 'password', user: user ?? '', password: password ?? '' } as const),
    startTimeoutMs: supervise.startTimeout * 1000,
    stopTimeoutMs: supervise.stopTimeout * 1000,
    restart: {
      minDelayMs: supervise.restart.minDelay * 1000,
      maxDelayMs: supervise.restart.maxDelay * 1000,
      stableAfterMs: supervise.restart.stableAfter * 1000,
      maxRestarts: supervise.restart.max,
      windowMs: supervise.restart.window * 1000,
    },
    notify:
      report === undefined || supervise.notify.length === 0
        ? undefined
        : definedOnly({ ...report, types: supervise.notify, command: notifyCommand }),
  });
}

/** Where nodes report to: the control RPC, if it can be reached without a password that we do not know. */
function reportTo(control: PoolConfig['control']): Omit<SupervisorNotifyOptions, 'command' | 'types'> | undefined {
  if (control === undefined) return undefined;
  const { socket, host, port, token, tokenFile } = control;
  // The node may run in another folder.
  if (socket !== undefined) return { socket: resolve(socket) };
  // A port that the system picks is not known yet.
  if (port === undefined || port === 0 || (token ?? tokenFile) === undefined) return undefined;
  const address = host === '0.0.0.0' || host === '::' ? undefined : host;
  return definedOnly({ host: address, port, token, tokenFile });
}

function kindOf(
  { preset, definition }: NonNullable<DaemonConfig['supervise']>,
  index: number,
  coin: Coin,
): string | DaemonDefinition {
  if (definition !== undefined) {
    const { notify, ...rest } = definition;
    return { ...definedOnly(rest), ...(notify !== undefined && { notify: definedOnly(notify) }) };
  }
  const name = preset ?? presetOfCoin(coin);
  if (name !== undefined) return name;
  const message = `is needed: there is no preset for ${coin.name}`;
  throw configError([{ path: `daemons[${index}].supervise.definition`, message }]);
}

/** A node is started on this machine, so its address is one of its own. */
function hostOf(url: URL, index: number): string {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:' && url.username === '' && url.password === '') {
    if (host === 'localhost') return '127.0.0.1';
    if (host === '127.0.0.1' || host === '::1') return host;
  }
  const message = 'must be http://127.0.0.1:PORT for a supervised node, user and password in keys of their own';
  throw configError([{ path: `daemons[${index}].url`, message }]);
}

function entryOf(config: PoolConfig, index: number): DaemonConfig {
  const entry = config.daemons[index];
  if (entry === undefined) throw configError([{ path: `daemons[${index}]`, message: 'is missing' }]);
  return entry;
}

/** What the supervisor finds wrong is wrong with the configuration. */
function checked<T>(index: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw configError([{ path: `daemons[${index}].supervise`, message: errorMessage(error) }]);
  }
}
