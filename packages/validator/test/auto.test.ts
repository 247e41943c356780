import { FakeClock } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type AutoValidatorOptions,
  createAutoValidator,
  type PendingShare,
  type ThreadedShareValidator,
} from '../src/index.js';
import { OFFLOAD_ABOVE, OFFLOAD_BELOW, UTILISATION_WINDOW_MS } from '../src/limits.js';
import { Listener, makeJob, makeShares, Threads, workerUrl } from './support.js';

describe('auto validator', () => {
  const open: ThreadedShareValidator<PendingShare>[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((validator) => validator.close()));
  });

  const job = makeJob();
  const scrypt = makeJob({ algorithm: 'scrypt' });

  function start(options: Partial<AutoValidatorOptions<PendingShare>> = {}) {
    const listener = new Listener();
    const threads = new Threads();
    const clock = new FakeClock();
    const load = { utilisation: 0 };
    const validator = createAutoValidator({
      threads: 2,
      workerUrl,
      cores: 4,
      clock,
      utilisation: () => load.utilisation,
      ...options,
      listener,
      startWorker: threads.start,
    });
    open.push(validator);
    /** Judges a turn's shares and tells how many of them went to threads. */
    const turn = async (shares: readonly PendingShare[]): Promise<number> => {
      const before = validator.stats();
      for (const share of shares) expect(validator.submit(share)).toBe(true);
      await listener.waitFor(listener.settled + shares.length);
      const after = validator.stats();
      expect(after.evaluated - before.evaluated).toBe(shares.length);
      return after.inThreads - before.inThreads;
    };
    const measure = (utilisation: number): void => {
      load.utilisation = utilisation;
      clock.advance(UTILISATION_WINDOW_MS);
    };
    return { validator, listener, threads, turn, measure };
  }

  it('judges light shares inline and starts no thread while the loop has time', async () => {
    const { turn, measure, threads } = start();
    measure(OFFLOAD_ABOVE);
    expect(await turn(makeShares(job, 200))).toBe(0);
    expect(threads.workers.length).toBe(0);
  });

  it('moves batches to threads when the loop is busy, and back when it has time, with hysteresis', async () => {
    const { turn, measure, threads, validator } = start();
    measure(OFFLOAD_ABOVE + 0.01);
    expect(await turn(makeShares(job, 200)), 'the first does not wait for a thread to start').toBe(0);
    expect(threads.workers.length).toBe(2);
    await validator.ready;
    expect(await turn(makeShares(job, 200))).toBe(200);
    expect(await turn(makeShares(job, 7)), 'too few for a message').toBe(0);
    expect(await turn(makeShares(job, 8))).toBe(8);
    measure(OFFLOAD_BELOW + 0.01);
    expect(await turn(makeShares(job, 200)), 'still above the lower bound').toBe(200);
    measure(OFFLOAD_BELOW);
    expect(await turn(makeShares(job, 200))).toBe(0);
    measure(OFFLOAD_ABOVE);
    expect(await turn(makeShares(job, 200)), 'not above the upper bound').toBe(0);
  });

  it('measures once per window', async () => {
    let calls = 0;
    const { turn, measure } = start({
      utilisation: () => {
        calls++;
        return 0;
      },
    });
    for (let i = 0; i < 5; i++) await turn(makeShares(job, 2));
    expect(calls).toBe(0);
    measure(0);
    for (let i = 0; i < 5; i++) await turn(makeShares(job, 2));
    expect(calls).toBe(1);
  });

  it('keeps light shares inline on a machine with one core', async () => {
    const { turn, measure, threads } = start({ cores: 1 });
    measure(1);
    expect(await turn(makeShares(job, 200))).toBe(0);
    expect(threads.workers.length).toBe(0);
  });

  it('gives heavy shares to threads, however few, and starts them at once when told the algorithm', async () => {
    const { turn, threads } = start({ algorithm: 'scrypt', cores: 1 });
    expect(threads.workers.length).toBe(2);
    expect(await turn(makeShares(scrypt, 1))).toBe(1);
    expect(await turn(makeShares(scrypt, 30))).toBe(30);
  });

  it('lets no later share overtake those in threads', async () => {
    const { validator, listener } = start();
    const heavy = makeShares(scrypt, 60);
    const light = makeShares(job, 60);
    for (const share of heavy) validator.submit(share);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(validator.pending).toBe(60);
    for (const share of light) validator.submit(share);
    await listener.waitFor(120);
    expect(listener.evaluatedShares).toEqual([...heavy, ...light]);
  });

  it('makes shares wait for room in the threads and then goes on', async () => {
    const { validator, listener } = start({ queue: 32 });
    const all: PendingShare[] = [];
    for (let round = 0; round < 4; round++) {
      for (const share of makeShares(scrypt, 20)) if (validator.submit(share)) all.push(share);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(all.length).toBeGreaterThan(40);
    expect(all.length).toBeLessThan(80);
    await listener.waitFor(all.length);
    expect(listener.evaluatedShares).toEqual(all);
  });

  it('measures the real event loop when not told', async () => {
    const listener = new Listener();
    const clock = new FakeClock();
    const validator = createAutoValidator({ listener, clock, workerUrl });
    open.push(validator);
    clock.advance(UTILISATION_WINDOW_MS);
    for (const share of makeShares(job, 3)) validator.submit(share);
    await listener.waitFor(3);
    expect(validator.stats().evaluated).toBe(3);
  });
});
