import type { Coin } from '@headframe/coins';
import type { Ledger } from '@headframe/ledger';
import { type Bus, createDirectBus } from '@headframe/mining';
import type { Accountant, Payouts } from '@headframe/payouts';
import {
  type Clock,
  errorMessage,
  type Listener,
  type Logger,
  PoolError,
  reject,
  systemClock,
  type Timer,
} from '@headframe/primitives';
import type {
  AuthorizeHandler,
  Decisions,
  DefaultAccount,
  MiningContext,
  MiningEvents,
  MiningHooks,
  MiningServer,
} from '@headframe/server';
import type { BanList, Hook, MethodContext, MethodDefinition, Session } from '@headframe/sessions';
import { pino } from 'pino';
import { configError, parseConfig } from './config/problems.js';
import type { PoolConfig, PoolConfigInput } from './config/schema.js';
import { openCore, type PoolCore } from './core.js';
import { type DebugPart, debugParts, partLogger, traceMessages } from './debug.js';
import { banOptions, createMiningServer } from './mining-server.js';
import type { PoolAddress, PoolHandlers, PoolModules, PoolOptions, PoolStatus } from './options.js';
import { applyChanges, type ReloadResult } from './reload.js';
import { API_SERVICE, type PoolService, Services } from './services.js';
import { type PoolSetup, setUp } from './setup.js';
import type { StorageState } from './storage.js';

/** Time to close files, beside the configured grace: also a grace of 0 must leave a clean log. */
const CLOSE_FILES_MS = 1000;

/** A function that adds something to a pool. */
export type PoolPlugin<Account, Options> = (pool: Pool<Account>, options: Options) => void;

/**
 * A whole pool in one process: edge, core, and the bus between them. Made by {@link createPool}.
 */
export class Pool<Account = DefaultAccount> {
  #config: PoolConfig;
  readonly coin: Coin;
  readonly log: Logger;
  /** The mining server: sessions, channels, difficulty. */
  readonly server: MiningServer<Account>;
  /** What the configuration means for the chain. */
  readonly setup: PoolSetup;
  readonly #services: Services;
  readonly #modules: PoolModules;
  readonly #debug: ReadonlySet<DebugPart>;
  readonly #bus: Bus;
  readonly #clock: Clock;
  #core: PoolCore | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #addresses: readonly PoolAddress[] = [];
  #listening: Promise<void> | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(config: PoolConfig, handlers: PoolHandlers<Account>, modules: PoolModules) {
    this.#config = config;
    this.setup = setUp(config);
    this.#modules = modules;
    this.#clock = modules.clock ?? systemClock;
    this.log = modules.log ?? pino({ level: config.log.level });
    this.#debug = debugParts(modules.debug ?? process.env.DEBUG);
    this.#bus =
      modules.bus ??
      createDirectBus({
        onListenerError: (error) => this.log.error({ error: errorMessage(error) }, 'bus listener failed'),
      });
    this.#services = new Services(this.log);
    this.coin = this.setup.coin;
    this.server = createMiningServer(config, this.setup, handlers, {
      bus: this.#bus,
      clock: this.#clock,
      log: partLogger(this.log, 'server', this.#debug),
    });
    if (this.#debug.has('rpc')) traceMessages(this.server, partLogger(this.log, 'rpc', this.#debug));
  }

  /** In force now: as it was given, with what {@link reload} changed. */
  get config(): PoolConfig {
    return this.#config;
  }

  // --- setting up: the same functions as those of the server

  /** Registers or replaces a method, the built-in `mining.*` ones included. Returns the function that takes it back. */
  method<Params>(
    name: string,
    definition: MethodDefinition<Params, MiningContext<Account> & MethodContext<Params>>,
  ): () => void {
    return this.server.method(name, definition);
  }

  /** Adds a hook; it may refuse by returning a `reject`. Returns the function that removes it. */
  hook<Name extends keyof MiningHooks<Account> & string>(
    name: Name,
    hook: Hook<MiningHooks<Account>[Name]>,
  ): () => void {
    return this.server.hook(name, hook);
  }

  /** Listens to an event. Listeners must not be async. Returns the function that stops it. */
  on<Name extends keyof MiningEvents<Account> & string>(
    event: Name,
    listener: Listener<MiningEvents<Account>[Name]>,
  ): () => void {
    return this.server.on(event, listener);
  }

  /** Sets the handler of a question (`authorize`, `admit`), in place of the one before. */
  decide<Question extends keyof Decisions<Account>>(question: Question, handler: Decisions<Account>[Question]): void {
    this.server.decide(question, handler);
  }

  /** Runs a plugin on this pool. */
  use<Options>(plugin: PoolPlugin<Account, Options>, options: Options): this {
    plugin(this, options);
    return this;
  }

  /**
   * Adds something that lives as long as the pool: started when the listeners are open, closed first.
   * @throws PoolError `closed` once the pool listens
   */
  service(service: PoolService): this {
    this.#services.add(service);
    return this;
  }

  // --- running

  /**
   * Opens files, starts to ask the nodes, and opens the listeners. Does not wait for a node: miners are let in and get
   * their first job as soon as there is a template. A second call returns the same promise.
   *
   * @throws PoolError `storage_failed` when the data folder cannot be used, `listen_failed` when a port cannot be
   *   opened, `closed` after `close()`. Nothing stays open then.
   */
  listen(): Promise<void> {
    if (this.#closing) return Promise.reject(new PoolError('closed', 'the pool is closed'));
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  async #listen(): Promise<void> {
    if (this.config.api !== undefined && !this.#services.has(API_SERVICE)) {
      const message = 'needs pool.use(httpApi, ...) of @headframe/http; the binary does that by itself';
      throw configError([{ path: 'api', message }]);
    }
    try {
      const { shareSink } = this.#modules;
      const log = partLogger(this.log, 'core', this.#debug);
      const modules = { bus: this.#bus, clock: this.#clock, log };
      this.#core = await openCore(
        this.config,
        this.setup,
        shareSink === undefined ? modules : { ...modules, shareSink },
      );
      await this.#core.start();
      const listeners = await this.server.listen();
      this.#addresses = listeners.map(({ host, port }) => ({ host, port }));
      await this.#services.start();
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  /** Where the pool listens, one per listener of the configuration; empty before `listen`. */
  get addresses(): readonly PoolAddress[] {
    return this.#addresses;
  }

  /**
   * Graceful and idempotent:
   * 1. closes services;
   * 2. stops accepting and asks miners to reconnect; each session closes after its last reply;
   * 3. judges the shares that were handed in and commits them;
   * 4. lets blocks under way reach the nodes;
   * 5. closes books, storage and journal.
   * Each takes at most `shutdownGrace` seconds; the last one second more.
   */
  close(): Promise<void> {
    this.#closing ??= (this.#listening ?? Promise.resolve()).catch(() => {}).then(() => this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    const graceMs = this.config.shutdownGrace * 1000;
    await this.#services.close(graceMs + CLOSE_FILES_MS, this.#clock);
    await this.server.close({ drainMs: graceMs });
    await this.#closeCore(graceMs);
    await this.#bus.close();
  }

  /** A sink whose `close` never comes back must not keep the process from ending. */
  async #closeCore(graceMs: number): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<true>((resolve) => {
      timer = this.#clock.setTimeout(() => resolve(true), 2 * graceMs + CLOSE_FILES_MS);
    });
    const isLate = await Promise.race([this.#core?.close(graceMs), late]);
    timer?.cancel();
    if (isLate) this.log.error({}, 'share sink or journal did not close in time');
  }

  // --- operations

  get sessions(): IterableIterator<Session> {
    return this.server.sessions;
  }
  get bans(): BanList {
    return this.server.bans;
  }

  /** Shares, statistics, balances and payments; undefined before `listen`, and with the plain share log. */
  get ledger(): Ledger | undefined {
    return this.#core?.storage.ledger;
  }

  /** Pays accounts; undefined before `listen`, and without `payout.payments`. */
  get payouts(): Payouts | undefined {
    return this.#core?.books?.payouts;
  }
  /** Credits accounts; undefined before `listen`, and without a ledger. */
  get accountant(): Accountant | undefined {
    return this.#core?.books?.accountant;
  }
  /** How the storage of shares is doing; before `listen` nothing is wrong with it. */
  get storage(): StorageState {
    const none = { kind: 'log', isOk: true, reason: undefined, failure: undefined, sinceMs: undefined } as const;
    return this.#core?.storage.state ?? none;
  }

  /** Asks the nodes for a template now. */
  refreshTemplate(): void {
    this.#core?.jobs.refresh();
  }

  /** True while {@link pause} is in force. */
  get isPaused(): boolean {
    return this.#resume !== undefined;
  }

  /** Refuses every `mining.authorize` from now on; miners that are at work go on. */
  pause(): void {
    this.#resume ??= this.server.hook('onRequest', ({ method }) =>
      method === 'mining.authorize' ? reject('busy', 'The pool is paused') : undefined,
    );
  }

  /** Ends {@link pause}. */
  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /**
   * Takes another configuration. Difficulties, bans, fees and the log level change at once; of everything else that
   * differs it tells that it needs a restart.
   * @throws PoolError `invalid_config`: nothing changes then
   */
  reload(input: PoolConfigInput): ReloadResult {
    const after = parseConfig(input);
    setUp(after);
    // Of all that is paid by, only the fees change: an address or scheme that needs a restart must not come with them.
    const { payout } = this.#config;
    const setup = setUp({ ...this.#config, payout: { ...payout, fees: after.payout.fees } });
    const live = new Map<string, (config: PoolConfig) => void>([
      ['bans', (config) => this.server.bans.change(banOptions(config))],
      ['payout.fees', () => this.#core?.setPayout(setup)],
      ['log.level', (config) => setLevel(this.log, config.log.level)],
      ...this.#config.listeners.map((_, i): [string, (config: PoolConfig) => void] => [
        `listeners[${i}].difficulty`,
        (config) => this.server.setDifficultyPolicy(i, config.listeners[i]?.difficulty ?? {}),
      ]),
    ]);
    const { applied, needsRestart, config } = applyChanges(this.#config, after, live);
    this.#config = config;
    return { applied, needsRestart };
  }

  /** Transactions of a job of the core beside its coinbase; undefined when the job is forgotten. */
  transactionCount(jobId: number): number | undefined {
    return this.#core?.jobs.find(jobId)?.template.transactions.length;
  }

  /** What is going on. */
  status(): PoolStatus {
    const stats = this.server.stats();
    const core = this.#core;
    return {
      coin: this.coin,
      listening: this.#addresses,
      node: core?.nodes.status ?? { ready: false, reason: 'not started', nodes: [] },
      job: this.server.job,
      sessions: this.server.sessionCount,
      server: stats,
      blocks: core?.blocks.stats,
      jobs: core?.jobs.stats,
      storage: this.storage,
    };
  }
}

/** Pino and others have their level as a property; a logger without one keeps what it has. */
function setLevel(log: Logger, level: string): void {
  if ('level' in log) log.level = level;
}

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
