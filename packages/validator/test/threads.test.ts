import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { isPoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createThreadedValidator,
  type PendingShare,
  type StartWorker,
  type ThreadedShareValidator,
  type ThreadedValidatorOptions,
} from '../src/index.js';
import { BATCH_SHARES, CLOSE_TIMEOUT_MS, WATCHDOG_PERIOD_MS, WORKER_JOBS, WORKER_TIMEOUT_MS } from '../src/limits.js';
import { startWorkerThread } from '../src/worker-slot.js';
import { Listener, makeJob, makeShares, Threads, workerUrl } from './support.js';

const scrypt = makeJob({ algorithm: 'scrypt' });

/** A thread that says it is ready, then does `onMessage` with what it gets. */
const fakeWorker =
  (onMessage: string): StartWorker =>
  (_url, options) =>
    new Worker(
      `const { parentPort } = require('node:worker_threads');
       parentPort.on('message', (message) => { ${onMessage} });
       parentPort.postMessage({ kind: 'ready' });`,
      { ...options, eval: true },
    );

describe('threaded validator', () => {
  const open: ThreadedShareValidator<PendingShare>[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((validator) => validator.close()));
  });

  function start(options: Partial<ThreadedValidatorOptions<PendingShare>> = {}) {
    const listener = new Listener();
    const threads = new Threads(options.startWorker);
    const clock = new FakeClock();
    const validator = createThreadedValidator({
      threads: 2,
      workerUrl,
      clock,
      ...options,
      listener,
      startWorker: threads.start,
    });
    open.push(validator);
    const submit = (shares: readonly PendingShare[]): void => {
      for (const share of shares) expect(validator.submit(share)).toBe(true);
    };
    return { validator, listener, threads, clock, submit };
  }

  it('hashes on other threads', async () => {
    const { validator, listener, submit } = start();
    submit(makeShares(makeJob(), 100));
    submit(makeShares(scrypt, 20));
    await listener.waitFor(120);
    expect(validator.stats()).toMatchObject({
      evaluated: 120,
      failed: 0,
      inThreads: 120,
      workerRestarts: 0,
      pending: 0,
    });
  });

  it('splits a turn over idle threads, but not a handful', async () => {
    const { listener, threads, submit, validator } = start();
    await validator.ready;
    submit(makeShares(makeJob(), 64));
    await listener.waitFor(64);
    expect(threads.messages.map(({ message }) => message.count)).toEqual([32, 32]);
    expect(new Set(threads.messages.map(({ worker }) => worker)).size).toBe(2);
    threads.messages.length = 0;
    submit(makeShares(makeJob(), 5));
    await listener.waitFor(69);
    expect(threads.messages.map(({ message }) => message.count)).toEqual([5]);
  });

  it('keeps at most two batches in a thread and gathers the rest', async () => {
    const { listener, threads, submit } = start({ threads: 1 });
    submit(makeShares(makeJob(), 10 * BATCH_SHARES));
    expect(threads.messages.map(({ message }) => message.count)).toEqual([BATCH_SHARES, BATCH_SHARES]);
    await listener.waitFor(10 * BATCH_SHARES);
    expect(threads.messages.length).toBe(10);
  });

  it('sends a job once per thread, as a copy of its own bytes, and again when the thread has forgotten it', async () => {
    const { listener, threads, submit } = start({ threads: 1 });
    const large = new Uint8Array(1 << 20);
    const job = makeJob({ coinbase1: large.subarray(500, 598), merkleBranch: Buffer.from(large.buffer, 64, 96) });
    submit(makeShares(job, 3));
    await listener.waitFor(3);
    submit(makeShares(job, 3));
    await listener.waitFor(6);
    const sent = threads.messages.map(({ message }) => message.jobs);
    expect(sent.map((jobs) => jobs.length)).toEqual([1, 0]);
    expect(sent[0]?.[0]?.job.coinbase1.buffer.byteLength).toBe(98);
    expect(sent[0]?.[0]?.job.merkleBranch.buffer.byteLength).toBe(96);
    expect(Object.keys(sent[0]?.[0]?.job ?? {})).not.toContain('networkTarget');

    let count = 6;
    for (let i = 0; i < WORKER_JOBS; i++) submit(makeShares(makeJob(), 1));
    count += WORKER_JOBS;
    await listener.waitFor(count);
    submit(makeShares(job, 1));
    await listener.waitFor(count + 1);
    const last = threads.messages.at(-1)?.message.jobs;
    expect(last?.map(({ slot }) => slot)).toEqual([(WORKER_JOBS + 1) % WORKER_JOBS]);
    expect(listener.errors).toEqual([]);
  });

  it('judges the batches of a killed thread elsewhere, in order, and replaces the thread', async () => {
    const { validator, listener, threads, clock, submit } = start();
    await validator.ready;
    const shares = makeShares(scrypt, 400);
    submit(shares);
    await settle();
    expect(validator.pending).toBe(400);
    const gone = threads.exited(0);
    await threads.workers[0]?.terminate();
    await gone;
    await listener.waitFor(400);
    expect(listener.evaluatedShares).toEqual(shares);
    expect(threads.workers.length, 'not replaced before the backoff is over').toBe(2);
    clock.advance(100);
    expect(threads.workers.length).toBe(3);
    expect(validator.stats()).toMatchObject({ evaluated: 400, failed: 0, workerRestarts: 1, pending: 0 });
    threads.messages.length = 0;
    const more = makeShares(scrypt, 64);
    submit(more);
    await listener.waitFor(464);
    expect(
      threads.messages.some(({ worker }) => worker === 2),
      'the new thread works, and was told the job again',
    ).toBe(true);
    expect(listener.errors).toEqual([]);
  });

  it('judges here while all threads are dead', async () => {
    const { validator, listener, threads, submit } = start();
    await validator.ready;
    const gone = [threads.exited(0), threads.exited(1)];
    for (const worker of threads.workers) await worker.terminate();
    await Promise.all(gone);
    const shares = makeShares(makeJob(), 600);
    submit(shares);
    await listener.waitFor(600);
    expect(listener.evaluatedShares).toEqual(shares);
    expect(validator.stats().inThreads).toBe(0);
  });

  it('fails the shares over which threads died twice, and only those', async () => {
    // An exception in the thread: it must neither end this process nor be tried for ever.
    const { validator, listener, threads, submit } = start({
      startWorker: fakeWorker(`throw new Error('no good')`),
      threads: 3,
    });
    await validator.ready;
    submit(makeShares(makeJob(), 5));
    await listener.waitFor(5);
    expect(threads.messages.length).toBe(2);
    expect(listener.errors.length).toBe(5);
    expect(listener.errors.every((error) => isPoolError(error, 'worker_failed'))).toBe(true);
    expect(listener.errors[0]?.message).toMatch(/no good/);
    expect(validator.stats()).toMatchObject({ evaluated: 0, failed: 5, pending: 0 });
    expect(listener.batches).toBe(1);
  });

  it('waits longer before each replacement of a thread that keeps dying', async () => {
    const { threads, clock } = start({ startWorker: fakeWorker(''), threads: 1 });
    const waits: number[] = [];
    for (let round = 0; round < 9; round++) {
      const gone = threads.exited(round);
      await threads.workers[round]?.terminate();
      await gone;
      let waited = 0;
      while (threads.workers.length === round + 1 && waited < 20_000) {
        clock.advance(100);
        waited += 100;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('ends a thread that does not answer and judges its batch again', async () => {
    let starts = 0;
    const { validator, listener, threads, clock, submit } = start({
      threads: 1,
      startWorker: (url, options) =>
        starts++ === 0 ? fakeWorker('')(url, options) : startWorkerThread(workerUrl, options),
    });
    await validator.ready;
    const shares = makeShares(makeJob(), 5);
    submit(shares);
    await settle();
    clock.advance(WORKER_TIMEOUT_MS - 1);
    await settle();
    expect(listener.settled).toBe(0);
    const gone = threads.exited(0);
    clock.advance(WATCHDOG_PERIOD_MS + 1);
    await gone;
    await listener.waitFor(5);
    expect(listener.evaluatedShares).toEqual(shares);
  });

  it('does not wait for ever for a silent thread when it closes', async () => {
    const { validator, listener, clock, submit } = start({ threads: 2, startWorker: fakeWorker('') });
    await validator.ready;
    const shares = makeShares(makeJob(), 2000);
    submit(shares);
    const closed = validator.close();
    await settle();
    expect(validator.pending).toBe(2000);
    clock.advance(CLOSE_TIMEOUT_MS);
    await closed;
    expect(listener.evaluatedShares).toEqual(shares);
    expect(clock.pending, 'no timer is left').toBe(0);
  });

  it('closes while a thread dies over its work', async () => {
    const { validator, listener, threads, submit } = start();
    await validator.ready;
    const shares = makeShares(scrypt, 300);
    submit(shares);
    const closed = validator.close();
    await settle();
    void threads.workers[1]?.terminate();
    await closed;
    expect(listener.evaluatedShares).toEqual(shares);
  });

  it('resolves ready when a thread cannot be made at all', async () => {
    const { validator, listener, submit } = start({
      startWorker: () => {
        throw new Error('no threads today');
      },
    });
    await validator.ready;
    submit(makeShares(makeJob(), 3));
    await listener.waitFor(3);
    expect(validator.stats()).toMatchObject({ evaluated: 3, inThreads: 0 });
  });

  it('lets the process end without close when nothing is pending', () => {
    const entry = new URL('../dist/index.js', import.meta.url).href;
    const script = `
      const { createThreadedValidator } = await import(${JSON.stringify(entry)});
      const listener = { evaluated() { process.stdout.write('judged '); }, failed() {}, batchDone() {}, drained() {} };
      const validator = createThreadedValidator({ threads: 2, listener });
      await validator.ready;
      const job = { coinbase1: new Uint8Array(60), coinbase2: new Uint8Array(60), extranonceLength: 8,
        merkleBranch: new Uint8Array(0), previousHash: new Uint8Array(32), nbits: 1, algorithm: 'scrypt',
        networkTarget: new Uint8Array(32) };
      validator.submit({ job, version: 1, ntime: 1, nonce: 1, extranonce: new Uint8Array(8), shareTarget: new Uint8Array(32) });
    `;
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(run.stderr).toBe('');
    expect([run.status, run.stdout]).toEqual([0, 'judged ']);
  });
});
