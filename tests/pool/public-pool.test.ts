import { builtinCoins, decodeAddress } from '@headframe/coins';
import type { Accounting } from '@headframe/ledger';
import { createPool, type Pool, type PoolConfigInput } from '@headframe/pool';
import { RecordingLogger } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolBench } from '../support/pool-bench.js';
import { waitFor } from '../support/wait.js';

const MATURITY = 5;
/** Blocks above its height after which a block beside the chain is taken for lost. */
const ORPHAN_DEPTH = 6;
const ALICE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const BOB = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry';
const FEES = 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn';
const REWARD = 5_000_000_000n;

let bench: PoolBench;
beforeEach(async () => {
  bench = await PoolBench.create();
});
afterEach(() => bench.close());

/** Bitcoin's regtest whose rewards mature after a few blocks. */
function coin(): Record<string, unknown> {
  const { bitcoin } = builtinCoins;
  if (bitcoin?.networks.regtest === undefined) throw new Error('bitcoin has no regtest');
  return { ...bitcoin, networks: { regtest: { ...bitcoin.networks.regtest, coinbaseMaturity: MATURITY } } };
}

async function open(payout: Omit<PoolConfigInput['payout'], 'address'>) {
  const node = await bench.node({ coinbaseMaturity: MATURITY });
  node.mineBlocks(MATURITY + 1);
  const pool = await bench.pool([node], {
    coin: coin(),
    storage: { url: `sqlite:${bench.folder}/pool.db` },
    payout: { address: node.walletAddress, ...payout },
  });
  await waitFor('a job', () => pool.status().job !== undefined);
  return { node, pool, books: booksOf(pool) };
}

function booksOf(pool: Pool): Accounting {
  if (pool.ledger === undefined) throw new Error('the pool has no ledger');
  return pool.ledger.accounting;
}

/** Sends shares of one worker until a block of it is in the chain; at this difficulty about every other one is. */
async function mineBlock(pool: Pool, username: string): Promise<void> {
  const miner = bench.connect(pool);
  miner.worker = username;
  let isFound = false;
  const stop = pool.on('block', (block) => {
    isFound ||= block.worker === username;
  });
  await miner.start();
  await waitFor(`a block of ${username}`, async () => {
    if (!isFound) await miner.mine();
    return isFound;
  });
  stop();
  miner.connection.destroy();
}

describe('a public pool', () => {
  it('credits who worked, reverses what was orphaned, pays what matured, and its books are right', async () => {
    const { node, pool, books } = await open({
      scheme: 'pplns',
      fees: [{ address: FEES, percent: 2 }],
      payments: { every: 1, minimum: '0.01', confirmations: 1 },
    });
    await mineBlock(pool, `${ALICE}.rig`);
    await waitFor('the credit', async () => (await books.totals()).immature > 0n);
    const first = await books.totals();
    expect(first.immature % REWARD).toBe(0n);
    expect((await books.balance(FEES)).immature).toBe(first.immature / 50n);
    expect((await books.balance(ALICE)).immature).toBe(first.immature - first.immature / 50n);

    // Bech32 in capitals, as from a QR code, is the same account.
    await mineBlock(pool, `${BOB.toUpperCase()}.rig`);
    await waitFor('the credit of both', async () => (await books.balance(BOB)).immature > 0n);

    // A longer branch without our last block.
    const lost = node.tipHash;
    await waitFor('its booking', async () => (await books.booking(`block:${lost}`))?.state === 'immature');
    node.invalidateBlock(lost);
    node.mineBlocks(ORPHAN_DEPTH + 1);
    await waitFor('the reversal', async () => (await books.booking(`block:${lost}`))?.state === 'reversed', 20_000);

    node.mineBlocks(MATURITY + 1);
    await waitFor(
      'payments',
      async () => (await books.balance(ALICE)).paid + (await books.balance(ALICE)).reserved > 0n,
      20_000,
    );
    await waitFor(
      'their confirmation',
      async () => {
        node.mineBlocks(1);
        await pool.payouts?.reconcile();
        return (await books.balance(ALICE)).paid > 0n;
      },
      20_000,
    );
    // Who gets the fee never sent a share: its name is its address.
    expect((await books.settings(FEES)).address).toBe(FEES);
    const fee = await books.balance(FEES);
    expect(fee.paid + fee.reserved + fee.available + fee.immature).toBeGreaterThan(0n);
    const { items } = await books.payments();
    expect(items.some(({ parts }) => parts.some(({ account }) => account === FEES))).toBe(true);
    for (const payment of items) {
      expect(payment.total).toBe(payment.parts.reduce((sum, part) => sum + part.amount, 0n));
    }
    expect(await books.verify()).toEqual([]);
    expect(pool.status().storage.isOk).toBe(true);
  }, 60_000);

  it('refuses usernames that cannot be paid, with the reason', async () => {
    const { pool } = await open({ scheme: 'prop' });
    const miner = bench.connect(pool);
    const refusal = async (name: string) => JSON.stringify((await miner.call('mining.authorize', [name, 'x'])).error);
    await miner.call('mining.subscribe', ['test/1']);
    expect(await refusal('bob.rig1')).toMatch(/address of bitcoin regtest/);
    expect(await refusal('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig1')).toMatch(/mainnet|main|bc1/);
    expect((await miner.call('mining.authorize', [`${ALICE}.rig1`, 'x'])).result).toBe(true);
  });

  it('lets nobody mine as the account of the pool itself', async () => {
    const { pool } = await open({ scheme: 'pps' });
    // Registered accounts: names that people choose.
    pool.decide('authorize', ({ username }) => ({ id: username }));
    const miner = bench.connect(pool);
    await miner.call('mining.subscribe', ['test/1']);
    expect((await miner.call('mining.authorize', ['pool', 'x'])).result).not.toBe(true);
    expect((await miner.call('mining.authorize', ['bob', 'x'])).result).toBe(true);
  });

  it('says that payments are open which nobody follows, after payments were taken out of the configuration', async () => {
    const { pool, node } = await open({ scheme: 'prop', payments: { every: 3600, approval: 'manual' } });
    const books = booksOf(pool);
    await books.book({
      key: 'adjustment:test',
      state: 'final',
      timeMs: 1,
      entries: [{ account: ALICE, kind: 'adjustment', amount: 1_000_000n }],
    });
    await books.changeSettings(ALICE, { address: ALICE });
    expect((await pool.payouts?.run())?.payments).toHaveLength(1);
    const { config } = pool;
    await pool.close();
    const log = new RecordingLogger();
    const { payments, ...payout } = config.payout;
    expect(payments?.approval).toBe('manual');
    const later = createPool({ ...config, payout: { ...payout, address: node.walletAddress } }, { log });
    bench.later(() => later.close());
    await later.listen();
    await waitFor('the warning', () => log.lines.some(({ message }) => message.includes('nobody follows')));
  });

  it('can be paused, and takes other fees, difficulties and bans while it runs', async () => {
    const { pool, node } = await open({ scheme: 'prop', fees: [{ address: FEES, percent: 1 }] });
    pool.pause();
    const miner = bench.connect(pool);
    await miner.call('mining.subscribe', ['test/1']);
    expect(JSON.stringify((await miner.call('mining.authorize', [`${ALICE}.a`, 'x'])).error)).toMatch(/paused/);
    pool.resume();
    expect((await miner.call('mining.authorize', [`${ALICE}.a`, 'x'])).result).toBe(true);

    const before = pool.config;
    const listeners = before.listeners.map((listener) => ({ ...listener, difficulty: 2e-9 }));
    const fees = [{ address: FEES, percent: 10 }];
    const result = pool.reload({
      ...before,
      listeners,
      payout: { ...before.payout, fees },
      bans: { enabled: false },
      poolTag: '/other/',
    });
    expect([...result.applied].sort()).toEqual(['bans', 'listeners[0].difficulty', 'payout.fees']);
    expect(result.needsRestart).toEqual(['poolTag']);
    expect(() => pool.reload({ ...before, payout: { ...before.payout, address: 'nonsense' } })).toThrow(
      /payout.address/,
    );
    await mineBlock(pool, `${ALICE}.b`);
    const books = booksOf(pool);
    await waitFor('the credit', async () => (await books.totals()).immature > 0n);
    const { immature } = await books.totals();
    expect((await books.balance(FEES)).immature).toBe(immature / 10n);
    expect(node.height).toBeGreaterThan(MATURITY);
  }, 30_000);

  it('takes fees alone from a configuration in which more is different', async () => {
    const { pool, node } = await open({ scheme: 'solo' });
    const before = pool.config;
    // Another address and another scheme need a restart: with them in force at once, the reward would go where the
    // log says it does not, and the accountant would still divide by the old scheme.
    const result = pool.reload({
      ...before,
      payout: { ...before.payout, address: BOB, scheme: 'prop', fees: [{ address: FEES, percent: 10 }] },
    });
    expect([...result.applied]).toEqual(['payout.fees']);
    expect([...result.needsRestart].sort()).toEqual(['payout.address', 'payout.scheme']);
    // Fees come with the next template.
    const job = pool.status().job?.id;
    node.mineBlocks(1);
    await waitFor('another job', () => pool.status().job?.id !== job);
    await mineBlock(pool, `${ALICE}.a`);
    const block = Buffer.from(node.getBlock(node.tipHash) ?? []).toString('hex');
    const output = (amount: bigint, script: Uint8Array): string => {
      const value = Buffer.alloc(8);
      value.writeBigUInt64LE(amount);
      return `${value.toString('hex')}${script.length.toString(16)}${Buffer.from(script).toString('hex')}`;
    };
    const script = (address: string): Uint8Array => decodeAddress(pool.coin, address).script;
    expect(block).toContain(output((REWARD * 9n) / 10n, script(node.walletAddress)));
    expect(block).toContain(output(REWARD / 10n, script(FEES)));
  }, 30_000);
});
