import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevNode, type DevNode, type DevNodeOptions } from '@headframe/devnode';
import type { ShareRecord } from '@headframe/mining';
import { createPool, decodeShareLogLine, type Pool, type PoolConfigInput, type PoolModules } from '@headframe/pool';
import { createMemoryPair, type MemoryPairOptions } from '@headframe/transport/testing';
import { WireMiner } from './wire-miner.js';

export const POOL_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

/** Nodes, pools and a data folder that go away together. */
export class PoolBench {
  readonly folder: string;
  readonly #closing: (() => Promise<unknown> | unknown)[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<PoolBench> {
    return new PoolBench(await mkdtemp(join(tmpdir(), 'headframe-audit-')));
  }

  async node(options: DevNodeOptions = {}): Promise<DevNode> {
    const node = createDevNode({ user: 'u', password: 'p', ...options });
    await node.start();
    this.later(() => node.close());
    return node;
  }

  /** Has something done at the end, last one first. */
  later(what: () => Promise<unknown> | unknown): void {
    this.#closing.push(what);
  }

  config(nodes: readonly { readonly url: string }[], more: Partial<PoolConfigInput> = {}): PoolConfigInput {
    return {
      coin: 'bitcoin',
      network: 'regtest',
      daemons: nodes.map(({ url }, i) => ({ url, user: 'u', password: 'p', name: `node${i}` })),
      payout: { scheme: 'solo', address: POOL_ADDRESS },
      listeners: [{ host: '127.0.0.1', port: 0, difficulty: 1e-9 }],
      dataFolder: join(this.folder, 'data'),
      storage: { url: 'log:' },
      validation: 'inline',
      shutdownGrace: 1,
      log: { level: 'silent' },
      ...more,
    };
  }

  async pool(
    nodes: readonly { readonly url: string }[],
    more: Partial<PoolConfigInput> = {},
    modules: PoolModules = {},
  ): Promise<Pool> {
    const pool = createPool(this.config(nodes, more), modules);
    this.later(() => pool.close());
    await pool.listen();
    return pool;
  }

  /** A miner in memory. */
  connect(pool: Pool, options: MemoryPairOptions = {}): WireMiner {
    const pair = createMemoryPair(options);
    pool.server.attach(pair.server, { index: 0 });
    return new WireMiner(pair.client);
  }

  /** A socket to the pool's first listener. */
  socket(pool: Pool): Promise<Socket> {
    const port = pool.addresses[0]?.port ?? 0;
    return new Promise((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(socket));
      socket.once('error', reject);
      this.later(() => socket.destroy());
    });
  }

  /** Everything in the share log. */
  async logged(): Promise<ShareRecord[]> {
    const folder = join(this.folder, 'data', 'shares');
    const shares: ShareRecord[] = [];
    for (const name of (await readdir(folder)).sort()) {
      for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
        if (line !== '') shares.push(...decodeShareLogLine(line).shares);
      }
    }
    return shares;
  }

  async close(): Promise<void> {
    for (const what of this.#closing.splice(0).reverse()) await what();
    await rm(this.folder, { recursive: true, force: true });
  }
}
