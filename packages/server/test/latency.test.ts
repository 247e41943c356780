import { settle } from '@headframe/primitives/testing';
import { afterEach, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { type Harness, harness } from './harness.js';

let h: Harness;
afterEach(() => h.close());

it('counts every accepted share from receipt to reply, the commit apart, and refused ones in neither', async () => {
  h = await harness({ job: makeJob({ id: 1, clean: true }) });
  const miner = await h.connect().start();
  let done: () => void = () => {};
  h.core.onCommit = () =>
    new Promise((resolve) => {
      done = () => resolve(null);
    });
  for (let id = 0; id < 3; id++) miner.send({ id, method: 'mining.submit', params: miner.params(miner.mine()) });
  const low = miner.params(miner.mine({ below: miner.difficulty }));
  miner.send({ id: 3, method: 'mining.submit', params: low });
  await settle();
  h.clock.advance(200);
  done();
  await miner.answer(3);
  const { latency, commit } = h.server.stats().shares;
  expect(latency.count).toBe(3);
  expect(latency.sum).toBeCloseTo(0.6, 3);
  expect(commit.count).toBe(1);
  expect(commit.sum).toBeCloseTo(0.2, 3);
});

it('counts a broadcast for each new block', async () => {
  h = await harness({ job: makeJob({ id: 1, clean: true }) });
  await h.connect().start();
  const before = h.server.stats().broadcast.count;
  h.core.publish(makeJob({ id: 2, clean: true }));
  h.core.publish(makeJob({ id: 3, clean: false }));
  await settle();
  expect(h.server.stats().broadcast.count).toBe(before + 1);
});
