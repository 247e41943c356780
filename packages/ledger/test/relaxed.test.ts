import type { ShareBatch, ShareSink } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { batch, share } from '../src/compliance/samples.js';
import { relaxedSink } from '../src/index.js';

class MemorySink implements ShareSink {
  readonly taken: ShareBatch[] = [];
  isDown = false;
  isClosed = false;
  async commit(one: ShareBatch): Promise<void> {
    if (this.isDown) throw new PoolError('storage_failed', 'down');
    this.taken.push(one);
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
  get sequences(): number[] {
    return this.taken.map(({ sequence }) => sequence);
  }
}

let memory: MemorySink;
let clock: FakeClock;
let sink: ShareSink;
beforeEach(() => {
  memory = new MemorySink();
  clock = new FakeClock();
  sink = relaxedSink({ sink: memory, clock, capacity: 10 });
});

const shares = (count: number) => Array.from({ length: count }, () => share());

describe('a relaxed sink', () => {
  it('answers at once and has sent on what it got within 100 ms', async () => {
    await sink.commit(batch(1, shares(2)));
    clock.advance(60);
    await sink.commit(batch(2, shares(2)));
    expect(memory.sequences).toEqual([]);
    clock.advance(40);
    await settle();
    expect(memory.sequences).toEqual([1, 2]);
    await sink.commit(batch(3, shares(1)));
    clock.advance(99);
    await settle();
    expect(memory.sequences).toEqual([1, 2]);
    clock.advance(1);
    await settle();
    expect(memory.sequences).toEqual([1, 2, 3]);
    expect(clock.pending).toBe(0);
  });

  it('holds what storage refuses, in order, and lets callers wait when it is full', async () => {
    memory.isDown = true;
    await sink.commit(batch(1, shares(6)));
    await sink.commit(batch(2, shares(4)));
    let isTaken = false;
    const third = sink.commit(batch(3, shares(1))).then(() => {
      isTaken = true;
    });
    await clock.advanceAsync(60_000, 50);
    expect(isTaken).toBe(false);
    memory.isDown = false;
    await clock.advanceAsync(5_100, 50);
    await third;
    await clock.advanceAsync(100, 50);
    expect(memory.sequences).toEqual([1, 2, 3]);
    // A batch larger than all the room.
    await sink.commit(batch(4, shares(50)));
    await clock.advanceAsync(100, 50);
    expect(memory.sequences).toEqual([1, 2, 3, 4]);
  });

  it('sends everything before it closes, and says when it could not', async () => {
    await sink.commit(batch(1, shares(1)));
    await sink.close();
    await sink.close();
    expect(memory).toMatchObject({ isClosed: true, sequences: [1] });
    await expect(sink.commit(batch(2, []))).rejects.toMatchObject({ code: 'closed' });

    const other = new MemorySink();
    other.isDown = true;
    const losing = relaxedSink({ sink: other, clock, capacity: 1 });
    await losing.commit(batch(1, shares(1)));
    const waiting = losing.commit(batch(2, shares(1)));
    const closing = losing.close();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await expect(closing).rejects.toMatchObject({ code: 'storage_failed' });
    expect(other.isClosed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
