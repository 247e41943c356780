import { decodeAddress, resolveCoin } from '@headframe/coins';
import { createDevNode, type DevNode } from '@headframe/devnode';
import {
  ElectrumClient,
  ElectrumPool,
  historyStatus,
  isElectrumError,
  parseBlockHeader,
  parseHeaderChain,
  type ScripthashNotification,
  scripthashOf,
  verifyHeaderProof,
  verifyMerkleProof,
} from '@headframe/electrum';
import { createElectrumServer, type ElectrumServer } from '@headframe/electrum-server';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newFolder } from './server-process.js';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';

interface Stand {
  readonly node: DevNode;
  readonly server: ElectrumServer;
  readonly folder: ReturnType<typeof newFolder>;
  readonly tcp: string;
  readonly tls: string;
}

/** A server that indexes a chain in this process, on two ports. */
async function stand(node: DevNode): Promise<Stand> {
  const folder = newFolder();
  const server = await createElectrumServer(
    {
      coin: 'bitcoin',
      network: 'regtest',
      daemons: [{ url: node.url, user: node.user, password: node.password }],
      listeners: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port: 0, tls: { cert: TEST_CERTIFICATE.cert, key: TEST_CERTIFICATE.key, only: true } },
      ],
      dataFile: `${folder.path}/index.db`,
      pollMs: 50,
      banner: 'for tests',
    },
    { indexMode: 'inline' },
  );
  const [plain, secure] = await server.listen();
  return { node, server, folder, tcp: `tcp://127.0.0.1:${plain?.port}`, tls: `ssl://127.0.0.1:${secure?.port}` };
}

async function fold({ server, folder }: Stand): Promise<void> {
  await server.close();
  folder.remove();
}

let node: DevNode;
let main: Stand;
let scripthash: string;

beforeAll(async () => {
  node = createDevNode({ coin: 'bitcoin' });
  await node.start();
  node.mineBlocks(105);
  main = await stand(node);
  scripthash = scripthashOf(decodeAddress(resolveCoin('bitcoin', 'regtest'), node.walletAddress).script);
});
afterAll(async () => {
  await fold(main);
  await node.close();
});

/** The next notification of a client or pool about the script. */
function nextStatus(client: ElectrumClient | ElectrumPool): Promise<ScripthashNotification> {
  return new Promise((resolve) => {
    const listener = (notification: ScripthashNotification): void => {
      off();
      resolve(notification);
    };
    const off = client instanceof ElectrumPool ? client.on('scripthash', listener) : client.on('scripthash', listener);
  });
}

describe.each(['1.4', '1.4.2', '1.6'])('our client on our server, version %s', (version) => {
  it('gets an account whose parts prove each other, by TCP and by TLS', async () => {
    const client = new ElectrumClient({
      server: version === '1.6' ? main.tls : main.tcp,
      tls: { ca: TEST_CERTIFICATE.cert },
      protocol: { min: version, max: version },
    });
    await client.connect();
    expect(client.version).toBe(version);
    expect(await client.getBanner()).toBe('for tests');
    expect((await client.getFeatures()).genesis_hash).toBe(GENESIS);
    const tip = await client.subscribeHeaders();

    const { headers } = await client.getBlockHeaders(0, tip.height + 1);
    const chain = parseHeaderChain(headers);
    expect(chain[0]?.hash).toBe(GENESIS);
    expect(chain.at(-1)?.hash).toBe(tip.hash);
    const proof = await client.getHeaderProof(7, tip.height);
    expect(verifyHeaderProof(proof, 7, proof.root)).toBe(true);
    expect(verifyHeaderProof(proof, 8, proof.root)).toBe(false);

    const status = await client.subscribeScripthash(scripthash);
    const history = await client.getHistory(scripthash);
    expect(history.length).toBeGreaterThan(100);
    expect(historyStatus(history)).toBe(status);
    const unspent = await client.listUnspent(scripthash);
    const { confirmed, unconfirmed } = await client.getBalance(scripthash);
    expect(unspent.reduce((sum, { value }) => sum + value, 0)).toBe(confirmed + unconfirmed);

    const [first] = history;
    if (first === undefined) throw new Error('a history without transactions');
    const { merkle, pos } = await client.getMerkle(first.tx_hash, first.height);
    const root = chain[first.height]?.merkleRoot ?? '';
    expect(verifyMerkleProof({ leaf: first.tx_hash, branch: merkle, index: pos, root })).toBe(true);
    expect(await client.getTransactionId(first.height, pos)).toBe(first.tx_hash);
    expect(await client.getTransaction(first.tx_hash)).toMatch(/^[0-9a-f]+$/);
    expect(await client.relayFee()).toBeGreaterThanOrEqual(0);
    expect(await client.estimateFee(2)).toBeTypeOf('number');
    expect(await client.getFeeHistogram()).toBeInstanceOf(Array);
    await client.ping();
    expect(isElectrumError(await client.getBlockHeader(1e6).catch((error: unknown) => error))).toBe(true);

    const outcomes = await client.batch([
      ['blockchain.block.header', 1],
      ['server.ping'],
      ['blockchain.block.header', 1e6],
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(outcomes[0].ok && parseBlockHeader(String(outcomes[0].result)).prevHash).toBe(GENESIS);
    await client.close();
  });
});

describe('a change of the chain', () => {
  it('is told: a transaction in the mempool, its block, and a reorganisation', async () => {
    const client = new ElectrumClient({ server: main.tcp });
    await client.connect();
    const before = await client.subscribeScripthash(scripthash);
    const tip = await client.subscribeHeaders();

    const inMempool = nextStatus(client);
    node.addMempoolTransaction();
    expect((await inMempool).status).not.toBe(before);
    const mempool = await client.getMempool(scripthash);
    expect(mempool.length).toBeGreaterThan(0);

    const heights: number[] = [];
    client.on('headers', ({ height }) => heights.push(height));
    const confirmed = nextStatus(client);
    const [block] = node.mineBlocks(1);
    const { status } = await confirmed;
    expect(heights).toContain(tip.height + 1);
    const history = await client.getHistory(scripthash);
    expect(historyStatus(history)).toBe(status);
    expect(history.every(({ height }) => height > 0)).toBe(true);

    const undone = nextStatus(client);
    node.invalidateBlock(block ?? '');
    node.mineBlocks(2);
    await undone;
    await expect.poll(() => heights.at(-1), { timeout: 10_000 }).toBe(tip.height + 2);
    await client.close();
  });
});

describe('a pool over two servers', () => {
  it('goes on with the other when one goes away, subscriptions included', async () => {
    const other = await stand(node);
    const pool = new ElectrumPool({ servers: [other.tcp, main.tcp], genesisHash: GENESIS });
    await pool.connect();
    await expect.poll(() => pool.status().every(({ state }) => state === 'ready'), { timeout: 10_000 }).toBe(true);
    await pool.subscribeScripthash(scripthash);
    const moved = new Promise((resolve) => pool.on('primary', resolve));
    if (pool.status()[0]?.primary === true) {
      await fold(other);
      await moved;
    } else await fold(other);
    const told = nextStatus(pool);
    node.mineBlocks(1);
    const { status } = await told;
    expect(historyStatus(await pool.getHistory(scripthash))).toBe(status);
    await pool.close();
  });
});

it('a server for old clients answers them by address', async () => {
  const client = new ElectrumClient({ server: main.tcp, protocol: { min: '1.0', max: '1.0' } });
  await client.connect();
  expect(client.version).toBe('1.0');
  const height = await client.subscribeNumBlocks();
  expect((await client.getHeaderObject(height)).block_height).toBe(height);
  const chunk = parseHeaderChain(await client.getChunk(0));
  expect(chunk).toHaveLength(height + 1);
  const status = await client.subscribeAddress(node.walletAddress);
  expect(historyStatus(await client.getAddressHistory(node.walletAddress))).toBe(status);
  expect((await client.getAddressBalance(node.walletAddress)).confirmed).toBeGreaterThan(0);
  expect((await client.listAddressUnspent(node.walletAddress)).length).toBeGreaterThan(0);
  expect(isElectrumError(await client.getAddressProof(node.walletAddress).catch((error: unknown) => error))).toBe(true);
  await client.close();
});
