import { encodeJson } from '@headframe/jsonrpc';
import { type Listener, PoolError, reject, silentLogger, systemClock, TypedEmitter } from '@headframe/primitives';
import type { Plugin } from '@headframe/server';
import {
  type AdmitHandler,
  CallContext,
  type CloseOptions,
  createSessionHooks,
  createSessionServer,
  type Hook,
  type HookRegistry,
  JsonRpcProtocol,
  type JsonRpcSettings,
  type Limits,
  type ListenerInfo,
  type MethodContext,
  type MethodDefinition,
  MethodRegistry,
  type RegisteredMethod,
  SessionCore,
  type SessionEvents,
  type SessionHooks,
  type SessionServer,
} from '@headframe/sessions';
import { encodeReconnect, encodeShowMessage, toStratumError } from '@headframe/stratum-v1';
import { type Connection, jsonDetector } from '@headframe/transport';
import type { ProxyModules } from './aggregated.js';
import type { ProxyConfig } from './config.js';
import { PROXY_EVENTS, type ProxyEvents } from './events.js';
import { RelayLink } from './relay-link.js';
import { RelayUpstreams } from './relay-upstreams.js';
import { banOptions, listenerOptions } from './server-options.js';
import type { RelayStats } from './stats.js';
import { WorkerBook } from './worker-book.js';

/** Name of the protocol, as in `session.protocol`. */
export const RELAY_PROTOCOL = 'stratum-relay';
const MAX_NAME = 64;

/** Methods of our own, and for every other name the one that passes it on. */
class RelayMethods extends MethodRegistry<CallContext> {
  readonly #forward: (context: CallContext) => Promise<unknown>;

  constructor(forward: (context: CallContext) => Promise<unknown>) {
    super();
    this.#forward = forward;
  }

  override get(name: string): RegisteredMethod<CallContext> | undefined {
    const own = super.get(name);
    if (own !== undefined || name.length > MAX_NAME) return own;
    return { name, schema: undefined, phase: 'any', changesPhase: false, unguarded: false, handler: this.#forward };
  }
}

/** What a one-to-one proxy asks. */
export interface RelayDecisions {
  admit: AdmitHandler;
}

/**
 * A connection of its own for every miner: whatever the miner says, in whatever namespace, goes to the upstream, and the
 * other way. Methods registered here are answered here.
 */
export class RelayProxy {
  readonly mode = 'one-to-one';
  readonly server: SessionServer<CallContext>;
  readonly #events: TypedEmitter<ProxyEvents>;
  readonly #sessionEvents: TypedEmitter<SessionEvents>;
  readonly #hooks: HookRegistry<SessionHooks<CallContext>>;
  readonly #methods: RelayMethods;
  readonly #upstreams: RelayUpstreams;
  readonly #book: WorkerBook;
  #admit: AdmitHandler | undefined = undefined;

  constructor(config: ProxyConfig, modules: Pick<ProxyModules, 'clock' | 'connect' | 'log'> = {}) {
    const clock = modules.clock ?? systemClock;
    const log = modules.log ?? silentLogger;
    const onError = (error: unknown, event: string): void => log.error({ err: error, event }, 'event listener failed');
    this.#events = new TypedEmitter<ProxyEvents>(onError);
    this.#sessionEvents = new TypedEmitter<SessionEvents>(onError);
    this.#hooks = createSessionHooks<CallContext>(log, this.#sessionEvents);
    this.#book = new WorkerBook(clock);
    this.#upstreams = new RelayUpstreams(config, { clock, log, connect: modules.connect });
    this.#methods = new RelayMethods((context) => this.#linkOf(context).forward(context));
    const settings: JsonRpcSettings<CallContext, RelayLink> = {
      name: RELAY_PROTOCOL,
      methods: this.#methods,
      onRequest: this.#hooks.list('onRequest'),
      beforeReply: this.#hooks.list('beforeReply'),
      createState: (protocol) =>
        new RelayLink(protocol, {
          config,
          clock,
          upstreams: this.#upstreams,
          book: this.#book,
          onVerdict: (event) => this.#events.safeEmit('verdict', event),
        }),
      createContext: (protocol, { method, params, wantsReply }) =>
        new CallContext(protocol.session, method, params, wantsReply),
      encodeError: (idText, code, reason) =>
        `{"id":${idText},"result":null,"error":${encodeJson(toStratumError(code, reason))}}\n`,
      shutdown: (protocol, message) => {
        if (!protocol.session.subscribed) return;
        for (const line of [encodeShowMessage(message), encodeReconnect()])
          protocol.push(Buffer.from(line).toString('latin1'));
      },
      closed: (protocol) => protocol.state.close(),
      hasAccount: (protocol, account) => protocol.state.hasLogin(account),
    };
    this.server = createSessionServer<CallContext>(
      {
        listeners: config.listeners.map(listenerOptions),
        limits: config.limits as Partial<Limits>,
        bans: banOptions(config),
      },
      {
        protocols: [
          {
            name: RELAY_PROTOCOL,
            detector: { ...jsonDetector, name: RELAY_PROTOCOL },
            create: (session) => new JsonRpcProtocol(session, settings),
          },
        ],
        clock,
        log,
        hooks: this.#hooks,
        events: this.#sessionEvents,
        admit: (peer) => {
          if (config.outage.miners === 'refuse' && this.#upstreams.isOut) return reject('busy', 'No upstream');
          return this.#admit?.(peer);
        },
      },
    );
  }

  #linkOf({ session }: CallContext): RelayLink {
    const implementation = session instanceof SessionCore ? session.implementation : undefined;
    const state: unknown = implementation instanceof JsonRpcProtocol ? implementation.state : undefined;
    if (state instanceof RelayLink) return state;
    throw new PoolError('invalid_argument', 'not a session of this proxy');
  }

  /** Answers a method here instead of passing it on. Returns the function that takes it back. */
  method<Params>(name: string, definition: MethodDefinition<Params, CallContext & MethodContext<Params>>): () => void {
    return this.#methods.register(name, definition);
  }

  /** Adds a hook: in order, and may refuse by returning a `reject`. Returns the function that removes it. */
  hook<Name extends keyof SessionHooks<CallContext> & string>(
    name: Name,
    hook: Hook<SessionHooks<CallContext>[Name]>,
  ): () => void {
    return this.#hooks.add(name, hook);
  }

  /** Listens to an event of the proxy or of its sessions. Returns the function that stops it. */
  on<Name extends keyof ProxyEvents & string>(event: Name, listener: Listener<ProxyEvents[Name]>): () => void;
  on<Name extends keyof SessionEvents & string>(event: Name, listener: Listener<SessionEvents[Name]>): () => void;
  on(event: string, listener: Listener<never>): () => void {
    if (PROXY_EVENTS.has(event)) return this.#events.on(event as keyof ProxyEvents, listener as Listener<unknown>);
    return this.#sessionEvents.on(event as keyof SessionEvents, listener as Listener<unknown>);
  }

  /** Sets the handler of a question, in place of the one before. */
  decide<Question extends keyof RelayDecisions>(question: Question, handler: RelayDecisions[Question]): void {
    if (question !== 'admit') throw new PoolError('invalid_argument', `there is no question '${question}'`);
    this.#admit = handler;
  }

  /** Runs a plugin on this proxy. */
  use<Options>(plugin: Plugin<this, Options>, options: Options): this {
    plugin(this, options);
    return this;
  }

  /** Opens the listeners. Upstreams are connected to as miners come. @throws PoolError `listen_failed` */
  listen(): Promise<readonly ListenerInfo[]> {
    return this.server.listen();
  }

  /** Takes over an open connection of a miner. */
  attach(connection: Connection, listener?: Partial<ListenerInfo>): void {
    this.server.attach(connection, { index: -1, host: '', port: 0, tls: false, ...listener });
  }

  /** Ends the sessions after their last replies, and their upstream connections with them. Idempotent. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.server.close(options);
  }

  /** Closes everything at once. */
  destroy(): void {
    this.server.destroy();
  }

  stats(): RelayStats {
    return {
      mode: this.mode,
      upstreams: this.#upstreams.rows(),
      sessions: this.server.stats(),
      total: this.#book.total,
      workers: this.#book.rows(1000),
      answers: this.#book.seconds,
    };
  }
}
