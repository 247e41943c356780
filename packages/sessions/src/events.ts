import type { RpcMessage } from '@headframe/jsonrpc';
import type { Reject } from '@headframe/primitives';
import type { Ban } from './bans.js';
import type { CloseReason, MethodContext, Session } from './types.js';

/** Events of a session server. They observe; none can veto. */
export interface SessionEvents {
  /** A session was admitted. */
  connected: { readonly session: Session };
  /** A session has ended, whatever the reason. */
  closed: { readonly session: Session; readonly reason: CloseReason; readonly durationMs: number };
  /** The event loop came under or out of overload; new connections are refused while `busy`. */
  busy: { readonly busy: boolean; readonly delayMs: number };
  /**
   * A ban (or the verdict on one session). Emitted before the sessions concerned are closed, so a listener can still
   * tell them why: what it sends is flushed first.
   */
  banned: { readonly ban: Ban; readonly sessions: readonly Session[] };
  /** Every message that came in, parsed: for logging and debugging. While somebody listens, fast paths are off. */
  message: { readonly session: Session; readonly message: RpcMessage };
  /** Something unexpected was thrown: by a handler, hook or listener. Nothing has to be done; it was logged. */
  error: { readonly error: unknown; readonly where: string; readonly session: Session | undefined };
}

/** What a session server needs of an emitter; a `TypedEmitter` of more events fits. */
export interface SessionEventSink {
  safeEmit<Name extends keyof SessionEvents>(event: Name, payload: SessionEvents[Name]): void;
  listenerCount(event: keyof SessionEvents): number;
}

/** What `beforeReply` hooks see. A hook that refuses turns the answer into that error. */
export interface ReplyContext {
  readonly method: string;
  readonly session: Session;
  readonly request: MethodContext;
  /** What the handler returned; undefined when it refused. */
  readonly result: unknown;
  /** Set when the request is about to be refused. */
  readonly refusal: Reject | undefined;
}

/** What `onClose` hooks see. They run in order after the socket is gone; a graceful close of the server waits for them. */
export interface CloseContext {
  readonly session: Session;
  readonly reason: CloseReason;
}

/** Contexts of the hooks of a session server. */
export interface SessionHooks<Context extends MethodContext = MethodContext> {
  onRequest: Context;
  beforeReply: ReplyContext;
  onClose: CloseContext;
}
