import { builtinCoins } from '@headframe/coins';
import type { DevNode } from '@headframe/devnode';
import { createHttpServer } from '@headframe/http';
import type { Accounting } from '@headframe/ledger';
import {
  API_SERVICE,
  createPool,
  createPoolPayouts,
  openPoolLedger,
  type Pool,
  type PoolConfigInput,
  parseConfig,
  setUp,
} from '@headframe/pool';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolBench } from '../support/pool-bench.js';
import { waitFor } from '../support/wait.js';

const MATURITY = 3;
const ALICE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const BOB = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry';
const TOKEN = 'a-token-of-enough-characters';

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

async function makeNode(): Promise<DevNode> {
  const node = await bench.node({ coinbaseMaturity: MATURITY });
  node.mineBlocks(MATURITY + 1);
  return node;
}

function settings(node: DevNode, more: Partial<PoolConfigInput>, payout: object): PoolConfigInput {
  return bench.config([node], {
    coin: coin(),
    storage: { url: `sqlite:${bench.folder}/pool.db` },
    ...more,
    payout: { address: node.walletAddress, ...payout },
  });
}

async function open(config: PoolConfigInput): Promise<Pool> {
  const pool = createPool(config);
  bench.later(() => pool.close());
  await pool.listen();
  await waitFor('a job', () => pool.status().job !== undefined);
  return pool;
}

function booksOf({ ledger }: Pool): Accounting {
  if (ledger === undefined) throw new Error('the pool has no ledger');
  return ledger.accounting;
}

async function mineBlock(pool: Pool, username: string): Promise<void> {
  const miner = bench.connect(pool);
  miner.worker = username;
  let isFound = false;
  const stop = pool.on('block', ({ worker }) => {
    isFound ||= worker === username;
  });
  await miner.start();
  await waitFor(`a block of ${username}`, async () => {
    if (!isFound) await miner.mine();
    return isFound;
  });
  stop();
  miner.connection.destroy();
}

describe('two pools on one database, with a command line beside them', () => {
  it('credit and pay everybody once, one of them closed in the middle', async () => {
    const node = await makeNode();
    const payout = { scheme: 'prop', payments: { every: 1, confirmations: 1, minimum: '0.00001' } };
    const configs = ['a', 'b'].map((name) =>
      settings(node, { dataFolder: `${bench.folder}/${name}`, instance: name === 'a' ? 1 : 2 }, payout),
    );
    const [first, second] = (await Promise.all(configs.map(open))) as [Pool, Pool];
    await mineBlock(first, `${ALICE}.one`);
    await mineBlock(second, `${BOB}.two`);
    await mineBlock(first, `${BOB}.three`);
    node.mineBlocks(MATURITY + 1);
    const books = booksOf(second);
    await waitFor('mature credits', async () => {
      const { immature, available, reserved, paid } = await books.totals();
      return immature === 0n && available + reserved + paid > 0n;
    });
    // What `headframe payouts run` does, four times at once, while both pools pay on their schedule.
    const config = parseConfig(configs[0]);
    const ledger = await openPoolLedger(config, first.coin);
    bench.later(() => ledger.close());
    const others = Array.from({ length: 4 }, () => createPoolPayouts(config, setUp(config), ledger));
    const runs = others.map((one) => one?.run());
    await first.close();
    await Promise.allSettled(runs);
    await waitFor(
      'all to be paid',
      async () => {
        node.mineBlocks(1);
        await second.payouts?.reconcile();
        const { available, reserved } = await books.totals();
        return available === 0n && reserved === 0n;
      },
      30_000,
    );
    for (const one of others) await one?.close();
    expect(await books.verify()).toEqual([]);
    // As much has left the wallet in payments as the books say, and no transaction counts for two.
    const { items } = await books.payments();
    const confirmed = items.filter(({ status }) => status === 'confirmed');
    expect(new Set(confirmed.map(({ txid }) => txid)).size).toBe(confirmed.length);
    expect(confirmed.reduce((sum, { total }) => sum + total, 0n)).toBe((await books.totals()).paid);
    expect((await books.balance(ALICE)).paid).toBeGreaterThan(0n);
    expect((await books.balance(BOB)).paid).toBeGreaterThan(0n);
  }, 60_000);
});

describe('a flood of HTTP', () => {
  it('with streams, wrong tokens and long paths leaves the miners their answers', async () => {
    const node = await makeNode();
    const pool = createPool(
      settings(node, { api: { port: 0, adminToken: TOKEN, rateLimit: 100_000 } }, { scheme: 'prop' }),
    );
    const http = createHttpServer(pool, { port: 0, adminToken: TOKEN, rateLimit: 1e6 });
    pool.service({ name: API_SERVICE, start: () => http.start(), close: () => http.close() });
    bench.later(() => pool.close());
    await pool.listen();
    await waitFor('a job', () => pool.status().job !== undefined);
    const { url } = http;
    const abort = new AbortController();
    const paths = [
      '/api/v1/pool',
      '/api/v1/blocks',
      `/api/v1/accounts/${ALICE}`,
      `/api/v1/accounts/${'x'.repeat(290)}`,
      `/api/v1/accounts/${'y'.repeat(1900)}`,
      '/api/v1/accounts/%ff%fe',
      '/api/v1/series?window=day',
      '/api/v1/admin/sessions',
      '/metrics',
      '/../../etc/passwd',
    ];
    const statuses = new Map<number, number>();
    const flood = Array.from({ length: 20 }, async (_, at) => {
      for (let i = at; !abort.signal.aborted; i++) {
        const headers = { authorization: `Bearer wrong-${i}` };
        const answer = await fetch(`${url}${paths[i % paths.length]}`, { headers });
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        await answer.arrayBuffer();
      }
    });
    const streams = Array.from({ length: 30 }, () => fetch(`${url}/api/v1/events`, { signal: abort.signal }));
    const miner = bench.connect(pool);
    miner.worker = `${ALICE}.rig`;
    await miner.start();
    let slowest = 0;
    for (let i = 0; i < 60; i++) {
      const begun = performance.now();
      const { result, error } = await miner.mine();
      slowest = Math.max(slowest, performance.now() - begun);
      // Blocks come meanwhile: a stale share is an answer, too.
      expect(result === true || JSON.stringify(error).includes('Stale'), JSON.stringify(error)).toBe(true);
    }
    abort.abort();
    await Promise.allSettled([...flood, ...streams]);
    expect(slowest).toBeLessThan(3_000);
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
    expect(statuses.has(200)).toBe(true);
    expect([401, 429].some((status) => statuses.has(status))).toBe(true);
  }, 60_000);
});

describe('names of accounts', () => {
  it.each([
    '__proto__',
    'constructor',
    '..',
    '%2e%2e',
    'a/b?c#d',
    "'; DROP TABLE accounts; --",
    '<script>alert(1)</script>',
    '\u00fcn\u00efc\u00f6d\u00e9 \u2603 \u{1F600}',
    '\u202egnp',
    'tab\there',
    'x'.repeat(200),
  ])(
    '%s are mined for, credited and asked for like any other',
    async (name) => {
      const node = await makeNode();
      const pool = createPool({
        ...settings(node, {}, { scheme: 'prop', payments: { every: 3600, minimum: '0.00001', confirmations: 1 } }),
      });
      pool.decide('authorize', () => ({ id: name }));
      bench.later(() => pool.close());
      await pool.listen();
      await waitFor('a job', () => pool.status().job !== undefined);
      await mineBlock(pool, 'anybody');
      const books = booksOf(pool);
      await waitFor('the credit', async () => (await books.balance(name)).immature > 0n);
      await waitFor('statistics', async () => {
        await pool.ledger?.fold();
        return (await pool.ledger?.account(name)) !== undefined;
      });
      expect((await pool.ledger?.account(name))?.account).toBe(name);
      node.mineBlocks(MATURITY + 1);
      await waitFor('maturity', async () => (await books.balance(name)).available > 0n);
      // An account that is no address is paid where it says, and until then not at all.
      const plan = await pool.payouts?.plan();
      expect(plan?.payments).toEqual([]);
      expect(plan?.skipped).toMatchObject([{ account: name, reason: 'the account has no address' }]);
      await books.changeSettings(name, { address: ALICE });
      expect((await pool.payouts?.run())?.payments).toMatchObject([{ parts: [{ account: name, address: ALICE }] }]);
      expect((await books.statement(name)).items.map(({ kind }) => kind).sort()).toContain('payment');
      expect(await books.verify()).toEqual([]);
    },
    30_000,
  );
});
