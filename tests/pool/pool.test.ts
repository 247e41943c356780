import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CpuMiner, MiningClient } from '@headframe/client';
import type { Coin } from '@headframe/coins';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { createSerialisingBus, type ShareBatch } from '@headframe/mining';
import {
  createPool,
  decodeShareLogLine,
  openPoolLedger,
  type Pool,
  type PoolConfigInput,
  parseConfig,
  reject,
} from '@headframe/pool';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { waitFor } from '../support/wait.js';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const silent = { level: 'silent' } as const;

let folder = '';
let node: DevNode;
const closing: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-pool-'));
  node = createDevNode({ user: 'u', password: 'p' });
  await node.start();
});
afterEach(async () => {
  for (const item of closing.splice(0).reverse()) await item.close();
  await node.close();
  await rm(folder, { recursive: true, force: true });
});

function config(more: Partial<PoolConfigInput> = {}): PoolConfigInput {
  return {
    coin: 'bitcoin',
    network: 'regtest',
    daemons: [{ url: node.url, user: 'u', password: 'p', name: 'dev' }],
    payout: { scheme: 'solo', address: ADDRESS },
    listeners: [{ host: '127.0.0.1', port: 0, difficulty: 1e-9 }],
    dataFolder: folder,
    log: silent,
    ...more,
  };
}

function portOf<Account>(pool: Pool<Account>): number {
  const port = pool.addresses[0]?.port;
  if (port === undefined) throw new Error('the pool does not listen');
  return port;
}

async function mine<Account>(
  pool: Pool<Account>,
  username: string,
): Promise<{ client: MiningClient; miner: CpuMiner }> {
  const client = new MiningClient({
    url: `stratum+tcp://127.0.0.1:${portOf(pool)}`,
    workers: [{ username }],
    reconnect: false,
  });
  closing.push(client);
  await client.start();
  const miner = new CpuMiner(client, { maxSharesPerSecond: 50 });
  closing.push({ close: () => miner.stop() });
  return { client, miner };
}

const next = <Account, Name extends Parameters<Pool<Account>['on']>[0]>(pool: Pool<Account>, name: Name) =>
  new Promise((resolve) => {
    const stop = pool.on(name, (payload) => {
      stop();
      resolve(payload);
    });
  });

async function loggedShares(): Promise<ShareBatch['shares'][number][]> {
  const shares: ShareBatch['shares'][number][] = [];
  for (const name of await readdir(join(folder, 'shares'))) {
    const text = await readFile(join(folder, 'shares', name), 'utf8');
    for (const line of text.split('\n')) if (line !== '') shares.push(...decodeShareLogLine(line).shares);
  }
  return shares;
}

async function ledgerShares(options: PoolConfigInput, coin: Coin): Promise<ShareBatch['shares'][number][]> {
  const ledger = await openPoolLedger(parseConfig(options), coin);
  closing.push(ledger);
  return (await ledger.shareLog()).flatMap(({ shares }) => [...shares]);
}

describe('a pool on a development node', () => {
  it.each(['log:', undefined])(
    'mines blocks that pay the configured address, and keeps the shares (%s)',
    async (url) => {
      const options = config({ validation: 'inline', storage: { url } });
      const pool = createPool(options);
      closing.push(pool);
      await pool.listen();
      const block = next(pool, 'block');
      const { miner } = await mine(pool, 'anyone.rig1');
      miner.start();
      expect(await block).toMatchObject({ status: 'confirmed', worker: 'anyone.rig1', account: 'anyone' });
      await miner.stop();
      expect(pool.status().storage).toMatchObject({ kind: url === undefined ? 'ledger' : 'log', isOk: true });
      expect(node.height).toBeGreaterThan(0);
      const coinbase = node.getBlock(node.tipHash);
      expect(Buffer.from(coinbase ?? []).includes('/Headframe/')).toBe(true);
      await pool.close();
      if (url === undefined) {
        expect((await stat(join(folder, 'pool.db'))).mode & 0o777).toBe(0o600);
        const ledger = await openPoolLedger(parseConfig(options), pool.coin);
        closing.push(ledger);
        const { items } = await ledger.blocks();
        // Beside it there may be siblings, found before the next job was there.
        const first = items.find(({ status, height }) => status === 'confirmed' && height === 1);
        expect(first?.account).toBe('anyone');
        expect(first?.networkDifficulty).toBeGreaterThan(0);
      }
      const shares = url === undefined ? await ledgerShares(options, pool.coin) : await loggedShares();
      expect(shares.length).toBeGreaterThan(0);
      expect(shares.every((share) => share.account === 'anyone' && share.difficulty === 1e-9)).toBe(true);
      expect(shares.some((share) => share.blockHash !== undefined && share.result === 'accepted')).toBe(true);
    },
  );
});

describe('createPool', () => {
  it('types accounts by what authorize returns, in hooks and events', async () => {
    const accounts = new Map([['alice', { id: 'alice', suspended: false }]]);
    const pool = createPool({
      ...config(),
      async authorize({ username }) {
        const account = accounts.get(username.split('.')[0] ?? '');
        return account ?? reject('unauthorized', 'unknown account');
      },
    });
    closing.push(pool);
    const credited: string[] = [];
    pool.on('share', ({ account }) => {
      expectTypeOf(account).toEqualTypeOf<{ id: string; suspended: boolean }>();
      credited.push(account.id);
    });
    pool.hook('beforeShare', ({ account }) => (account.suspended ? reject('unauthorized', 'suspended') : undefined));
    // @ts-expect-error there is no such field on the account
    pool.hook('beforeShare', ({ account }) => (account.banned ? reject('banned') : undefined));
    // @ts-expect-error there is no such event
    pool.on('shares', () => {});
    pool.method('mining.get_balance', {
      params: z.tuple([z.string()]),
      handler: ({ params: [worker] }) => {
        expectTypeOf(worker).toEqualTypeOf<string>();
        return `${worker}: 7`;
      },
    });
    await pool.listen();
    const { client, miner } = await mine(pool, 'alice.rig');
    expect(await client.connection?.request('mining.get_balance' as never, ['alice'] as never)).toBe('alice: 7');
    await expect(client.authorize({ username: 'mallory' })).rejects.toThrow(/unknown account/);
    const share = next(pool, 'share');
    miner.start();
    await share;
    expect(credited[0]).toBe('alice');
    const refused = new Promise<string>((resolve) =>
      miner.on('rejected', ({ error }) => {
        if (error.message !== 'Stale share') resolve(error.message);
      }),
    );
    const alice = accounts.get('alice');
    if (alice) alice.suspended = true;
    expect(await refused).toMatch(/suspended/);
  });

  it('lets miners in while the node is away, and gives them work when it is back', async () => {
    const settings = config();
    await node.close();
    const pool = createPool(settings);
    closing.push(pool);
    await pool.listen();
    expect(pool.status().job).toBeUndefined();
    const { client } = await mine(pool, 'early');
    expect(client.job).toBeUndefined();
    const job = new Promise((resolve) => client.on('job', resolve));
    await node.start();
    await job;
    expect(pool.status().node.ready).toBe(true);
    expect(pool.status().sessions).toBe(1);
  });

  it('names every problem of a configuration and opens nothing', () => {
    expect(() => createPool(config({ payout: { address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' } }))).toThrow(
      /payout\.address.*main.*regtest/s,
    );
    expect(() => createPool(config({ limits: JSON.parse('{"nonsense":1}') }))).toThrow(/nonsense/);
    expect(() =>
      createPool(config({ payout: { address: ADDRESS, fees: [{ address: ADDRESS, percent: 0.00001 }] } })),
    ).toThrow(/four decimals/);
    expect(() => createPool(config({ listeners: [{ port: 0, difficulty: { start: 1, min: 2, max: 4 } }] }))).toThrow(
      /listeners\[0\]\.difficulty\.start/,
    );
    expect(() =>
      createPool(config({ listeners: [{ port: 0, tls: { certFile: '/none', keyFile: '/none' } }] })),
    ).toThrow(/listeners\[0\]\.tls\.certFile/);
  });

  it('fails to listen with a clear error when the port is taken, and leaves nothing open', async () => {
    const taken = createNetServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    closing.push({ close: () => new Promise((resolve) => taken.close(resolve)) });
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const pool = createPool(config({ listeners: [{ host: '127.0.0.1', port, difficulty: 1 }] }));
    await expect(pool.listen()).rejects.toMatchObject({ code: 'listen_failed' });
    await pool.close();
  });

  it('fails to listen when the data folder cannot be used', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const pool = createPool(config({ dataFolder: join(file, 'data') }));
    await expect(pool.listen()).rejects.toMatchObject({ code: 'storage_failed' });
    await pool.close();
  });

  it('refuses a data folder that another pool is using, and takes it when that one is closed', async () => {
    const first = createPool(config());
    closing.push(first);
    await first.listen();
    const second = createPool(config());
    await expect(second.listen()).rejects.toMatchObject({ code: 'storage_failed' });
    await second.close();
    await first.close();
    const third = createPool(config());
    closing.push(third);
    await third.listen();
  });

  it('pays fees in the coinbase, in whole base units that add up', async () => {
    const pool = createPool(
      config({
        payout: { address: ADDRESS, fees: [{ address: 'bcrt1q6z64a43mjgkcq0ul2znwneq3spghrlau9slefp', percent: 1.5 }] },
      }),
    );
    closing.push(pool);
    await pool.listen();
    const block = next(pool, 'block');
    const { miner } = await mine(pool, 'x');
    miner.start();
    await block;
    await miner.stop();
    const bytes = Buffer.from(node.getBlock(node.tipHash) ?? []).toString('hex');
    // 50 coins: 49.25 to the pool, 0.75 to the fee address, as little-endian amounts before their scripts.
    const amount = (value: bigint): string => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigUInt64LE(value);
      return buffer.toString('hex');
    };
    expect(bytes).toContain(`${amount(4_925_000_000n)}160014751e76e8199196d454941c45d1b3a323f1433bd6`);
    expect(bytes).toContain(`${amount(75_000_000n)}160014`);
  });

  it('works the same when every message between edge and core is serialised', async () => {
    const bus = createSerialisingBus();
    const pool = createPool(config(), { bus });
    closing.push(pool);
    await pool.listen();
    const block = next(pool, 'block');
    const { miner, client } = await mine(pool, 'x');
    miner.start();
    expect(await block).toMatchObject({ status: 'confirmed', reward: 5_000_000_000n });
    await miner.stop();
    // They are given out for the newest job only, and the last block may just have made another one.
    const transactions = await waitFor('the transactions', () => client.getTransactions(client.job?.jobId ?? ''));
    expect(transactions).toEqual([]);
    expect(pool.status().server.shares.uncommitted).toBe(0);
  });

  it('closes in order, twice, and refuses to listen again', async () => {
    const pool = createPool(config());
    await pool.listen();
    const { client } = await mine(pool, 'x');
    const gone = new Promise((resolve) => client.on('closed', resolve));
    await Promise.all([pool.close(), pool.close()]);
    await gone;
    await expect(pool.listen()).rejects.toMatchObject({ code: 'closed' });
  });
});
