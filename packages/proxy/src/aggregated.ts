import { defaultDifficultyFactor, type MinerJob } from '@headframe/client';
import {
  BoundedMap,
  type Clock,
  errorMessage,
  isReject,
  type Listener,
  type Logger,
  type Reject,
  reject,
  silentLogger,
  systemClock,
  type Timer,
  TypedEmitter,
} from '@headframe/primitives';
import {
  type AuthorizeHandler,
  type AuthorizeRequest,
  type Channel,
  createServer,
  type Decisions,
  type MiningContext,
  type MiningEvents,
  type MiningHooks,
  type MiningServer,
  type Plugin,
} from '@headframe/server';
import type { CloseOptions, Hook, ListenerInfo, MethodContext, MethodDefinition } from '@headframe/sessions';
import type { Connection } from '@headframe/transport';
import { type ProxyAccount, upstreamLogin } from './accounts.js';
import { Board, type BoardListener } from './board.js';
import type { ProxyConfig } from './config.js';
import { PROXY_EVENTS, type ProxyEvents } from './events.js';
import { Forwarder } from './forwarder.js';
import { proxiedJob } from './proxied-job.js';
import { banOptions, listenerOptions, validatorFactory } from './server-options.js';
import { type ExtranonceSplit, splitExtranonce, usualSizes } from './split.js';
import { type AggregatedStats, upstreamRow } from './stats.js';
import type { Upstream, UpstreamConnect } from './upstream.js';
import { WorkerBook } from './worker-book.js';

/** What a proxy works with. */
export interface ProxyModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Who may mine here. Default: whoever the upstream takes; see `accounts`. */
  readonly authorize?: AuthorizeHandler<ProxyAccount>;
  /** Opens connections to upstreams in place of TCP and TLS. */
  readonly connect?: UpstreamConnect;
  /** A number from 0 up to 1, for the jitter of reconnects. Default Math.random. */
  readonly random?: () => number;
}

/** Firmware changes whitespace and case of names; the server lets it. */
function foldName(name: string): string {
  return name.trim().toLowerCase();
}

/** Sizes may change so often: an upstream that plays with them must not keep throwing out miners. */
const MIN_RESIZE_MS = 60_000;
/** Ids of jobs count up from a place that depends on the time, so that those before a restart are not taken for ours. */
const ID_ROOM = 2 ** 30;
/** Accounts remembered; the one seen longest ago mines as the upstream's user if it is still there. */
const MAX_ACCOUNTS = 262_144;

/**
 * Many miners on one upstream connection. Downstream it is a `MiningServer` whose jobs come from the upstream; all that
 * a server has (methods, hooks, events, vardiff, bans, limits) is here.
 */
export class AggregatedProxy implements BoardListener {
  readonly mode = 'aggregated';
  readonly server: MiningServer<ProxyAccount>;
  readonly #config: ProxyConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events: TypedEmitter<ProxyEvents>;
  readonly #board: Board;
  readonly #forwarder: Forwarder;
  readonly #book: WorkerBook;
  readonly #factor: number;
  /** Version bits that each miner was granted at first; what it is told later lies within. */
  readonly #masks = new WeakMap<Channel<ProxyAccount>, number>();
  #split: ExtranonceSplit | undefined = undefined;
  /** What miners have, and those get that come before the first job. */
  #sizes: Pick<ExtranonceSplit, 'extranonce1Size' | 'extranonce2Size'>;
  #resizedMs = Number.NEGATIVE_INFINITY;
  #id: number;
  #mask = 0;
  /** Where the newest job came from. */
  #source: Upstream | undefined = undefined;
  #sourceEpoch = 0;
  #outage: Timer | undefined = undefined;
  #isOut = false;
  #closing: Promise<void> | undefined = undefined;

  constructor(config: ProxyConfig, modules: ProxyModules = {}) {
    this.#config = config;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    this.#factor = config.difficultyFactor ?? defaultDifficultyFactor(config.algorithm);
    this.#id = this.#clock.now() % ID_ROOM;
    this.#events = new TypedEmitter<ProxyEvents>((error, event) => {
      this.#log.error({ err: error, event }, 'event listener failed');
    });
    this.#book = new WorkerBook(this.#clock);
    const validator = validatorFactory(config, this.#log);
    this.server = createServer<ProxyAccount>(
      {
        listeners: config.listeners.map(listenerOptions),
        difficultyFactor: this.#factor,
        limits: config.limits,
        bans: banOptions(config),
        // Another job of an upstream is news that miners should have: it is not spread.
        refreshSpreadMs: 0,
        authorize: modules.authorize ?? ((request) => this.#authorize(request)),
        admit: () => (this.#isOut && config.outage.miners === 'refuse' ? reject('busy', 'No upstream') : undefined),
      },
      { clock: this.#clock, log: this.#log, ...(validator === undefined ? {} : { validator }) },
    );
    this.#sizes = usualSizes(config.extranonce2Size);
    this.server.mining.resize(this.#sizes);
    this.#forwarder = new Forwarder({
      config,
      difficultyFactor: this.#factor,
      clock: this.#clock,
      log: this.#log,
      book: this.#book,
      // The server gives a share of an unknown name to whoever is logged in there, in case it is a block.
      isKnown: ({ worker, account }) => worker === '' || this.#names.get(foldName(worker)) === account,
      login: (upstream, account) => upstreamLogin(config, upstream.settings, this.#accounts.get(account)),
      onForwarded: (event) => this.#events.safeEmit('forwarded', event),
      onVerdict: (event) => this.#events.safeEmit('verdict', event),
    });
    this.server.on('blockCandidate', (candidate) => this.#forwarder.offer(candidate));
    this.server.on('authorized', ({ worker }) => {
      this.#accounts.set(worker.key, worker.account);
      this.#names.set(foldName(worker.name), worker.key);
    });
    if (config.submit.wait) {
      this.server.hook('beforeShare', ({ blockHash }) =>
        blockHash === undefined ? undefined : this.#forwarder.answerTo(blockHash),
      );
    }
    this.#board = new Board(
      config,
      { clock: this.#clock, log: this.#log, connect: modules.connect, random: modules.random },
      this,
    );
  }

  // --- setting up

  /** Registers or replaces a method that miners call. Returns the function that takes it back. */
  method<Params>(
    name: string,
    definition: MethodDefinition<Params, MiningContext<ProxyAccount> & MethodContext<Params>>,
  ): () => void {
    return this.server.method(name, definition);
  }

  /** Adds a hook of the server. A share that `beforeShare` refuses may be with the upstream already, like a block. */
  hook<Name extends keyof MiningHooks<ProxyAccount> & string>(
    name: Name,
    hook: Hook<MiningHooks<ProxyAccount>[Name]>,
  ): () => void {
    return this.server.hook(name, hook);
  }

  /** Listens to an event of the proxy or of its server. Returns the function that stops it. */
  on<Name extends keyof ProxyEvents & string>(event: Name, listener: Listener<ProxyEvents[Name]>): () => void;
  on<Name extends keyof MiningEvents<ProxyAccount> & string>(
    event: Name,
    listener: Listener<MiningEvents<ProxyAccount>[Name]>,
  ): () => void;
  on(event: string, listener: Listener<never>): () => void {
    if (PROXY_EVENTS.has(event)) return this.#events.on(event as keyof ProxyEvents, listener as Listener<unknown>);
    return this.server.on(event as keyof MiningEvents<ProxyAccount>, listener as Listener<unknown>);
  }

  /** Sets the handler of a question, in place of the one before. */
  decide<Question extends keyof Decisions<ProxyAccount>>(
    question: Question,
    handler: Decisions<ProxyAccount>[Question],
  ): void {
    this.server.decide(question, handler);
  }

  /** Runs a plugin on this proxy. */
  use<Options>(plugin: Plugin<this, Options>, options: Options): this {
    plugin(this, options);
    return this;
  }

  // --- running

  /** Connects to the upstreams and opens the listeners. Miners may come before there is work. @throws PoolError `listen_failed` */
  async listen(): Promise<readonly ListenerInfo[]> {
    this.connect();
    return this.server.listen();
  }

  /** Connects to the upstreams; `listen` does it too. For proxies whose miners come by `attach`. */
  connect(): void {
    this.#board.start();
  }

  /** Takes over an open connection of a miner. */
  attach(connection: Connection, listener?: Partial<ListenerInfo>): void {
    this.server.attach(connection, listener);
  }

  /** Ends the sessions of miners as `MiningServer.close` does, then the upstream connections. Idempotent. */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.server.close(options).then(() => this.#end());
    return this.#closing;
  }

  /** Closes everything at once. */
  destroy(): void {
    this.server.destroy();
    this.#end();
    this.#closing ??= Promise.resolve();
  }

  #end(): void {
    this.#outage?.cancel();
    this.#board.close();
  }

  /** The upstream that miners work for. */
  get upstream(): Upstream | undefined {
    return this.#board.active;
  }
  get upstreams(): readonly Upstream[] {
    return this.#board.upstreams;
  }

  stats(): AggregatedStats {
    return {
      mode: this.mode,
      upstream: this.#board.active?.name,
      upstreams: this.#board.upstreams.map((upstream) => upstreamRow(upstream, upstream === this.#board.active)),
      server: this.server.stats(),
      total: this.#book.total,
      workers: this.#book.rows(1000),
      answers: this.#book.seconds,
      unsent: this.#forwarder.unsent,
      split: this.#split,
    };
  }

  // --- BoardListener

  job(upstream: Upstream, job: MinerJob): void {
    this.#publish(upstream, job, job.notify.clean);
  }

  switched(upstream: Upstream | undefined, before: Upstream | undefined): void {
    this.#log.info({ upstream: upstream?.name, before: before?.name }, 'miners change upstream');
    this.#events.safeEmit('upstream', { name: upstream?.name, before: before?.name });
    const job = upstream?.job;
    if (upstream === undefined || job === undefined) {
      this.#outage ??= this.#clock.setTimeout(() => this.#withdraw(), this.#config.outage.jobSeconds * 1000);
      return;
    }
    this.#outage?.cancel();
    this.#outage = undefined;
    this.#isOut = false;
    // Miners must not wait for answers of the one that was lost.
    const source = this.#source;
    if (before === undefined && source !== undefined && source !== upstream) this.#forwarder.left(source);
    // Work of an upstream that is still there counts, and so does that of one which knows us again; for a lost one it
    // would be for nothing. What the first job of a connection says of itself is about the connection.
    const isKnown = before?.job !== undefined || (this.#source === upstream && this.#sourceEpoch === upstream.epoch);
    this.#publish(upstream, job, !isKnown);
  }

  ready(upstream: Upstream, resumed: boolean): void {
    this.#events.safeEmit('upstreamState', {
      name: upstream.name,
      state: upstream.state,
      reason: resumed ? 'resumed' : '',
    });
    this.#forwarder.returned(upstream);
  }

  lost(upstream: Upstream, reason: string): void {
    this.#events.safeEmit('upstreamState', { name: upstream.name, state: upstream.state, reason });
    if (upstream.state === 'ill') this.#forwarder.left(upstream);
  }

  notice(upstream: Upstream, text: string): void {
    this.#log.info({ upstream: upstream.name, text }, 'message of the upstream');
    this.#events.safeEmit('notice', { upstream: upstream.name, text });
  }

  // --- work

  #publish(upstream: Upstream, job: MinerJob, clean: boolean): void {
    let split: ExtranonceSplit;
    try {
      split = splitExtranonce(job.extranonce2Size, {
        extranonce2Size: this.#config.extranonce2Size,
        current: this.#sizes,
      });
    } catch (error) {
      upstream.fail(errorMessage(error));
      return;
    }
    const before = this.#sizes;
    const isResize =
      before.extranonce1Size !== split.extranonce1Size || before.extranonce2Size !== split.extranonce2Size;
    const nowMs = this.#clock.monotonic();
    if (isResize && nowMs - this.#resizedMs < MIN_RESIZE_MS) {
      upstream.fail('the size of extranonce2 changes again and again');
      return;
    }
    const id = ++this.#id;
    try {
      const record = proxiedJob(job, {
        id,
        split,
        algorithm: this.#config.algorithm,
        difficultyFactor: this.#factor,
        maxCoinbaseBytes: this.#config.maxCoinbaseBytes,
        clean,
        nowMs: this.#clock.now(),
      });
      this.#forwarder.give(id, upstream, job, clean);
      this.#source = upstream;
      this.#sourceEpoch = upstream.epoch;
      if (isResize) {
        if (this.#split !== undefined) this.#resizedMs = nowMs;
        this.#sizes = split;
        const channels = [...this.server.sessions].map((session) => this.server.channelOf(session));
        this.server.mining.changeExtranonce(split, record, channels, ({ session }) => this.#sendAway(session));
      } else this.server.publishJob(record);
      this.#split = split;
    } catch (error) {
      upstream.fail(`a job that cannot be mined: ${errorMessage(error)}`);
      return;
    }
    if (job.versionMask !== this.#mask) this.#changeMask(job.versionMask);
  }

  /** A miner that cannot be told of its new extranonce comes back for it. */
  #sendAway(session: Parameters<MiningServer['kick']>[0]): void {
    this.server.reconnect(session);
    this.server.kick(session);
  }

  #changeMask(mask: number): void {
    this.#mask = mask;
    for (const session of this.server.sessions) {
      if (session.closed) continue;
      const channel = this.server.channelOf(session);
      if (channel.versionMask === 0 && !this.#masks.has(channel)) continue;
      const granted = this.#masks.get(channel) ?? channel.versionMask;
      this.#masks.set(channel, granted);
      const now = (granted & mask) >>> 0;
      if (now !== channel.versionMask) this.server.mining.setVersionMask(channel, now, true);
    }
  }

  /** No upstream for too long: what miners work on would be for nothing. */
  #withdraw(): void {
    this.#outage = undefined;
    this.#isOut = true;
    const { jobSeconds, miners } = this.#config.outage;
    this.#log.error({ seconds: jobSeconds }, 'no upstream: work is taken back');
    this.server.mining.withdrawJob();
    this.#events.safeEmit('outage', { seconds: jobSeconds });
    if (miners === 'refuse') for (const session of [...this.server.sessions]) this.server.kick(session);
  }

  // --- accounts

  /** Keys of accounts by the names of their workers. */
  readonly #names = new BoundedMap<string, string>(MAX_ACCOUNTS);
  readonly #accounts = new BoundedMap<string, ProxyAccount>(MAX_ACCOUNTS);

  /** Asks the upstream, where it knows miners by name. */
  async #authorize({ username, password, name }: AuthorizeRequest): Promise<ProxyAccount | Reject> {
    const account: ProxyAccount = { id: username, worker: name.worker, password };
    const upstream = this.#board.active;
    if (this.#config.accounts.mode === 'fixed' || upstream === undefined) return account;
    try {
      const refusal = await upstream.authorize(upstreamLogin(this.#config, upstream.settings, account));
      return refusal === undefined ? account : reject('unauthorized', refusal);
    } catch (error) {
      // It will be asked again before the first share.
      this.#log.debug({ error: errorMessage(error) }, 'the upstream did not answer to authorize');
      return isReject(error) ? error : account;
    }
  }
}
