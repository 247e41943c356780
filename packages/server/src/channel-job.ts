import type { Difficulty, HashableJob, JobRecord } from '@headframe/mining';
import { equalBytes } from '@headframe/primitives';
import { DuplicateSet } from './duplicates.js';

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
  /** The set is that of an earlier job. */
  sharesDuplicates = false;

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

  /** One set with the newest of `jobs` that is the same work, if one is: a share of one is a share of the other. */
  shareDuplicates(jobs: readonly ChannelJob[], capacity: number): void {
    for (let i = jobs.length - 1; i >= 0; i--) {
      const twin = jobs[i];
      if (twin === undefined || !this.#isSameWork(twin)) continue;
      twin.duplicates ??= new DuplicateSet(capacity);
      this.duplicates = twin.duplicates;
      this.sharesDuplicates = true;
      return;
    }
  }

  #isSameWork({ hashable, prefix }: ChannelJob): boolean {
    const mine = this.hashable;
    return (
      equalBytes(mine.coinbase1, hashable.coinbase1) &&
      equalBytes(mine.previousHash, hashable.previousHash) &&
      equalBytes(mine.merkleBranch, hashable.merkleBranch) &&
      equalBytes(mine.coinbase2, hashable.coinbase2) &&
      equalBytes(this.prefix, prefix)
    );
  }

  get extranonce2Size(): number {
    return this.hashable.extranonceLength - this.prefix.length;
  }
}
