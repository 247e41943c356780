import { SHARE_RECORD, SHARE_RESULT } from '@headframe/hashing';
import { type HashableJob, packShare } from '@headframe/mining';
import type { JudgedJob, JudgeFailure } from './judge.js';
import { BATCH_SHARES } from './limits.js';
import type { PendingShare } from './types.js';

/** Where things lie in the one buffer that travels to a thread and back. */
export const BATCH_LAYOUT = {
  records: 0,
  results: BATCH_SHARES * SHARE_RECORD.stride,
  pow: BATCH_SHARES * (SHARE_RECORD.stride + SHARE_RESULT.stride),
  /** One u32 per share: the slot of its job in the thread's table. */
  slots: BATCH_SHARES * (SHARE_RECORD.stride + SHARE_RESULT.stride + 32),
  bytes: BATCH_SHARES * (SHARE_RECORD.stride + SHARE_RESULT.stride + 32 + 4),
} as const;

/** The parts of a batch buffer as views. */
export interface BatchViews {
  readonly bytes: Uint8Array;
  readonly records: Uint8Array;
  readonly results: Uint8Array;
  readonly pow: Uint8Array;
  readonly slots: Uint32Array;
}

export function batchViews(buffer: ArrayBuffer): BatchViews {
  const { records, results, pow, slots } = BATCH_LAYOUT;
  return {
    bytes: new Uint8Array(buffer),
    records: new Uint8Array(buffer, records, results - records),
    results: new Uint8Array(buffer, results, pow - results),
    pow: new Uint8Array(buffer, pow, slots - pow),
    slots: new Uint32Array(buffer, slots, BATCH_SHARES),
  };
}

/** A job on its way into the table of a thread. */
export interface SentJob {
  readonly slot: number;
  readonly job: JudgedJob;
}

/** Main thread to worker thread; `buffer` is transferred. */
export interface BatchRequest {
  readonly id: number;
  readonly count: number;
  readonly buffer: ArrayBuffer;
  readonly jobs: readonly SentJob[];
}

/** The answer; the same buffer comes back. */
export interface BatchReply {
  readonly kind: 'judged';
  readonly id: number;
  readonly buffer: ArrayBuffer;
  /** Thread that did the work. */
  readonly thread: number;
  readonly failures: readonly JudgeFailure[];
}

/** Worker thread to main thread: `ready` once, when it can judge. */
export type WorkerMessage = BatchReply | { readonly kind: 'ready' };

/** Where a batch is. A settled one waits only for those before it. */
export type BatchState =
  | { readonly kind: 'open' }
  | { readonly kind: 'judged'; readonly failures: readonly JudgeFailure[] }
  | { readonly kind: 'lost'; readonly error: Error };

const OPEN: BatchState = { kind: 'open' };

/** Shares that travel together. Objects and buffers are used again. */
export class Batch<Share extends PendingShare> {
  id = 0;
  count = 0;
  attempts = 0;
  state: BatchState = OPEN;
  readonly shares: (Share | undefined)[] = new Array<Share | undefined>(BATCH_SHARES).fill(undefined);
  /** Undefined while a thread has the buffer. */
  buffer: ArrayBuffer | undefined;

  /** Starts over with another batch's worth of shares. */
  reset(id: number): void {
    this.id = id;
    this.count = 0;
    this.attempts = 0;
    this.state = OPEN;
  }

  add(share: Share): void {
    this.shares[this.count] = share;
    this.count++;
  }

  /** Writes all records into the buffer (a new one when a dead thread kept it) and gives its views. */
  pack(): BatchViews & { readonly buffer: ArrayBuffer } {
    const buffer = this.buffer ?? new ArrayBuffer(BATCH_LAYOUT.bytes);
    this.buffer = buffer;
    const views = batchViews(buffer);
    for (let i = 0; i < this.count; i++) {
      const share = this.shares[i];
      if (share !== undefined) packShare(views.records, i, share);
    }
    return { ...views, buffer };
  }

  /** The job of share i. */
  job(i: number): HashableJob | undefined {
    return this.shares[i]?.job;
  }
}
