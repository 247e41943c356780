import { hashToDifficulty, type ShareRecord } from '@headframe/mining';
import {
  type Clock,
  isPromiseLike,
  type Logger,
  type Reject,
  type RejectCode,
  reject,
  type Timer,
} from '@headframe/primitives';
import { type BanList, type HookList, type OutputScheduler, PAUSE, type SessionCore } from '@headframe/sessions';
import type { SubmitFields } from '@headframe/stratum-v1';
import type { ShareEvaluation, ShareValidator, ValidatorListener } from '@headframe/validator';
import type { CandidateDesk } from './candidates.js';
import type { Channel } from './channel.js';
import type { ChannelJob } from './channel-job.js';
import type { Committer } from './committer.js';
import { DuplicateSet } from './duplicates.js';
import type { RejectedEvent, ShareContext, ShareEvent } from './events.js';
import type { MiningLimits } from './limits.js';
import { type Share, type ShareOrigin, SharePool } from './share.js';
import type { ShareStats } from './stats.js';
import type { WorkDesk } from './work-desk.js';

/** Seconds a share's time may lie ahead of ours: what Bitcoin nodes take. */
const NTIME_AHEAD_S = 7200;
/** First bytes of the header hash that name a share among those of its job. */
const KEY_BYTES = 16;

/** Whom the share path tells what; events are only built when somebody listens. */
export interface ShareObserver<Account> {
  readonly wantsShares: boolean;
  readonly wantsRejected: boolean;
  share(event: ShareEvent<Account>): void;
  rejected(event: RejectedEvent<Account>): void;
}

/** What the share path works with. */
export interface SharePathParts<Account> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: MiningLimits;
  readonly factor: number;
  readonly desk: WorkDesk<Account>;
  readonly candidates: CandidateDesk<Account>;
  readonly beforeShare: HookList<ShareContext<Account>>;
  readonly observer: ShareObserver<Account>;
  readonly stats: ShareStats;
  /** How long an asynchronous hook may take. */
  readonly hookTimeoutMs: number;
  /** Undefined: there is no ledger, an accepted share is answered at once. */
  readonly committer: Committer<Share<Account>> | undefined;
  /** Known once the session server is made. */
  readonly sessions: () => { readonly bans: BanList; readonly output: OutputScheduler };
}

/**
 * The way of a share: job, evaluation, block candidate, verdict, commit, reply. Nothing but an unknown job or an
 * extranonce2 of the wrong length (such a share has no header) stands before the evaluation.
 */
export class SharePath<Account> implements ValidatorListener<Share<Account>> {
  readonly #parts: SharePathParts<Account>;
  readonly #pool = new SharePool<Account>();
  #validator: ShareValidator<Share<Account>> | undefined = undefined;
  /** Taken from a session, but the validator had no room; at most one per session, as each is paused at once. */
  #overflow: Share<Account>[] = [];
  readonly #paused = new Set<SessionCore>();
  /** Channels whose difficulty changed, or whose duplicate set fills, in this batch. */
  #toRenew: Channel<Account>[] = [];
  #parked = 0;
  #nowMs = 0;
  #monotonicMs = 0;
  #inBatch = false;

  constructor(parts: SharePathParts<Account>) {
    this.#parts = parts;
  }

  /** Sets the validator, which needs this object as its listener. */
  use(validator: ShareValidator<Share<Account>>): void {
    this.#validator = validator;
  }

  /** Shares between submit and verdict. */
  get pending(): number {
    return (this.#validator?.pending ?? 0) + this.#overflow.length + this.#parked;
  }

  /** Takes a share in. The verdict goes to `origin`, never from inside this call unless it is known at once. */
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
    const share = this.#pool.take(origin, channel, job);
    share.slot = slot;
    share.idText = fields.idText;
    share.gate = gate;
    share.workerName = fields.worker;
    share.worker = channel.workers.find(fields.worker);
    share.ntime = fields.ntime;
    share.nonce = fields.nonce;
    share.shareTarget = job.difficulty.target;
    setExtranonce(share, job, fields.extranonce2, length);
    setVersion(share, job, fields.versionBits);
    this.#enqueue(share);
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
    const { stats, observer, committer, clock } = this.#parts;
    const worker = channel.workers.find(fields.worker);
    stats.refused(code);
    const jobId = Math.max(0, fields.jobId);
    const timeMs = clock.now();
    if (worker !== undefined) {
      const { name, key, address } = worker;
      const record: ShareRecord = {
        timeMs,
        account: key,
        worker: name,
        address,
        jobId,
        height: 0,
        result: code,
        difficulty: 0,
        achieved: 0,
        blockHash: undefined,
      };
      committer?.add(record);
      committer?.flush();
      if (committer?.isFull) this.#pause(channel.session);
    }
    // A job that was forgotten is no sign of bad will; an extranonce2 that cannot be is.
    if (code !== 'job-not-found') channel.session.judge(false, channel.difficulty.value, worker?.key);
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

  #enqueue(share: Share<Account>): void {
    const validator = this.#validator;
    if (validator === undefined) {
      this.failed(share, new Error('the server is not running'));
      return;
    }
    if (this.#overflow.length > 0 || !validator.submit(share)) {
      this.#overflow.push(share);
      this.#pause(share.channel.session);
      return;
    }
    if (this.#parts.committer?.isFull) this.#pause(share.channel.session);
  }

  // --- backpressure

  #pause(session: SessionCore): void {
    if (this.#paused.has(session) || session.closed) return;
    this.#paused.add(session);
    session.pause(PAUSE.protocol);
  }

  /** The validator has room again. */
  drained(): void {
    const waiting = this.#overflow;
    this.#overflow = [];
    for (let i = 0; i < waiting.length; i++) {
      const share = waiting[i];
      if (share === undefined || this.#validator?.submit(share)) continue;
      this.#overflow = waiting.slice(i);
      return;
    }
    this.room();
  }

  /** Reads paused sessions again if neither validator nor ledger holds them up. */
  room(): void {
    if (this.#overflow.length > 0 || this.#parts.committer?.isFull) return;
    const sessions = [...this.#paused];
    this.#paused.clear();
    for (const session of sessions) session.resume(PAUSE.protocol);
  }

  /** A session has ended; it need not be resumed. */
  forget(session: SessionCore): void {
    this.#paused.delete(session);
  }

  // --- verdict

  evaluated(share: Share<Account>, found: ShareEvaluation): void {
    if (!this.#inBatch) this.#beginBatch();
    share.achieved = hashToDifficulty(found.bytes, this.#parts.factor, found.powOffset);
    share.meetsShareTarget = found.meetsShareTarget;
    if (found.meetsNetworkTarget) share.blockHash = this.#parts.candidates.offer(share, found, this.#nowMs);
    if (share.gate === undefined && (share.worker === undefined || this.#parts.beforeShare.size === 0)) {
      this.#decide(share, found.bytes, found.hashOffset, undefined);
      return;
    }
    this.#askFirst(share, found);
  }

  /** Somebody has a say before the verdict: the request's own gate, then the hooks. */
  #askFirst(share: Share<Account>, found: ShareEvaluation): void {
    const { gate } = share;
    if (isPromiseLike(gate)) {
      this.#park(share, found, gate);
      return;
    }
    const answer = gate ?? this.#runHooks(share);
    if (isPromiseLike(answer)) this.#park(share, found, answer);
    else this.#decide(share, found.bytes, found.hashOffset, answer);
  }

  #runHooks(share: Share<Account>): ReturnType<HookList<ShareContext<Account>>['run']> {
    const { beforeShare } = this.#parts;
    const { worker, channel, channelJob } = share;
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

  /** Waits for an answer, a bounded number at a time and for a bounded time. The block, if it was one, is on its way. */
  #park(share: Share<Account>, found: ShareEvaluation, answer: PromiseLike<Reject | undefined>): void {
    const { limits, clock, hookTimeoutMs } = this.#parts;
    if (this.#parked >= limits.pendingVerdicts) {
      this.#decide(share, found.bytes, found.hashOffset, BUSY);
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
      this.#decide(share, hash, 0, refusal);
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

  #decide(share: Share<Account>, bytes: Uint8Array, hashOffset: number, refusal: Reject | undefined): void {
    if (refusal !== undefined) this.#refuse(share, refusal.code, refusal.reason);
    else {
      const code = this.#verdict(share, bytes, hashOffset);
      if (code === undefined) this.#accept(share);
      else this.#refuse(share, code, REASONS[code]);
    }
  }

  #verdict(share: Share<Account>, bytes: Uint8Array, hashOffset: number): RejectCode | undefined {
    const { worker, channelJob } = share;
    const { desk, limits } = this.#parts;
    if (worker === undefined) return 'unauthorized';
    const { bans } = this.#parts.sessions();
    if (bans.size > 0 && bans.findAccount(worker.key) !== undefined) return 'banned';
    if (channelJob.tip !== desk.tip) return 'stale';
    if (share.ntime < channelJob.record.minTime) return 'ntime-too-old';
    // The job's own time is the node's word: should our clock be behind, it is no fault of the miner's.
    const latest = Math.max(this.#nowMs / 1000, channelJob.record.ntime);
    if (share.ntime > latest + NTIME_AHEAD_S) return 'ntime-too-new';
    if (share.hasForeignBits) return 'invalid-version-bits';
    // A new block counts whatever its share target is: it is worth more than any share.
    if (!share.meetsShareTarget && share.blockHash === undefined) return 'low-difficulty';
    let { duplicates } = channelJob;
    if (duplicates === undefined) {
      duplicates = new DuplicateSet(limits.duplicatesPerJob);
      channelJob.duplicates = duplicates;
    }
    const seen = duplicates.add(bytes, hashOffset);
    if (seen === 'seen') return 'duplicate';
    if (duplicates.size === duplicates.capacity >> 1 || seen === 'full') this.#moveOn(share.channel, channelJob);
    return seen === 'full' ? 'busy' : undefined;
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

  #accept(share: Share<Account>): void {
    const { stats, committer } = this.#parts;
    const { channel, channelJob, worker } = share;
    const { value } = channelJob.difficulty;
    stats.accepted++;
    stats.work += value;
    channel.session.judge(true, value, worker?.key);
    const { vardiff } = channel;
    if (vardiff !== undefined && value === channel.difficulty.value) {
      const changed = vardiff.share(this.#monotonicMs);
      if (changed !== undefined) {
        this.#parts.desk.adopt(channel, changed);
        this.#renewLater(channel);
      }
    }
    if (committer === undefined) this.#reply(share, this.#nowMs);
    else committer.add(this.#record(share, 'accepted'), share);
  }

  #refuse(share: Share<Account>, code: RejectCode, reason: string | undefined): void {
    const { stats, committer, observer } = this.#parts;
    const { channel, channelJob, worker } = share;
    stats.refused(code);
    if (worker !== undefined) committer?.add(this.#record(share, code));
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
        timeMs: this.#nowMs,
      });
    }
    this.#pool.release(share);
  }

  #record(share: Share<Account>, result: ShareRecord['result']): ShareRecord {
    const { channelJob, worker } = share;
    return {
      timeMs: this.#nowMs,
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

  /** The ledger has these shares. */
  committed(shares: readonly Share<Account>[]): void {
    const nowMs = this.#parts.clock.now();
    for (let i = 0; i < shares.length; i++) {
      const share = shares[i];
      if (share !== undefined) this.#reply(share, nowMs);
    }
    this.#parts.sessions().output.flush();
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
    this.#pool.release(share);
  }

  failed(share: Share<Account>, error: Error): void {
    if (!this.#inBatch) this.#beginBatch();
    this.#parts.log.error({ err: error, session: share.channel.session.id }, 'a share could not be judged');
    this.#refuse(share, 'internal', undefined);
  }

  #beginBatch(): void {
    this.#inBatch = true;
    this.#nowMs = this.#parts.clock.now();
    this.#monotonicMs = this.#parts.clock.monotonic();
  }

  batchDone(): void {
    this.#inBatch = false;
    const { committer, desk } = this.#parts;
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
}

const BUSY = reject('busy');
const TIMED_OUT = reject('timeout');

/** Texts that say more than the registry's. */
const REASONS: { readonly [Code in RejectCode]?: string } = {
  busy: 'Too many shares for one job',
  'invalid-version-bits': 'Version bits outside the mask',
};

/** Refusals that count against a miner. Being late, or our own trouble, does not. */
const BLAMED: ReadonlySet<RejectCode> = new Set([
  'invalid-extranonce2',
  'invalid-version-bits',
  'ntime-too-old',
  'ntime-too-new',
  'duplicate',
  'low-difficulty',
  'unauthorized',
]);

/** extranonce1 | extranonce2, into the share's own buffer. */
function setExtranonce(
  share: Pick<Share, 'extranonce'>,
  job: ChannelJob,
  extranonce2: Uint8Array,
  length: number,
): void {
  const { prefix } = job;
  const start = prefix.length;
  if (share.extranonce.length !== start + length) share.extranonce = new Uint8Array(start + length);
  const out = share.extranonce;
  for (let i = 0; i < start; i++) out[i] = prefix[i] ?? 0;
  for (let i = 0; i < length; i++) out[start + i] = extranonce2[i] ?? 0;
}

/**
 * The header's version. Bits inside the mask replace the job's (BIP 310). Bits that were not negotiated are refused
 * later, but the header is built with those of them that the chain lets roll: should it be a block, it is one.
 */
function setVersion(share: Pick<Share, 'version' | 'hasForeignBits'>, job: ChannelJob, bits: number): void {
  const { version, versionMask: legal } = job.record;
  const mask = job.versionMask;
  share.hasForeignBits = false;
  if (bits <= 0) {
    share.version = bits < 0 || mask === 0 ? version : (version & ~mask) >>> 0;
    return;
  }
  if ((bits & ~mask) === 0) {
    share.version = ((version & ~mask) | bits) >>> 0;
    return;
  }
  // Without a negotiated mask some firmware repeats the job's version: nothing rolled.
  share.hasForeignBits = !(mask === 0 && bits === version);
  const rolled = (legal | mask) >>> 0;
  share.version = ((version & ~rolled) | (bits & rolled)) >>> 0;
}
