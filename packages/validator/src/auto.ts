import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { type PowAlgorithmId, powAlgorithm } from '@headframe/hashing';
import { addSnapshots, systemClock } from '@headframe/primitives';
import { InlineValidator, type Route } from './inline.js';
import { OFFLOAD_ABOVE, OFFLOAD_BELOW, OFFLOAD_FROM_SHARES, UTILISATION_WINDOW_MS } from './limits.js';
import { type ThreadedShareValidator, ThreadedValidator, type ThreadedValidatorOptions } from './threads.js';
import type { PendingShare, ValidationMode, ValidatorListener, ValidatorStats } from './types.js';

export interface AutoValidatorOptions<Share extends PendingShare> extends ThreadedValidatorOptions<Share> {
  /** Share of the time since the last call that the event loop was busy, 0 to 1. Measured when not given. */
  readonly utilisation?: () => number;
  /** Starts threads at once when it is a heavy one; otherwise they start at their first use. */
  readonly algorithm?: PowAlgorithmId;
  /** Cores of the machine; with one, light algorithms stay inline. */
  readonly cores?: number;
}

/** Event-loop utilisation since the last call. */
function eventLoopUtilisation(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/**
 * Judges inline while the event loop has time, in threads when it is busy and cores are idle; heavy algorithms always
 * in threads. The choice is made per turn.
 */
export class AutoValidator<Share extends PendingShare>
  extends InlineValidator<Share>
  implements ThreadedShareValidator<Share>
{
  override readonly mode: ValidationMode = 'auto';
  readonly #options: AutoValidatorOptions<Share>;
  readonly #utilisation: () => number;
  readonly #cores: number;
  readonly #now: () => number;
  #threads: ThreadedValidator<Share> | undefined;
  #busy = false;
  #measuredAtMs: number;
  #shutDown: Promise<void> | undefined;

  constructor(options: AutoValidatorOptions<Share>) {
    super(options);
    const clock = options.clock ?? systemClock;
    this.#options = options;
    this.#utilisation = options.utilisation ?? eventLoopUtilisation();
    this.#cores = options.cores ?? availableParallelism();
    this.#now = () => clock.monotonic();
    this.#measuredAtMs = this.#now();
    if (options.algorithm !== undefined && powAlgorithm(options.algorithm).heavy) this.#threads = this.#startThreads();
  }

  get ready(): Promise<void> {
    return this.#threads?.ready ?? Promise.resolve();
  }

  override get pending(): number {
    return super.pending + (this.#threads?.pending ?? 0);
  }

  override stats(): ValidatorStats {
    const here = super.stats();
    const there = this.#threads?.stats();
    if (there === undefined) return here;
    return {
      evaluated: here.evaluated + there.evaluated,
      failed: here.failed + there.failed,
      inThreads: there.inThreads,
      workerRestarts: there.workerRestarts,
      pending: this.pending,
      wait: addSnapshots(here.wait, there.wait),
      evaluation: addSnapshots(here.evaluation, there.evaluation),
    };
  }

  protected override route(shares: readonly (Share | undefined)[], count: number): Route {
    const away = this.#threads !== undefined && this.#threads.pending > 0;
    // While threads have work, all goes there: judged here, later shares would overtake earlier ones.
    if (!away && !this.#wantsThreads(shares, count)) return 'here';
    if (this.#shutDown !== undefined && !away) return 'here';
    this.#threads ??= this.#startThreads();
    if (this.#threads.room < count) return away ? 'wait' : 'here';
    for (let i = 0; i < count; i++) {
      const share = shares[i];
      if (share !== undefined) this.#threads.submit(share);
    }
    return 'taken';
  }

  #wantsThreads(shares: readonly (Share | undefined)[], count: number): boolean {
    this.#measure();
    if (this.#busy && this.#cores > 1 && count >= OFFLOAD_FROM_SHARES) {
      this.#threads ??= this.#startThreads();
      // Light shares do not wait for a thread to start.
      if (this.#threads.hasReadyThread) return true;
    }
    for (let i = 0; i < count; i++) {
      const algorithm = shares[i]?.job.algorithm;
      if (algorithm !== undefined && algorithm !== 'sha256d' && powAlgorithm(algorithm).heavy) return true;
    }
    return false;
  }

  #measure(): void {
    const nowMs = this.#now();
    if (nowMs - this.#measuredAtMs < UTILISATION_WINDOW_MS) return;
    this.#measuredAtMs = nowMs;
    const utilisation = this.#utilisation();
    // Two bounds, because moving work away lowers what is measured.
    this.#busy = utilisation > (this.#busy ? OFFLOAD_BELOW : OFFLOAD_ABOVE);
  }

  #startThreads(): ThreadedValidator<Share> {
    const { listener } = this.#options;
    const relay: ValidatorListener<Share> = {
      evaluated: (share, evaluation) => listener.evaluated(share, evaluation),
      failed: (share, error) => listener.failed(share, error),
      batchDone: () => {
        listener.batchDone();
        // Shares may have waited for room.
        this.flush();
      },
      drained: () => {},
    };
    return new ThreadedValidator({ ...this.#options, listener: relay });
  }

  override close(): Promise<void> {
    this.#shutDown ??= this.#close();
    return this.#shutDown;
  }

  async #close(): Promise<void> {
    await super.close();
    // What still waits for room follows when the threads' last batch is done.
    await this.#threads?.close();
  }
}

/** A validator that decides by itself, turn by turn, whether threads pay. */
export function createAutoValidator<Share extends PendingShare>(
  options: AutoValidatorOptions<Share>,
): ThreadedShareValidator<Share> {
  return new AutoValidator(options);
}
