import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type Notification, type Pool, parseConfig } from '@headframe/pool';
import { silentLogger } from '@headframe/primitives';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LitecoinNode, startLitecoind } from '../nodes/litecoind.js';
import { chainOf } from '../support/chain.js';
import { poolConfig } from '../support/pool-config.js';
import { HEADFRAME } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';

describe.runIf(requireService('litecoind', 'pool binary'))('blocknotify of litecoind', { timeout: 120_000 }, () => {
  let folder = '';
  let node: LitecoinNode;
  let pool: Pool;
  const notified: Notification[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headframe-blocknotify-'));
    const socket = join(folder, 'control.sock');
    const command = `${process.execPath} ${HEADFRAME} notify --type block --data %s --source litecoind --socket ${socket}`;
    node = await startLitecoind({ args: [`-blocknotify=${command}`] });
    await chainOf(node, 'litecoind').mine(105);
    const config = poolConfig('litecoin', [node], { dataFolder: join(folder, 'data'), control: { socket } });
    pool = createPool(parseConfig(config), { log: silentLogger });
    pool.on('notified', (notification) => notified.push(notification));
    await pool.listen();
    await waitFor('the first job', () => pool.server.job !== undefined);
  }, 120_000);
  afterAll(async () => {
    await pool?.close();
    await node?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('reaches the pool by headframe notify, with the hash of the block, and the pool works on the next one', async () => {
    const height = pool.server.job?.height ?? 0;
    await chainOf(node, 'litecoind').mine(1);
    const tip = await node.rpc<string>('getbestblockhash');
    await waitFor('the notification', () => notified.some(({ data }) => data === tip));
    expect(notified.find(({ data }) => data === tip)).toEqual({ type: 'block', data: tip, source: 'litecoind' });
    await waitFor('the next job', () => (pool.server.job?.height ?? 0) > height);
  });
});
