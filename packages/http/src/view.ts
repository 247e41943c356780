import type { Coin } from '@headframe/coins';
import type { Accounting, Ledger } from '@headframe/ledger';
import type { BlockCandidate, BlockOutcome, Difficulty, JobRecord } from '@headframe/mining';
import type { Payouts } from '@headframe/payouts';
import type { PoolAddress, PoolConfig, PoolStatus } from '@headframe/pool';
import type { Logger } from '@headframe/primitives';
import type { MiningServerStats } from '@headframe/server';
import type { BanList, Session } from '@headframe/sessions';

/** What the API reads of the ledger. */
export type LedgerView = Pick<
  Ledger,
  | 'blocks'
  | 'block'
  | 'summary'
  | 'account'
  | 'topAccounts'
  | 'active'
  | 'series'
  | 'currentRound'
  | 'rounds'
  | 'luck'
  | 'roundOf'
> & { readonly accounting: AccountingView };

/** What the API reads and changes of the books. */
export type AccountingView = Pick<
  Accounting,
  'settings' | 'changeSettings' | 'booking' | 'balance' | 'statement' | 'payment' | 'payments'
>;

/** What the API reads of a channel. */
export interface ChannelView {
  readonly difficulty: Difficulty;
  readonly workers: {
    readonly size: number;
    readonly first: WorkerView | undefined;
    [Symbol.iterator](): IterableIterator<WorkerView>;
  };
}

/** A worker on a channel. */
export interface WorkerView {
  readonly name: string;
  /** Key of its account. */
  readonly key: string;
}

/** What the API does with the mining server. */
export interface ServerView {
  channelOf(session: Session): ChannelView;
  kick(session: Session): void;
  setDifficulty(session: Session, difficulty: number): Difficulty;
  reconnect(
    session: Session,
    target?: { readonly host: string; readonly port: number; readonly waitSeconds: number },
  ): void;
  notifyAll(method: string, params: readonly unknown[]): number;
}

/** A share as the API counts it. */
export interface ShareView {
  readonly session: Session;
  readonly difficulty: number;
  readonly timeMs: number;
}

/** Events that the API listens to. */
export interface PoolViewEvents {
  share: ShareView;
  rejected: ShareView;
  job: { readonly job: JobRecord; readonly clean: boolean };
  blockCandidate: BlockCandidate;
  block: BlockOutcome;
  blockMatured: BlockOutcome;
  blockOrphaned: BlockOutcome;
}

/** Counters that the API shows. */
export interface CountersView {
  readonly workers: number;
  readonly shares: Pick<MiningServerStats['shares'], 'accepted' | 'work' | 'rejected'>;
}

/** How the storage is doing. */
export interface StorageView {
  /** Only a `ledger` has statistics. */
  readonly kind: 'log' | 'ledger' | 'custom';
  readonly isOk: boolean;
  /** For the operator: it may name files and hosts. */
  readonly reason: string | undefined;
  /** For everybody. */
  readonly failure: 'full' | 'locked' | 'unavailable' | 'failed' | undefined;
}

/**
 * What the API needs of a pool. A `Pool` is one; a test can pass a small object.
 */
export interface PoolView {
  readonly coin: Coin;
  readonly config: Pick<PoolConfig, 'listeners' | 'daemons' | 'payout'>;
  readonly log: Logger;
  readonly addresses: readonly PoolAddress[];
  readonly ledger: LedgerView | undefined;
  readonly payouts: Payouts | undefined;
  readonly storage: StorageView;
  readonly isPaused: boolean;
  /** What the owner of the pool says of its readiness: one line for each thing that is not ok. */
  readonly readiness?: { readonly problems: readonly string[] };
  readonly sessions: Iterable<Session>;
  readonly bans: Pick<BanList, 'list' | 'add' | 'remove'>;
  readonly server: ServerView;
  status(): Pick<PoolStatus, 'node' | 'job' | 'sessions'> & { readonly server: CountersView };
  on<Name extends keyof PoolViewEvents>(event: Name, listener: (payload: PoolViewEvents[Name]) => void): () => void;
  /** New authorizations are refused until `resume`. */
  pause(): void;
  resume(): void;
  refreshTemplate(): void;
  /** Transactions of a job of the core, besides the coinbase; undefined when it is forgotten. */
  transactionCount?(jobId: number): number | undefined;
}
