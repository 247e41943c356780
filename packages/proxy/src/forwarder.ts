import type { MinerJob, SubmitOutcome } from '@headframe/client';
import { type BlockCandidate, hashToDifficulty, networkTargetBytes } from '@headframe/mining';
import {
  BoundedMap,
  BoundedQueue,
  type Clock,
  errorMessage,
  isPoolError,
  type Logger,
  type Reject,
  reject,
  toDisplayHex,
} from '@headframe/primitives';
import type { ProxyConfig } from './config.js';
import type { ForwardedEvent, VerdictEvent } from './events.js';
import { type UpstreamShare, upstreamShare } from './proxied-job.js';
import type { Upstream, UpstreamLogin } from './upstream.js';
import type { WorkerBook } from './worker-book.js';

/** A job that miners got, and where it came from. */
export interface GivenJob {
  readonly upstream: Upstream;
  readonly epoch: number;
  readonly job: MinerJob;
  /** Monotonic time when a clean job of the same upstream came after it; undefined while it is live. */
  staleSinceMs: number | undefined;
}

export interface ForwarderParts {
  readonly config: ProxyConfig;
  readonly difficultyFactor: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly book: WorkerBook;
  /** Name and password at an upstream for the account of a share; `account` is empty when the miner is not known. */
  login(upstream: Upstream, account: string): UpstreamLogin;
  /** The share names a worker that is logged in. */
  isKnown(candidate: BlockCandidate): boolean;
  onForwarded(event: ForwardedEvent): void;
  onVerdict(event: VerdictEvent): void;
}

interface Pending {
  readonly given: GivenJob;
  readonly share: UpstreamShare;
  readonly candidate: BlockCandidate;
  readonly hash: string;
  readonly isBlock: boolean;
  readonly settle: (answer: Reject | undefined) => void;
  /** It was sent on a connection that broke: the upstream may have it. */
  readonly isRepeat: boolean;
}

/** Jobs that shares are still recognised of: two hours of a pool that sends one a minute. */
const MAX_JOBS = 128;
/** Answers that a miner may wait for; the server bounds them by `pendingVerdicts` anyway. */
const MAX_ANSWERS = 16_384;
/** Shares that wait for a lost upstream to come back. */
const MAX_UNSENT = 4096;

/** Hands shares to the upstream their job came from, in the tick they were found in, and keeps the books on them. */
export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #jobs = new BoundedMap<number, GivenJob>(MAX_JOBS);
  readonly #answers = new BoundedMap<string, Promise<Reject | undefined>>(MAX_ANSWERS);
  readonly #unsent = new BoundedQueue<Pending>(MAX_UNSENT);

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  /** Shares that wait for a lost upstream to come back. */
  get unsent(): number {
    return this.#unsent.size;
  }

  /** Miners get this job under a number of ours. `clean`: the upstream takes no shares of earlier ones any more. */
  give(id: number, upstream: Upstream, job: MinerJob, clean: boolean): void {
    if (clean) this.#endJobs(upstream);
    this.#jobs.set(id, { upstream, epoch: upstream.epoch, job, staleSinceMs: undefined });
  }

  #endJobs(upstream: Upstream): void {
    const nowMs = this.#parts.clock.monotonic();
    for (const given of this.#jobs.values()) {
      if (given.upstream === upstream) given.staleSinceMs ??= nowMs;
    }
  }

  /** A share that meets the target of its upstream. */
  offer(candidate: BlockCandidate): void {
    const { config, difficultyFactor, onForwarded } = this.#parts;
    const given = this.#jobs.get(candidate.baseJobId);
    if (given === undefined) return;
    const network = networkTargetBytes(given.job.notify.nbits);
    const isBlock = network !== undefined && candidate.achieved >= hashToDifficulty(network, difficultyFactor);
    const share = upstreamShare(given.job, candidate);
    const hash = toDisplayHex(candidate.hash);
    const why = this.#whyNot(given, candidate, share, isBlock);
    const { upstream } = given;
    onForwarded({
      upstream: upstream.name,
      worker: candidate.worker,
      hash,
      isBlock,
      sent: why === undefined,
      reason: why,
    });
    if (share === undefined || why !== undefined) {
      this.#parts.book.dropped(candidate.worker, why ?? 'version bits');
      return;
    }
    let settle: Pending['settle'] = () => {};
    if (config.submit.wait) {
      this.#answers.set(
        hash,
        new Promise((resolve) => {
          settle = resolve;
        }),
      );
    }
    this.#send({ given, share, candidate, hash, isBlock, settle, isRepeat: false });
  }

  /** The upstream's answer to a share that was sent, as a verdict; undefined when none is awaited. */
  answerTo(hash: string): Promise<Reject | undefined> | undefined {
    const answer = this.#answers.get(hash);
    this.#answers.delete(hash);
    return answer;
  }

  /** An upstream is there again. Shares that it had not answered are sent again, if it still knows their jobs. */
  returned(upstream: Upstream): void {
    for (const pending of this.#take(upstream)) {
      if (upstream.jobStatus(pending.given.job, pending.given.epoch) === 'unknown') this.#drop(pending);
      else this.#send({ ...pending, isRepeat: true });
    }
  }

  /** An upstream is not coming back: what it has not answered is lost. */
  left(upstream: Upstream): void {
    for (const pending of this.#take(upstream)) this.#drop(pending);
  }

  #take(upstream: Upstream): Pending[] {
    const taken: Pending[] = [];
    for (let left = this.#unsent.size; left > 0; left--) {
      const pending = this.#unsent.shift();
      if (pending === undefined) break;
      if (pending.given.upstream === upstream) taken.push(pending);
      else this.#unsent.push(pending);
    }
    return taken;
  }

  /** Why a share is not worth sending. A block is, whatever else is wrong with it. */
  #whyNot(
    given: GivenJob,
    candidate: BlockCandidate,
    share: UpstreamShare | undefined,
    isBlock: boolean,
  ): string | undefined {
    const { config, clock, isKnown } = this.#parts;
    if (share === undefined) return 'version bits the upstream did not allow';
    if (isBlock) return undefined;
    if (candidate.account === '' || !isKnown(candidate)) return 'unknown worker';
    if (share.ntime < given.job.notify.ntime) return 'ntime before the job';
    const { staleSinceMs } = given;
    const isLate = staleSinceMs !== undefined && clock.monotonic() - staleSinceMs >= config.submit.lateSeconds * 1000;
    return isLate ? 'stale' : undefined;
  }

  #send(pending: Pending): void {
    const { given, share, candidate } = pending;
    const { upstream } = given;
    const { clock, login } = this.#parts;
    const sentMs = clock.monotonic();
    upstream.submit(share, login(upstream, candidate.account)).then(
      (outcome) => this.#answered(pending, outcome, clock.monotonic() - sentMs),
      (error: unknown) => this.#failed(pending, error),
    );
  }

  #answered(pending: Pending, outcome: SubmitOutcome, tookMs: number): void {
    const { given, candidate, hash, isBlock, settle } = pending;
    const { book, onVerdict } = this.#parts;
    const { upstream, job } = given;
    const { worker } = candidate;
    book.answered(tookMs / 1000);
    const event = { upstream: upstream.name, worker, hash, isBlock, difficulty: job.difficulty };
    // It had the share before the connection broke, and only its answer was lost.
    const isKnown = !outcome.accepted && pending.isRepeat && outcome.error.rejectCode === 'duplicate';
    if (outcome.accepted || isKnown) {
      book.accepted(worker, job.difficulty, isBlock);
      onVerdict({ ...event, accepted: true, code: undefined, reason: undefined });
      settle(undefined);
    } else {
      const { rejectCode: code, reason } = outcome.error;
      book.rejected(worker, code);
      onVerdict({ ...event, accepted: false, code, reason });
      settle(reject(code, reason));
    }
    upstream.judged(outcome.accepted, worker);
  }

  #failed(pending: Pending, error: unknown): void {
    const { log } = this.#parts;
    const { upstream } = pending.given;
    log.warn({ hash: pending.hash, upstream: upstream.name, error: errorMessage(error) }, 'no answer to a share');
    // It may be back in a moment and remember our session; whether it had the share already, it will say.
    const mayReturn = isPoolError(error, 'connection_closed') && pending.given.epoch === upstream.epoch;
    if (mayReturn && this.#unsent.push(pending)) return;
    this.#drop(pending);
  }

  #drop({ candidate, given, hash, isBlock, settle }: Pending): void {
    const { book, onVerdict } = this.#parts;
    book.lost(candidate.worker);
    const { upstream, job } = given;
    onVerdict({
      upstream: upstream.name,
      worker: candidate.worker,
      hash,
      isBlock,
      difficulty: job.difficulty,
      accepted: false,
      code: 'timeout',
      reason: 'The upstream was lost',
    });
    settle(reject('timeout', 'The upstream was lost'));
  }
}
