import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { decodeAddress, resolveCoin } from '@headframe/coins';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { ElectrumClient, scripthashOf } from '@headframe/electrum';
import {
  createElectrumServer,
  type ElectrumConfigInput,
  type ElectrumServer,
  openChainIndex,
} from '@headframe/electrum-server';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';
import { LineClient } from './line-client.js';
import { newFolder } from './server-process.js';

const WORKER = new URL('../../packages/electrum-server/dist/worker.js', import.meta.url);

let node: DevNode;
let scripthash: string;
const servers: ElectrumServer[] = [];

beforeAll(async () => {
  node = createDevNode({ coin: 'bitcoin' });
  await node.start();
  node.mineBlocks(300);
  scripthash = scripthashOf(decodeAddress(resolveCoin('bitcoin', 'regtest'), node.walletAddress).script);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ drainMs: 1000 })));
});
afterAll(() => node.close());

async function start(
  extra: Partial<ElectrumConfigInput> = {},
  modules: Parameters<typeof createElectrumServer>[1] = {},
): Promise<{ readonly server: ElectrumServer; readonly port: number }> {
  const server = await createElectrumServer(
    {
      coin: 'bitcoin',
      network: 'regtest',
      dataFile: ':memory:',
      daemons: [{ url: node.url, user: node.user, password: node.password }],
      listeners: [{ host: '127.0.0.1', port: 0 }],
      pollMs: 50,
      // Limits hold for this machine, too.
      bans: { allow: [] },
      ...extra,
    },
    modules,
  );
  servers.push(server);
  const [listener] = await server.listen();
  return { server, port: listener?.port ?? 0 };
}

describe('the index thread', () => {
  it('is started again when it dies, goes on where it was, and sessions are told what they missed', async () => {
    const folder = newFolder();
    const marker = join(folder.path, 'died');
    const script = join(folder.path, 'mortal.mjs');
    writeFileSync(
      script,
      `import { existsSync, writeFileSync } from 'node:fs';
       const marker = ${JSON.stringify(marker)};
       if (!existsSync(marker)) setTimeout(() => { writeFileSync(marker, ''); process.exit(7); }, 1500);
       await import(${JSON.stringify(WORKER.href)});`,
    );
    const { server, port } = await start(
      { dataFile: join(folder.path, 'index.db') },
      { workerUrl: pathToFileURL(script) },
    );
    const client = await LineClient.connect(port);
    await client.get('blockchain.headers.subscribe');
    await client.get('blockchain.scripthash.subscribe', [scripthash]);
    // While it is away a session is told so, and not left waiting.
    const refused = await waitFor('the thread to be gone', async () => {
      const { error } = await client.ask('blockchain.scripthash.get_balance', [scripthash]);
      return error as { readonly code: number } | undefined;
    });
    expect(refused.code).toBe(-102);
    node.mineBlocks(1);
    await waitFor('the block', () => server.tip.height === node.height);
    await waitFor('the news', () => client.notifications('blockchain.scripthash.subscribe').length > 0);
    expect(client.notifications('blockchain.headers.subscribe')).not.toEqual([]);
    expect(await client.get('blockchain.scripthash.get_balance', [scripthash])).toHaveProperty('confirmed');
    client.close();
    await server.close();
    folder.remove();
  });

  it('says at once what is wrong with the file', async () => {
    const folder = newFolder();
    const nodes = [{ url: node.url, user: node.user, password: node.password }];
    const path = join(folder.path, 'index.db');
    const other = await openChainIndex({ path, chain: 'litecoin/main', nodes, mode: 'thread' });
    await other.close();
    await expect(openChainIndex({ path, chain: 'bitcoin/main', nodes })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('litecoin/main'),
    });
    writeFileSync(path, 'this is no database, it only looks like a file'.repeat(100));
    await expect(openChainIndex({ path, chain: 'bitcoin/main', nodes })).rejects.toMatchObject({
      code: 'storage_failed',
    });
    await expect(other.call('tip')).rejects.toMatchObject({ code: 'closed' });
    folder.remove();
  });
});

describe('TLS', () => {
  it('is served beside TCP on one port, and alone where only it is wanted', async () => {
    const tls = { ...TEST_CERTIFICATE };
    const { port } = await start({ listeners: [{ host: '127.0.0.1', port: 0, tls }] });
    const secure = new ElectrumClient({ server: `ssl://localhost:${port}`, tls: { ca: TEST_CERTIFICATE.cert } });
    const plain = new ElectrumClient({ server: `tcp://127.0.0.1:${port}` });
    await Promise.all([secure.connect(), plain.connect()]);
    expect(await secure.getBlockHeader(0)).toBe(await plain.getBlockHeader(0));
    await Promise.all([secure.close(), plain.close()]);

    const { port: strict } = await start({ listeners: [{ host: '127.0.0.1', port: 0, tls: { ...tls, only: true } }] });
    const refused = await LineClient.connect(strict);
    refused.send({ id: 0, method: 'server.ping' });
    await waitFor('the plain connection to be closed', () => refused.closed);
    expect(refused.messages).toEqual([]);
    // Wallets look at the certificate first and go away.
    const probe = connectTls({ port: strict, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise((resolve) => probe.once('secureConnect', resolve));
    probe.destroy();
  });
});

describe('hostile clients over TCP', () => {
  it.each([
    ['that is long', 20_000, 45],
    ['that is too long', 250, 45],
  ])('a session pays for reading a history %s, whatever it asks for', async (_, history, most) => {
    const limits = { costHard: 100, costSoft: 1000, costDecayPerSecond: 0, history };
    const { port } = await start({ limits });
    for (const method of ['blockchain.scripthash.subscribe', 'blockchain.scripthash.get_history']) {
      const client = await LineClient.connect(port);
      await client.get('server.version', ['x', '1.4']);
      for (let i = 0; i < 200; i++) client.send({ id: i, method, params: [scripthash] });
      await waitFor('the session to be closed', () => client.closed);
      expect(client.messages.length).toBeLessThan(most);
    }
  });

  it('do not keep others from being served: floods, storms, junk, giant lines, slow readers', async () => {
    const { server, port } = await start({ limits: { costHard: 3000, unsentBytes: 200_000 } });
    const good = await LineClient.connect(port);
    await good.get('server.version', ['x', '1.4']);
    const [flood, batches, junk, giant, slow, storm] = await Promise.all(
      Array.from({ length: 6 }, () => LineClient.connect(port)),
    );
    for (let i = 0; i < 20_000; i++) flood?.send({ id: i, method: 'blockchain.headers.subscribe' });
    for (let i = 0; i < 10; i++) {
      batches?.send(
        Array.from({ length: 1000 }, (_, id) => ({
          id,
          method: 'blockchain.scripthash.get_balance',
          params: [scripthash],
        })),
      );
    }
    batches?.send(Array.from({ length: 10_000 }, (_, id) => ({ id, method: 'server.ping' })));
    for (let i = 0; i < 100; i++) junk?.socket.write(`${'{['.repeat(i)}\n`);
    giant?.socket.write(`{"id":1,"method":"${'m'.repeat(3_000_000)}`);
    slow?.socket.pause();
    // The answers must not fit what the kernel buffers for us.
    for (let i = 0; i < 2000; i++) slow?.send({ id: i, method: 'blockchain.block.headers', params: [0, 2016] });
    for (let i = 0; i < 5000; i++) {
      storm?.send({ id: i, method: 'blockchain.scripthash.subscribe', params: [i.toString(16).padStart(64, '0')] });
    }

    const from = performance.now();
    for (let i = 0; i < 20; i++) {
      expect(await good.get('blockchain.scripthash.get_history', [scripthash])).not.toEqual([]);
      await good.get('blockchain.block.header', [i]);
    }
    expect(performance.now() - from, 'time of 40 requests beside them').toBeLessThan(8_000);
    node.mineBlocks(1);
    await waitFor('a block beside them', () => server.tip.height === node.height);

    await waitFor('junk and giant to be closed', () => junk?.closed === true && giant?.closed === true);
    await waitFor('the batches to be closed', () => batches?.closed === true);
    expect(batches?.messages.length).toBeLessThan(11);
    expect(server.subscriptions).toBeLessThanOrEqual(5000);
    // The flood is alive, but only as fast as its budget grows.
    expect(flood?.messages.length).toBeLessThan(10_000);
    await good.get('server.ping');
    for (const each of [good, flood, batches, junk, giant, slow, storm]) each?.close();
    await waitFor('everybody to be gone', () => server.framework.stats().sessions === 0);
    expect(server.subscriptions).toBe(0);
  });
});

describe('methods of 1.6', () => {
  it('tells about the mempool and takes packages', async () => {
    const { port } = await start();
    const client = await LineClient.connect(port);
    await client.get('server.version', ['x', ['1.6', '1.6']]);
    expect(await client.get('mempool.get_info')).toEqual({
      mempoolminfee: expect.any(Number),
      minrelaytxfee: expect.any(Number),
      incrementalrelayfee: expect.any(Number),
    });
    const raw = Buffer.from(node.makeTransaction()).toString('hex');
    node.override('submitpackage', ([raws]) =>
      Array.isArray(raws) && raws.length === 2
        ? { package_msg: 'success', 'tx-results': {} }
        : {
            package_msg: 'transaction failed',
            'tx-results': { w: { txid: 'ab'.repeat(32), error: 'min relay fee not met' } },
          },
    );
    const method = 'blockchain.transaction.broadcast_package';
    expect(await client.get(method, [[raw, raw]])).toEqual({ success: true });
    expect(await client.get(method, [[raw]])).toEqual({
      success: false,
      errors: [{ txid: 'ab'.repeat(32), error: 'min relay fee not met' }],
    });
    expect(await client.get(method, [[raw], true])).toHaveProperty('package_msg');
    expect(await client.ask(method, [[]])).toMatchObject({ error: { code: 1 } });
    expect(await client.get('blockchain.block.headers', [1, 2])).toEqual({
      count: 2,
      headers: [expect.stringMatching(/^[0-9a-f]{160}$/), expect.stringMatching(/^[0-9a-f]{160}$/)],
      max: 2016,
    });
    node.override('submitpackage', undefined);
    client.close();
  });
});
