import { type HashBackend, SHARE_RECORD, SHARE_RESULT } from '@headframe/hashing';
import { type HashableJob, packShare } from '@headframe/mining';
import { silentLogger } from '@headframe/primitives';
import { Delivery } from './delivery.js';
import { BatchJudge } from './judge.js';
import { DEFAULT_QUEUE, INLINE_FLUSH_AT } from './limits.js';
import type { ValidatorOptions } from './options.js';
import { BatchTimes } from './times.js';
import type { PendingShare, ShareValidator, ValidationMode, ValidatorStats } from './types.js';

/** What becomes of a turn's shares: judged here, taken by threads, or kept until threads have room. */
export type Route = 'here' | 'taken' | 'wait';

/**
 * Judges shares in this thread: those of one event-loop turn together, in the check phase, so that they share SIMD
 * lanes. All buffers are made once; a share costs no allocation.
 */
export class InlineValidator<Share extends PendingShare> implements ShareValidator<Share> {
  readonly mode: ValidationMode = 'inline';
  readonly #judge: BatchJudge;
  readonly #times: BatchTimes;
  readonly #delivery: Delivery<Share>;
  readonly #capacity: number;
  readonly #records: Uint8Array;
  /** Results, then proof-of-work hashes. */
  readonly #bytes: Uint8Array;
  readonly #results: Uint8Array;
  readonly #pow: Uint8Array;
  /** The queue, and its counterpart that is filled while the first is being judged. */
  #shares: (Share | undefined)[];
  #spareShares: (Share | undefined)[];
  readonly #jobs: HashableJob[] = [];
  #count = 0;
  #judging = false;
  #scheduled = false;
  #refused = false;
  #closing: Promise<void> | undefined;
  readonly #turn = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  constructor(options: ValidatorOptions<Share>) {
    const capacity = options.queue ?? DEFAULT_QUEUE;
    this.#judge = new BatchJudge(options.backend ?? 'auto');
    this.#delivery = new Delivery(options.listener, options.log ?? silentLogger);
    this.#times = new BatchTimes(options.clock);
    this.#capacity = capacity;
    this.#records = new Uint8Array(capacity * SHARE_RECORD.stride);
    this.#bytes = new Uint8Array(capacity * (SHARE_RESULT.stride + 32));
    this.#results = this.#bytes.subarray(0, capacity * SHARE_RESULT.stride);
    this.#pow = this.#bytes.subarray(capacity * SHARE_RESULT.stride);
    this.#shares = new Array<Share | undefined>(capacity).fill(undefined);
    this.#spareShares = new Array<Share | undefined>(capacity).fill(undefined);
  }

  get backend(): HashBackend {
    return this.#judge.backend;
  }
  get pending(): number {
    return this.#count;
  }

  stats(): ValidatorStats {
    const { evaluated, failed } = this.#delivery;
    return {
      evaluated,
      failed,
      inThreads: 0,
      workerRestarts: 0,
      pending: this.pending,
      wait: this.#times.wait.snapshot(),
      evaluation: this.#times.evaluation.snapshot(),
    };
  }

  submit(share: Share): boolean {
    const index = this.#count;
    if (index >= this.#capacity || this.#closing !== undefined) {
      this.#refused = true;
      return false;
    }
    packShare(this.#records, index, share);
    this.#jobs[index] = share.job;
    this.#shares[index] = share;
    this.#count = index + 1;
    if (index === 0) this.#times.queued();
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#turn);
    }
    // A long turn does not wait for its end; a microtask runs after the caller, never inside `submit`.
    if (index + 1 === INLINE_FLUSH_AT) queueMicrotask(this.#turn);
    return true;
  }

  /** Where a batch goes; {@link AutoValidator} decides differently. */
  protected route(_shares: readonly (Share | undefined)[], _count: number): Route {
    return 'here';
  }

  /** Judges everything queued now. Not from inside `submit`. */
  flush(): void {
    if (this.#judging || this.#count === 0) return;
    const count = this.#count;
    const shares = this.#shares;
    const route = this.route(shares, count);
    if (route === 'wait') return;
    this.#judging = true;
    let failures: ReturnType<BatchJudge['judge']> = [];
    if (route === 'here') {
      this.#times.taken();
      failures = this.#judge.judge(this.#jobs, this.#records, count, this.#results, this.#pow);
      this.#times.judged();
    } else this.#times.moved();
    // From here on `submit` may be called, by the listener.
    this.#shares = this.#spareShares;
    this.#spareShares = shares;
    this.#count = 0;
    if (route === 'here') {
      const batch = { bytes: this.#bytes, resultsAt: 0, powAt: this.#results.length, failures };
      this.#delivery.deliver(shares, count, batch);
    } else shares.fill(undefined, 0, count);
    this.#judging = false;
    this.#relieve();
  }

  #relieve(): void {
    if (!this.#refused || this.#closing !== undefined || this.#count >= this.#capacity) return;
    this.#refused = false;
    this.#delivery.drained();
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      setImmediate(() => {
        this.flush();
        resolve();
      });
    });
    return this.#closing;
  }
}

/** A validator that hashes in this thread. Right for light algorithms until the event loop is busy. */
export function createInlineValidator<Share extends PendingShare>(
  options: ValidatorOptions<Share>,
): ShareValidator<Share> {
  return new InlineValidator(options);
}
