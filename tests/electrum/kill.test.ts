import { createDevNode, type DevNode } from '@headframe/devnode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';
import { readIndex } from './probe.js';
import { type ElectrumProcess, newFolder, spawnElectrum, startElectrum } from './server-process.js';

const BLOCKS = 1100;

describe.runIf(requireService('pool binary'))('headframe electrum, killed', { timeout: 60_000 }, () => {
  let node: DevNode;
  const folder = newFolder();
  const config = (): Record<string, unknown> => ({
    coin: 'bitcoin',
    network: 'regtest',
    daemons: [{ url: node.url, user: node.user, password: node.password }],
    listeners: [{ host: '127.0.0.1', port: 0 }],
    pollMs: 50,
  });

  beforeAll(async () => {
    node = createDevNode({ coin: 'bitcoin' });
    await node.start();
    node.mineBlocks(BLOCKS - 200);
    for (let i = 0; i < 20; i++) {
      node.addMempoolTransaction({ count: 2, value: 5_000n + BigInt(i) });
      node.mineBlocks(10);
    }
    // Blocks arrive slowly enough for a kill in the middle.
    node.override('getblockhash', async (_, next) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return next();
    });
  });
  afterAll(async () => {
    await node.close();
    folder.remove();
  });

  it('at any moment of its sync, goes on where it was and ends with what a fresh index has', async () => {
    let kills = 0;
    let server: ElectrumProcess | undefined;
    for (const fetched of [120, 200, 80, 250]) {
      // Also within a reorganisation: the blocks it has are no longer the node's.
      node.invalidateBlock(node.tipHash);
      node.mineBlocks(1);
      let asked = 0;
      node.override('getblock', (_, next) => {
        asked++;
        return next();
      });
      const doomed = spawnElectrum(folder.path, config());
      await waitFor('it to be at work', () => asked >= fetched);
      doomed.process.child.kill('SIGKILL');
      expect((await doomed.process.exited).signal).toBe('SIGKILL');
      if (doomed.ports.length === 0) kills++;
    }
    expect(kills, 'kills before it was done').toBeGreaterThanOrEqual(3);
    node.override('getblock', undefined);
    node.override('getblockhash', undefined);

    const fresh = newFolder();
    try {
      const [resumed, other] = await Promise.all([
        startElectrum(folder.path, config()),
        startElectrum(fresh.path, config()),
      ]);
      server = resumed;
      const [ours, theirs] = await Promise.all(
        [resumed, other].map((each) => readIndex(each.ports[0] ?? 0, node.walletAddress)),
      );
      expect(ours).toEqual(theirs);
      expect(ours?.height).toBe(node.height);
      await other.process.stop();
    } finally {
      const exit = await server?.process.stop();
      expect(exit?.code).toBe(0);
      fresh.remove();
    }
  });

  it('shows progress as lines in a pipe', async () => {
    const other = newFolder();
    const server = await startElectrum(other.path, config());
    expect(server.process.output()).toMatch(/indexing: \d+ %\n/);
    await server.process.stop();
    other.remove();
  });
});
