import { readFile } from 'node:fs/promises';
import { type Coin, type CoinDefinition, resolveCoin } from '@headframe/coins';
import { type DaemonOptions, subscribeZmq, type ZmqLoader, type ZmqSubscriber } from '@headframe/daemon';
import { sha256d } from '@headframe/hashing';
import {
  type Clock,
  hexToBytes,
  type Listener,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  TypedEmitter,
  toDisplayHex,
} from '@headframe/primitives';
import type { CloseOptions, ListenerInfo, ListenerOptions } from '@headframe/sessions';
import { registerHeaderMethods } from './backend/header-methods.js';
import { Notifier } from './backend/notifier.js';
import { registerScriptMethods } from './backend/script-methods.js';
import { registerServerMethods } from './backend/server-methods.js';
import { registerTransactionMethods } from './backend/transaction-methods.js';
import type { IndexTip } from './chain/calls.js';
import { type ChainIndex, openChainIndex } from './chain/chain-index.js';
import type { IndexNews } from './chain/index-core.js';
import { linkNodes, type NodeCalls } from './chain/node-link.js';
import { type ElectrumConfig, type ElectrumConfigInput, electrumConfigSchema } from './config.js';
import { createElectrumFramework, type ElectrumFramework } from './sessions/framework.js';
import { Subscriptions } from './sessions/subscriptions.js';

/** Events of a node-backed Electrum server. They observe. */
export interface ElectrumServerEvents {
  /** Blocks come in; heights. */
  progress: { readonly height: number; readonly target: number };
  /** Another tip was indexed and sent to the sessions. */
  tip: IndexTip;
  /** The node does not answer, or the index cannot go on; it is tried again. */
  trouble: { readonly message: string };
}

export interface ElectrumServerModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** An index that is open already; the server does not close it. */
  readonly index?: ChainIndex;
  /** Where the index runs, see `openChainIndex`. */
  readonly indexMode?: 'thread' | 'inline';
  readonly workerUrl?: URL;
  /** Makes a ZeroMQ socket; default: the optional package. */
  readonly zmq?: ZmqLoader;
}

/** @throws PoolError `invalid_config` naming each path that is wrong */
export function parseElectrumConfig(value: unknown): ElectrumConfig {
  const parsed = electrumConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
  const text = problems.map(({ path, message }) => `${path === '' ? 'configuration' : path}: ${message}`).join('; ');
  throw new PoolError('invalid_config', `invalid configuration: ${text}`, { details: { problems } });
}

/** An Electrum server over a coin node: wallets connect to it and see the chain of that node. */
export class ElectrumServer {
  readonly coin: Coin;
  /** For methods, hooks, session events and bans. */
  readonly framework: ElectrumFramework;
  readonly #config: ElectrumConfig;
  readonly #modules: ElectrumServerModules;
  readonly #log: Logger;
  readonly #events: TypedEmitter<ElectrumServerEvents>;
  readonly #node: NodeCalls;
  readonly #subscriptions = new Subscriptions();
  #index: ChainIndex | undefined;
  #notifier: Notifier | undefined;
  #tip: IndexTip = { height: -1, header: '' };
  #genesisHash = '';
  #live: (() => void) | undefined;
  #gaveUp: ((error: PoolError) => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #announcers: ZmqSubscriber[] = [];
  #stopListening: () => void = () => {};

  constructor(config: ElectrumConfig, modules: ElectrumServerModules = {}) {
    this.#config = config;
    this.#modules = modules;
    this.#log = modules.log ?? silentLogger;
    this.#events = new TypedEmitter<ElectrumServerEvents>((error) => {
      this.#log.error({ err: error }, 'event listener failed');
    });
    // A definition is checked by resolveCoin.
    this.coin = resolveCoin(config.coin as string | CoinDefinition, config.network);
    this.#node = linkNodes(daemonsOf(config));
    this.framework = makeFramework(config, modules);
  }

  /** Newest indexed block. */
  get tip(): IndexTip {
    return this.#tip;
  }
  /** Open script subscriptions. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof ElectrumServerEvents>(event: Name, listener: Listener<ElectrumServerEvents[Name]>): () => void {
    return this.#events.on(event, listener);
  }

  /** Look at the node now: a block was announced (`blocknotify`, ZMQ). */
  blockAnnounced(): void {
    this.#index?.poke();
  }

  /**
   * Opens the index, brings it up to the node, and only then opens the listeners: a wallet must not see half a chain.
   * Resolves with what they are bound to.
   * @throws PoolError `invalid_config`, `storage_failed`, `listen_failed`, `closed` when it was closed meanwhile
   */
  async listen(): Promise<readonly ListenerInfo[]> {
    if (this.#index !== undefined || this.#closing !== undefined) {
      throw new PoolError('closed', 'the server was started or closed before');
    }
    const { index: given, log, clock, indexMode, workerUrl } = this.#modules;
    const { dataFile, pollMs, limits } = this.#config;
    const index =
      given ??
      (await openChainIndex(
        {
          path: dataFile,
          chain: `${this.coin.name}/${this.coin.network}`,
          nodes: daemonsOf(this.#config),
          pollMs,
          maxHistory: limits.history,
          maxMempool: limits.mempool,
          mode: indexMode ?? 'thread',
          ...(workerUrl === undefined ? {} : { workerUrl }),
        },
        { clock: clock ?? systemClock, log: log ?? silentLogger },
      ));
    if (this.#closing !== undefined) {
      if (given === undefined) await index.close();
      throw new PoolError('closed', 'the server was closed');
    }
    this.#index = index;
    const { framework } = this;
    this.#notifier = new Notifier(framework, this.#subscriptions, index, this.#log);
    framework.onEnd((protocol) => this.#subscriptions.removeAll(protocol));
    const live = new Promise<void>((resolve, reject) => {
      this.#live = resolve;
      this.#gaveUp = reject;
    });
    // It may be over before it is awaited below.
    live.catch(() => {});
    this.#stopListening = index.on('news', (news) => this.#hear(news));
    if ((await index.call('stats')).live) this.#live?.();
    await live;
    this.#tip = await index.call('tip');
    const genesis = await index.call('headers', 0, 1);
    this.#genesisHash = toDisplayHex(sha256d(hexToBytes(genesis)));
    this.#register(index);
    this.#log.info({ height: this.#tip.height }, 'index is level with the node');
    await this.#hearAnnouncements();
    return framework.listen();
  }

  /** Graceful and idempotent: replies under way are sent, sessions closed, then the index. */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** Blocks that a node announces are not waited for until the next poll. */
  async #hearAnnouncements(): Promise<void> {
    const { log, zmq } = this.#modules;
    for (const { zmq: endpoints } of daemonsOf(this.#config)) {
      if (endpoints === undefined) continue;
      const modules = compact({ log, load: zmq });
      this.#announcers.push(await subscribeZmq(endpoints, () => this.blockAnnounced(), modules));
    }
  }

  async #close(options: CloseOptions): Promise<void> {
    for (const announcer of this.#announcers.splice(0)) announcer.close();
    this.#gaveUp?.(new PoolError('closed', 'the server was closed'));
    await this.framework.close(options);
    this.#stopListening();
    await this.#notifier?.close();
    this.#node.close();
    if (this.#modules.index === undefined) await this.#index?.close();
  }

  #hear(news: IndexNews): void {
    switch (news.kind) {
      case 'live':
        this.#live?.();
        // After a thread was lost: what happened meanwhile is unknown.
        this.#changed({ tip: news.tip, tipChanged: true, touched: undefined });
        return;
      case 'progress':
        this.#events.safeEmit('progress', { height: news.height, target: news.target });
        return;
      case 'change':
        this.#changed(news);
        return;
      case 'trouble':
        this.#log.warn({ error: news.message }, 'cannot follow the node');
        this.#events.safeEmit('trouble', { message: news.message });
    }
  }

  #changed(change: { tip: IndexTip; tipChanged: boolean; touched: readonly string[] | undefined }): void {
    this.#tip = change.tip;
    this.#notifier?.changed(change);
    if (change.tipChanged) this.#events.safeEmit('tip', change.tip);
  }

  #register(index: ChainIndex): void {
    const { banner, donationAddress, hosts } = this.#config;
    const parts = {
      framework: this.framework,
      index,
      node: this.#node,
      coin: this.coin,
      subscriptions: this.#subscriptions,
      texts: { banner, donationAddress, hosts: hosts as Record<string, { tcp_port?: number; ssl_port?: number }> },
      tip: () => this.#tip,
      genesisHash: () => this.#genesisHash,
    };
    registerServerMethods(parts);
    registerHeaderMethods(parts);
    registerScriptMethods(parts);
    registerTransactionMethods(parts);
  }
}

type Compact<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Without members that are undefined: options are there, or not. */
function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Compact<T>;
}

function daemonsOf({ daemons }: ElectrumConfig): DaemonOptions[] {
  return daemons.map(({ zmq, ...daemon }) => ({
    ...compact(daemon),
    ...(zmq === undefined ? {} : { zmq: compact(zmq) }),
  }));
}

function makeFramework(config: ElectrumConfig, modules: ElectrumServerModules): ElectrumFramework {
  const { limits, protocol, bans } = config;
  const { connections, connectionsPerAddress, lineBytes, unsentBytes, idleTimeoutMs, history, mempool, ...electrum } =
    limits;
  const listeners: ListenerOptions[] = config.listeners.map(({ host, port, tls }) => ({
    host,
    port,
    ...(tls === undefined ? {} : { tls: { cert: tls.cert ?? '', key: tls.key ?? '', required: tls.only } }),
  }));
  return createElectrumFramework(
    {
      listeners,
      limits: compact({ connections, connectionsPerAddress, lineBytes, unsentBytes, idleTimeoutMs }),
      electrumLimits: compact(electrum),
      versions: { min: protocol.min, max: protocol.max },
      oldClients: protocol.oldClients,
      ...(bans === undefined ? {} : { bans: compact(bans) }),
    },
    compact({ clock: modules.clock, log: modules.log }),
  );
}

/**
 * Makes an Electrum server over a node. Certificates named by file are read here; nothing is opened before `listen()`.
 *
 * @throws PoolError `invalid_config`, `invalid_coin`, `invalid_argument` for a wrong node URL
 * @example
 * const server = await createElectrumServer({
 *   coin: 'bitcoin', network: 'regtest',
 *   daemons: [{ url: 'http://127.0.0.1:18443', user: 'u', password: 'p' }],
 *   listeners: [{ host: '127.0.0.1', port: 50001 }],
 * });
 * await server.listen();
 */
export async function createElectrumServer(
  config: ElectrumConfigInput,
  modules: ElectrumServerModules = {},
): Promise<ElectrumServer> {
  const parsed = parseElectrumConfig(config);
  const listeners = await Promise.all(
    parsed.listeners.map(async (listener) => {
      const { tls } = listener;
      if (tls === undefined) return listener;
      const cert = tls.cert ?? (await readPem(tls.certFile));
      const key = tls.key ?? (await readPem(tls.keyFile));
      return { ...listener, tls: { only: tls.only, cert, key } };
    }),
  );
  return new ElectrumServer({ ...parsed, listeners }, modules);
}

async function readPem(path: string | undefined): Promise<string> {
  try {
    return await readFile(path ?? '', 'utf8');
  } catch (error) {
    throw new PoolError('invalid_config', `cannot read ${path}`, { cause: error });
  }
}
