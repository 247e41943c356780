import type { HashBackend } from '@headframe/hashing';
import { describe, expect, it } from 'vitest';
import { describeValidator } from '../src/compliance.js';
import { createAutoValidator, createInlineValidator, createThreadedValidator, createValidator } from '../src/index.js';

/** Threads run from the build: Node 20 cannot start one from TypeScript. */
const workerUrl = new URL('../dist/worker.js', import.meta.url);

for (const backend of ['simd', 'scalar', 'node'] satisfies HashBackend[]) {
  describeValidator(`inline, ${backend}`, (wish) => createInlineValidator({ ...wish, backend }));
}
describeValidator('two threads', (wish) => createThreadedValidator({ ...wish, threads: 2, workerUrl }));
describeValidator('one thread, scalar', (wish) =>
  createThreadedValidator({ ...wish, threads: 1, workerUrl, backend: 'scalar' }),
);
describeValidator('auto, idle loop', (wish) =>
  createAutoValidator({ ...wish, threads: 2, workerUrl, utilisation: () => 0 }),
);
describeValidator('auto, busy loop', async (wish) => {
  let nowMs = 0;
  const validator = createAutoValidator({
    ...wish,
    threads: 2,
    workerUrl,
    cores: 4,
    algorithm: 'scrypt',
    utilisation: () => 0.95,
    // Every look at the clock is a new measuring window.
    clock: {
      now: () => nowMs,
      monotonic: () => (nowMs += 1000),
      setTimeout: () => ({ cancel: () => {} }),
      setInterval: () => ({ cancel: () => {} }),
    },
  });
  await validator.ready;
  return validator;
});
// What is left when threads cannot start: the same answers.
describeValidator('threads that never start', (wish) =>
  createThreadedValidator({ ...wish, threads: 2, workerUrl: new URL('./no-such-worker.js', import.meta.url) }),
);

describe('createValidator', () => {
  const listener = { evaluated: () => {}, failed: () => {}, batchDone: () => {}, drained: () => {} };
  it.each(['inline', 'threads', 'auto'] as const)('makes what the mode says: %s', async (mode) => {
    const validator = createValidator({ mode, listener, workerUrl });
    expect(validator.mode).toBe(mode);
    expect(validator.backend).toBe('simd');
    await validator.close();
  });
});
