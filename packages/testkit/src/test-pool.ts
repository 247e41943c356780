import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevNode, type DevNode, type DevNodeOptions } from '@headframe/devnode';
import type { BlockOutcome } from '@headframe/mining';
import { Pool, type PoolConfigInput, type PoolHandlers, type PoolModules, parseConfig } from '@headframe/pool';
import { silentLogger } from '@headframe/primitives';
import type { DefaultAccount } from '@headframe/server';
import { createMemoryMiner, type MemoryMiner, type MemoryMinerOptions } from './memory-miner.js';
import { createMemorySink, type MemorySink } from './memory-sink.js';
import { until } from './until.js';

export interface TestPoolOptions<Account> extends PoolHandlers<Account> {
  /** Chain of the development node and coin of the pool. Default `bitcoin`. */
  readonly coin?: 'bitcoin' | 'litecoin';
  /** Keys that differ from the defaults of a test pool. */
  readonly config?: Partial<PoolConfigInput>;
  readonly node?: Omit<DevNodeOptions, 'coin'>;
  /** Blocks mined before the pool starts. Default 101, so that the node can make transactions. */
  readonly blocks?: number;
  /** `log`, `clock`, `shareSink`, `bus` of the pool. By default it is silent and its shares go to `shares`. */
  readonly modules?: PoolModules;
}

/** A pool on a development node. Made by {@link createTestPool}. */
export interface TestPool<Account> {
  readonly pool: Pool<Account>;
  readonly node: DevNode;
  /** What was committed, unless `modules.shareSink` took its place. */
  readonly shares: MemorySink;
  /** What the pool said of its blocks (`block`, `blockMatured`, `blockOrphaned`), in order. */
  readonly outcomes: readonly BlockOutcome[];
  /** Connects a miner in memory, as if it had come in by the first listener. */
  miner(options?: MemoryMinerOptions): Promise<MemoryMiner>;
  /** Has a miner find a block; resolves with its hash when the pool has said `block` and the miner has the next job. */
  mineBlock(miner: MemoryMiner): Promise<string>;
  /** Closes miners, pool and node, and removes the files. */
  close(): Promise<void>;
}

const PAYOUT = {
  bitcoin: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  litecoin: 'rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3',
} as const;

/** Just below regtest's network difficulty: about half of the shares are blocks, and nearly every hash is a share. */
const DIFFICULTY = { bitcoin: 2.5e-10, litecoin: 2e-5 } as const;

/**
 * Starts a development node and a pool on it, with real parts throughout; only the network between miners and pool is
 * replaced by memory. Fixed difficulty near the lowest, no bans, shares kept in memory.
 *
 * @example
 * const test = await createTestPool();
 * const miner = await test.miner({ username: 'alice.rig' });
 * await test.mineBlock(miner);
 * expect(test.node.height).toBe(102);
 * await test.close();
 */
export async function createTestPool<Account = DefaultAccount>(
  options: TestPoolOptions<Account> = {},
): Promise<TestPool<Account>> {
  const { coin = 'bitcoin', config = {}, modules = {}, blocks = 101, ...rest } = options;
  const { node: nodeOptions, ...handlers } = rest;
  const { clock } = modules;
  const node = createDevNode({ ...(clock !== undefined && { clock }), ...nodeOptions, coin });
  node.mineBlocks(blocks);
  await node.start();
  const folder = await mkdtemp(join(tmpdir(), 'headframe-testkit-'));
  const shares = createMemorySink();
  const outcomes: BlockOutcome[] = [];
  const miners: MemoryMiner[] = [];
  let pool: Pool<Account> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all(miners.splice(0).map((miner) => miner.close()));
    await pool?.close();
    await node.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    pool = new Pool<Account>(
      parseConfig({
        coin,
        network: 'regtest',
        daemons: [{ url: node.url, user: node.user, password: node.password, name: 'devnode' }],
        payout: { address: PAYOUT[coin] },
        listeners: [{ host: '127.0.0.1', port: 0, difficulty: DIFFICULTY[coin] }],
        bans: { enabled: false },
        shutdownGrace: 1,
        shutdown: { spreadSeconds: 0 },
        dataFolder: folder,
        ...config,
      }),
      handlers,
      { log: silentLogger, shareSink: shares, ...modules },
    );
    for (const event of ['block', 'blockMatured', 'blockOrphaned'] as const) {
      pool.on(event, (outcome) => outcomes.push(outcome));
    }
    await pool.listen();
  } catch (error) {
    await close();
    throw error;
  }
  const { server } = pool;
  return {
    pool,
    node,
    shares,
    outcomes,
    miner: async (minerOptions = {}) => {
      const miner = await createMemoryMiner(server, {
        algorithm: coin === 'litecoin' ? 'scrypt' : 'sha256d',
        ...(clock !== undefined && { clock }),
        ...minerOptions,
      });
      miners.push(miner);
      return miner;
    },
    mineBlock: async (miner) => {
      const { height } = node;
      const { hash, ...verdict } = await miner.mineBlock();
      if (!verdict.accepted) throw new Error(`the block was refused: ${verdict.code} ${verdict.reason}`);
      await until('the pool to confirm the block', () =>
        outcomes.some((outcome) => outcome.hash === hash && outcome.status === 'confirmed'),
      );
      await until('work on the next block', () => (server.job?.height ?? 0) > height + 1);
      await until('the next job', () => miner.job.notify.previousHash.join() === server.job?.previousHash.join());
      return hash;
    },
    close,
  };
}
