import type { Detector } from '@headframe/transport';
import type { SessionCore } from './session.js';
import type { CloseReason } from './types.js';

/** What a protocol does for one session. `sessions` calls it; it never sees the socket. */
export interface SessionProtocol {
  /** Requests of the peer whose reply has not been handed over yet. */
  readonly pending: number;
  /** Bytes from the peer, lent for the call. */
  data(chunk: Uint8Array): void;
  /** Reading goes on after a pause: work off what was kept. */
  resume(): void;
  /** Sends a notification, behind every reply that was given before it. */
  notify(method: string, params: readonly unknown[]): void;
  /** Asks the peer; see `Session.request`. */
  request(
    method: string,
    params: readonly unknown[],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<unknown>;
  /** Looks after its deadlines; answers the next one in monotonic milliseconds, or Infinity. */
  sweep(nowMs: number): number;
  /** The server goes down: tell the peer to connect again elsewhere, where the protocol can. */
  shutdown(message: string): void;
  /** The session has ended: settle everything that waits. Called once. */
  closed(reason: CloseReason): void;
  /** True when the session works for this account: a ban of the account closes it. */
  hasAccount?(account: string): boolean;
  /** True when a worker of this full name is on the session: a ban of the worker closes it. */
  hasWorker?(name: string): boolean;
}

/** A protocol that a server can speak. */
export interface ProtocolDefinition {
  /** Unique, e.g. `stratum-v1`. */
  readonly name: string;
  /** Recognises the protocol by the first bytes of a connection. */
  readonly detector: Detector;
  /** Makes the part of one session. Called after the first bytes were recognised and `admit` agreed. */
  create(session: SessionCore): SessionProtocol;
}
