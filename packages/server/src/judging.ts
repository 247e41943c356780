import type { Bus } from '@headframe/mining';
import { type Clock, Histogram, type Logger, type TypedEmitter } from '@headframe/primitives';
import type { BanList, HookList, OutputScheduler } from '@headframe/sessions';
import { createInlineValidator, type ShareValidator } from '@headframe/validator';
import { CandidateDesk } from './candidates.js';
import { Committer } from './committer.js';
import type { MiningEvents, ShareContext } from './events.js';
import type { MiningLimits } from './limits.js';
import type { ValidatorFactory } from './options.js';
import type { MiningServerStats } from './server-types.js';
import type { Share } from './share.js';
import { SharePath } from './share-path.js';
import { ShareStats } from './stats.js';
import type { WorkDesk } from './work-desk.js';

export interface JudgingParts<Account> {
  readonly bus: Bus | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: MiningLimits;
  readonly events: TypedEmitter<MiningEvents<Account>>;
  readonly desk: WorkDesk<Account>;
  readonly beforeShare: HookList<ShareContext<Account>>;
  /** Difficulty factor of the coin. */
  readonly factor: number;
  readonly hookTimeoutMs: number;
  readonly validator: ValidatorFactory<Account> | undefined;
  readonly sessions: () => { readonly bans: BanList; readonly output: OutputScheduler };
}

/** What there is to tell of commits where there is no ledger. */
const NO_COMMITS = new Histogram().snapshot();

/** The share path with all it needs: validator, candidates, ledger, counters. */
export class Judging<Account> {
  readonly path: SharePath<Account>;
  readonly #parts: JudgingParts<Account>;
  readonly #stats = new ShareStats();
  readonly #candidates: CandidateDesk<Account>;
  readonly #committer: Committer<Share<Account>> | undefined;
  readonly #validator: ShareValidator<Share<Account>>;

  constructor(parts: JudgingParts<Account>) {
    this.#parts = parts;
    const { bus, clock, log, limits, events } = parts;
    this.#candidates = new CandidateDesk<Account>(bus, limits.candidates, (candidate) => {
      events.safeEmit('blockCandidate', candidate);
    });
    this.#committer = bus && this.#makeCommitter(bus);
    this.path = new SharePath<Account>({
      clock,
      log,
      limits,
      factor: parts.factor,
      desk: parts.desk,
      candidates: this.#candidates,
      beforeShare: parts.beforeShare,
      observer: {
        get wantsShares() {
          return events.listenerCount('share') > 0;
        },
        get wantsRejected() {
          return events.listenerCount('rejected') > 0;
        },
        share: (event) => events.safeEmit('share', event),
        rejected: (event) => events.safeEmit('rejected', event),
      },
      stats: this.#stats,
      hookTimeoutMs: parts.hookTimeoutMs,
      committer: this.#committer,
      sessions: parts.sessions,
    });
    const makeValidator = parts.validator ?? ((listener) => createInlineValidator({ listener, log }));
    this.#validator = makeValidator(this.path);
    this.path.use(this.#validator);
  }

  #makeCommitter(bus: Bus): Committer<Share<Account>> {
    const { clock, log, limits } = this.#parts;
    return new Committer<Share<Account>>({
      commit: (batch) => bus.call('commit', batch),
      clock,
      log,
      capacity: limits.uncommittedShares,
      sharesPerCommit: limits.sharesPerCommit,
      commitsPerSecond: limits.commitsPerSecond,
      timeoutMs: limits.commitTimeoutMs,
      onCommitted: (shares) => this.path.committed(shares),
      onRoom: () => this.path.room(),
    });
  }

  /** Judges what was handed in and hands all verdicts to the ledger, for as long as `drainMs`. */
  async close(drainMs: number): Promise<void> {
    await this.#validator.close();
    const committer = this.#committer;
    if (committer !== undefined && !(await committer.drain(drainMs))) {
      this.#parts.log.error({ shares: committer.pending }, 'shares could not be handed to the ledger');
    }
    committer?.close();
  }

  /** Stops at once. */
  destroy(): void {
    void this.#validator.close();
    this.#committer?.close();
  }

  stats(): Pick<MiningServerStats, 'shares' | 'candidates' | 'validator'> {
    const { accepted, work } = this.#stats;
    return {
      shares: {
        accepted,
        work,
        rejected: this.#stats.rejected(),
        pending: this.path.pending,
        uncommitted: this.#committer?.pending ?? 0,
        commitFailures: this.#committer?.failures ?? 0,
        latency: this.#stats.latency.snapshot(),
        commit: this.#committer?.seconds.snapshot() ?? NO_COMMITS,
      },
      candidates: this.#candidates.count,
      validator: this.#validator.stats(),
    };
  }
}
