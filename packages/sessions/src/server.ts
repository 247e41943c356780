import {
  type Clock,
  Histogram,
  type HistogramSnapshot,
  isPromiseLike,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
  TypedEmitter,
} from '@headframe/primitives';
import type { Connection, SendQueuePolicy } from '@headframe/transport';
import { aboutBan } from './about-ban.js';
import { AddressTable } from './addresses.js';
import { type Ban, BanList } from './bans.js';
import { DeadlineTable } from './deadlines.js';
import { connectionsByDescriptors } from './descriptors.js';
import type { SessionEventSink, SessionEvents, SessionHooks } from './events.js';
import { Gate } from './gate.js';
import type { HookRegistry } from './hooks.js';
import { LIMITS, type Limits, resolveLimits } from './limits.js';
import type { ListenerOptions, SessionServerModules, SessionServerOptions } from './options.js';
import { OutputScheduler } from './output.js';
import { createLoopDelayMonitor, type LoopDelayMonitor, OverloadGate } from './overload.js';
import type { ProtocolDefinition } from './protocol.js';
import { createSessionHooks } from './report.js';
import type { SessionCore } from './session.js';
import type { SessionHost } from './session-host.js';
import { CLOSE_REASONS, type CloseReason, type ListenerInfo, type MethodContext } from './types.js';

/** How often deadlines are looked at. Limits are exact to this. */
const SWEEP_MS = 1000;
/** Sessions are sent off in steps of this. */
const SPREAD_STEP_MS = 100;
/** A hundred miners a second are no crowd: the spread is not longer than that takes. */
const LEAST_SPREAD_MS = 10;
/** Sweeps between two looks for bans that are over. */
const SWEEPS_PER_EXPIRY = 60;

/** Counters of a session server, for metrics. */
export interface SessionServerStats {
  readonly sessions: number;
  /** Connections that have not become a session yet. */
  readonly opening: number;
  /** Addresses with at least one session. */
  readonly addresses: number;
  /** Sessions since the start. */
  readonly connected: number;
  /** Sessions open, by protocol. */
  readonly protocols: Readonly<Record<string, number>>;
  /** Connections that were let in since the start; not all become sessions. */
  readonly accepted: number;
  /** Ends since the start, by reason; refused connections count too. */
  readonly closed: Readonly<Record<CloseReason, number>>;
  /** Connections that limits and bans refused at once, by reason; part of `closed`. */
  readonly refused: Readonly<Partial<Record<CloseReason, number>>>;
  readonly bans: number;
  readonly busy: boolean;
  readonly loopDelayMs: number;
  /** Mean delays of the event loop in seconds, one per second of uptime. */
  readonly loopDelay: HistogramSnapshot;
}

/** What a graceful close may take. */
export interface CloseOptions {
  /** Time for replies under way. Default: the limit `drainTimeoutMs`. */
  readonly drainMs?: number;
  /** Shown to miners where the protocol can. */
  readonly message?: string;
  /**
   * Time over which sessions are sent off one after the other, so that they do not all come to the next server at
   * once; with few of them it takes less (10 ms for each). `drainMs` begins after it. Default 0: all at once.
   */
  readonly spreadMs?: number;
}

/** Accepts connections and runs sessions on them, in whatever protocols it was given. */
export class SessionServer<Context extends MethodContext = MethodContext> implements SessionHost {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: SessionEventSink;
  readonly hooks: HookRegistry<SessionHooks<Context>>;
  readonly bans: BanList;
  readonly sendPolicy: SendQueuePolicy;
  readonly output = new OutputScheduler();
  readonly deadlines = new DeadlineTable<SessionCore>();
  readonly addresses: AddressTable;
  readonly protocols: readonly ProtocolDefinition[];
  readonly #listenerOptions: readonly ListenerOptions[];
  readonly #gate: Gate<Context>;
  readonly #overload: OverloadGate;
  readonly #closedBy = new Map<CloseReason, number>();
  readonly #refusedBy = new Map<CloseReason, number>();
  readonly #openBy = new Map<string, number>();
  readonly #loopDelays = new Histogram();
  /** `onClose` hooks that have not finished. */
  #closeHooks = 0;
  #onHooksDone: (() => void) | undefined = undefined;
  #loopDelay: LoopDelayMonitor | undefined;
  #sweeper: Timer | undefined = undefined;
  #sweeps = 0;
  #connected = 0;
  #draining = false;
  #closing: Promise<void> | undefined = undefined;
  #endSpread: (() => void) | undefined = undefined;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(options: SessionServerOptions, modules: SessionServerModules<Context>) {
    if (modules.protocols.length === 0) throw new PoolError('invalid_config', 'a server needs at least one protocol');
    this.limits = resolveLimits({ connections: defaultConnections(), ...options.limits });
    this.clock = modules.clock ?? systemClock;
    this.log = modules.log ?? silentLogger;
    this.events = modules.events ?? this.#ownEvents();
    this.hooks = modules.hooks ?? createSessionHooks<Context>(this.log, this.events);
    this.bans = new BanList(options.bans ?? {}, this.clock);
    this.bans.onBan = (ban) => this.#banned(ban);
    this.sendPolicy = {
      clock: this.clock,
      maxUnsentBytes: this.limits.unsentBytes,
      drainTimeoutMs: this.limits.drainTimeoutMs,
    };
    this.addresses = new AddressTable(this.limits);
    this.protocols = modules.protocols;
    this.#listenerOptions = options.listeners ?? [];
    this.#overload = new OverloadGate(this.limits);
    this.#loopDelay = modules.loopDelay;
    this.#gate = new Gate<Context>(this, modules.admit);
  }

  #ownEvents(): TypedEmitter<SessionEvents> {
    return new TypedEmitter<SessionEvents>((error, event) => {
      this.log.error({ err: error, event }, 'event listener failed');
    });
  }

  get draining(): boolean {
    return this.#draining;
  }
  /** True while new connections are refused because the event loop is late. */
  get busy(): boolean {
    return this.#overload.busy;
  }
  get sessionCount(): number {
    return this.deadlines.size;
  }
  /** All sessions, in no particular order. Safe against sessions that end while it runs. */
  sessions(): IterableIterator<SessionCore> {
    return this.deadlines.items();
  }

  /** Opens the listeners; resolves with what they are bound to. @throws PoolError `listen_failed`; none stays open then. */
  async listen(): Promise<readonly ListenerInfo[]> {
    if (this.#closing) throw new PoolError('closed', 'the server is closed');
    this.#start();
    return this.#gate.listen(this.#listenerOptions);
  }

  /**
   * Takes over an open connection: memory transports, sockets handed over by another process. `protocol` skips
   * detection. Refuses it like any other when a limit says so.
   */
  attach(connection: Connection, listener: ListenerInfo, protocol?: string): void {
    this.#start();
    this.#gate.accept(connection, listener, protocol);
  }

  /**
   * Graceful and idempotent:
   * 1. stops accepting; connections that are no session yet are dropped;
   * 2. has every protocol tell its peer (V1: client.reconnect), over `spreadMs`; work goes on until then;
   * 3. sessions without a request under way are flushed and closed;
   * 4. the others are closed when their last reply is out;
   * 5. after `drainMs` what is left is destroyed;
   * 6. resolves when every session is gone and its `onClose` hooks are done, or the time is over.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close(options: CloseOptions): Promise<void> {
    const listenersClosed = this.#gate.close();
    const message = options.message ?? 'The server is going down';
    const steps = spreadSteps(this.sessionCount, options.spreadMs ?? 0);
    if (steps > 0) await this.#sendOffSlowly(message, steps);
    this.#draining = true;
    for (const session of [...this.sessions()]) this.#sendOff(session, message);
    const drainMs = options.drainMs ?? this.limits.drainTimeoutMs;
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => {
      if (Number.isFinite(drainMs)) timer = this.clock.setTimeout(resolve, drainMs);
    });
    await Promise.race([this.#empty(), timeout]);
    for (const session of [...this.sessions()]) session.destroy('shutdown');
    await Promise.race([Promise.all([this.#hooksDone(), listenersClosed]), timeout]);
    timer?.cancel();
    this.#stop();
  }

  #sendOff(session: SessionCore, message: string): void {
    if (session.isLeaving) return;
    try {
      session.implementation?.shutdown(message);
    } catch (error) {
      this.report(error, 'shutdown', session);
    }
    session.isLeaving = true;
    session.checkAfterTurn();
  }

  /** Resolves when all but the last few are sent off, or the server is destroyed. */
  #sendOffSlowly(message: string, steps: number): Promise<void> {
    const waiting = [...this.sessions()];
    const perStep = Math.ceil(waiting.length / (steps + 1));
    return new Promise((resolve) => {
      const timer = this.clock.setInterval(() => step(), SPREAD_STEP_MS);
      this.#endSpread = () => {
        timer.cancel();
        resolve();
      };
      const step = (): void => {
        for (const session of waiting.splice(0, perStep)) this.#sendOff(session, message);
        if (waiting.length === 0 || this.sessionCount === 0) this.#endSpread?.();
      };
      step();
    });
  }

  /** Closes everything at once: listeners, connections, sessions. A `close()` under way resolves. */
  destroy(): void {
    this.#draining = true;
    this.#endSpread?.();
    this.#closing ??= Promise.resolve();
    void this.#gate.close();
    for (const session of [...this.sessions()]) session.destroy('shutdown');
    this.#stop();
  }

  /** A snapshot of the counters. */
  stats(): SessionServerStats {
    const closed = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, this.#closedBy.get(reason) ?? 0]));
    return {
      sessions: this.sessionCount,
      opening: this.#gate.opening,
      addresses: this.addresses.size,
      connected: this.#connected,
      protocols: Object.fromEntries(this.#openBy),
      accepted: this.#gate.accepted,
      closed: closed as Record<CloseReason, number>,
      refused: Object.fromEntries(this.#refusedBy),
      bans: this.bans.size,
      busy: this.busy,
      loopDelayMs: this.#overload.delayMs,
      loopDelay: this.#loopDelays.snapshot(),
    };
  }

  // --- for the gate and the sessions

  /** Counts the end of a connection. */
  count(reason: CloseReason): void {
    this.#closedBy.set(reason, (this.#closedBy.get(reason) ?? 0) + 1);
  }

  /** Counts a connection that was not let in. */
  countRefused(reason: CloseReason): void {
    this.#refusedBy.set(reason, (this.#refusedBy.get(reason) ?? 0) + 1);
    this.count(reason);
  }

  /** Runs a connection that passed the gate. */
  open(session: SessionCore, definition: ProtocolDefinition): void {
    this.#connected++;
    this.#openBy.set(definition.name, (this.#openBy.get(definition.name) ?? 0) + 1);
    try {
      const implementation = definition.create(session);
      session.prepare(implementation);
    } catch (error) {
      this.report(error, 'session start', session);
      session.destroy('internal-error');
      return;
    }
    this.events.safeEmit('connected', { session });
    session.start();
  }

  ended(session: SessionCore, reason: CloseReason): void {
    this.addresses.leave(session.address);
    this.#openBy.set(session.protocol, (this.#openBy.get(session.protocol) ?? 1) - 1);
    this.count(reason);
    const later = this.hooks.list('onClose').run({ session, reason });
    if (isPromiseLike(later)) this.#trackCloseHook(later);
    this.events.safeEmit('closed', { session, reason, durationMs: this.clock.now() - session.connectedAtMs });
    if (this.sessionCount > 0) return;
    this.#endSpread?.();
    this.#onEmpty?.();
  }

  /** Logs something unexpected and emits `error`. */
  report(error: unknown, where: string, session?: SessionCore): void {
    (session?.log ?? this.log).error({ err: error, where }, 'unexpected error');
    this.events.safeEmit('error', { error, where, session });
  }

  #trackCloseHook(promise: PromiseLike<unknown>): void {
    this.#closeHooks++;
    // Hook lists never reject.
    promise.then(() => {
      this.#closeHooks--;
      if (this.#closeHooks === 0) this.#onHooksDone?.();
    });
  }

  #banned(ban: Ban): void {
    const sessions: SessionCore[] = [];
    const isAbout = aboutBan(ban);
    for (const session of this.sessions()) if (isAbout(session)) sessions.push(session);
    this.log.warn({ scope: ban.scope, key: ban.key, reason: ban.reason, sessions: sessions.length }, 'banned');
    this.events.safeEmit('banned', { ban, sessions });
    for (const session of sessions) session.kick('banned');
  }

  #empty(): Promise<void> {
    if (this.sessionCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #hooksDone(): Promise<void> {
    if (this.#closeHooks === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onHooksDone = resolve;
    });
  }

  #start(): void {
    if (this.#sweeper || this.#draining) return;
    if (Number.isFinite(this.limits.overloadDelayMs)) this.#loopDelay ??= createLoopDelayMonitor();
    this.#sweeper = this.clock.setInterval(() => this.#sweep(), SWEEP_MS);
  }

  #stop(): void {
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    this.#loopDelay?.close();
    this.#loopDelay = undefined;
    this.#onEmpty?.();
    this.#onHooksDone?.();
  }

  #sweep(): void {
    const nowMs = this.clock.monotonic();
    this.deadlines.sweep(nowMs);
    this.#sweeps++;
    if (this.#sweeps % SWEEPS_PER_EXPIRY === 0) this.bans.expire();
    if (this.#loopDelay === undefined) return;
    const sampleMs = this.#loopDelay.sample();
    this.#loopDelays.record(sampleMs / 1000);
    if (this.#overload.update(sampleMs)) {
      const { busy, delayMs } = this.#overload;
      this.log.warn({ busy, delayMs }, busy ? 'overloaded: refusing new connections' : 'overload is over');
      this.events.safeEmit('busy', { busy, delayMs });
    }
  }
}

/** Steps in which so many sessions are sent off, beside the first; 0: all at once. */
function spreadSteps(sessions: number, spreadMs: number): number {
  return Math.floor(Math.min(spreadMs, sessions * LEAST_SPREAD_MS) / SPREAD_STEP_MS);
}

/** The default of the limit, as far as this process may open so many. */
function defaultConnections(): number {
  return Math.min(LIMITS.connections.default, connectionsByDescriptors());
}

/**
 * Makes a session server. Nothing is opened before `listen()` or `attach()`.
 * @throws PoolError `invalid_config` for a wrong limit, `invalid_argument` for a wrong CIDR.
 */
export function createSessionServer<Context extends MethodContext = MethodContext>(
  options: SessionServerOptions,
  modules: SessionServerModules<Context>,
): SessionServer<Context> {
  return new SessionServer(options, modules);
}
