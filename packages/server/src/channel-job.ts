import type { Difficulty, HashableJob, JobRecord } from '@headframe/mining';
import type { DuplicateSet } from './duplicates.js';

/** One job as it was given to one channel. */
export class ChannelJob {
  readonly id: number;
  readonly record: JobRecord;
  readonly hashable: HashableJob;
  /** What a share of this job must meet and is worth, whatever the channel's difficulty is by then. */
  readonly difficulty: Difficulty;
  /** Extranonce1 when the job was sent. */
  readonly prefix: Uint8Array;
  /** Number of the chain tip it builds on; it is stale when that is not the newest. */
  readonly tip: number;
  /** Version bits that a share may roll. */
  versionMask: number;
  /** Shares accepted so far; made with the first. */
  duplicates: DuplicateSet | undefined = undefined;

  constructor(
    record: JobRecord,
    hashable: HashableJob,
    terms: {
      readonly difficulty: Difficulty;
      readonly prefix: Uint8Array;
      readonly tip: number;
      readonly versionMask: number;
    },
  ) {
    this.id = record.id;
    this.record = record;
    this.hashable = hashable;
    this.difficulty = terms.difficulty;
    this.prefix = terms.prefix;
    this.tip = terms.tip;
    this.versionMask = terms.versionMask;
  }

  get extranonce2Size(): number {
    return this.hashable.extranonceLength - this.prefix.length;
  }
}
