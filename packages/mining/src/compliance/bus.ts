import { PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import type { BusOptions } from '../bus.js';
import type { BlockCandidate, Bus } from '../ports.js';
import type { JobRecord } from '../types.js';
import { sampleBatch, sampleCandidate, sampleJob, sampleOutcome, sampleStatus } from './samples.js';

/** What makes a bus for one test. Asynchronous transports wait for delivery in `settled`. */
export interface BusHarness {
  readonly bus: Bus;
  /** Resolves when everything published so far has been delivered. Absent: delivery is immediate. */
  readonly settled?: () => Promise<void>;
}

/**
 * What every {@link Bus} must do, whatever carries its messages.
 * @param make builds a bus and, where delivery takes time, says how to wait for it
 */
export function describeBus(name: string, make: (options: BusOptions) => BusHarness | Promise<BusHarness>): void {
  describe(`${name} is a Bus`, () => {
    const open = async (options: BusOptions = {}) => {
      const { bus, settled = async () => {} } = await make(options);
      return { bus, settled };
    };

    it('delivers every topic whole and in order to every listener', async () => {
      const { bus, settled } = await open();
      const first: unknown[] = [];
      const second: unknown[] = [];
      for (const seen of [first, second]) {
        bus.subscribe('job', (message) => seen.push(message));
        bus.subscribe('candidate', (message) => seen.push(message));
        bus.subscribe('block', (message) => seen.push(message));
        bus.subscribe('node', (message) => seen.push(message));
      }
      bus.publish('job', sampleJob);
      bus.publish('candidate', sampleCandidate);
      bus.publish('block', sampleOutcome);
      bus.publish('node', sampleStatus);
      await settled();
      const all = [sampleJob, sampleCandidate, sampleOutcome, sampleStatus];
      expect(first).toEqual(all);
      expect(second).toEqual(all);
      await bus.close();
    });

    it('hands over plain bytes, not views of another type', async () => {
      const { bus, settled } = await open();
      const seen: BlockCandidate[] = [];
      bus.subscribe('candidate', (message) => seen.push(message));
      bus.publish('candidate', { ...sampleCandidate, header: Buffer.from(sampleCandidate.header).subarray(0, 80) });
      await settled();
      expect(seen[0]?.header).toBeInstanceOf(Uint8Array);
      expect(Array.from(seen[0]?.header ?? [])).toEqual(Array.from(sampleCandidate.header));
      await bus.close();
    });

    it('a listener that throws is reported and hurts nobody', async () => {
      const errors: string[] = [];
      const { bus, settled } = await open({ onListenerError: (error, topic) => errors.push(`${topic}: ${error}`) });
      const seen: JobRecord[] = [];
      bus.subscribe('job', () => {
        throw new Error('boom');
      });
      bus.subscribe('job', (message) => seen.push(message));
      bus.publish('job', sampleJob);
      await settled();
      expect(seen).toHaveLength(1);
      expect(errors).toEqual(['job: Error: boom']);
      await bus.close();
    });

    it('reports a listener whose promise rejects', async () => {
      const errors: string[] = [];
      const { bus, settled } = await open({ onListenerError: (error, topic) => errors.push(`${topic}: ${error}`) });
      bus.subscribe('node', async () => {
        throw new Error('late boom');
      });
      bus.publish('node', sampleStatus);
      await settled();
      await new Promise((resolve) => setImmediate(resolve));
      expect(errors).toEqual(['node: Error: late boom']);
      await bus.close();
    });

    it('settles a call whose error has details that cannot travel', async () => {
      const { bus } = await open();
      const error = new PoolError('storage_failed', 'disk full', { details: { retry: () => {} } });
      bus.answer('transactions', () => Promise.reject(error));
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toMatchObject({ code: 'storage_failed' });
      await bus.close();
    });

    it('stops delivering to a listener that left, also when it leaves in the middle of a delivery', async () => {
      const { bus, settled } = await open();
      const seen: string[] = [];
      const leave = bus.subscribe('node', () => {
        seen.push('first');
        leave();
      });
      bus.subscribe('node', () => seen.push('second'));
      bus.publish('node', sampleStatus);
      bus.publish('node', sampleStatus);
      await settled();
      expect(seen).toEqual(['first', 'second', 'second']);
      leave();
      await bus.close();
    });

    it('the same function may listen twice and leave one at a time', async () => {
      const { bus, settled } = await open();
      let count = 0;
      const listener = () => {
        count++;
      };
      const leave = bus.subscribe('node', listener);
      bus.subscribe('node', listener);
      bus.publish('node', sampleStatus);
      await settled();
      leave();
      leave();
      bus.publish('node', sampleStatus);
      await settled();
      expect(count).toBe(3);
      await bus.close();
    });

    it('carries calls and answers', async () => {
      const { bus } = await open();
      const batches: unknown[] = [];
      bus.answer('commit', (batch) => {
        batches.push(batch);
        return null;
      });
      bus.answer('join', async ({ edge }) => ({ instance: edge.length, job: sampleJob }));
      bus.answer('transactions', ({ jobId }) => (jobId === 1 ? [Uint8Array.of(1, 2)] : null));
      await expect(bus.call('commit', sampleBatch('e', 1))).resolves.toBeNull();
      expect(batches).toEqual([sampleBatch('e', 1)]);
      await expect(bus.call('join', { edge: 'one' })).resolves.toEqual({ instance: 3, job: sampleJob });
      await expect(bus.call('transactions', { jobId: 1 })).resolves.toEqual([Uint8Array.of(1, 2)]);
      await expect(bus.call('transactions', { jobId: 2 })).resolves.toBeNull();
      await bus.close();
    });

    it('keeps the code of an error that an answer throws, now or later', async () => {
      const { bus } = await open();
      const stopSync = bus.answer('transactions', () => {
        throw new PoolError('storage_failed', 'disk full', { details: { path: '/x' } });
      });
      const expected = { name: 'PoolError', code: 'storage_failed', message: 'disk full', details: { path: '/x' } };
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toMatchObject(expected);
      stopSync();
      bus.answer('transactions', () =>
        Promise.reject(new PoolError('storage_failed', 'disk full', { details: { path: '/x' } })),
      );
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toMatchObject(expected);
      await bus.close();
    });

    it('passes on errors that are not PoolErrors', async () => {
      const { bus } = await open();
      bus.answer('transactions', () => {
        throw new TypeError('no such thing');
      });
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toThrow('no such thing');
      await bus.close();
    });

    it('a call that nobody answers is refused, and again after the answerer left', async () => {
      const { bus } = await open();
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toMatchObject({ code: 'not_supported' });
      const stop = bus.answer('transactions', () => null);
      await bus.call('transactions', { jobId: 1 });
      stop();
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toMatchObject({ code: 'not_supported' });
      await bus.close();
    });

    it('takes one answerer per name', async () => {
      const { bus } = await open();
      bus.answer('transactions', () => null);
      expect(() => bus.answer('transactions', () => null)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
      await bus.close();
    });

    it('bounds the calls that wait', async () => {
      const { bus } = await open({ maxPendingCalls: 2 });
      const release: (() => void)[] = [];
      bus.answer('transactions', () => new Promise((resolve) => release.push(() => resolve(null))));
      const waiting = [bus.call('transactions', { jobId: 1 }), bus.call('transactions', { jobId: 2 })];
      await expect(bus.call('transactions', { jobId: 3 })).rejects.toMatchObject({ code: 'queue_full' });
      for (const go of release) go();
      await expect(Promise.all(waiting)).resolves.toEqual([null, null]);
      const third = bus.call('transactions', { jobId: 3 });
      release[2]?.();
      await expect(third).resolves.toBeNull();
      await bus.close();
    });

    it('close settles calls under way, refuses new ones, delivers nothing more, and may be repeated', async () => {
      const { bus, settled } = await open();
      let delivered = 0;
      bus.subscribe('node', () => {
        delivered++;
      });
      bus.answer('transactions', () => new Promise(() => {}));
      const waiting = bus.call('transactions', { jobId: 1 });
      const refused = expect(waiting).rejects.toMatchObject({ code: 'closed' });
      await bus.close();
      await bus.close();
      await refused;
      await expect(bus.call('transactions', { jobId: 1 })).rejects.toMatchObject({ code: 'closed' });
      bus.publish('node', sampleStatus);
      await settled();
      expect(delivered).toBe(0);
    });
  });
}
