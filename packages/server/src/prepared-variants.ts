import { type HashableJob, hashableJob, type JobRecord, type JobVariant, jobIdToHex } from '@headframe/mining';
import { encodeNotifyLines } from '@headframe/stratum-v1';
import { type NotifyLines, WorkUpdate } from '@headframe/transport';

/** A job of one variant, ready to be sent to any number of channels. */
export interface PreparedJob {
  /** Of the variant. */
  readonly key: string;
  readonly record: JobRecord;
  readonly hashable: HashableJob;
  readonly lines: NotifyLines;
  /** The same objects for every channel: one buffer for all. */
  readonly clean: WorkUpdate;
  readonly keep: WorkUpdate;
}

/** Set of outputs that every job should have, for channels whose own is missing. */
const FALLBACK_SET = 'main';

/** Variants of a job for one length of extranonce, each made ready when the first channel needs it. */
export class PreparedVariants {
  readonly #record: JobRecord;
  readonly #extranonceLength: number;
  readonly #variants: readonly JobVariant[];
  readonly #byKey = new Map<string, PreparedJob>();
  /** Channels of one kind of firmware share the list object. */
  readonly #byPreference = new Map<readonly string[], PreparedJob>();
  /** When there is but one, it is everybody's. */
  readonly only: PreparedJob | undefined;

  constructor(record: JobRecord, extranonceLength: number) {
    this.#record = record;
    this.#extranonceLength = extranonceLength;
    this.#variants = record.variants.filter((variant) => variant.extranonceLength === extranonceLength);
    const [first] = this.#variants;
    this.only = first !== undefined && this.#variants.length === 1 ? this.#make(first) : undefined;
  }

  get count(): number {
    return this.#variants.length;
  }

  /**
   * The first of the sets that the job has, else `main`, else the one with the smallest coinbase. Undefined when there is
   * no variant at all.
   */
  of(sets: readonly string[]): PreparedJob | undefined {
    let prepared = this.#byPreference.get(sets);
    if (prepared !== undefined) return prepared;
    const variant = this.#choose(sets);
    if (variant === undefined) return undefined;
    prepared = this.#byKey.get(variant.key) ?? this.#make(variant);
    this.#byPreference.set(sets, prepared);
    return prepared;
  }

  #choose(sets: readonly string[]): JobVariant | undefined {
    for (const set of [...sets, FALLBACK_SET]) {
      const found = this.#variants.find(({ key }) => key === `${this.#extranonceLength}/${set}`);
      if (found !== undefined) return found;
    }
    let smallest: JobVariant | undefined;
    for (const variant of this.#variants) {
      if (smallest === undefined || sizeOf(variant) < sizeOf(smallest)) smallest = variant;
    }
    return smallest;
  }

  #make(variant: JobVariant): PreparedJob {
    const { key } = variant;
    const hashable = hashableJob(this.#record, key);
    const lines = notifyLines(this.#record, hashable);
    const prepared = {
      key,
      record: this.#record,
      hashable,
      lines,
      clean: new WorkUpdate({ notify: lines, clean: true }),
      keep: new WorkUpdate({ notify: lines, clean: false }),
    };
    this.#byKey.set(key, prepared);
    return prepared;
  }
}

function sizeOf({ coinbase1, coinbase2 }: JobVariant): number {
  return coinbase1.length + coinbase2.length;
}

/** The notification of a job as the wire has it. */
export function notifyLines(record: JobRecord, hashable: HashableJob): NotifyLines {
  return encodeNotifyLines({
    jobId: jobIdToHex(record.id),
    previousHash: record.previousHash,
    coinbase1: hashable.coinbase1,
    coinbase2: hashable.coinbase2,
    merkleBranch: record.merkleBranch,
    version: record.version,
    nbits: record.nbits,
    ntime: record.ntime,
  });
}
