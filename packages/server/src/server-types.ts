import type { HistogramSnapshot } from '@headframe/primitives';
import type { CloseOptions, SessionHooks, SessionServerStats } from '@headframe/sessions';
import type { ReconnectTarget } from '@headframe/stratum-v1';
import type { ValidatorStats } from '@headframe/validator';
import type { ShareContext } from './events.js';
import type { AuthorizeHandler, MiningServerOptions } from './options.js';
import type { ShareStats } from './stats.js';
import type { MiningContext } from './v1/context.js';

/** Hooks of a mining server. */
export interface MiningHooks<Account> extends SessionHooks<MiningContext<Account>> {
  /** Before the verdict on every share; the block it may be is on its way already. */
  beforeShare: ShareContext<Account>;
}

/** Questions that {@link MiningServer.decide} takes a handler for. */
export interface Decisions<Account> {
  authorize: AuthorizeHandler<Account>;
  admit: NonNullable<MiningServerOptions<Account>['admit']>;
}

/** Counters of a mining server, for metrics. */
export interface MiningServerStats {
  readonly sessions: SessionServerStats;
  /** Channels that get work. */
  readonly channels: number;
  readonly workers: number;
  readonly leases: number;
  /** Extranonce prefixes in use or resting. */
  readonly extranonces: number;
  readonly shares: {
    readonly accepted: number;
    /** Sum of the difficulties of accepted shares. */
    readonly work: number;
    readonly rejected: ReturnType<ShareStats['rejected']>;
    /** Between submit and verdict. */
    readonly pending: number;
    /** Judged, not yet in the ledger. */
    readonly uncommitted: number;
    /** Consecutive failures of the commit under way. */
    readonly commitFailures: number;
    /**
     * Seconds from receipt to reply of accepted shares, commit included. Shares that came in one turn count from the
     * first of them.
     */
    readonly latency: HistogramSnapshot;
    /** Seconds until a batch was durable, attempts that failed included. */
    readonly commit: HistogramSnapshot;
  };
  /** Seconds from the first to the last write to a socket when all channels got the job of a new block. */
  readonly broadcast: HistogramSnapshot;
  readonly candidates: number;
  readonly validator: ValidatorStats;
}

/** What a graceful close may take, and where miners are sent. */
export interface MiningCloseOptions extends CloseOptions {
  /** Default: they are asked to come back to where they are. */
  readonly reconnect?: ReconnectTarget;
}
