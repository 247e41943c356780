import type { HashBackend } from '@headframe/hashing';
import type { HashableJob } from '@headframe/mining';
import type { HistogramSnapshot } from '@headframe/primitives';

/**
 * One share on its way through validation. The submitter owns the object; all fields are always present, in this
 * order, so that every share has the same shape (STYLE T7).
 */
export interface PendingShare {
  readonly job: HashableJob;
  /** Header version after the rolled bits were merged in. */
  readonly version: number;
  readonly ntime: number;
  readonly nonce: number;
  /** extranonce1 | extranonce2; exactly `job.extranonceLength` bytes. */
  readonly extranonce: Uint8Array;
  /** 32 bytes, little-endian integer. */
  readonly shareTarget: Uint8Array;
}

/** What hashing found out. One object is reused for every share: read it during the call, copy what you keep. */
export interface ShareEvaluation {
  /** Buffer holding header and hashes at the offsets below. */
  readonly bytes: Uint8Array;
  /** 80 bytes. */
  readonly headerOffset: number;
  /** SHA-256d of the header, 32 bytes, internal order: block id and duplicate key. */
  readonly hashOffset: number;
  /** Proof-of-work hash, 32 bytes, little-endian integer; equals `hashOffset` when the algorithm is SHA-256d. */
  readonly powOffset: number;
  readonly meetsShareTarget: boolean;
  readonly meetsNetworkTarget: boolean;
}

export interface ValidatorListener<Share extends PendingShare> {
  /** Called once per accepted `submit`, in the order of submission; never from inside `submit`. */
  evaluated(share: Share, evaluation: ShareEvaluation): void;
  /** Called instead when the share could not be judged at all (threads died twice, validator closed). */
  failed(share: Share, error: Error): void;
  /** After the last `evaluated` of a batch: time to commit and to flush replies. */
  batchDone(): void;
  /** The queue has room again after `submit` answered false. */
  drained(): void;
}

export type ValidationMode = 'inline' | 'threads' | 'auto';

/** Judges shares. Inline and threaded implementations pass the same compliance suite. */
export interface ShareValidator<Share extends PendingShare> {
  readonly mode: ValidationMode;
  /** What hashes: worth a warning in the log when it is not `simd`. Threads use the same one. */
  readonly backend: HashBackend;
  /**
   * Queues a share. False: the queue is full (or the validator closed), nothing was taken; stop reading until `drained`.
   * The share must not change until `evaluated` or `failed`.
   * @throws PoolError `invalid_argument` when the extranonce has not the length that the job takes; nothing was taken.
   */
  submit(share: Share): boolean;
  /** Shares queued or in threads. */
  readonly pending: number;
  stats(): ValidatorStats;
  /** Judges what is queued, then stops. Idempotent. Every queued share gets `evaluated` or `failed`. */
  close(): Promise<void>;
}

/** Counts since the start. */
export interface ValidatorStats {
  /** Shares judged, in whatever thread. */
  readonly evaluated: number;
  readonly failed: number;
  /** Those of `evaluated` that another thread hashed. */
  readonly inThreads: number;
  /** Threads that died and were replaced. */
  readonly workerRestarts: number;
  readonly pending: number;
  /** Seconds that the oldest share of a batch waited until it was hashed or given to a thread. */
  readonly wait: HistogramSnapshot;
  /** Seconds that batches were hashed; in threads, from sending a batch to its answer. */
  readonly evaluation: HistogramSnapshot;
}
