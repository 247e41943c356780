import type { Coin } from '@headframe/coins';
import type { DaemonRegistry } from '@headframe/daemon';
import type { Ledger } from '@headframe/ledger';
import { type Bus, createDirectBus } from '@headframe/mining';
import type { Accountant, Payouts } from '@headframe/payouts';
import {
  type Clock,
  errorMessage,
  type Listener,
  type Logger,
  type MaybePromise,
  PoolError,
  reject,
  systemClock,
  type TypedEmitter,
} from '@headframe/primitives';
import type { Decisions, DefaultAccount, MiningContext, MiningHooks, MiningServer } from '@headframe/server';
import type { BanList, Hook, MethodContext, MethodDefinition, Session } from '@headframe/sessions';
import { pino } from 'pino';
import { PoolAdmin } from './admin.js';
import { BanStore } from './ban-store.js';
import { configError, parseConfig } from './config/problems.js';
import type { PoolConfig, PoolConfigInput } from './config/schema.js';
import { exposeBuiltins } from './control/builtins.js';
import { PoolControl } from './control/control.js';
import type { Notification } from './control/notification.js';
import { openCore, type PoolCore } from './core.js';
import { type DebugPart, debugParts, partLogger, traceMessages } from './debug.js';
import type { PoolEvents } from './events.js';
import { banOptions, createMiningServer } from './mining-server.js';
import type { PoolAddress, PoolHandlers, PoolModules, PoolStatus } from './options.js';
import { Readiness } from './readiness.js';
import { applyChanges, type ReloadResult, setLevel } from './reload.js';
import { API_SERVICE, type PoolService, Services } from './services.js';
import { type PoolSetup, setUp } from './setup.js';
import type { StorageState } from './storage.js';
import { poolSummary } from './summary.js';
import { createSupervisedNodes } from './supervised-nodes.js';
import { type TaskFunction, type TaskOptions, Tasks } from './tasks.js';
import { within } from './within.js';

/** Time to close files, beside the configured grace: also a grace of 0 must leave a clean log. */
const CLOSE_FILES_MS = 1000;

/** A function that adds something to a pool. */
export type PoolPlugin<Account, Options> = (pool: Pool<Account>, options: Options) => void;

/**
 * A whole pool in one process: edge, core, and the bus between them. Made by `createPool`.
 */
export class Pool<Account = DefaultAccount> {
  #config: PoolConfig;
  readonly coin: Coin;
  readonly log: Logger;
  /** The mining server: sessions, channels, difficulty. */
  readonly server: MiningServer<Account>;
  /** What the configuration means for the chain. */
  readonly setup: PoolSetup;
  /** The nodes that the pool starts itself; undefined when there are none. */
  readonly daemons: DaemonRegistry | undefined;
  /** The control RPC: methods for the operator and for nodes. */
  readonly control: PoolControl;
  /** What the operator does, as functions. */
  readonly admin: PoolAdmin;
  /** What `/readyz` waits for beside the pool's own state. */
  readonly readiness: Readiness;
  /** Reads the configuration again from where it came; the binary sets it, so that callers can ask for it. */
  reloadSource: (() => MaybePromise<ReloadResult>) | undefined = undefined;
  readonly #events: TypedEmitter<PoolEvents<Account>>;
  readonly #tasks: Tasks;
  readonly #bans: BanStore;
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
    this.daemons = createSupervisedNodes(config, this.setup.coin, {
      log: partLogger(this.log, 'core', this.#debug),
      clock: this.#clock,
      notifyCommand: modules.notifyCommand,
    });
    this.#services = new Services(this.log);
    this.coin = this.setup.coin;
    this.server = createMiningServer(config, this.setup, handlers, {
      bus: this.#bus,
      clock: this.#clock,
      log: partLogger(this.log, 'server', this.#debug),
    });
    // One emitter for both: the server never looks at names that are not its own.
    this.#events = this.server.events as unknown as TypedEmitter<PoolEvents<Account>>;
    const own = { clock: this.#clock, log: this.log };
    this.#tasks = new Tasks(own);
    this.#bans = new BanStore(config.dataFolder, this.server.bans, own);
    this.readiness = new Readiness((isReady, entries) => this.#events.safeEmit('readiness', { isReady, entries }));
    this.admin = new PoolAdmin(this);
    this.control = new PoolControl(config.control, { ...own, log: own.log.child({ part: 'control' }) });
    exposeBuiltins(this.control.methods, {
      admin: this.admin,
      readiness: this.readiness,
      tasks: () => this.#tasks.list(),
      status: () => poolSummary(this.status(), this.isPaused),
      notify: (notification) => this.notified(notification),
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
  on<Name extends keyof PoolEvents<Account> & string>(
    event: Name,
    listener: Listener<PoolEvents<Account>[Name]>,
  ): () => void {
    return this.#events.on(event, listener);
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

  /**
   * Adds a background task that lives as long as the pool: begun when it listens (or now, if it does), told by its
   * signal to end when the pool closes, and waited for. A failure is logged, and the task run again after a pause that
   * grows; after too many in a row it is given up. Returns the function that stops it.
   * @throws PoolError `conflict` for a name that is taken, `queue_full` for too many, `closed` after `close`
   * @example
   * pool.task('rates', async (signal) => saveRates(await fetchRates(signal)), { everyMs: 60_000 });
   */
  task(name: string, run: TaskFunction, options?: TaskOptions): () => Promise<void> {
    return this.#tasks.add(name, run, options);
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
      await this.daemons?.start();
      this.#core = await openCore(
        this.config,
        this.setup,
        shareSink === undefined ? modules : { ...modules, shareSink },
      );
      await this.#bans.open();
      this.#refreshWhenReady();
      await this.#core.start();
      const listeners = await this.server.listen();
      this.#addresses = listeners.map(({ host, port }) => ({ host, port }));
      await this.control.start();
      await this.#services.start();
      this.#tasks.start();
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
   * 1. closes services, tasks and the control RPC;
   * 2. stops accepting and asks miners to reconnect as `shutdown` says, one after the other over its spread; each
   *    session closes after its last reply;
   * 3. judges the shares that were handed in and commits them;
   * 4. lets blocks under way reach the nodes;
   * 5. closes books, storage and journal;
   * 6. stops the nodes that it started.
   * Each takes at most `shutdownGrace` seconds beside that spread; the fifth one second more, and the last as long as the
   * nodes may take.
   */
  close(): Promise<void> {
    this.#closing ??= (this.#listening ?? Promise.resolve()).catch(() => {}).then(() => this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    const graceMs = this.config.shutdownGrace * 1000;
    await this.#services.close(graceMs + CLOSE_FILES_MS, this.#clock);
    await Promise.all([this.#tasks.close(graceMs + CLOSE_FILES_MS), this.control.close(graceMs)]);
    const { message, reconnect, spreadSeconds } = this.config.shutdown;
    await this.server.close({
      drainMs: graceMs,
      spreadMs: spreadSeconds * 1000,
      ...(message === undefined ? {} : { message }),
      ...(reconnect === undefined ? {} : { reconnect }),
    });
    await this.#bans.close();
    await this.#closeCore(graceMs);
    await this.daemons?.close();
    await this.#bus.close();
  }

  /** A node that is back is asked for a template at once, and not when its next check is due. */
  #refreshWhenReady(): void {
    for (const daemon of this.daemons?.list() ?? []) {
      daemon.on('state', ({ state }) => {
        if (state.kind === 'ready') this.refreshTemplate();
      });
    }
  }

  /** A sink whose `close` never comes back must not keep the process from ending. */
  async #closeCore(graceMs: number): Promise<void> {
    const closing = this.#core?.close(graceMs) ?? Promise.resolve();
    const isDone = await within(closing, 2 * graceMs + CLOSE_FILES_MS, this.#clock);
    if (!isDone) this.log.error({}, 'share sink or journal did not close in time');
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
    return (
      this.#core?.storage.state ?? {
        kind: 'log',
        isOk: true,
        reason: undefined,
        failure: undefined,
        sinceMs: undefined,
      }
    );
  }

  /** Takes a notification of a node, as the control RPC does: emits `notified`; a block asks for a template. */
  notified(notification: Notification): void {
    this.#events.safeEmit('notified', notification);
    if (notification.type === 'block') this.refreshTemplate();
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
   * Takes another configuration. Difficulties, bans, fees, `shutdown` and the log level change at once; of everything else that
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
      // Read when the pool closes.
      ['shutdown', () => {}],
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
