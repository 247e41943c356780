import type { ShareBatch, ShareRecord, ShareSink } from '@headframe/mining';

/** A {@link ShareSink} that keeps what it is given, for assertions. */
export interface MemorySink extends ShareSink {
  /** Every share, in the order of commit; a batch that came twice is in it once. */
  readonly shares: readonly ShareRecord[];
  readonly batches: readonly ShareBatch[];
  /** Makes the next `count` commits fail with `error`. */
  failNext(count: number, error?: Error): void;
  /** Holds commits back until the returned function is called. */
  hold(): () => void;
}

/** Makes a {@link MemorySink}. */
export function createMemorySink(): MemorySink {
  const shares: ShareRecord[] = [];
  const batches: ShareBatch[] = [];
  const seen = new Set<string>();
  let failures = 0;
  let failure = new Error('the sink was told to fail');
  let gate = Promise.resolve();
  return {
    shares,
    batches,
    failNext: (count, error = failure) => {
      failures = count;
      failure = error;
    },
    hold: () => {
      let release = (): void => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    commit: async (batch) => {
      await gate;
      if (failures > 0) {
        failures--;
        throw failure;
      }
      const key = `${batch.epoch}/${batch.sequence}`;
      if (seen.has(key)) return;
      seen.add(key);
      batches.push(batch);
      shares.push(...batch.shares);
    },
    close: () => Promise.resolve(),
  };
}
