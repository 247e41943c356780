import type { HashableJob } from '@headframe/mining';
import type { MaybePromise, Reject, RejectCode } from '@headframe/primitives';
import type { PendingShare } from '@headframe/validator';
import type { Channel } from './channel.js';
import type { ChannelJob } from './channel-job.js';
import type { Worker } from './workers.js';

/** Who handed in a share and gets the verdict. */
export interface ShareOrigin {
  /** The share is in the ledger. `slot` and `idText` are the origin's own. */
  accept(slot: number, idText: string): void;
  refuse(slot: number, idText: string, code: RejectCode, reason: string | undefined): void;
}

const NO_BYTES = new Uint8Array(0);

/**
 * One share from submit to reply. Reused through a {@link SharePool}: nobody keeps one after its verdict. All fields in
 * one order, so that all shares have one shape (STYLE T7).
 */
export class Share<Account = unknown> implements PendingShare {
  // What the validator reads.
  job: HashableJob;
  version = 0;
  ntime = 0;
  nonce = 0;
  extranonce: Uint8Array = NO_BYTES;
  shareTarget: Uint8Array = NO_BYTES;
  /** Monotonic time when the first share of its turn came. */
  receivedMs = 0;
  // What the verdict needs.
  channel: Channel<Account>;
  channelJob: ChannelJob;
  workerName = '';
  worker: Worker<Account> | undefined = undefined;
  /** Rolled bits that were not negotiated. */
  hasForeignBits = false;
  /** Refusal of the request itself (phase, `onRequest` hooks), now or later. Never in the way of the evaluation. */
  gate: MaybePromise<Reject | undefined> = undefined;
  // What hashing found; kept when the verdict has to wait.
  achieved = 0;
  meetsShareTarget = false;
  /** The hash, when this share is a block nobody has handed in before. */
  blockHash: string | undefined = undefined;
  /** First 16 bytes of the header hash; only when the verdict waits. */
  hash: Uint8Array | undefined = undefined;
  // Whom to answer.
  origin: ShareOrigin;
  slot = 0;
  idText = '';

  constructor(origin: ShareOrigin, channel: Channel<Account>, channelJob: ChannelJob) {
    this.job = channelJob.hashable;
    this.channel = channel;
    this.channelJob = channelJob;
    this.origin = origin;
  }
}

/** Shares kept for reuse; more than are ever in flight would only hold memory. */
const POOL_SIZE = 4096;

/** Recycles share objects, so that a share in flight allocates nothing. */
export class SharePool<Account> {
  readonly #free: Share<Account>[] = [];

  take(origin: ShareOrigin, channel: Channel<Account>, channelJob: ChannelJob): Share<Account> {
    const share = this.#free.pop();
    if (share === undefined) return new Share(origin, channel, channelJob);
    share.origin = origin;
    share.channel = channel;
    share.channelJob = channelJob;
    share.job = channelJob.hashable;
    return share;
  }

  /** Takes a share back once nobody needs it. What it points to lives as long as the share lies here; that is bounded. */
  release(share: Share<Account>): void {
    if (this.#free.length >= POOL_SIZE) return;
    share.worker = undefined;
    share.gate = undefined;
    share.blockHash = undefined;
    share.hash = undefined;
    this.#free.push(share);
  }
}
