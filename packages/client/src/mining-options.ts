import type { Subscription } from '@headframe/stratum-v1';
import type { ReconnectPolicy } from './backoff.js';
import type { ConnectStratumOptions } from './connect.js';
import type { HandshakeOptions, WorkerCredentials } from './handshake.js';
import type { MinerJob } from './job.js';
import type { Extranonce } from './mining-state.js';
import type { ReconnectNotification } from './notifications.js';
import type { PoolEntry } from './pools.js';
import type { UnsolicitedMessage } from './stratum-client.js';
import type { StratumEndpoint } from './url.js';

export interface MiningClientOptions extends ConnectStratumOptions, HandshakeOptions {
  /** Names to authorize, at least one; the first one is the default for submits. */
  readonly workers: readonly [WorkerCredentials, ...WorkerCredentials[]];
  /**
   * Pools in order of preference, instead of `url`. A pool that cannot be reached, refuses, or loses the connection
   * within 30 seconds makes the next one be tried at once; after the last one it waits and begins with the first.
   */
  readonly pools?: readonly PoolEntry[];
  /** How to come back to a better pool of the list. */
  readonly preferred?: PreferredPolicy;
  /** What to do when the connection is lost; false: nothing. Default: come back with growing, jittered delays. */
  readonly reconnect?: false | ReconnectPolicy;
  /** Hands the session id of the last connection in, so that the pool may go on with the same extranonce. Default true. */
  readonly resume?: boolean;
  /** Whether `client.reconnect` may name another host. Default `same-domain`, see `isSameDomain`. */
  readonly redirect?: 'same-domain' | 'any' | 'never';
  /** A number from 0 up to 1, for the jitter. Default Math.random. */
  readonly random?: () => number;
}

/** While a fallback pool is used, the better ones are tried beside it. */
export interface PreferredPolicy {
  /** Default 60,000; `Infinity` stays with the fallback for as long as it lasts. */
  readonly checkEveryMs?: number;
  /** How long a better pool must have held a connection before it is used. Default 30,000. */
  readonly stableMs?: number;
}

/** A connection that is introduced and authorized. */
export interface ReadyEvent {
  readonly subscription: Subscription;
  /** Version bits granted; 0 when none. */
  readonly versionMask: number;
  /** The pool gave the extranonce1 of the last connection again. */
  readonly resumed: boolean;
  /** Place of the pool in the list; 0 without one. */
  readonly pool: number;
  /** Where the connection leads. */
  readonly endpoint: StratumEndpoint | undefined;
}

export interface MiningClientEvents {
  /** Introduced and authorized; jobs may have come before. Also when it changed over to a better pool. */
  ready: ReadyEvent;
  /** A job with the difficulty, extranonce and mask in force. `job.notify` has every part of `mining.notify`. */
  job: MinerJob;
  /** For the next job. */
  difficulty: number;
  /** `mining.set_extranonce`: for the next job. */
  extranonce: Extranonce;
  /** `mining.set_version_mask`: for the next job. */
  versionMask: number;
  /** Text of `client.show_message`. */
  notice: string;
  /** Every notification and request of the pool as it came, before anything is done with it. */
  message: UnsolicitedMessage;
  /** A connection was lost or not made. `retryInMs` is undefined when that was the last try. */
  disconnected: { readonly error: Error; readonly retryInMs: number | undefined; readonly pool: number };
  /** The pool wanted to send us to another domain. We stay. */
  redirectRefused: ReconnectNotification;
  invalid: { readonly method: string | undefined; readonly reason: string };
  /** The end, exactly once. */
  closed: { readonly error: Error | undefined };
}
