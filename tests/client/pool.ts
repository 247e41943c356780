import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevNode } from '@headframe/devnode';
import { createPool, type PoolConfigInput } from '@headframe/pool';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

/** A whole pool on a development chain. */
export async function startPool(
  listener: Partial<PoolConfigInput['listeners'][number]> = {},
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'headframe-client-'));
  const node = createDevNode({ user: 'u', password: 'p' });
  await node.start();
  const pool = createPool({
    coin: 'bitcoin',
    network: 'regtest',
    daemons: [{ url: node.url, user: 'u', password: 'p' }],
    payout: { scheme: 'solo', address: ADDRESS },
    // Easy enough to find a share at once, hard enough that not every hash is one.
    listeners: [{ host: '127.0.0.1', port: 0, difficulty: { start: 1e-6, target: 15 }, ...listener }],
    dataFolder: folder,
    validation: 'inline',
    log: { level: 'silent' },
  });
  await pool.listen();
  const port = pool.addresses[0]?.port;
  if (port === undefined) throw new Error('the pool does not listen');
  return {
    port,
    close: async () => {
      await pool.close();
      await node.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
