import type { Coin } from '@headframe/coins';
import type { BlockSubmitterStats } from '@headframe/daemon';
import type { JobManagerStats } from '@headframe/jobs';
import type { Bus, JobRecord, NodeStatus, ShareSink } from '@headframe/mining';
import type { Clock, Logger } from '@headframe/primitives';
import type { AuthorizeHandler, MiningServerOptions, MiningServerStats } from '@headframe/server';
import type { PoolConfigInput } from './config/schema.js';
import type { StorageState } from './storage.js';

/** Decisions a pool leaves to its owner. Each has a working default. */
export interface PoolHandlers<Account> {
  /**
   * Who is this username? What it returns is the account, and its type is that of every hook and event. Default: every
   * name is taken, for the whole reward goes to the fixed payout address.
   */
  readonly authorize?: AuthorizeHandler<Account>;
  /** May this socket talk at all? Default: yes. */
  readonly admit?: NonNullable<MiningServerOptions<Account>['admit']>;
  /** Key that shares are credited and accounts are banned under. Default: the account itself when it is a string, or its `id`. */
  readonly accountKey?: (account: Account) => string;
}

/** What `createPool` takes: the configuration and the handlers. */
export type PoolOptions<Account> = PoolConfigInput & PoolHandlers<Account>;

/** Parts that can be put in the place of the built-in ones. */
export interface PoolModules {
  /** A pino logger fits. Default: JSON lines on standard output at the configured level. */
  readonly log?: Logger;
  /**
   * Parts that say `debug` lines whatever the level is: `headframe` for all but the messages, or some of
   * `headframe:server,headframe:core,headframe:rpc`. Default: the environment variable `DEBUG`.
   */
  readonly debug?: string;
  readonly clock?: Clock;
  /** Where judged shares go, in place of what `storage` says. There is no ledger then. */
  readonly shareSink?: ShareSink;
  /** Default: direct calls. */
  readonly bus?: Bus;
  /** Words of the command that supervised nodes run on news. Default `['headframe', 'notify']`. */
  readonly notifyCommand?: readonly string[];
}

/** What a pool is doing, for a status page or a test. */
export interface PoolStatus {
  readonly coin: Coin;
  readonly listening: readonly PoolAddress[];
  readonly node: NodeStatus;
  readonly job: JobRecord | undefined;
  readonly sessions: number;
  /** Counters of sessions, channels and shares. */
  readonly server: MiningServerStats;
  /** Undefined before `listen`. */
  readonly blocks: BlockSubmitterStats | undefined;
  readonly jobs: JobManagerStats | undefined;
  /** Where shares go and whether that works. */
  readonly storage: StorageState;
}

/** Where a pool listens. */
export interface PoolAddress {
  readonly host: string;
  readonly port: number;
}
