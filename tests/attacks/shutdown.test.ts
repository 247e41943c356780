// Whatever hangs, a pool that is told to stop does stop, in the time it was given.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolBench } from '../support/pool-bench.js';
import { waitFor, within } from '../support/wait.js';

let world: PoolBench;
beforeEach(async () => {
  world = await PoolBench.create();
});
afterEach(() => world.close());

const GRACE = 0.3;
const easy = { meets: 1e-9, misses: 9.6e-7 };

describe('close() while', () => {
  it('the ledger hangs, miners wait for answers and one does not read', async () => {
    const node = await world.node({ bits: 0x1f0fffff });
    const pool = await world.pool(
      [node],
      { shutdownGrace: GRACE },
      { shareSink: { commit: () => new Promise(() => {}), close: () => Promise.resolve() } },
    );
    await waitFor('a job', () => pool.status().job !== undefined);
    const miner = await world.connect(pool).start();
    miner.write(miner.submitLine(miner.search(easy), 'waits'));
    await waitFor('the share to be judged', () => pool.status().server.shares.uncommitted === 1);
    await within('the end', pool.close(), 5000);
    await miner.until('the end of the session', () => miner.closed);
    expect(miner.lines.some(({ id }) => id === 'waits')).toBe(false);
  });

  it('the sink never closes', async () => {
    const node = await world.node();
    const pool = await world.pool(
      [node],
      { shutdownGrace: GRACE },
      { shareSink: { commit: () => Promise.resolve(), close: () => new Promise(() => {}) } },
    );
    await within('the end', pool.close(), 5000);
  });

  it('the node hangs on everything, a block under way with it', async () => {
    const node = await world.node();
    const pool = await world.pool([node], { shutdownGrace: GRACE });
    await waitFor('a job', () => pool.status().job !== undefined);
    const miner = await world.connect(pool).start();
    for (const method of ['submitblock', 'getblocktemplate', 'getbestblockhash', 'getblockchaininfo']) {
      node.override(method, () => new Promise(() => {}));
    }
    expect((await miner.mine({ meets: 4.6e-10 })).result).toBe(true);
    await within('the end', pool.close(), 5000);
  });

  it('a handler hangs', async () => {
    const node = await world.node();
    const pool = await world.pool([node], { shutdownGrace: GRACE });
    pool.method('x.hang', { handler: () => new Promise(() => {}) });
    pool.hook('onClose', () => new Promise(() => {}));
    await waitFor('a job', () => pool.status().job !== undefined);
    const miner = await world.connect(pool).start();
    miner.send({ id: 1, method: 'x.hang', params: [] });
    await within('the end', pool.close(), 5000);
    expect(miner.closed).toBe(true);
  });
});
