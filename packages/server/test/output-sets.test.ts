import { createSerialisingBus } from '@headframe/mining';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { DefaultAccount } from '../src/index.js';
import { EASY_NBITS, makeJob } from './fixtures.js';
import { type Harness, type HarnessOptions, harness, type Miner } from './harness.js';

let h: Harness;
afterEach(() => h.close());

const LISTS: Readonly<Record<string, readonly string[]>> = {
  small: ['tiny', 'main', 'large'],
  stock: ['main', 'tiny', 'large'],
  modern: ['large', 'main', 'tiny'],
};
const outputSets = (agent: string): readonly string[] => LISTS[agent.split('/')[0] ?? ''] ?? LISTS.stock ?? [];

async function begin(sets: readonly string[], setup: HarnessOptions<DefaultAccount> = {}): Promise<void> {
  const job = makeJob({ id: 1, clean: true, nbits: EASY_NBITS, sets });
  h = await harness({ job, ...setup, options: { outputSets, ...setup.options } });
}

async function connect(agent: string | undefined, worker = 'alice.rig1'): Promise<Miner> {
  const miner = h.connect();
  miner.worker = worker;
  miner.takeSubscription((await miner.call('mining.subscribe', agent === undefined ? [] : [agent])).result);
  await miner.authorize();
  await settle();
  return miner;
}

/** Bytes of the coinbase's end, which tells the sets of the fixture apart: 80, 111, 142. */
const size = (miner: Miner): number => String(miner.job.params[3]).length / 2;

describe('output sets', () => {
  it.each([
    ['small/1.0', 80],
    ['modern/2', 142],
    ['stock/1', 111],
    ['whatever', 111],
    [undefined, 111],
  ])('%s gets the set of its firmware', async (agent, bytes) => {
    await begin(['tiny', 'main', 'large']);
    expect(size(await connect(agent))).toBe(bytes);
  });

  it.each([
    [['tiny', 'large'], 'stock', 80],
    [['tiny'], 'modern', 80],
    [['other', 'main'], 'unlisted', 111],
    [['first', 'second'], 'stock', 80],
  ])('of %j, %s gets the next best', async (sets, agent, bytes) => {
    await begin(sets);
    expect(size(await connect(agent))).toBe(bytes);
  });

  it('without the option everybody gets main', async () => {
    const job = makeJob({ id: 1, clean: true, sets: ['tiny', 'main'] });
    h = await harness({ job });
    expect(size(await connect('small/1'))).toBe(111);
  });

  it('a share and a block are judged by the coinbase that the miner was given', async () => {
    await begin(['tiny', 'main', 'large'], { options: { difficulty: 1e-9 } });
    for (const agent of ['small', 'stock', 'modern']) {
      const miner = await connect(agent, `${agent}.rig`);
      for (let i = 0; i < 5; i++) expect((await miner.submit(miner.mine({ difficulty: 1e-9 }))).result).toBe(true);
      const ends = String(miner.job.params[3]);
      const mine = h.core.candidates.filter(({ account }) => account === agent);
      expect(mine.length).toBeGreaterThan(0);
      for (const { coinbase } of mine) expect(Buffer.from(coinbase).toString('hex').endsWith(ends)).toBe(true);
    }
  });

  it('new jobs, refreshed ones and ones of a changed difficulty keep to the set, over a bus of bytes too', async () => {
    await begin(['tiny', 'main', 'large'], { bus: createSerialisingBus(), options: { refreshSpreadMs: 0 } });
    const miners = [await connect('small'), await connect('stock'), await connect('modern')];
    const sizes = (): number[] => miners.map(size);
    expect(sizes()).toEqual([80, 111, 142]);
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true, sets: ['tiny', 'main', 'large'] }));
    await settle();
    expect(sizes()).toEqual([80, 111, 142]);
    h.core.publish(makeJob({ id: 3, tip: 2, sets: ['tiny', 'large'] }));
    await settle();
    expect(sizes()).toEqual([80, 80, 111]);
    for (const session of h.server.sessions) h.server.setDifficulty(session, 4096);
    await settle();
    expect(miners.map(({ job }) => job.difficulty)).toEqual([4096, 4096, 4096]);
    expect(sizes()).toEqual([80, 80, 111]);
    h.core.publish(makeJob({ id: 4, tip: 2 }));
    await settle();
    expect(sizes()).toEqual([80, 80, 80]);
  });

  it('a resumed session gets the set of the firmware that came back', async () => {
    await begin(['tiny', 'main', 'large']);
    const first = await connect('small');
    const { sessionId } = first;
    first.connection.destroy();
    await settle();
    const again = h.connect();
    again.takeSubscription((await again.call('mining.subscribe', ['modern/2', sessionId])).result);
    await again.authorize();
    await settle();
    expect(again.extranonce1).toBe(first.extranonce1);
    expect(size(again)).toBe(142);
  });
});
