import { hashToDifficulty } from '@headframe/mining';
import {
  type Clock,
  isPromiseLike,
  type Logger,
  type Reject,
  type RejectCode,
  reject,
  type Timer,
} from '@headframe/primitives';
import type { BanList, HookList, OutputScheduler, SessionCore } from '@headframe/sessions';
import type { SubmitFields } from '@headframe/stratum-v1';
import type { ShareEvaluation, ShareValidator, ValidatorListener } from '@headframe/validator';
import { Backpressure } from './backpressure.js';
import type { CandidateDesk } from './candidates.js';
import type { Channel } from './channel.js';
import type { ChannelJob } from './channel-job.js';
import type { ShareContext } from './events.js';
import type { MiningLimits } from './limits.js';
import type { Share, ShareOrigin } from './share.js';
import { ShareBooks, type ShareBooksParts } from './share-books.js';
import { fillHeader } from './share-header.js';
import { type Circumstances, KEY_BYTES, REASONS, verdictOf } from './verdict.js';
import type { WorkDesk } from './work-desk.js';

/** What the share path works with. */
export interface SharePathParts<Account> extends ShareBooksParts<Account> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: MiningLimits;
  readonly factor: number;
  readonly desk: WorkDesk<Account>;
  readonly candidates: CandidateDesk<Account>;
  readonly beforeShare: HookList<ShareContext<Account>>;
  /** How long an asynchronous hook may take. */
  readonly hookTimeoutMs: number;
  /** Known once the session server is made. */
  readonly sessions: () => { readonly bans: BanList; readonly output: OutputScheduler };
}

const BUSY = reject('busy');
const TIMED_OUT = reject('timeout');

/**
 * The way of a share: job, evaluation, block candidate, verdict, commit, reply. Nothing but an unknown job or an
 * extranonce2 of the wrong length (such a share has no header) stands before the evaluation.
 */
export class SharePath<Account> implements ValidatorListener<Share<Account>> {
  readonly #parts: SharePathParts<Account>;
  readonly #books: ShareBooks<Account>;
  readonly #pressure: Backpressure<Account>;
  /** Channels whose difficulty changed, or whose duplicate set fills, in this batch. */
  #toRenew: Channel<Account>[] = [];
  #parked = 0;
  #circumstances: Circumstances | undefined = undefined;
  #nowMs = 0;
  #monotonicMs = 0;
  /** When the first share came that no batch has taken yet; negative while there is none. One clock read for all. */
  #gatheringMs = -1;
  #inBatch = false;

  constructor(parts: SharePathParts<Account>) {
    this.#parts = parts;
    this.#books = new ShareBooks(parts);
    this.#pressure = new Backpressure(() => parts.committer?.isFull ?? false);
  }

  /** Sets the validator, which needs this object as its listener. */
  use(validator: ShareValidator<Share<Account>>): void {
    this.#pressure.use(validator);
  }

  /** Shares between submit and verdict. */
  get pending(): number {
    return this.#pressure.pending + this.#parked;
  }

  /**
   * Takes a share in. The verdict goes to `origin`: from inside this call only when it is known without a hash.
   * `gate` is a refusal of the request by phase or `onRequest` hook, perhaps still to come.
   */
  submit(
    channel: Channel<Account>,
    fields: SubmitFields,
    origin: ShareOrigin,
    slot: number,
    gate: Share['gate'],
  ): void {
    const job = channel.findJob(fields.jobId);
    if (job === undefined) {
      this.refuseUnjudged(channel, fields, origin, slot, 'job-not-found');
      return;
    }
    const length = fields.extranonce2Length;
    if (length !== job.extranonce2Size) {
      const reason = `Extranonce2 has ${length} bytes, not ${job.extranonce2Size}`;
      this.refuseUnjudged(channel, fields, origin, slot, 'invalid-extranonce2', reason);
      return;
    }
    if (this.#gatheringMs < 0) this.#gatheringMs = this.#parts.clock.monotonic();
    const share = this.#books.pool.take(origin, channel, job);
    share.receivedMs = this.#gatheringMs;
    share.slot = slot;
    share.idText = fields.idText;
    share.gate = gate;
    share.workerName = fields.worker;
    share.worker = channel.workers.find(fields.worker);
    share.shareTarget = job.difficulty.target;
    fillHeader(share, job, fields);
    this.#pressure.hand(share);
  }

  /** Refuses a submit that never gets a header. */
  refuseUnjudged(
    channel: Channel<Account>,
    fields: SubmitFields,
    origin: ShareOrigin,
    slot: number,
    code: RejectCode,
    reason?: string,
  ): void {
    this.#books.refuseUnjudged(channel, fields, origin, slot, code, reason);
    this.#pressure.check(channel.session);
  }

  /** The validator has room again. */
  drained(): void {
    this.#pressure.drained();
  }

  /** The ledger has room again. */
  room(): void {
    this.#pressure.room();
  }

  /** A session has ended. */
  forget(session: SessionCore): void {
    this.#pressure.forget(session);
  }

  // --- verdict

  evaluated(share: Share<Account>, found: ShareEvaluation): void {
    if (!this.#inBatch) this.#beginBatch();
    share.achieved = hashToDifficulty(found.bytes, this.#parts.factor, found.powOffset);
    share.meetsShareTarget = found.meetsShareTarget;
    // Before a block is sent: it changes the tip itself, and must not be stale for it.
    const { tip } = this.#parts.desk;
    if (found.meetsNetworkTarget) share.blockHash = this.#parts.candidates.offer(share, found, this.#nowMs);
    if (share.gate === undefined && (share.worker === undefined || this.#parts.beforeShare.size === 0)) {
      this.#decide(share, found.bytes, found.hashOffset, undefined, tip);
      return;
    }
    this.#askFirst(share, found, tip);
  }

  /** Somebody has a say before the verdict: the request's own gate, then the hooks. */
  #askFirst(share: Share<Account>, found: ShareEvaluation, tip: number): void {
    const { gate } = share;
    if (isPromiseLike(gate)) {
      this.#park(share, found, gate, tip);
      return;
    }
    const answer = gate ?? this.#runHooks(share);
    if (isPromiseLike(answer)) this.#park(share, found, answer, tip);
    else this.#decide(share, found.bytes, found.hashOffset, answer, tip);
  }

  #runHooks(share: Share<Account>): ReturnType<HookList<ShareContext<Account>>['run']> {
    const { beforeShare } = this.#parts;
    const { worker, channel, channelJob } = share;
    // Without a worker there is no account to show to a hook, and the verdict is clear.
    if (beforeShare.size === 0 || worker === undefined) return undefined;
    return beforeShare.run({
      session: channel.session,
      channel,
      account: worker.account,
      worker: worker.name,
      jobId: channelJob.id,
      height: channelJob.record.height,
      difficulty: channelJob.difficulty.value,
      achieved: share.achieved,
      blockHash: share.blockHash,
    });
  }

  /**
   * Waits for an answer, a bounded number at a time and for a bounded time. The block, if it was one, is on its way.
   * A tip that comes meanwhile, perhaps this very block, does not make the share stale: it was in time.
   */
  #park(share: Share<Account>, found: ShareEvaluation, answer: PromiseLike<Reject | undefined>, tip: number): void {
    const { limits, clock, hookTimeoutMs } = this.#parts;
    if (this.#parked >= limits.pendingVerdicts) {
      this.#decide(share, found.bytes, found.hashOffset, BUSY, tip);
      return;
    }
    const hash = found.bytes.slice(found.hashOffset, found.hashOffset + KEY_BYTES);
    this.#parked++;
    let timer: Timer | undefined;
    let isOver = false;
    const settle = (refusal: Reject | undefined): void => {
      if (isOver) return;
      isOver = true;
      timer?.cancel();
      this.#parked--;
      this.#beginBatch();
      this.#decide(share, hash, 0, refusal, tip);
      this.batchDone();
    };
    if (Number.isFinite(hookTimeoutMs)) timer = clock.setTimeout(() => settle(TIMED_OUT), hookTimeoutMs);
    const afterGate = (refusal: Reject | undefined): void => {
      // Refused for its time meanwhile: the share object may be somebody else's by now.
      if (isOver) return;
      // A worker that was being authorized when the share came is known by now.
      share.worker ??= share.channel.workers.find(share.workerName);
      const later = refusal ?? this.#runHooks(share);
      if (isPromiseLike(later)) later.then(settle);
      else settle(later);
    };
    answer.then(isPromiseLike(share.gate) ? afterGate : settle);
  }

  /** `tip` is that of the moment when the share was evaluated. */
  #decide(
    share: Share<Account>,
    bytes: Uint8Array,
    hashOffset: number,
    refusal: Reject | undefined,
    tip: number,
  ): void {
    if (refusal !== undefined) {
      this.#books.refuse(share, refusal.code, refusal.reason, this.#nowMs);
      return;
    }
    const { channel, channelJob } = share;
    const circumstances = this.#look(tip);
    const code = verdictOf(share, bytes, hashOffset, circumstances);
    if (code === undefined) {
      this.#pace(channel, channelJob);
      this.#books.accept(share, this.#nowMs, this.#monotonicMs);
    } else {
      if (code === 'busy') this.#moveOn(channel, channelJob);
      this.#books.refuse(share, code, REASONS[code], this.#nowMs);
    }
  }

  #look(tip: number): Circumstances {
    const now = this.#circumstances;
    if (now === undefined) {
      this.#circumstances = { tip, nowMs: this.#nowMs, bans: this.#parts.sessions().bans };
      return this.#circumstances;
    }
    now.tip = tip;
    now.nowMs = this.#nowMs;
    return now;
  }

  /** An accepted share moves the difficulty, and the channel on to other work once its job has half of what it takes. */
  #pace(channel: Channel<Account>, job: ChannelJob): void {
    const { duplicates } = job;
    if (duplicates !== undefined && duplicates.size === duplicates.capacity >> 1) this.#moveOn(channel, job);
    const { vardiff } = channel;
    if (vardiff === undefined || job.difficulty.value !== channel.difficulty.value) return;
    const changed = vardiff.share(this.#monotonicMs);
    if (changed === undefined) return;
    this.#parts.desk.adopt(channel, changed);
    this.#renewLater(channel);
  }

  /** The duplicate set of a job fills: the channel gets fresh work, of a higher difficulty if that is ours to choose. */
  #moveOn(channel: Channel<Account>, full: ChannelJob): void {
    if (channel.newestJob !== full) return;
    const raised = channel.vardiff?.stepUp(this.#monotonicMs);
    if (raised !== undefined) this.#parts.desk.adopt(channel, raised);
    this.#renewLater(channel);
  }

  /** Fresh work at the end of the batch, once. */
  #renewLater(channel: Channel<Account>): void {
    if (channel.needsWork) return;
    channel.needsWork = true;
    this.#toRenew.push(channel);
  }

  failed(share: Share<Account>, error: Error): void {
    if (!this.#inBatch) this.#beginBatch();
    this.#parts.log.error({ err: error, session: share.channel.session.id }, 'a share could not be judged');
    this.#books.refuse(share, 'internal', undefined, this.#nowMs);
  }

  // --- batches

  #beginBatch(): void {
    this.#inBatch = true;
    this.#gatheringMs = -1;
    this.#nowMs = this.#parts.clock.now();
    this.#monotonicMs = this.#parts.clock.monotonic();
  }

  batchDone(): void {
    this.#inBatch = false;
    const { committer, desk } = this.#parts;
    this.#books.batchDone();
    committer?.flush();
    if (this.#toRenew.length > 0) {
      const channels = this.#toRenew;
      this.#toRenew = [];
      for (const channel of channels) {
        channel.needsWork = false;
        if (channel.working && !channel.session.closed) desk.renew(channel);
      }
    }
    this.#parts.sessions().output.flush();
  }

  /** The ledger has these shares. */
  committed(shares: readonly Share<Account>[]): void {
    this.#books.committed(shares);
    this.#parts.sessions().output.flush();
  }
}
