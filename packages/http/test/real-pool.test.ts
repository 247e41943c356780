import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CpuMiner, MiningClient } from '@headframe/client';
import { builtinCoins, type CoinDefinition } from '@headframe/coins';
import { createDevNode } from '@headframe/devnode';
import { createPool } from '@headframe/pool';
import { silentLogger } from '@headframe/primitives';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHttpServer, type HttpServer } from '../src/index.js';
import { accountInfo, statementPage, topAccounts } from '../src/schemas/accounts.js';
import { adminSessionPage, payoutPlan, payoutStatus } from '../src/schemas/admin.js';
import { blockDetails, blockPage } from '../src/schemas/blocks.js';
import { connectInfo } from '../src/schemas/connect.js';
import { minerPage, workerInfo } from '../src/schemas/miners.js';
import { accountPaymentPage, paymentPage } from '../src/schemas/payments.js';
import { nodesInfo, poolInfo } from '../src/schemas/pool.js';
import { series } from '../src/schemas/series.js';
import { templateInfo } from '../src/schemas/template.js';
import { ADDRESS } from './fake-pool.js';
import { TOKEN } from './support.js';

/** About 65,000 hashes a block: a CPU finds one in a moment, and many shares before it. */
const BITS = 0x1f00ffff;
const DIFFICULTY = 2.5e-7;
const WORKER = `${ADDRESS}.rig`;
const WAIT = { timeout: 15_000, interval: 100 };

const close: (() => Promise<unknown>)[] = [];
let http: HttpServer;
let node: ReturnType<typeof createDevNode>;
let pool: ReturnType<typeof createPool>;
let client: MiningClient;

/** Bitcoin whose coinbases mature in a moment, as those of the node do. */
function quickCoin(): CoinDefinition {
  const { bitcoin } = builtinCoins;
  const regtest = bitcoin?.networks.regtest;
  if (bitcoin === undefined || regtest === undefined) throw new Error('bitcoin is built in');
  return { ...bitcoin, networks: { regtest: { ...regtest, coinbaseMaturity: 2 } } };
}

async function get(path: string): Promise<unknown> {
  const answer = await fetch(`${http.url}/api/v1${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(body)}`);
  return body;
}

async function post(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${http.url}/api/v1/admin${path}`, { method: 'POST', headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headframe-http-'));
  close.push(() => rm(folder, { recursive: true, force: true }));
  node = createDevNode({ coin: 'bitcoin', bits: BITS, bitsFromHeight: 102, coinbaseMaturity: 2 });
  node.mineBlocks(101);
  await node.start();
  close.push(() => node.close());
  pool = createPool(
    {
      coin: quickCoin(),
      network: 'regtest',
      daemons: [{ url: node.url, user: node.user, password: node.password }],
      payout: {
        scheme: 'pplns',
        address: node.walletAddress,
        payments: { every: 3600, confirmations: 1, approval: 'manual' },
      },
      listeners: [{ host: '127.0.0.1', port: 0, difficulty: DIFFICULTY }],
      bans: { enabled: false },
      validation: 'inline',
      shutdownGrace: 1,
      dataFolder: folder,
    },
    { log: silentLogger },
  );
  http = createHttpServer(pool, { port: 0, adminToken: TOKEN, rateLimit: 100_000 });
  pool.service({ name: 'http', start: () => http.start(), close: () => http.close() });
  close.push(() => pool.close());
  await pool.listen();
  client = new MiningClient({
    url: `stratum+tcp://127.0.0.1:${pool.addresses[0]?.port}`,
    workers: [{ username: WORKER }],
  });
  close.push(() => client.close());
  await client.start();
});

afterAll(async () => {
  for (const end of close.reverse()) await end();
});

it('shows a real pool from the first share to the payment', async () => {
  const events: string[] = [];
  const stream = await fetch(`${http.url}/api/v1/events`);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const reading = (async () => {
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) return;
      for (const [, name = ''] of part.value.matchAll(/^event: (\w+)$/gm)) events.push(name);
    }
  })();

  expect(nodesInfo.parse(await get('/nodes'))).toMatchObject({ ready: true, nodes: [{ name: 'node 1', up: true }] });
  const template = templateInfo.parse(await get('/template'));
  expect(template.variants[0]?.outputs[0]?.address).toBe(node.walletAddress);
  const { listeners } = connectInfo.parse(await get('/connect'));
  expect(listeners[0]?.url).toBe(`stratum+tcp://127.0.0.1:${pool.addresses[0]?.port}`);

  const miner = new CpuMiner(client, { maxSharesPerSecond: 200 });
  const block = new Promise<string>((resolve) => pool.on('block', ({ hash }) => resolve(hash)));
  miner.start();

  const hash = await block;
  await miner.stop();

  await expect.poll(async () => blockPage.parse(await get('/blocks')).items.length, WAIT).toBeGreaterThan(0);
  expect(events).toContain('block');

  // Shares are folded into statistics every second or so.
  await expect
    .poll(async () => poolInfo.parse(await get('/pool')).shares?.accepted ?? 0, WAIT)
    .toBe(pool.status().server.shares.accepted);
  const info = poolInfo.parse(await get('/pool'));
  expect(info).toMatchObject({ sessions: 1, workers: 1, storage: { state: 'ok' }, node: { ready: true } });
  expect(info.lastBlock?.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(series.parse(await get('/series')).points.at(-1)?.accepted).toBeGreaterThan(0);
  expect(topAccounts.parse(await get('/accounts/top')).items[0]?.account).toBe(ADDRESS);
  const { items } = minerPage.parse(await get('/miners'));
  expect(items).toMatchObject([{ account: ADDRESS, worker: WORKER, difficulty: DIFFICULTY }]);
  expect(items[0]?.accepted).toBe(pool.status().server.shares.accepted);
  expect(workerInfo.parse(await get(`/accounts/${ADDRESS}/workers/${WORKER}`)).worker.state).toBe('active');
  const { points } = series.parse(await get(`/accounts/${ADDRESS}/series`));
  expect(points.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(items[0]?.accepted);
  expect(adminSessionPage.parse(await get('/admin/sessions')).items[0]?.remoteAddress).toBe('127.0.0.1');

  node.mineBlocks(4);

  const account = async () => accountInfo.parse(await get(`/accounts/${ADDRESS}`));
  await expect.poll(async () => BigInt((await account()).balance?.available.units ?? 0), WAIT).toBeGreaterThan(0n);
  const details = blockDetails.parse(await get(`/blocks/${hash}`));
  expect(details.credits).toMatchObject({ state: 'final' });
  expect(details.round?.accounts).toBe(1);
  expect(statementPage.parse(await get(`/accounts/${ADDRESS}/statement`)).items.length).toBeGreaterThan(0);

  const plan = payoutPlan.parse(await post('/payouts/run'));
  const id = plan.payments[0]?.id ?? '';
  expect(payoutStatus.parse(await get('/admin/payouts')).waiting).toBe(1);
  await post(`/payouts/${id}/approve`);
  await expect.poll(async () => paymentPage.parse(await get('/payments')).items.length, WAIT).toBe(1);
  node.mineBlocks(1);
  await post('/payouts/reconcile');
  const paid = accountPaymentPage.parse(await get(`/accounts/${ADDRESS}/payments`)).items[0];
  expect(paid).toMatchObject({ id, status: 'confirmed', amount: plan.total });
  expect((await account()).balance?.paid).toEqual(plan.total);

  const metrics = await (await fetch(`${http.url}/readyz`)).text();
  expect(metrics).toBe('ok\n');
  await pool.close();
  await reading;
  expect(events).toEqual(expect.arrayContaining(['pool', 'job', 'node', 'share', 'block']));
}, 40_000);
