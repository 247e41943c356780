// No order of vardiff changes, wishes, resumes, reconnects, job changes, repeats and failing commits may lead to a wrong
// reject, a wrong credit or a share paid twice. The model knows only what stood on the wire and the rules; the server
// under test runs whole, over the memory transport, with a clock that stands still.
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { bench } from '../support/bench-server.js';
import { type Step, World } from './model.js';

const miner = fc.nat({ max: 1 });
const steps = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constantFrom('share', 'low', 'rolled'), miner, job: fc.nat({ max: 5 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('again'), miner, share: fc.nat({ max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('burst'),
      miner,
      job: fc.nat({ max: 2 }),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('wish'), miner, exponent: fc.integer({ min: 7, max: 10 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('fix'), miner, exponent: fc.integer({ min: 8, max: 9 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('configure', 'leave', 'resume', 'resume', 'anew', 'crash'), miner }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('refresh', 'refresh', 'block', 'failCommit', 'loseAnswer') }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time'), seconds: fc.integer({ min: 1, max: 90 }) }) },
) as fc.Arbitrary<Step>;

const sequences = fc.array(steps, { minLength: 10, maxLength: 80, size: 'max' });

async function play(sequence: readonly Step[], duplicatesPerJob: number): Promise<void> {
  const b = await bench({
    options: {
      difficulty: { start: 4e-9, min: 1e-9, max: 2e-8, target: 5 },
      bans: { enabled: false },
      limits: {
        duplicatesPerJob,
        commitsPerSecond: 500,
        jobsPerChannel: 10_000,
        staleJobsPerChannel: 10_000,
        requestBurst: 1e6,
        requestsPerSecond: 1e6,
        requestBurstPerAddress: 1e6,
      },
    },
  });
  try {
    const world = new World(b, duplicatesPerJob < 100);
    await world.join('alice.rig');
    await world.join('bob.rig');
    for (const step of sequence) await world.run(step);
    await world.finish();
  } finally {
    await b.close();
  }
}

describe('any order of vardiff changes, resumes, reconnects and job changes', () => {
  it('gives no wrong reject, no wrong credit, and pays no share twice', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences, (sequence) => play(sequence, 65_536)),
      { numRuns: Number(process.env.SEQUENCE_RUNS ?? 150), seed: 20_261_120 },
    );
  });

  it('nor when the duplicate sets of the jobs are tiny', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences, (sequence) => play(sequence, 6)),
      { numRuns: Number(process.env.SEQUENCE_RUNS ?? 60), seed: 20_261_121 },
    );
  });

  it('nor when an answer is lost with the connection, twice over', async () => {
    await play(
      [
        { kind: 'share', miner: 0, job: 0 },
        { kind: 'resume', miner: 0 },
        { kind: 'again', miner: 0, share: 0 },
        { kind: 'crash', miner: 0 },
        { kind: 'resume', miner: 0 },
        { kind: 'again', miner: 0, share: 0 },
        { kind: 'again', miner: 0, share: 0 },
      ],
      65_536,
    );
  });
});
