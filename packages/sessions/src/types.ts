import type { Logger, MaybePromise, Reject } from '@headframe/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/**
 * Data that plugins keep per session. Augment it:
 * `declare module '@headframe/sessions' { interface SessionState { rig?: string } }`
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented
export interface SessionState {}

/** Every reason a session can end for, in one place: the type, the counters and the documentation come from it. */
export const CLOSE_REASONS = [
  'client-closed',
  'socket-error',
  'refused',
  'banned',
  'too-many-connections',
  'overloaded',
  'detect-timeout',
  'bad-proxy-header',
  'http-probe',
  'unknown-protocol',
  'authorize-timeout',
  'idle-timeout',
  'line-too-long',
  'malformed',
  'too-many-unknown-methods',
  'rate-limited',
  'slow-reader',
  'kicked',
  'internal-error',
  'shutdown',
] as const;

/** Why a session ended. A closed set; each is counted and documented. */
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** The listening socket a session came in by. */
export interface ListenerInfo {
  /** Position in the `listeners` option; -1 for connections attached from elsewhere. */
  readonly index: number;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** One socket, whatever protocol it speaks. */
export interface Session {
  /** Increasing, unique in this process. */
  readonly id: number;
  /** The miner's address: from the PROXY header when a trusted one sent it. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly secure: boolean;
  readonly listener: ListenerInfo;
  /** Name of the protocol, e.g. `stratum-v1`. */
  readonly protocol: string;
  /** Unix milliseconds. */
  readonly connectedAtMs: number;
  /** For plugins. */
  readonly state: SessionState;
  readonly log: Logger;
  readonly closed: boolean;
  /** Software name the peer gave, escaped; undefined until known. */
  agent: string | undefined;
  /**
   * Milliseconds without a line after which the session is closed; `Infinity` for never. Default: the limit of that
   * name. For peers that are known to be silent for long.
   */
  idleTimeoutMs: number;
  /**
   * Sends text as it is, behind what was sent before: whole messages of the protocol, ASCII, newline included. Nothing
   * checks it. Does nothing on a closed session.
   */
  send(text: string): void;
  /** Sends a notification. Does nothing on a closed session. */
  notify(method: string, params: readonly unknown[]): void;
  /**
   * Asks the peer. Settles always: with the result, or rejects with PoolError `request_failed` (the peer answered an
   * error), `request_timeout`, `connection_closed`, `queue_full` or `aborted`.
   */
  request(
    method: string,
    params: readonly unknown[],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<unknown>;
  /** Sends what is queued, then closes. Idempotent. */
  close(reason: CloseReason): void;
  /** Closes at once. */
  destroy(reason: CloseReason): void;
}

/** What a method handler is called with. `server` adds mining fields to it. */
export interface MethodContext<Params = unknown> {
  readonly method: string;
  readonly params: Params;
  readonly session: Session;
  /** True when the peer wants an answer (the request has a non-null id). */
  readonly wantsReply: boolean;
  /** Aborted when the handler's time is over or the session ends. */
  readonly signal: AbortSignal;
}

/** What must have happened on a session before a method may be called. */
export type Phase = 'any' | 'subscribed' | 'authorized';

/** A method that peers can call. The handler's return value is the answer; a {@link Reject} is an error answer. */
export interface MethodDefinition<Params = unknown, Context extends MethodContext<Params> = MethodContext<Params>> {
  /** Any Standard Schema (zod 4, valibot ...). Absent: the handler gets `unknown`. */
  readonly params?: StandardSchemaV1<unknown, Params>;
  /** What must have happened on the session first. Default `any`. */
  readonly phase?: Phase;
  /**
   * True for methods that bring a session into its next phase (subscribe, authorize). While one of them is still
   * waiting for its promise, requests of a later phase wait for it instead of being refused.
   */
  readonly changesPhase?: boolean;
  /**
   * True for a method whose handler looks after phase and `onRequest` hooks itself, by
   * `JsonRpcProtocol.guard`. For shares: nothing may stand between a share and its evaluation.
   */
  readonly unguarded?: boolean;
  readonly handler: (context: Context) => MaybePromise<unknown | Reject>;
}

/** Decides whether a socket may talk at all: a {@link Reject} or `false` refuses, anything else admits. */
export type AdmitHandler = (peer: AdmitContext) => MaybePromise<Reject | boolean | undefined>;

/** What the `admit` handler is called with. */
export interface AdmitContext {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly secure: boolean;
  readonly listener: ListenerInfo;
}
