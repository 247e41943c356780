// kill -9 of the whole pool, as it is installed, at random moments under load: every share that a miner saw accepted is
// in the ledger, and none is there twice; the books add up, and the chain has the payments that they tell of.
// KILL_ROUNDS makes it longer.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startPostgres } from '../nodes/postgres.js';
import { reckonPayments } from '../soak/payments.js';
import { reckon } from '../soak/reckoning.js';
import { startLoad } from '../soak/share-load.js';
import { makeStage } from '../soak/stage.js';
import { poolFolder, startPool } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 20);
const POSTGRES_ROUNDS = Math.max(3, Math.round(ROUNDS / 5));
const MINERS = 40;
const SHARES_PER_SECOND = 1_000;
/** Accepted shares that a round waits for, at least and at most, before the kill. */
const LEAST_SHARES = 50;
const MORE_SHARES = 700;

async function killRounds(rounds: number, storageUrl: string, folder: string): Promise<void> {
  const stage = await makeStage(storageUrl);
  const { port, config } = stage;
  const workers = await stage.workers(MINERS);
  const load = await startLoad({
    port,
    workers,
    sharesPerSecond: SHARES_PER_SECOND,
    dropsPerSecond: 2,
  });
  try {
    for (let round = 0; round < rounds; round++) {
      const before = (await load.state()).accepted;
      const pool = await startPool({ config, folder });
      const after = before + LEAST_SHARES + Math.floor(Math.random() * MORE_SHARES);
      await waitFor('accepted shares', async () => (await load.state()).accepted >= after, 20_000);
      await pool.kill();
    }
    const pool = await startPool({ config, folder });
    await waitFor('every miner to be back', async () => {
      const { miners, ready } = await load.state();
      return ready > miners * 0.9; // one in a while is just being dropped
    });
    await load.rest();
    await waitFor('the last answers', async () => (await load.state()).pending === 0);
    const books = await load.books();
    expect(await pool.stop()).toMatchObject({ code: 0 });
    const result = await reckon(storageUrl, books);
    const accounts = [...new Set(workers.map((worker) => worker.slice(0, worker.indexOf('.'))))];
    const { payments } = await reckonPayments(storageUrl, stage.rpc, accounts);
    expect(result.told).toBeGreaterThan(rounds * LEAST_SHARES);
    expect(
      books.reduce((sum, { faults }) => sum + faults.right, 0),
      'faulty shares that were refused',
    ).toBeGreaterThan(0);
    expect(
      books.reduce((sum, { faults }) => sum + faults.wrong, 0),
      'faulty shares that were taken',
    ).toBe(0);
    console.log(`kill -9 of the pool, ${rounds} rounds: ${JSON.stringify({ ...result, payments })}`);
  } finally {
    load.close();
    await stage.close();
  }
}

describe.skipIf(!requireService('pool binary'))('kill -9 of the pool', () => {
  it(
    `SQLite: in ${ROUNDS} rounds loses no accepted share and books none twice`,
    async () => {
      const folder = poolFolder();
      await killRounds(ROUNDS, `sqlite:${join(folder.path, 'pool.db')}`, folder.path);
      folder.remove();
    },
    ROUNDS * 20_000,
  );

  it.skipIf(!requireService('postgresql'))(
    `PostgreSQL: in ${POSTGRES_ROUNDS} rounds loses no accepted share and books none twice`,
    async () => {
      const server = await startPostgres();
      const folder = poolFolder();
      try {
        await killRounds(POSTGRES_ROUNDS, await server.createDatabase(), folder.path);
        folder.remove();
      } finally {
        await server.stop();
      }
    },
    POSTGRES_ROUNDS * 30_000,
  );
});
