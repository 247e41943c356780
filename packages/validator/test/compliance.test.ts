import type { HashBackend } from '@headframe/hashing';
import { type Logger, silentLogger } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { describeValidator } from '../src/compliance.js';
import {
  createAutoValidator,
  createInlineValidator,
  createThreadedValidator,
  createValidator,
  type PendingShare,
  type ShareValidator,
} from '../src/index.js';
import { workerUrl } from './support.js';

/** Validators whose work must have been done on other threads. */
const threaded: ShareValidator<PendingShare>[] = [];
function remember<Validator extends ShareValidator<PendingShare>>(validator: Validator): Validator {
  threaded.push(validator);
  return validator;
}

for (const backend of ['simd', 'scalar', 'node'] satisfies HashBackend[]) {
  describeValidator(`inline, ${backend}`, (wish) => createInlineValidator({ ...wish, backend }));
}
describeValidator('two threads', (wish) => remember(createThreadedValidator({ ...wish, threads: 2, workerUrl })));
describeValidator('one thread, scalar', (wish) =>
  remember(createThreadedValidator({ ...wish, threads: 1, workerUrl, backend: 'scalar' })),
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
describe('the threaded validators of the suite', () => {
  it('did all their work on other threads', () => {
    expect(threaded.length).toBeGreaterThan(40);
    for (const validator of threaded) {
      const { evaluated, inThreads } = validator.stats();
      expect(inThreads).toBe(evaluated);
    }
  });
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

describe('what createValidator says in the log', () => {
  function said(options: Partial<Parameters<typeof createValidator>[0]>): string[] {
    const lines: string[] = [];
    const log: Logger = {
      ...silentLogger,
      info: (_details, message) => lines.push(`info ${message}`),
      warn: (_details, message) => lines.push(`warn ${message}`),
    };
    const listener = { evaluated: () => {}, failed: () => {}, batchDone: () => {}, drained: () => {} };
    void createValidator({ mode: 'inline', ...options, listener, log }).close();
    return lines;
  }
  it('says which backend hashes, and warns when it is a slow one', () => {
    expect(said({})).toEqual(['info share validation']);
    expect(said({ backend: 'scalar' })[0]).toMatch(/^warn .* without SIMD/);
  });
  it('warns of a heavy algorithm that may not use threads', () => {
    expect(said({ algorithm: 'scrypt' })[1]).toMatch(/^warn .* event loop/);
    expect(said({ algorithm: 'sha256d' })).toHaveLength(1);
  });
});
