import { describe, expect, it } from 'vitest';
import { sampleBatch, sampleCandidate, sampleJob } from '../src/compliance/samples.js';
import { describeBus } from '../src/compliance.js';
import { createDirectBus, createSerialisingBus, deriveJob, hashableJob, type JobRecord } from '../src/index.js';

describeBus('the direct bus', (options) => ({ bus: createDirectBus(options) }));
describeBus('the serialising bus', (options) => ({ bus: createSerialisingBus(options) }));

describe.each([
  ['direct', createDirectBus],
  ['serialising', createSerialisingBus],
] as const)('the %s bus', (_name, create) => {
  it('delivers in the same tick', () => {
    const bus = create();
    let seen = 0;
    bus.subscribe('candidate', () => {
      seen++;
    });
    bus.publish('candidate', sampleCandidate);
    expect(seen).toBe(1);
  });

  it('runs the answerer of a call in the same tick', () => {
    const bus = create();
    let seen = 0;
    bus.answer('commit', () => {
      seen++;
      return null;
    });
    void bus.call('commit', sampleBatch('e', 1));
    expect(seen).toBe(1);
  });
});

describe('the serialising bus', () => {
  it('gives every listener a copy of its own', () => {
    const bus = createSerialisingBus();
    const seen: JobRecord[] = [];
    bus.subscribe('job', (job) => {
      seen.push(job);
      job.previousHash.fill(255);
    });
    bus.subscribe('job', (job) => seen.push(job));
    bus.publish('job', sampleJob);
    expect(seen[1]).toEqual(sampleJob);
    expect(seen[1]).not.toBe(sampleJob);
    expect(seen[0]?.previousHash).not.toEqual(sampleJob.previousHash);
  });

  it('copies of a job can be derived and bound for hashing', () => {
    const bus = createSerialisingBus();
    const seen: JobRecord[] = [];
    bus.subscribe('job', (job) => seen.push(job));
    bus.publish('job', sampleJob);
    const [copy] = seen;
    if (copy === undefined) throw new Error('nothing arrived');
    const derived = deriveJob(copy, 0x80000001, 5);
    expect(hashableJob(derived, '16/main').extranonceLength).toBe(16);
    expect(copy).toEqual(sampleJob);
  });

  it('refuses what cannot travel, without hurting the publisher', async () => {
    const errors: unknown[] = [];
    const bus = createSerialisingBus({ onListenerError: (error) => errors.push(error) });
    bus.subscribe('node', () => {});
    // A function in a message works in one process and would fail on the first cluster.
    const status = { ready: true, reason: undefined, nodes: [], log: () => {} };
    expect(() => bus.publish('node', status)).not.toThrow();
    expect(errors).toHaveLength(1);
    bus.answer('transactions', () => null);
    const request = { jobId: 1, log: () => {} };
    await expect(bus.call('transactions', request)).rejects.toThrow();
  });
});

describe('the direct bus', () => {
  it('hands over the very object', () => {
    const bus = createDirectBus();
    let seen: JobRecord | undefined;
    bus.subscribe('job', (job) => {
      seen = job;
    });
    bus.publish('job', sampleJob);
    expect(seen).toBe(sampleJob);
  });
});
