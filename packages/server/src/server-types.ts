import type { SessionHooks, SessionServerStats } from '@headframe/sessions';
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
  };
  readonly candidates: number;
  readonly validator: ValidatorStats;
}
