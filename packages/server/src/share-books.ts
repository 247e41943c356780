import type { ShareRecord } from '@headframe/mining';
import type { Clock, RejectCode } from '@headframe/primitives';
import type { SubmitFields } from '@headframe/stratum-v1';
import type { Channel } from './channel.js';
import type { Committer } from './committer.js';
import type { RejectedEvent, ShareEvent } from './events.js';
import { type Share, type ShareOrigin, SharePool } from './share.js';
import type { ShareStats } from './stats.js';
import { BLAMED } from './verdict.js';

/** Whom the share path tells what; events are only built when somebody listens. */
export interface ShareObserver<Account> {
  readonly wantsShares: boolean;
  readonly wantsRejected: boolean;
  share(event: ShareEvent<Account>): void;
  rejected(event: RejectedEvent<Account>): void;
}

export interface ShareBooksParts<Account> {
  readonly clock: Clock;
  readonly observer: ShareObserver<Account>;
  readonly stats: ShareStats;
  /** Undefined: there is no ledger, an accepted share is answered at once. */
  readonly committer: Committer<Share<Account>> | undefined;
}

/** What follows a verdict: counters, the ledger, the ban score, the reply, the event. Also owns the share objects. */
export class ShareBooks<Account> {
  readonly pool = new SharePool<Account>();
  readonly #parts: ShareBooksParts<Account>;

  constructor(parts: ShareBooksParts<Account>) {
    this.#parts = parts;
  }

  /** The share counts. It is answered when it is in the ledger; until then it is in use. */
  accept(share: Share<Account>, nowMs: number, monotonicMs: number): void {
    const { stats, committer } = this.#parts;
    const { value } = share.channelJob.difficulty;
    stats.accepted++;
    stats.work += value;
    share.channel.session.judge(true, value, share.worker?.key);
    if (committer === undefined) {
      stats.answered(share.receivedMs, monotonicMs);
      this.#reply(share, nowMs);
    } else committer.add(recordOf(share, 'accepted', nowMs), share);
  }

  /** The shares of a batch all have their verdict. */
  batchDone(): void {
    const { stats, committer, clock } = this.#parts;
    if (committer === undefined) stats.answeredAll(clock.monotonic());
  }

  /** The ledger has these shares. */
  committed(shares: readonly Share<Account>[]): void {
    const { clock, stats } = this.#parts;
    const nowMs = clock.now();
    const monotonicMs = clock.monotonic();
    for (let i = 0; i < shares.length; i++) {
      const share = shares[i];
      if (share === undefined) continue;
      stats.answered(share.receivedMs, monotonicMs);
      this.#reply(share, nowMs);
    }
    stats.answeredAll(monotonicMs);
  }

  #reply(share: Share<Account>, timeMs: number): void {
    share.origin.accept(share.slot, share.idText);
    const { observer } = this.#parts;
    if (observer.wantsShares && share.worker !== undefined) {
      const { channel, channelJob, worker } = share;
      observer.share({
        session: channel.session,
        channel,
        account: worker.account,
        worker: worker.name,
        difficulty: channelJob.difficulty.value,
        achieved: share.achieved,
        jobId: channelJob.id,
        height: channelJob.record.height,
        blockHash: share.blockHash,
        timeMs,
      });
    }
    this.pool.release(share);
  }

  /** The share does not count. Its record goes to the ledger when it is known whose it is; the reply does not wait. */
  refuse(share: Share<Account>, code: RejectCode, reason: string | undefined, nowMs: number): void {
    const { stats, committer, observer } = this.#parts;
    const { channel, channelJob, worker } = share;
    stats.refused(code);
    if (worker !== undefined) committer?.add(recordOf(share, code, nowMs));
    if (BLAMED.has(code)) channel.session.judge(false, channelJob.difficulty.value, worker?.key);
    share.origin.refuse(share.slot, share.idText, code, reason);
    if (observer.wantsRejected) {
      observer.rejected({
        session: channel.session,
        channel,
        account: worker?.account,
        worker: share.workerName,
        code,
        reason,
        difficulty: channelJob.difficulty.value,
        achieved: share.achieved,
        jobId: channelJob.id,
        blockHash: share.blockHash,
        timeMs: nowMs,
      });
    }
    this.pool.release(share);
  }

  /** Refuses a submit that never gets a header: unparsable, or of an unknown job. */
  refuseUnjudged(
    channel: Channel<Account>,
    fields: SubmitFields,
    origin: ShareOrigin,
    slot: number,
    code: RejectCode,
    reason?: string,
  ): void {
    const { stats, committer, observer, clock } = this.#parts;
    const timeMs = clock.now();
    const worker = channel.workers.find(fields.worker);
    const jobId = Math.max(0, fields.jobId);
    stats.refused(code);
    if (worker !== undefined && committer !== undefined) {
      committer.add({
        timeMs,
        account: worker.key,
        worker: worker.name,
        address: worker.address,
        jobId,
        height: 0,
        result: code,
        difficulty: 0,
        achieved: 0,
        blockHash: undefined,
      });
      committer.flush();
    }
    if (BLAMED.has(code)) channel.session.judge(false, channel.difficulty.value, worker?.key);
    origin.refuse(slot, fields.idText, code, reason);
    if (observer.wantsRejected) {
      observer.rejected({
        session: channel.session,
        channel,
        account: worker?.account,
        worker: fields.worker,
        code,
        reason,
        difficulty: 0,
        achieved: 0,
        jobId,
        blockHash: undefined,
        timeMs,
      });
    }
  }
}

function recordOf<Account>(share: Share<Account>, result: ShareRecord['result'], timeMs: number): ShareRecord {
  const { channelJob, worker } = share;
  return {
    timeMs,
    account: worker?.key ?? '',
    worker: worker?.name ?? share.workerName,
    address: worker?.address ?? '',
    jobId: channelJob.id,
    height: channelJob.record.height,
    result,
    difficulty: channelJob.difficulty.value,
    achieved: share.achieved,
    blockHash: share.blockHash,
  };
}
