import {
  compareVersions,
  type ElectrumMethodName,
  type ElectrumMethods,
  methodForm,
  negotiateVersion,
  type OldElectrumMethods,
  type ProtocolRange,
} from '@headframe/electrum';
import {
  type Clock,
  type Listener,
  type Logger,
  type MaybePromise,
  type Reject,
  reject,
  silentLogger,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import {
  type BanList,
  type BanOptions,
  type CloseOptions,
  createSessionHooks,
  createSessionServer,
  type Hook,
  type JsonRpcSettings,
  type Limits,
  type ListenerInfo,
  type ListenerOptions,
  type MethodContext,
  type MethodDefinition,
  MethodRegistry,
  PAUSE,
  type SessionEvents,
  type SessionHooks,
  type SessionServer,
  type SessionServerStats,
} from '@headframe/sessions';
import type { Connection, Detector } from '@headframe/transport';
import { ElectrumContext } from './context.js';
import { CostBudget } from './cost.js';
import { ELECTRUM_ERROR, electrumError } from './errors.js';
import { type ElectrumLimits, resolveElectrumLimits, SESSION_LIMITS } from './limits.js';
import { checkParams } from './params.js';
import { MeteredProtocol } from './protocol.js';
import { ElectrumState } from './state.js';
import { encoders } from './wire.js';

const PROTOCOL_NAME = 'electrum';
/** Newest of the versions that the layer for old clients speaks. */
const OLD_MAX = '1.0';
/** What a session that did not say is taken for. */
const ASSUMED_VERSION = '1.4';

/** What an Electrum server does with its sockets. */
export interface ElectrumFrameworkOptions {
  readonly listeners?: readonly ListenerOptions[];
  /** Limits of `sessions`, with defaults for wallets. */
  readonly limits?: Partial<Limits>;
  readonly electrumLimits?: Partial<ElectrumLimits>;
  readonly bans?: BanOptions;
  /** Versions that are negotiated. Default 1.4 to 1.6. */
  readonly versions?: ProtocolRange;
  /** Whether clients of versions up to 1.0 are served, too. Default true. */
  readonly oldClients?: boolean;
  /** What `server.version` says. */
  readonly software?: string;
}

export interface ElectrumFrameworkModules {
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** A handler of a method of the protocol, with its checked parameters. */
export type ElectrumHandler<Name extends ElectrumMethodName> = (
  params: ElectrumMethods[Name]['params'],
  context: ElectrumContext,
) => MaybePromise<unknown>;

/** The same for a method that only versions before 1.4 have. */
export type OldElectrumHandler<Name extends ElectrumMethodName> = (
  params: OldElectrumMethods[Name]['params'],
  context: ElectrumContext,
) => MaybePromise<unknown>;

/** Both brackets: a session may begin with a batch. */
const electrumDetector: Detector = {
  name: PROTOCOL_NAME,
  detect(prefix, length) {
    for (let at = 0; at < length; at++) {
      const byte = prefix[at];
      if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue;
      return byte === 0x7b || byte === 0x5b ? 'yes' : 'no';
    }
    return 'more';
  },
};

/**
 * An Electrum server without a chain: sessions, version negotiation, batches, budget, methods, on the same core as the
 * mining server. `server.version` and `server.ping` are there; everything else is registered, in any namespace.
 */
export class ElectrumFramework {
  readonly limits: ElectrumLimits;
  readonly versions: ProtocolRange;
  readonly software: string;
  readonly log: Logger;
  readonly methods = new MethodRegistry<ElectrumContext>();
  readonly #events: TypedEmitter<SessionEvents>;
  readonly #sessions: SessionServer<ElectrumContext>;
  readonly #oldClients: boolean;
  readonly #clock: Clock;
  readonly #onEnd: ((protocol: MeteredProtocol) => void)[] = [];

  constructor(options: ElectrumFrameworkOptions, modules: ElectrumFrameworkModules = {}) {
    this.limits = resolveElectrumLimits(options.electrumLimits);
    this.versions = options.versions ?? { min: '1.4', max: '1.6' };
    this.software = options.software ?? 'Headframe';
    this.#oldClients = options.oldClients ?? true;
    this.log = modules.log ?? silentLogger;
    this.#clock = modules.clock ?? systemClock;
    this.#events = new TypedEmitter<SessionEvents>((error) => this.log.error({ err: error }, 'event listener failed'));
    const hooks = createSessionHooks<ElectrumContext>(this.log, this.#events);
    hooks.add('onRequest', (context) => this.#meter(context));
    const settings: JsonRpcSettings<ElectrumContext, ElectrumState> = {
      name: PROTOCOL_NAME,
      methods: this.methods,
      onRequest: hooks.list('onRequest'),
      beforeReply: hooks.list('beforeReply'),
      maxBatchEntries: this.limits.batchEntries,
      createState: () => new ElectrumState(new CostBudget(this.limits, this.#clock.monotonic())),
      createContext: (protocol, request) => new ElectrumContext(protocol, request),
      ...encoders,
      closed: (protocol) => {
        protocol.state.cancelPause();
        if (protocol instanceof MeteredProtocol) for (const end of this.#onEnd) end(protocol);
      },
    };
    this.#sessions = createSessionServer<ElectrumContext>(
      {
        listeners: options.listeners ?? [],
        limits: { ...SESSION_LIMITS, ...options.limits },
        ...(options.bans === undefined ? {} : { bans: options.bans }),
      },
      {
        protocols: [
          {
            name: PROTOCOL_NAME,
            detector: electrumDetector,
            create: (session) => new MeteredProtocol(session, settings),
          },
        ],
        clock: this.#clock,
        log: this.log,
        hooks,
        events: this.#events,
      },
    );
    this.electrumMethod('server.version', ([clientName, wanted], context) =>
      this.#version(clientName, wanted, context),
    );
    this.electrumMethod('server.ping', () => null);
  }

  /** Bans by address, in effect and to come. */
  get bans(): BanList {
    return this.#sessions.bans;
  }

  /**
   * Registers or replaces a method, in any namespace. Answers the function that takes it away again. The handler's
   * return value is the answer; `reject(...)` and `electrumError(...)` are error answers.
   * @throws PoolError `invalid_argument` for a wrong name or handler
   */
  method<Params>(
    name: string,
    definition: MethodDefinition<Params, ElectrumContext & MethodContext<Params>>,
  ): () => void {
    return this.methods.register(name, definition);
  }

  /**
   * Registers or replaces a method of the protocol: its parameters are checked as the session's version has them, and
   * sessions whose version does not have it get `unknown method`.
   */
  electrumMethod<Name extends ElectrumMethodName>(name: Name, handler: ElectrumHandler<Name>): () => void {
    return this.#checked(name, (values, context) => handler(values as ElectrumMethods[Name]['params'], context));
  }

  /** Like {@link electrumMethod} for a method that only versions before 1.4 have. */
  oldMethod<Name extends ElectrumMethodName>(name: Name, handler: OldElectrumHandler<Name>): () => void {
    return this.#checked(name, (values, context) => handler(values as OldElectrumMethods[Name]['params'], context));
  }

  #checked(
    name: ElectrumMethodName,
    handler: (values: readonly unknown[], context: ElectrumContext) => MaybePromise<unknown>,
  ): () => void {
    return this.methods.register(name, {
      handler: (context) => {
        const form = methodForm(name, this.versionFor(context, name));
        if (form === undefined) return reject('unknown-method');
        const checked = checkParams(form, context.params);
        if (!checked.ok) return checked.failure;
        return handler(checked.values, context);
      },
    });
  }

  /** The version by which a session's call is understood. */
  versionFor(context: ElectrumContext, name: string): string {
    const { version } = context;
    if (version !== undefined) return version;
    // A client of the old protocol need not say so.
    return methodForm(name, ASSUMED_VERSION) === undefined && this.#oldClients ? OLD_MAX : ASSUMED_VERSION;
  }

  /** Adds a hook; returns the function that removes it. */
  hook<Name extends keyof SessionHooks<ElectrumContext> & string>(
    name: Name,
    hook: Hook<SessionHooks<ElectrumContext>[Name]>,
  ): () => void {
    return this.#sessions.hooks.add(name, hook);
  }
  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof SessionEvents>(event: Name, listener: Listener<SessionEvents[Name]>): () => void {
    return this.#events.on(event, listener);
  }
  /** Has `listener` called when a session ends, before anybody else hears of it. */
  onEnd(listener: (protocol: MeteredProtocol) => void): void {
    this.#onEnd.push(listener);
  }

  /** All Electrum sessions. */
  *protocols(): Generator<MeteredProtocol> {
    for (const { implementation } of this.#sessions.sessions()) {
      if (implementation instanceof MeteredProtocol) yield implementation;
    }
  }

  /** @throws PoolError `listen_failed` */
  listen(): Promise<readonly ListenerInfo[]> {
    return this.#sessions.listen();
  }
  /** Takes over an open connection, e.g. of a memory transport. */
  attach(connection: Connection, listener: ListenerInfo): void {
    this.#sessions.attach(connection, listener);
  }
  stats(): SessionServerStats {
    return this.#sessions.stats();
  }
  /** Graceful and idempotent: replies under way are sent, then sessions are closed. */
  close(options?: CloseOptions): Promise<void> {
    return this.#sessions.close(options);
  }

  #version(clientName: string | null | undefined, wanted: unknown, context: ElectrumContext): unknown {
    const { state, protocol } = context;
    const { session } = protocol;
    if (state.version !== undefined) {
      // Old clients use it to keep the connection alive.
      if (state.isOld) return this.software;
      return electrumError(ELECTRUM_ERROR.badRequest, 'server.version already sent');
    }
    if (typeof clientName === 'string') session.agent = clientName.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80);
    const old = this.#oldVersion(wanted);
    if (old !== undefined) {
      state.agree(old);
      return this.software;
    }
    const agreed = negotiateVersion(wanted, this.versions);
    if (!agreed.ok) {
      session.kick('refused');
      return electrumError(ELECTRUM_ERROR.badRequest, agreed.message);
    }
    state.agree(agreed.version);
    return [this.software, agreed.version];
  }

  /** The old version that a client asks for by a single text, or undefined. */
  #oldVersion(wanted: unknown): string | undefined {
    if (!this.#oldClients || typeof wanted !== 'string') return undefined;
    const asked = negotiateVersion(wanted, { min: '0.1', max: '1.0.99' });
    if (!asked.ok || compareVersions(asked.version, wanted) !== 0) return undefined;
    return compareVersions(asked.version, '0.8') < 0 ? '0.8' : asked.version;
  }

  #meter(context: ElectrumContext): Reject | undefined {
    const { state, protocol } = context;
    const { session } = protocol;
    // Before 1.6 a session may begin with anything; that it asks for something there is shows that it is a client.
    session.markAuthorized();
    state.cost.chargeMethod(context.method);
    if (session.exempt) return undefined;
    const nowMs = this.#clock.monotonic();
    if (state.cost.isSpent(nowMs)) {
      session.kick('rate-limited');
      return reject('rate-limited');
    }
    const pauseMs = state.cost.pauseMs(nowMs);
    if (pauseMs > 0 && !session.closed) {
      session.pause(PAUSE.protocol);
      state.cancelPause();
      const timer = this.#clock.setTimeout(() => session.resume(PAUSE.protocol), pauseMs);
      state.cancelPause = () => timer.cancel();
    }
    return undefined;
  }
}

/**
 * Makes an Electrum server without a chain.
 * @throws PoolError `invalid_config` for a wrong limit
 *
 * @example
 * const server = createElectrumFramework({ listeners: [{ host: '127.0.0.1', port: 50001 }] });
 * server.method('server.motd', { handler: () => 'dig deeper' });
 * await server.listen();
 */
export function createElectrumFramework(
  options: ElectrumFrameworkOptions,
  modules: ElectrumFrameworkModules = {},
): ElectrumFramework {
  return new ElectrumFramework(options, modules);
}
