import { describe, expect, it } from 'vitest';
import type { ShareRecord, ShareSink } from '../ports.js';
import { sampleBatch } from './samples.js';

/** One place of storage for one test. */
export interface ShareSinkHarness {
  /** Opens a sink on the storage; again after the one before was closed or dropped. */
  open(): ShareSink | Promise<ShareSink>;
  /** What the storage holds now, in any order. Must read it from where a restart would. */
  read(): readonly ShareRecord[] | Promise<readonly ShareRecord[]>;
  /** Takes the storage away. */
  dispose?(): void | Promise<void>;
}

/**
 * What every {@link ShareSink} must do: durable once resolved, each batch counted once, settled on close.
 * @param make gives fresh, empty storage
 */
export function describeShareSink(name: string, make: () => ShareSinkHarness | Promise<ShareSinkHarness>): void {
  describe(`${name} is a ShareSink`, () => {
    const run = async (test: (harness: ShareSinkHarness) => Promise<void>): Promise<void> => {
      const harness = await make();
      try {
        await test(harness);
      } finally {
        await harness.dispose?.();
      }
    };
    const sorted = (shares: readonly ShareRecord[]) => [...shares].sort((a, b) => a.timeMs - b.timeMs);

    it('has the shares once commit resolved, without a close', () =>
      run(async (harness) => {
        const sink = await harness.open();
        const batch = sampleBatch('epoch', 1, 10);
        await sink.commit(batch);
        expect(sorted(await harness.read())).toEqual(batch.shares);
        await sink.close();
      }));

    it('counts a batch once, however often it comes', () =>
      run(async (harness) => {
        const sink = await harness.open();
        const batch = sampleBatch('epoch', 1);
        await sink.commit(batch);
        await sink.commit(batch);
        await Promise.all([sink.commit(batch), sink.commit(sampleBatch('epoch', 2)), sink.commit(batch)]);
        expect(sorted(await harness.read())).toEqual([...batch.shares, ...sampleBatch('epoch', 2).shares]);
        await sink.close();
      }));

    it('counts two commits of one batch under way at the same time once', () =>
      run(async (harness) => {
        const sink = await harness.open();
        const batch = sampleBatch('epoch', 1);
        await Promise.all([sink.commit(batch), sink.commit(batch)]);
        expect(await harness.read()).toHaveLength(batch.shares.length);
        await sink.close();
      }));

    it('tells batches of different epochs apart', () =>
      run(async (harness) => {
        const sink = await harness.open();
        await sink.commit(sampleBatch('before', 1));
        await sink.commit(sampleBatch('after', 1));
        expect(await harness.read()).toHaveLength(2 * sampleBatch('before', 1).shares.length);
        await sink.close();
      }));

    it('takes many commits at once and keeps every share', () =>
      run(async (harness) => {
        const sink = await harness.open();
        const batches = Array.from({ length: 50 }, (_, i) => sampleBatch('epoch', i + 1, 20));
        await Promise.all(batches.map((batch) => sink.commit(batch)));
        expect(sorted(await harness.read())).toEqual(batches.flatMap(({ shares }) => shares));
        await sink.close();
      }));

    it('takes a batch without shares', () =>
      run(async (harness) => {
        const sink = await harness.open();
        await sink.commit({ epoch: 'epoch', sequence: 1, shares: [] });
        expect(await harness.read()).toEqual([]);
        await sink.close();
      }));

    it('keeps what it had and goes on after a restart', () =>
      run(async (harness) => {
        const first = await harness.open();
        await first.commit(sampleBatch('epoch', 1));
        await first.close();
        const second = await harness.open();
        await second.commit(sampleBatch('next', 1));
        expect(await harness.read()).toHaveLength(6);
        await second.close();
      }));

    it('close waits for commits under way, may be repeated, and later commits are refused', () =>
      run(async (harness) => {
        const sink = await harness.open();
        const commit = sink.commit(sampleBatch('epoch', 1));
        const closing = sink.close();
        const settledAs = await commit.then(
          () => 'resolved',
          () => 'rejected',
        );
        await closing;
        await sink.close();
        await expect(sink.commit(sampleBatch('epoch', 2))).rejects.toMatchObject({ code: 'closed' });
        const kept = (await harness.read()).length;
        if (settledAs === 'resolved') expect(kept).toBe(3);
        else expect(kept).toBe(0);
      }));
  });
}
