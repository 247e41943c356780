import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '@headframe/ledger';
import { afterEach, describe, expect, it } from 'vitest';
import { FAULT_KINDS, Process } from './support/faults.js';
import { addressOf, CONFIRMATIONS, World } from './support/world.js';

/** Threads start from the build. */
const WORKER_URL = new URL('../../ledger/dist/worker.js', import.meta.url);
const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function people(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'headframe-payer-'));
  const ledger = await openLedger({ url: `sqlite:${join(folder, 'pool.db')}`, workerUrl: WORKER_URL });
  endings.push(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  const world = new World(ledger.accounting);
  world.chain.give(400_000n, 400_000n, 400_000n);
  await world.credit('ann', 100_000n);
  await world.credit('ben', 90_000n);
  await world.credit('ann2', 30_000n, addressOf('ann'));
  await world.credit('dora', 20_000n);
  return world;
}

describe.runIf(existsSync(WORKER_URL))('on the books in SQLite', { timeout: 120_000 }, () => {
  it('pays everybody once, with faults spread over all calls', async () => {
    const clean = new Process();
    const first = await people();
    await first.live(first.payouts({}, clean), CONFIRMATIONS + 1);
    expect(await first.differences()).toEqual([]);
    // A database for each takes its time: every fifth call, the kinds in turn. In memory all kinds meet all calls.
    for (let at = 1; at <= clean.calls; at += 5) {
      const kind = FAULT_KINDS[at % FAULT_KINDS.length] ?? 'fails';
      const world = await people();
      await world.live(world.payouts({}, new Process({ at, kind })), 2);
      await world.live(world.payouts(), CONFIRMATIONS + 2);
      expect(await world.differences(), `${kind} at call ${at} (${clean.trace[at - 1]})`).toEqual([]);
      for (const end of endings.splice(0)) await end();
    }
  });

  it('pays once when four processes run at the same time', async () => {
    const world = await people();
    const processes = Array.from({ length: 4 }, () => world.payouts());
    for (let round = 0; round < 3; round++) {
      await Promise.allSettled(processes.map((payouts) => payouts.run()));
      await Promise.allSettled(processes.map((payouts) => payouts.reconcile()));
      world.chain.mine();
      world.clock.advance(7_200_000);
    }
    await world.live(world.payouts(), 2 * CONFIRMATIONS + 2);
    expect(await world.differences()).toEqual([]);
  });
});
