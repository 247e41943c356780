import { SHARE_RESULT } from '@headframe/hashing';
import { errorMessage, isAtMostLe, type Logger, PoolError } from '@headframe/primitives';
import type { JudgeFailure } from './judge.js';
import type { PendingShare, ShareEvaluation, ValidatorListener } from './types.js';

/** The one evaluation object that listeners see, share after share. */
class ReusedEvaluation implements ShareEvaluation {
  bytes: Uint8Array = new Uint8Array(0);
  headerOffset = 0;
  hashOffset = 0;
  powOffset = 0;
  meetsShareTarget = false;
  meetsNetworkTarget = false;
}

/** Where the results of a batch lie. */
export interface JudgedBatch {
  readonly bytes: Uint8Array;
  readonly resultsAt: number;
  readonly powAt: number;
  readonly failures: readonly JudgeFailure[];
}

/** Hands judged shares to the listener, compares targets and counts. A listener that throws is logged, never in the way. */
export class Delivery<Share extends PendingShare> {
  readonly #listener: ValidatorListener<Share>;
  readonly #log: Logger;
  readonly #evaluation = new ReusedEvaluation();
  evaluated = 0;
  failed = 0;

  constructor(listener: ValidatorListener<Share>, log: Logger) {
    this.#listener = listener;
    this.#log = log;
  }

  /** Delivers the first `count` of `shares`, empties their places, then says that the batch is done. */
  deliver(shares: (Share | undefined)[], count: number, batch: JudgedBatch): void {
    const { failures } = batch;
    for (let i = 0; i < count; i++) {
      const share = shares[i];
      if (share === undefined) continue;
      shares[i] = undefined;
      const failure = failures.length === 0 ? undefined : failures.find(({ index }) => index === i);
      if (failure === undefined) this.#evaluate(share, i, batch);
      else this.#fail(share, new PoolError('invalid_argument', `share could not be judged: ${failure.message}`));
    }
    this.#call(() => this.#listener.batchDone());
  }

  /** The batch was lost for good. */
  fail(shares: (Share | undefined)[], count: number, error: Error): void {
    for (let i = 0; i < count; i++) {
      const share = shares[i];
      shares[i] = undefined;
      if (share !== undefined) this.#fail(share, error);
    }
    this.#call(() => this.#listener.batchDone());
  }

  drained(): void {
    this.#call(() => this.#listener.drained());
  }

  #evaluate(share: Share, index: number, batch: JudgedBatch): void {
    const evaluation = this.#evaluation;
    const { bytes } = batch;
    const { algorithm, networkTarget } = share.job;
    const header = batch.resultsAt + index * SHARE_RESULT.stride;
    const hash = header + SHARE_RESULT.hash;
    const pow = algorithm === 'sha256d' ? hash : batch.powAt + index * 32;
    evaluation.bytes = bytes;
    evaluation.headerOffset = header;
    evaluation.hashOffset = hash;
    evaluation.powOffset = pow;
    evaluation.meetsShareTarget = isAtMostLe(bytes, pow, share.shareTarget);
    evaluation.meetsNetworkTarget = isAtMostLe(bytes, pow, networkTarget);
    this.evaluated++;
    try {
      this.#listener.evaluated(share, evaluation);
    } catch (error) {
      this.#report(error);
    }
  }

  #fail(share: Share, error: Error): void {
    this.failed++;
    this.#call(() => this.#listener.failed(share, error));
  }

  #call(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#log.error({ error: errorMessage(error) }, 'share listener threw');
  }
}
