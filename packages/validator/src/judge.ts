import {
  createShareHasher,
  type HashBackend,
  type PowAlgorithmId,
  powAlgorithm,
  SHARE_RECORD,
  SHARE_RESULT,
  type ShareHasher,
  type ShareHashJob,
} from '@headframe/hashing';
import { errorMessage } from '@headframe/primitives';

/** What judging needs of a job; this much of it travels to threads. */
export interface JudgedJob extends ShareHashJob {
  readonly algorithm: PowAlgorithmId;
}

/** A share of a batch that could not be hashed. */
export interface JudgeFailure {
  readonly index: number;
  readonly message: string;
}

const NO_FAILURES: readonly JudgeFailure[] = [];
const POW_BYTES = 32;

/** Hashes packed batches: headers and SHA-256d of all, then the proof of work where it is another function. */
export class BatchJudge {
  readonly #hasher: ShareHasher;

  constructor(backend: 'auto' | HashBackend) {
    this.#hasher = createShareHasher({ backend });
  }

  get backend(): HashBackend {
    return this.#hasher.backend;
  }

  /**
   * Judges the first `count` records. Result i is written at `i * SHARE_RESULT.stride` of `results`, and, unless the
   * job's algorithm is SHA-256d, its proof-of-work hash at `i * 32` of `pow`. A malformed job spoils its own shares only.
   */
  judge(
    jobs: readonly JudgedJob[],
    records: Uint8Array,
    count: number,
    results: Uint8Array,
    pow: Uint8Array,
  ): readonly JudgeFailure[] {
    try {
      this.#hash(jobs, records, count, results, pow);
      return NO_FAILURES;
    } catch {
      return this.#oneByOne(jobs, records, count, results, pow);
    }
  }

  #oneByOne(
    jobs: readonly JudgedJob[],
    records: Uint8Array,
    count: number,
    results: Uint8Array,
    pow: Uint8Array,
  ): readonly JudgeFailure[] {
    const failures: JudgeFailure[] = [];
    for (let index = 0; index < count; index++) {
      const record = records.subarray(index * SHARE_RECORD.stride, (index + 1) * SHARE_RECORD.stride);
      const result = results.subarray(index * SHARE_RESULT.stride, (index + 1) * SHARE_RESULT.stride);
      try {
        this.#hash([...jobs.slice(index, index + 1)], record, 1, result, pow.subarray(index * POW_BYTES));
      } catch (error) {
        failures.push({ index, message: errorMessage(error) });
      }
    }
    return failures;
  }

  #hash(jobs: readonly JudgedJob[], records: Uint8Array, count: number, results: Uint8Array, pow: Uint8Array): void {
    this.#hasher.hash(jobs, records, count, results);
    // Runs of one algorithm, because proof-of-work functions are faster over several headers.
    let start = 0;
    while (start < count) {
      const algorithm = jobs[start]?.algorithm;
      let end = start + 1;
      while (end < count && jobs[end]?.algorithm === algorithm) end++;
      if (algorithm !== undefined && algorithm !== 'sha256d') {
        const headers = results.subarray(start * SHARE_RESULT.stride);
        powAlgorithm(algorithm).hashMany(headers, SHARE_RESULT.stride, end - start, pow.subarray(start * POW_BYTES));
      }
      start = end;
    }
  }
}
