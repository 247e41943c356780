// Each mining limit has a test that carries out the attack. Those not here stand beside what they protect:
// jobsPerChannel (errors), duplicatesPerJob (work, blocks), workers and workersPerChannel (errors), leases, leaseMs and
// extranonces (resume), pendingVerdicts (errors), uncommittedShares, sharesPerCommit and commitTimeoutMs (commit), commitsPerSecond (committer),
// transactionsBytes (work).
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { MINING_LIMITS } from '../src/index.js';
import { EASY_NBITS, makeJob } from './fixtures.js';
import { type Harness, harness } from './harness.js';

let h: Harness;
afterEach(() => h.close());

describe('limits', () => {
  it('say what they stop', async () => {
    h = await harness();
    for (const [name, { default: value, unit, stops }] of Object.entries(MINING_LIMITS)) {
      expect(value, name).toBeGreaterThan(0);
      expect(unit.length * stops.length, name).toBeGreaterThan(0);
    }
  });

  it('staleJobsPerChannel: older jobs are forgotten', async () => {
    h = await harness({
      job: makeJob({ id: 1, clean: true }),
      options: { limits: { staleJobsPerChannel: 2, jobsPerChannel: 3 } },
    });
    const miner = await h.connect().start();
    for (let id = 2; id < 6; id++) h.core.publish(makeJob({ id, tip: id, clean: true }));
    await settle();
    const answers = [];
    for (const job of miner.jobs) answers.push((await miner.submit(miner.mine({ job }), job)).error ?? true);
    expect(answers).toEqual([
      [21, 'Job not found', null],
      [21, 'Job not found', null],
      [21, 'Stale share', null],
      [21, 'Stale share', null],
      true,
    ]);
    const [session] = [...h.server.sessions];
    if (!session) throw new Error('no session');
    for (let id = 6; id < 100; id++) h.core.publish(makeJob({ id, tip: id >> 2 }));
    expect(h.server.channelOf(session).jobCount).toBeLessThanOrEqual(5);
  });

  it('candidates: the memory of sent blocks is bounded', async () => {
    h = await harness({
      job: makeJob({ id: 1, clean: true, nbits: EASY_NBITS }),
      options: { limits: { candidates: 2 } },
    });
    const miner = await h.connect().start();
    const works = [miner.mine(), miner.mine(), miner.mine()];
    for (const work of works) await miner.submit(work);
    expect(h.core.candidates).toHaveLength(3);
    // The last two are remembered; the first would go out again, and the core knows it by its hash.
    for (const work of works.slice(1)) await miner.submit(work);
    expect(h.core.candidates).toHaveLength(3);
  });

  it('heldMessages: what plugins say too early is bounded', async () => {
    h = await harness({ job: makeJob({ id: 1, clean: true }), options: { limits: { heldMessages: 3 } } });
    const settled: string[] = [];
    h.server.on('connected', ({ session }) => {
      for (let i = 0; i < 10; i++) session.notify('vendor.news', [i]);
      session.request('client.get_version', []).catch(({ code }) => settled.push(code));
    });
    const miner = await h.connect().start();
    expect(miner.received('vendor.news').map(({ params }) => params)).toEqual([[0], [1], [2]]);
    expect(settled).toEqual(['queue_full']);
  });

  it('a request that never got out is settled when the session ends', async () => {
    h = await harness({ job: makeJob({ id: 1, clean: true }) });
    const settled: string[] = [];
    h.server.on('connected', ({ session }) => {
      session.request('vendor.ask', []).catch(({ code }) => settled.push(code));
    });
    const miner = h.connect();
    await miner.subscribe();
    miner.connection.destroy();
    await settle();
    expect(settled).toEqual(['connection_closed']);
  });

  it('agentIdleTimeoutMs: a mining agent may be silent for days, a miner for ten minutes', async () => {
    h = await harness({ options: { limits: { agentIdleTimeoutMs: 3_600_000 } } });
    const [agent, miner, liar] = [h.connect('10.0.0.1'), h.connect('10.0.0.2'), h.connect('10.0.0.3')];
    await agent.call('mining.subscribe', ['btccom-agent/2.0.0-mu']);
    await agent.authorize();
    await miner.call('mining.subscribe', ['cgminer/4.12']);
    await miner.authorize();
    await liar.call('mining.subscribe', ['btccom-agent/9']);
    await h.clock.advanceAsync(31_000, 1000);
    expect(
      [agent, miner, liar].map(({ closed }) => closed),
      'who never authorizes',
    ).toEqual([false, false, true]);
    await h.clock.advanceAsync(600_000, 10_000);
    expect([agent, miner].map(({ closed }) => closed)).toEqual([false, true]);
    await h.clock.advanceAsync(3_600_000, 60_000);
    expect(agent.closed).toBe(true);
  });
});
