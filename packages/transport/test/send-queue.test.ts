import { FakeClock, settle } from '@headframe/primitives/testing';
import { SendQueue, type SendQueueOwner, WorkUpdate } from '@headframe/transport';
import { createMemoryPair, type MemoryConnection, RecordingHandler } from '@headframe/transport/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function update(job: number, clean: boolean, difficulty?: number, extranonce?: string): WorkUpdate {
  return new WorkUpdate({
    notify: { clean: bytes(`notify ${job} true\n`), keep: bytes(`notify ${job} false\n`) },
    clean,
    ...(difficulty === undefined ? {} : { difficulty: bytes(`difficulty ${difficulty}\n`) }),
    ...(extranonce === undefined ? {} : { extranonce: bytes(`extranonce ${extranonce}\n`) }),
  });
}

class Harness extends RecordingHandler implements SendQueueOwner {
  readonly clock = new FakeClock();
  readonly client: MemoryConnection;
  readonly server: MemoryConnection;
  readonly queue: SendQueue<WorkUpdate>;
  readonly peer = new RecordingHandler();
  slow = 0;

  constructor(windowBytes = 100) {
    super();
    const { client, server } = createMemoryPair({ clock: this.clock, windowBytes });
    this.client = client;
    this.server = server;
    const policy = { clock: this.clock, maxUnsentBytes: 1000, drainTimeoutMs: 30_000 };
    this.queue = new SendQueue(server, policy, this);
    client.start(this.peer);
    server.start(this);
  }
  override drain(): void {
    super.drain();
    this.queue.drained();
  }
  override closed(error?: Error): void {
    super.closed(error);
    this.queue.close();
  }
  slowReader(): void {
    this.slow++;
    this.server.destroy();
  }
  /** Freezes the peer and fills the socket, so that something is unsent. */
  congest(): void {
    this.client.freeze();
    this.queue.write('.'.repeat(101));
    expect(this.server.unsentBytes).toBe(1);
  }
  async received(): Promise<string> {
    this.client.thaw();
    await settle();
    return this.peer.text.replace(/^\.*/, '');
  }
}

describe('SendQueue', () => {
  it('writes and broadcasts at once while the socket is idle', async () => {
    const harness = new Harness();
    harness.queue.write('reply\n');
    harness.queue.broadcast(update(1, true, 5));
    harness.queue.broadcast(update(2, false));
    expect(harness.queue.held).toBeUndefined();
    expect(await harness.received()).toBe('reply\ndifficulty 5\nnotify 1 true\nnotify 2 false\n');
  });

  it('shares one buffer between all queues', () => {
    const shared = update(1, true);
    expect(shared.encode()).toBe(shared.encode());
    expect(shared.encode()).toBe(shared.notify.clean);
    expect(update(1, false).encode()).toEqual(bytes('notify 1 false\n'));
  });

  it('a newer broadcast replaces the one that waits; clean is kept, and the newest settings', async () => {
    const harness = new Harness();
    harness.congest();
    harness.queue.broadcast(update(1, false, 100, 'aa'));
    harness.queue.broadcast(update(2, true));
    harness.queue.broadcast(update(3, false, 200));
    harness.queue.broadcast(update(4, false));
    expect(await harness.received()).toBe('extranonce aa\ndifficulty 200\nnotify 4 true\n');
    expect(harness.queue.held).toBeUndefined();
  });

  it('writes settings in front of the job they take effect with', () => {
    const line = (text: string): Uint8Array => bytes(`${text}\n`);
    const notify = { clean: line('clean'), keep: line('keep') };
    const older = new WorkUpdate({ notify, clean: true, versionMask: line('mask 1'), extranonce: line('en 1') });
    const newer = new WorkUpdate({ notify, clean: false, versionMask: line('mask 2'), difficulty: line('diff 2') });
    expect(Buffer.from(older.merge(newer).encode()).toString()).toBe('en 1\nmask 2\ndiff 2\nclean\n');
    expect(Buffer.from(newer.merge(older).encode()).toString()).toBe('en 1\nmask 1\ndiff 2\nclean\n');
    expect(Buffer.from(newer.merge(newer).encode()).toString()).toBe('mask 2\ndiff 2\nkeep\n');
  });

  it('never replaces what the socket has', async () => {
    const harness = new Harness();
    harness.client.freeze();
    for (let job = 1; job <= 20; job++) harness.queue.broadcast(update(job, false));
    const text = await harness.received();
    const jobs = text.match(/notify \d+/g) ?? [];
    expect(text).toMatch(/^(?:notify \d+ false\n)+$/);
    expect(jobs.at(0)).toBe('notify 1');
    expect(jobs.at(-1)).toBe('notify 20');
    expect(jobs.length).toBeLessThan(10);
  });

  it('a reply may overtake a broadcast that waits, but broadcasts never each other', async () => {
    const harness = new Harness();
    harness.congest();
    harness.queue.broadcast(update(1, false, 7));
    harness.queue.write('reply\n');
    expect(await harness.received()).toBe('reply\ndifficulty 7\nnotify 1 false\n');
    harness.queue.broadcast(update(2, false));
    await settle();
    expect(harness.peer.text).toMatch(/notify 1 false\nnotify 2 false\n$/);
  });

  it('cuts a peer with too much unsent', () => {
    const harness = new Harness();
    harness.client.freeze();
    for (let i = 0; i < 110; i++) harness.queue.write('0123456789');
    expect(harness.slow).toBe(0);
    harness.queue.write('x');
    expect(harness.slow).toBe(1);
    harness.queue.write('x');
    harness.queue.broadcast(update(1, true));
    expect(harness.slow).toBe(1);
    expect(harness.clock.pending).toBe(0);
  });

  it('cuts a peer that does not drain in time', () => {
    const harness = new Harness();
    harness.congest();
    harness.queue.broadcast(update(1, true));
    harness.clock.advance(29_999);
    expect(harness.slow).toBe(0);
    harness.clock.advance(1);
    expect(harness.slow).toBe(1);
    harness.clock.advance(100_000);
    expect(harness.slow).toBe(1);
  });

  it('counts the time from when the socket filled, not from when it first filled', async () => {
    const harness = new Harness();
    harness.congest();
    harness.clock.advance(20_000);
    await harness.received();
    harness.clock.advance(5000);
    harness.congest();
    harness.clock.advance(29_999);
    expect(harness.slow).toBe(0);
    harness.clock.advance(1);
    expect(harness.slow).toBe(1);
  });

  it('does not cut a peer that drained, and leaves no timer behind', async () => {
    const harness = new Harness();
    harness.congest();
    await harness.received();
    harness.clock.advance(30_000);
    expect(harness.slow).toBe(0);
    expect(harness.clock.pending).toBe(0);
    harness.congest();
    harness.server.destroy();
    await settle();
    expect(harness.clock.pending).toBe(0);
    harness.queue.drained();
    harness.queue.close();
  });

  it('one frozen peer does not keep a broadcast from the others', async () => {
    const harnesses = Array.from({ length: 50 }, () => new Harness());
    for (const [index, harness] of harnesses.entries()) if (index % 5 === 0) harness.client.freeze();
    for (let job = 1; job <= 200; job++) {
      const shared = update(job, job % 50 === 0);
      for (const { queue } of harnesses) queue.broadcast(shared);
      if (job % 10 === 0) await settle();
    }
    for (const [index, harness] of harnesses.entries()) {
      const got = harness.peer.text.match(/notify/g)?.length ?? 0;
      // Frozen: nothing read, at most the window and one message more given to the socket, one held.
      expect(harness.server.bytesWritten, `peer ${index}`)[index % 5 === 0 ? 'toBeLessThan' : 'toBeGreaterThan'](120);
      if (index % 5 !== 0) expect(harness.peer.text).toMatch(/notify 200 true\n$/);
      else expect(got).toBe(0);
      expect(harness.slow).toBe(0);
    }
    harnesses[0]?.client.thaw();
    await settle();
    expect(harnesses[0]?.peer.text).toMatch(/notify 200 true\n$/);
  });

  it('the peer ends with the newest job and settings, never misses a clean, never sees a job twice or an older after a newer (property)', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('job' as const),
        clean: fc.boolean(),
        difficulty: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      }),
      fc.record({ kind: fc.constantFrom('reply' as const, 'freeze' as const, 'thaw' as const, 'wait' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const harness = new Harness(40);
        let job = 0;
        let replies = 0;
        let lastClean = 0;
        let difficulty = 0;
        for (const action of steps) {
          if (action.kind === 'job') {
            job++;
            if (action.clean) lastClean = job;
            difficulty = action.difficulty ?? difficulty;
            harness.queue.broadcast(update(job, action.clean, action.difficulty));
          } else if (action.kind === 'reply') harness.queue.write(`reply ${++replies}\n`);
          else if (action.kind === 'freeze') harness.client.freeze();
          else if (action.kind === 'thaw') harness.client.thaw();
          else await settle();
        }
        harness.client.thaw();
        await settle();
        expect(harness.slow).toBe(0);
        const lines = harness.peer.text.split('\n');
        const jobs = lines.filter((line) => line.startsWith('notify')).map((line) => Number(line.split(' ')[1]));
        expect(jobs).toEqual([...new Set(jobs)].sort((a, b) => a - b));
        expect(jobs.at(-1) ?? 0).toBe(job);
        expect(lines.filter((line) => line.startsWith('reply')).length).toBe(replies);
        const cleaned = lines.filter((line) => line.endsWith('true')).map((line) => Number(line.split(' ')[1]));
        if (lastClean > 0) expect(cleaned.at(-1)).toBeGreaterThanOrEqual(lastClean);
        const last = lines.filter((line) => line.startsWith('difficulty')).at(-1);
        expect(last ?? 'difficulty 0').toBe(`difficulty ${difficulty}`);
      }),
      { numRuns: 60 },
    );
  });
});
