import type { BlockCandidate, BlockOutcome, JobRecord } from '@headframe/mining';
import type { RejectCode } from '@headframe/primitives';
import type { Session, SessionEvents } from '@headframe/sessions';
import type { Channel } from './channel.js';
import type { Worker } from './workers.js';

/** A share that is in the ledger and was answered `true`. */
export interface ShareEvent<Account> {
  readonly session: Session;
  readonly channel: Channel<Account>;
  readonly account: Account;
  readonly worker: string;
  /** Difficulty of the job the share names: what it is worth. */
  readonly difficulty: number;
  /** Difficulty the hash reached. */
  readonly achieved: number;
  readonly jobId: number;
  readonly height: number;
  /** Display hex when the share was a new block. */
  readonly blockHash: string | undefined;
  readonly timeMs: number;
}

/** A share that was refused. */
export interface RejectedEvent<Account> {
  readonly session: Session;
  readonly channel: Channel<Account>;
  /** Undefined when the name is not authorized on this session. */
  readonly account: Account | undefined;
  /** As the miner wrote it. */
  readonly worker: string;
  readonly code: RejectCode;
  readonly reason: string | undefined;
  /** 0 when the job is not known. */
  readonly difficulty: number;
  readonly achieved: number;
  readonly jobId: number;
  /** Display hex when the share was a new block: it was sent to the nodes all the same. */
  readonly blockHash: string | undefined;
  readonly timeMs: number;
}

/** Events of a mining server, beside those of the sessions. They observe; none can veto. */
export interface MiningEvents<Account> extends SessionEvents {
  subscribed: { readonly session: Session; readonly channel: Channel<Account>; readonly resumed: boolean };
  authorized: { readonly session: Session; readonly channel: Channel<Account>; readonly worker: Worker<Account> };
  /** A job came from the core; the sessions have it or get it within the spread. */
  job: { readonly job: JobRecord; readonly clean: boolean };
  share: ShareEvent<Account>;
  rejected: RejectedEvent<Account>;
  retargeted: {
    readonly session: Session;
    readonly channel: Channel<Account>;
    readonly from: number;
    readonly to: number;
  };
  /** A hash at or under the network target was sent to the core. */
  blockCandidate: BlockCandidate;
  /** It is in the active chain of a node. */
  block: BlockOutcome;
  blockMatured: BlockOutcome;
  blockOrphaned: BlockOutcome;
}

/** What `beforeShare` hooks see. Made only when there is one. */
export interface ShareContext<Account> {
  readonly session: Session;
  readonly channel: Channel<Account>;
  readonly account: Account;
  readonly worker: string;
  readonly jobId: number;
  readonly height: number;
  readonly difficulty: number;
  readonly achieved: number;
  /** Display hex when the share is a new block; it has been sent already. */
  readonly blockHash: string | undefined;
}
