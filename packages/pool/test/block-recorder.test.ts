import { type BlockOutcome, createDirectBus } from '@headframe/mining';
import { PoolError, silentLogger } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { BlockRecorder } from '../src/block-recorder.js';

const outcome = (hash: string, status: BlockOutcome['status'], height = 5): BlockOutcome => ({
  hash,
  height,
  status,
  account: 'a',
  worker: 'a.1',
  reward: 1n,
  confirmations: 0,
  nodes: {},
  timeMs: 0,
});

function setup() {
  const clock = new FakeClock();
  const bus = createDirectBus();
  const calls: string[] = [];
  const told: string[] = [];
  let broken = false;
  let hold: Promise<void> | undefined;
  const recorder = new BlockRecorder({
    bus,
    clock,
    log: silentLogger,
    ledger: {
      recordBlock: async (block, details) => {
        await hold;
        if (broken) throw new PoolError('storage_failed', 'full');
        calls.push(`${block.hash} ${block.status} ${details?.networkDifficulty ?? '-'}`);
      },
    },
    onRecorded: (block) => told.push(`${block.hash} ${block.status}`),
  });
  return {
    clock,
    bus,
    recorder,
    calls,
    told,
    setBroken: (value: boolean) => {
      broken = value;
    },
    setHold: (value: Promise<void> | undefined) => {
      hold = value;
    },
  };
}

describe('block recorder', () => {
  it('writes blocks in order, each with the difficulty of its height', async () => {
    const { bus, calls, told } = setup();
    const job = { height: 5, networkDifficulty: 7 } as Parameters<typeof bus.publish<'job'>>[1];
    bus.publish('job', job);
    bus.publish('block', outcome('aa', 'candidate'));
    bus.publish('block', outcome('bb', 'candidate', 6));
    await settle();
    expect(calls).toEqual(['aa candidate 7', 'bb candidate -']);
    expect(told).toEqual(['aa candidate', 'bb candidate']);
  });

  it('writes a newer word that came while the older one was written', async () => {
    const { bus, calls, setHold, recorder } = setup();
    let release = (): void => {};
    setHold(new Promise((resolve) => (release = resolve)));
    bus.publish('block', outcome('aa', 'candidate'));
    await settle();
    bus.publish('block', outcome('aa', 'confirmed'));
    setHold(undefined);
    release();
    await settle();
    expect(calls).toEqual(['aa candidate -', 'aa confirmed -']);
    expect(recorder.waiting).toBe(0);
  });

  it('tries again until the ledger takes it, and says only then that it is recorded', async () => {
    const { bus, clock, calls, told, recorder, setBroken } = setup();
    setBroken(true);
    bus.publish('block', outcome('aa', 'candidate'));
    await settle();
    bus.publish('block', outcome('aa', 'confirmed'));
    await clock.advanceAsync(60_000, 100);
    expect(told).toEqual([]);
    expect(recorder.waiting).toBe(1);
    setBroken(false);
    await clock.advanceAsync(30_000, 100);
    expect(calls).toEqual(['aa confirmed -']);
    expect(told).toEqual(['aa confirmed']);
  });

  it('hands in what waits when it closes, and does not wait for a ledger that stays away', async () => {
    const one = setup();
    one.setBroken(true);
    one.bus.publish('block', outcome('aa', 'confirmed'));
    await settle();
    one.setBroken(false);
    await one.recorder.close();
    expect(one.calls).toEqual(['aa confirmed -']);
    const two = setup();
    two.setBroken(true);
    two.bus.publish('block', outcome('aa', 'confirmed'));
    await two.recorder.close();
    two.bus.publish('block', outcome('bb', 'confirmed'));
    await two.clock.advanceAsync(60_000, 1000);
    expect(two.calls).toEqual([]);
  });
});
