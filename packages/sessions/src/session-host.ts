import type { Clock, Logger } from '@headframe/primitives';
import type { Replaceable, SendQueuePolicy } from '@headframe/transport';
import type { AddressEntry } from './addresses.js';
import type { BanList } from './bans.js';
import type { DeadlineTable } from './deadlines.js';
import type { SessionEventSink } from './events.js';
import type { Limits } from './limits.js';
import type { OutputScheduler } from './output.js';
import type { SessionCore } from './session.js';
import type { CloseReason, ListenerInfo } from './types.js';

/** Why a session is not being read; several can hold at once. */
export const PAUSE = {
  /** As many requests under way as may be. */
  inFlight: 1,
  /** Over the rate of the session or its address. */
  rate: 2,
  /** The peer does not read what we write. */
  output: 4,
  /** For the protocol's own use: a full validator queue ... */
  protocol: 8,
  /** About to be closed. */
  leaving: 16,
} as const;

/** One of {@link PAUSE}. */
export type PauseCause = (typeof PAUSE)[keyof typeof PAUSE];

/** A message for many sessions, of which a newer one replaces one that waits: `WorkUpdate` of transport, for one. */
export interface Broadcast extends Replaceable<Broadcast> {}

/** What all sessions of a server share. */
export interface SessionHost {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: SessionEventSink;
  readonly output: OutputScheduler;
  readonly deadlines: DeadlineTable<SessionCore>;
  readonly bans: BanList;
  readonly sendPolicy: SendQueuePolicy;
  /** True while the server waits for sessions to finish. */
  readonly draining: boolean;
  /** Takes a session that has ended off the books. Called once per session. */
  ended(session: SessionCore, reason: CloseReason): void;
  /** Logs something unexpected and emits `error`. */
  report(error: unknown, where: string, session?: SessionCore): void;
}

/** What a session is made of, besides its connection. */
export interface SessionParts {
  readonly id: number;
  readonly listener: ListenerInfo;
  /** Name of the protocol. */
  readonly protocol: string;
  /** The peer's, from the PROXY header if there was one. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The session has been counted there. */
  readonly address: AddressEntry;
  /** True for addresses that are never limited or banned. */
  readonly exempt: boolean;
}

/** Ends that count against an address; see `BanList.strike`. */
export const STRIKES: ReadonlySet<CloseReason> = new Set([
  'malformed',
  'line-too-long',
  'too-many-unknown-methods',
  'unknown-protocol',
  'authorize-timeout',
]);

/** ASCII bytes or text as text. */
export function asText(bytes: Uint8Array | string): string {
  if (typeof bytes === 'string') return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
