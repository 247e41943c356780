import { openLedger } from '@headframe/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Process } from '../../packages/payouts/test/support/faults.js';
import { addressOf, CONFIRMATIONS, World } from '../../packages/payouts/test/support/world.js';
import { type PostgresServer, startPostgres } from '../nodes/postgres.js';
import { requireService } from '../support/require.js';

const WORKER_URL = new URL('../../packages/ledger/dist/worker.js', import.meta.url);

describe.skipIf(!requireService('postgresql'))('payments on PostgreSQL', { timeout: 240_000 }, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  it('are made once, whatever step the server is killed in', async () => {
    const ledger = await openLedger({ url: await server.createDatabase(), workerUrl: WORKER_URL });
    try {
      const world = new World(ledger.accounting);
      // Before and after each call of a run: there the server dies, and is back for the next run.
      for (let at = 2; at <= 26; at += 3) {
        world.chain.give(400_000n);
        await world.credit('ann', 50_000n + BigInt(at));
        await world.credit('ben', 40_000n);
        await world.credit('ann2', 30_000n, addressOf('ann'));
        let steps = 0;
        let isDown = false;
        const process = new Process({ at: 0, kind: 'fails' }, async () => {
          if (++steps !== at) return;
          isDown = true;
          await server.kill();
        });
        await world.live(world.payouts({}, process), 1);
        expect(isDown, `there is no step ${at}`).toBe(true);
        await server.start();
        await world.live(world.payouts(), CONFIRMATIONS + 2);
        expect(await world.differences(), `killed at step ${at}, after ${process.trace.at(-1)}`).toEqual([]);
      }
    } finally {
      await ledger.close();
    }
  });
});
