import { describe, expect, it } from 'vitest';
import { FUZZ_TARGETS, FuzzFailure, type FuzzTarget, loadCorpus, replay, runFuzz } from '../../fuzz/src/index.js';

// A short run of every target on each `npm test`; `npm run fuzz` goes on for as long as you like. The seed is fixed,
// so that a failure here is a failure everywhere.
const SEED = 20_260_101;
const MS_PER_TARGET = 700;

describe('fuzzing', () => {
  it.each(FUZZ_TARGETS)('$name: $promise', async (target) => {
    const corpus = loadCorpus(target.name);
    const { runs, outcomes } = await runFuzz(target, { seed: SEED, ms: MS_PER_TARGET, corpus });
    expect(runs).toBeGreaterThan(corpus.length);
    // Mutations that all end in the same place test nothing.
    expect(outcomes.size).toBeGreaterThan(2);
  });
});

describe('the fuzzer itself', () => {
  const planted: FuzzTarget = {
    name: 'planted',
    promise: 'no input has the letter Q after a digit',
    maxBytes: 100,
    dictionary: ['Q'],
    run(bytes) {
      const text = Buffer.from(bytes).toString('latin1');
      if (/\dQ/.test(text)) throw new Error('found');
      return /Q/.test(text) ? 'letter' : 'none';
    },
  };
  const corpus = [new TextEncoder().encode('{"id":1,"name":"abcdefgh"}')];
  const find = async (seed: number): Promise<FuzzFailure> => {
    try {
      await runFuzz(planted, { seed, ms: 10_000, corpus });
    } catch (error) {
      if (error instanceof FuzzFailure) return error;
      throw error;
    }
    throw new Error('the planted fault was not found');
  };

  it('finds a planted fault, makes it small and says how to see it again', async () => {
    const failure = await find(1);
    expect(failure.input.length).toBe(2);
    const hex = Buffer.from(failure.input).toString('hex');
    expect(failure.message).toContain(`--target planted --replay ${hex}`);
    await expect(replay(planted, failure.input)).rejects.toThrow(FuzzFailure);
    expect(await replay(planted, new Uint8Array(0))).toBe('none');
  });

  it('does the same for the same seed', async () => {
    const record = async (seed: number): Promise<string[]> => {
      const inputs: string[] = [];
      const target: FuzzTarget = {
        ...planted,
        run(bytes) {
          inputs.push(Buffer.from(bytes).toString('hex'));
          return String(bytes.length % 7);
        },
      };
      await runFuzz(target, { seed, ms: 60_000, maxRuns: 500, corpus });
      return inputs;
    };
    expect(await record(5)).toEqual(await record(5));
    expect(await record(5)).not.toEqual(await record(6));
  });
});
