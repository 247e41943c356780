import type { Clock, Logger } from '@headframe/primitives';
import type { BanOptions } from './bans.js';
import type { SessionEventSink, SessionHooks } from './events.js';
import type { HookRegistry } from './hooks.js';
import type { Limits } from './limits.js';
import type { LoopDelayMonitor } from './overload.js';
import type { ProtocolDefinition } from './protocol.js';
import type { AdmitHandler, MethodContext } from './types.js';

/** One listening socket. */
export interface ListenerOptions {
  /** Default `0.0.0.0`. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM texts. With them TLS is recognised beside plain connections on the same port. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly required?: boolean };
  /** Whether a PROXY header is expected, and the addresses and CIDRs it is believed from. Default: off. */
  readonly proxyProtocol?: { readonly mode: 'optional' | 'required'; readonly trusted: readonly string[] };
  /** What HTTP clients are pointed to, e.g. `stratum+tcp://pool.example:3333`. Default: this host and port. */
  readonly stratumUrl?: string;
  /** Names of the protocols served here. Default: all. */
  readonly protocols?: readonly string[];
}

/** What a session server does. */
export interface SessionServerOptions {
  readonly listeners?: readonly ListenerOptions[];
  /** Overrides of single limits; see `LIMITS`. */
  readonly limits?: Partial<Limits>;
  readonly bans?: BanOptions;
}

/** What a session server works with. */
export interface SessionServerModules<Context extends MethodContext = MethodContext> {
  /** What it can speak, in the order of detection. At least one. */
  readonly protocols: readonly ProtocolDefinition[];
  readonly clock?: Clock;
  readonly log?: Logger;
  /** May this socket talk at all. Default: yes. */
  readonly admit?: AdmitHandler;
  /** From `createSessionHooks`; default: a registry of its own. */
  readonly hooks?: HookRegistry<SessionHooks<Context>>;
  /** Default: an emitter of its own, found as `server.events`. */
  readonly events?: SessionEventSink;
  /** Default: the event loop of this process; used while `overloadDelayMs` is finite. */
  readonly loopDelay?: LoopDelayMonitor;
}
