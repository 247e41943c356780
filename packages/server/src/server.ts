import type { BlockOutcome, Bus, Difficulty, JobRecord } from '@headframe/mining';
import {
  type Clock,
  type Listener,
  type Logger,
  type MaybePromise,
  PoolError,
  type Reject,
  silentLogger,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import {
  type BanList,
  type CloseOptions,
  type CloseReason,
  createSessionHooks,
  createSessionServer,
  type Hook,
  HookList,
  type HookRegistry,
  hookErrorHandler,
  JsonRpcProtocol,
  LIMITS,
  type ListenerInfo,
  type MethodContext,
  type MethodDefinition,
  type Session,
  SessionCore,
  type SessionHooks,
  type SessionServer,
} from '@headframe/sessions';
import { BIP320_VERSION_MASK, encodeReconnect, type ReconnectTarget } from '@headframe/stratum-v1';
import type { Connection } from '@headframe/transport';
import { Channel } from './channel.js';
import { CoreLink } from './core-link.js';
import { createMining } from './create-mining.js';
import type { DifficultyOption } from './difficulty-policy.js';
import type { MiningEvents, ShareContext } from './events.js';
import { ExtranonceAllocator } from './extranonce.js';
import { Judging } from './judging.js';
import { type MiningLimits, resolveMiningLimits } from './limits.js';
import type { Mining } from './mining.js';
import type {
  AuthorizeHandler,
  AuthorizeRequest,
  DefaultAccount,
  MiningServerModules,
  MiningServerOptions,
  Plugin,
  Target,
} from './options.js';
import type { Decisions, MiningCloseOptions, MiningHooks, MiningServerStats } from './server-types.js';
import { splitLimits } from './terms.js';
import type { MiningContext } from './v1/context.js';
import { stratumV1 } from './v1/definition.js';
import { V1Link } from './v1/link.js';
import { registerBuiltins } from './v1/methods/builtins.js';
import { V1Methods } from './v1/registry.js';
import { Submit } from './v1/submit.js';

const SERVER_NAME = 'headframe';

/**
 * A Stratum server without a node: sessions, channels, methods, difficulty, shares. Jobs come over the bus or by
 * {@link publishJob}; judged shares and block candidates go out over the bus and as events.
 */
export class MiningServer<Account = DefaultAccount> {
  readonly limits: MiningLimits;
  readonly log: Logger;
  readonly events: TypedEmitter<MiningEvents<Account>>;
  readonly mining: Mining<Account>;
  readonly methods = new V1Methods<Account>();
  readonly #options: MiningServerOptions<Account>;
  readonly #clock: Clock;
  readonly #bus: Bus | undefined;
  readonly #core: CoreLink | undefined;
  readonly #sessions: SessionServer<MiningContext<Account>>;
  readonly #hooks: HookRegistry<SessionHooks<MiningContext<Account>>>;
  readonly #beforeShare: HookList<ShareContext<Account>>;
  readonly #judging: Judging<Account>;
  readonly #builtinSubmit: unknown;
  #authorize: AuthorizeHandler<Account> | undefined;
  #admit: MiningServerOptions<Account>['admit'];
  #farewell: ReconnectTarget | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(options: MiningServerOptions<Account>, modules: MiningServerModules<Account>) {
    this.#options = options;
    this.#clock = modules.clock ?? systemClock;
    this.log = modules.log ?? silentLogger;
    this.#bus = modules.bus;
    this.limits = resolveMiningLimits(options.limits);
    this.#authorize = options.authorize;
    this.#admit = options.admit;
    this.events = new TypedEmitter<MiningEvents<Account>>((error, event) => {
      this.log.error({ err: error, event }, 'event listener failed');
    });
    this.#hooks = createSessionHooks<MiningContext<Account>>(this.log, this.events);
    this.#beforeShare = new HookList('beforeShare', hookErrorHandler(this.log, this.events));
    const sessionLimits = splitLimits(options.limits);
    const versionMask = (options.versionMask ?? BIP320_VERSION_MASK) >>> 0;

    this.mining = createMining<Account>(options, {
      clock: this.#clock,
      log: this.log,
      limits: this.limits,
      events: this.events,
      isBanned: (key, name) => (this.bans.findAccount(key) ?? this.bans.findWorker(name)) !== undefined,
    });
    const { log } = this;
    this.#judging = new Judging<Account>({
      bus: this.#bus,
      clock: this.#clock,
      log,
      limits: this.limits,
      events: this.events,
      desk: this.mining.desk,
      beforeShare: this.#beforeShare,
      factor: options.difficultyFactor ?? 1,
      hookTimeoutMs: sessionLimits.handlerTimeoutMs ?? LIMITS.handlerTimeoutMs.default,
      validator: modules.validator,
      sessions: () => this.#sessions,
    });
    const submit = new Submit(this.#judging.path);
    registerBuiltins(this.methods, {
      mining: this.mining,
      bus: this.#bus,
      submit,
      versionMask,
      serverName: SERVER_NAME,
      authorize: (request) => this.#ask(request),
      linkOf: (session) => this.#linkOf(session),
    });
    this.#builtinSubmit = this.methods.get('mining.submit');
    this.#sessions = createSessionServer<MiningContext<Account>>(
      {
        listeners: options.listeners ?? [],
        limits: sessionLimits,
        ...(options.bans === undefined ? {} : { bans: options.bans }),
      },
      {
        protocols: [
          ...(modules.protocols ?? []),
          stratumV1({
            mining: this.mining,
            methods: this.methods,
            hooks: this.#hooks,
            submit,
            errors: { codes: options.errorCodes ?? 'standard' },
            mayBeFast: () => this.methods.get('mining.submit') === this.#builtinSubmit,
            forget: ({ session }) => this.#judging.path.forget(session),
            farewell: () => this.#farewell,
          }),
        ],
        clock: this.#clock,
        log: this.log,
        admit: (peer) => this.#admit?.(peer),
        hooks: this.#hooks,
        events: this.events,
        ...(modules.loopDelay === undefined ? {} : { loopDelay: modules.loopDelay }),
      },
    );
    if (this.#bus !== undefined) {
      const listener = {
        job: (record: JobRecord) => this.publishJob(record),
        block: (outcome: BlockOutcome) => this.#blockNews(outcome),
        joined: (instance: number) => this.#join(instance),
      };
      this.#core = new CoreLink({ bus: this.#bus, clock: this.#clock, log, listener });
      this.#core.start();
    } else this.#join(options.instance ?? 0);
    this.mining.broadcaster.start();
  }

  #join(instance: number): void {
    this.mining.extranonces ??= new ExtranonceAllocator({
      instance,
      limit: this.limits.extranonces,
      // A prefix rests as long as a lease lives: by then its jobs are forgotten everywhere.
      cooldownMs: this.limits.leaseMs,
    });
  }

  #ask(request: AuthorizeRequest): MaybePromise<Account | Reject> {
    if (this.#authorize !== undefined) return this.#authorize(request);
    // Only a server whose account type is the default one comes without a handler: see createServer.
    return { id: request.name.account } as Account;
  }

  #blockNews(outcome: BlockOutcome): void {
    if (outcome.status === 'confirmed') this.events.safeEmit('block', outcome);
    else if (outcome.status === 'matured') this.events.safeEmit('blockMatured', outcome);
    else if (outcome.status === 'orphaned') this.events.safeEmit('blockOrphaned', outcome);
  }

  // --- setting up

  /** Registers or replaces a method, built-in ones included. Returns the function that takes it back. */
  method<Params>(
    name: string,
    definition: MethodDefinition<Params, MiningContext<Account> & MethodContext<Params>>,
  ): () => void {
    return this.methods.register(name, definition);
  }

  /** Adds a hook: in order, and may refuse by returning a `reject`. Returns the function that removes it. */
  hook<Name extends keyof MiningHooks<Account> & string>(
    name: Name,
    hook: Hook<MiningHooks<Account>[Name]>,
  ): () => void {
    // Two registries behind one name: the context type goes with the name.
    if (name === 'beforeShare') return this.#beforeShare.add(hook as Hook<ShareContext<Account>>);
    if (!this.#hooks.has(name)) throw new PoolError('invalid_argument', `there is no hook '${name}'`);
    return this.#hooks.add(name as keyof SessionHooks, hook as Hook<unknown>);
  }

  /** Listens to an event. Listeners must not be async; a throw is logged. Returns the function that stops it. */
  on<Name extends keyof MiningEvents<Account> & string>(
    event: Name,
    listener: Listener<MiningEvents<Account>[Name]>,
  ): () => void {
    return this.events.on(event, listener);
  }

  /** Sets the handler of a question, in place of the one before. */
  decide<Question extends keyof Decisions<Account>>(question: Question, handler: Decisions<Account>[Question]): void {
    if (question === 'authorize') this.#authorize = handler as AuthorizeHandler<Account>;
    else if (question === 'admit') this.#admit = handler as Decisions<Account>['admit'];
    else throw new PoolError('invalid_argument', `there is no question '${String(question)}'`);
  }

  /** Runs a plugin on this server. */
  use<Options>(plugin: Plugin<this, Options>, options: Options): this {
    plugin(this, options);
    return this;
  }

  // --- running

  /**
   * Joins the core (waiting for it as long as it takes) and opens the listeners.
   * @throws PoolError `listen_failed`, or `closed`
   */
  async listen(): Promise<readonly ListenerInfo[]> {
    await this.join();
    return this.#sessions.listen();
  }

  /** Says hello to the core, if there is one; `listen` does it too. */
  async join(): Promise<void> {
    await this.#core?.join(this.#options.edge ?? 'edge', this.#options.instance ?? 0);
  }

  /** Takes over an open connection, as if it had come in by `listener`. */
  attach(connection: Connection, listener?: Partial<ListenerInfo>): void {
    this.#sessions.attach(connection, { index: -1, host: '', port: 0, tls: false, ...listener });
  }

  /**
   * A job for everybody, with an id above that of the one before. Jobs that come over the bus are published by
   * themselves.
   */
  publishJob(record: JobRecord): void {
    // The core sends its job when it makes it, and again to whoever joins.
    if (record.id === this.job?.id) return;
    const clean = this.mining.broadcaster.publish(record);
    this.events.safeEmit('job', { job: record, clean });
  }

  /** The newest job. */
  get job(): JobRecord | undefined {
    return this.mining.desk.current;
  }

  /**
   * Graceful and idempotent:
   * 1. stops accepting, tells miners to reconnect (over `spreadMs`), and closes each session after its last reply;
   * 2. judges what was handed in, and hands all verdicts to the ledger;
   * 3. stops timers and leaves the bus (which it does not close).
   */
  close(options: MiningCloseOptions = {}): Promise<void> {
    this.#farewell ??= options.reconnect;
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close(options: CloseOptions): Promise<void> {
    await this.#sessions.close(options);
    await this.#judging.close(options.drainMs ?? this.limits.commitTimeoutMs);
    this.#stop();
  }

  /** Closes everything at once. Shares whose verdict is not in the ledger are lost, as their miners were not told. */
  destroy(): void {
    this.#sessions.destroy();
    this.#judging.destroy();
    this.#stop();
    this.#closing ??= Promise.resolve();
  }

  #stop(): void {
    this.#core?.close();
    this.mining.broadcaster.stop();
    this.mining.leases.clear(this.#clock.monotonic());
  }

  // --- sessions

  get sessions(): IterableIterator<Session> {
    return this.#sessions.sessions();
  }
  get sessionCount(): number {
    return this.#sessions.sessionCount;
  }
  get bans(): BanList {
    return this.#sessions.bans;
  }

  /** The channel of a session. @throws PoolError `invalid_argument` for a session that has none */
  channelOf(target: Target<Account>): Channel<Account> {
    return target instanceof Channel ? target : this.#linkOf(target).channel;
  }

  #linkOf(session: Session): V1Link<Account> {
    const implementation = session instanceof SessionCore ? session.implementation : undefined;
    const state: unknown = implementation instanceof JsonRpcProtocol ? implementation.state : undefined;
    if (!(state instanceof V1Link)) throw new PoolError('invalid_argument', 'not a session of this server');
    return state;
  }

  /** Sends a notification to every session that can take it (see the guide on methods); returns to how many. */
  notifyAll(method: string, params: readonly unknown[], filter?: (session: Session) => boolean): number {
    let count = 0;
    for (const session of this.#sessions.sessions()) {
      if (session.closed || (filter !== undefined && !filter(session))) continue;
      session.notify(method, params);
      count++;
    }
    return count;
  }

  /** Closes a session, after what is queued for it. */
  kick(session: Session, reason: CloseReason = 'kicked'): void {
    session.close(reason);
  }

  /** Asks a miner to come back, here or elsewhere; many ignore it. */
  reconnect(session: Session, target?: ReconnectTarget): void {
    this.#linkOf(session).sendLine(encodeReconnect(target));
  }

  /** Fixes the difficulty of a channel, within its listener's range. Returns what it became. */
  setDifficulty(target: Target<Account>, difficulty: number): Difficulty {
    return this.mining.setDifficulty(this.channelOf(target), difficulty);
  }

  /**
   * Gives a listener another difficulty or range, for new sessions and for those that are open: they get fresh work
   * where their difficulty lies outside.
   * @throws PoolError `invalid_config` for a difficulty out of range, `invalid_argument` when there is no such listener
   */
  setDifficultyPolicy(listener: number, difficulty: DifficultyOption): void {
    if (!this.mining.parts.terms.change(listener, difficulty)) {
      throw new PoolError('invalid_argument', `there is no listener ${listener}`);
    }
    for (const session of this.#sessions.sessions()) {
      if (session.closed || session.listener.index !== listener) continue;
      this.mining.changeTerms(this.channelOf(session));
    }
  }

  /** Changes the version mask and tells the miner; older jobs keep theirs beside it. False when it negotiated none. */
  setVersionMask(target: Target<Account>, mask: number): boolean {
    const channel = this.channelOf(target);
    if (channel.versionMask === 0) return false;
    this.mining.setVersionMask(channel, mask, true);
    return true;
  }

  /** Gives a channel another extranonce and new work. False when the miner did not ask to be told. */
  renewExtranonce(target: Target<Account>): boolean {
    return this.mining.renewExtranonce(this.channelOf(target));
  }

  /** A snapshot of the counters. */
  stats(): MiningServerStats {
    return {
      sessions: this.#sessions.stats(),
      channels: this.mining.broadcaster.size,
      workers: this.mining.workers,
      leases: this.mining.leases.size,
      extranonces: this.mining.extranonces?.used ?? 0,
      broadcast: this.mining.desk.broadcastSeconds.snapshot(),
      ...this.#judging.stats(),
    };
  }
}
