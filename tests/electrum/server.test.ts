import { readFileSync } from 'node:fs';
import { decodeAddress } from '@headframe/coins';
import type { ZmqLoader } from '@headframe/daemon';
import { type DevNode, RpcFault } from '@headframe/devnode';
import {
  ElectrumClient,
  historyStatus,
  isElectrumError,
  parseHeaderChain,
  scripthashOf,
  verifyHeaderProof,
  verifyMerkleProof,
} from '@headframe/electrum';
import { createElectrumServer, type ElectrumServer } from '@headframe/electrum-server';
import { bytesToHex, isPoolError } from '@headframe/primitives';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';
import { LineClient, type Message } from './line-client.js';
import { coin, type Stage, startStage } from './stage.js';

const TRANSCRIPT = new URL(
  '../../packages/electrum-server/test/vectors/electrum-4.3.4-transcript.jsonl',
  import.meta.url,
);

let stage: Stage;
let node: DevNode;
let server: ElectrumServer;
let port: number;
let scripthash: string;
const level = (): Promise<void> => stage.level();
const configFor: Stage['configFor'] = (extra) => stage.configFor(extra);

beforeAll(async () => {
  stage = await startStage();
  ({ node, server, port, scripthash } = stage);
});
afterAll(() => stage?.close());

describe('the server over a node, asked by our own client', () => {
  let client: ElectrumClient;
  beforeAll(async () => {
    client = new ElectrumClient({ server: `tcp://127.0.0.1:${port}` });
    await client.connect();
  });
  afterAll(() => client.close());

  it('speaks the newest version both know and tells about itself', async () => {
    expect(client.version).toBe('1.6');
    expect(await client.getFeatures()).toMatchObject({
      genesis_hash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
      protocol_min: '1.4',
      protocol_max: '1.6',
    });
    expect(await client.getBanner()).toBe('dig deeper');
    expect(await client.getDonationAddress()).toBe('');
    expect(await client.getPeers()).toEqual([]);
    await client.ping();
    expect(await client.request('server.add_peer', {})).toBe(false);
  });

  it('gives headers that link, and proofs that hold', async () => {
    const { headers } = await client.getBlockHeaders(0, 2016);
    expect(headers).toHaveLength(node.height + 1);
    const chain = parseHeaderChain(headers);
    expect(chain.at(-1)?.hash).toBe(node.tipHash);
    expect(await client.getBlockHeader(7)).toBe(headers[7]);
    const roots = new Set<string>();
    for (const height of [0, 1, 63, 64, 99]) {
      const proof = await client.getHeaderProof(height, 99);
      roots.add(proof.root);
      expect(verifyHeaderProof(proof, height, proof.root), `proof of ${height}`).toBe(true);
    }
    expect(roots.size).toBe(1);
    await expect(client.getBlockHeader(5000)).rejects.toSatisfy((error) => isElectrumError(error, 'bad-request'));
  });

  it('pays: broadcast, mempool, fees, block, proof, balances', async () => {
    const foreign = decodeAddress(coin, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080').script;
    const theirs = scripthashOf(foreign);
    expect(await client.subscribeScripthash(theirs)).toBe(null);
    const heard: unknown[] = [];
    client.on('scripthash', (each) => heard.push(each));
    const raw = bytesToHex(node.makeTransaction({ script: foreign, value: 123_456n, fee: 2_000n }));
    const txid = await client.broadcast(raw);
    await waitFor('the notification', () => heard.length === 1);
    expect(await client.getMempool(theirs)).toEqual([{ tx_hash: txid, height: 0, fee: 2000 }]);
    expect(await client.getBalance(theirs)).toEqual({ confirmed: 0, unconfirmed: 123_456 });
    expect(await client.listUnspent(theirs)).toMatchObject([{ tx_hash: txid, height: 0, value: 123_456 }]);
    expect(await client.getTransaction(txid)).toBe(raw);

    node.mineBlocks(1);
    await waitFor('the second notification', () => heard.length === 2);
    const history = await client.getHistory(theirs);
    expect(history).toEqual([{ tx_hash: txid, height: node.height }]);
    expect(JSON.stringify(heard.at(-1))).toContain(historyStatus(history));
    expect(await client.getBalance(theirs)).toEqual({ confirmed: 123_456, unconfirmed: 0 });
    const proof = await client.getMerkle(txid, node.height);
    const [header = ''] = (await client.getBlockHeaders(node.height, 1)).headers;
    const { merkleRoot } = parseHeaderChain([header])[0] ?? { merkleRoot: '' };
    expect(verifyMerkleProof({ leaf: txid, branch: proof.merkle, index: proof.pos, root: merkleRoot })).toBe(true);
    expect(await client.getTransactionId(node.height, proof.pos)).toBe(txid);
    expect(await client.getVerboseTransaction(txid)).toMatchObject({ txid });
  });

  it('answers a rejected transaction with error 1 and the reason of the node', async () => {
    const raw = bytesToHex(node.makeTransaction());
    const forged = `${raw.slice(0, -8)}ffffff7f`;
    const error = await client.broadcast(forged).catch((reason: unknown) => reason);
    expect(isElectrumError(error, 'bad-request')).toBe(true);
    expect(String(error)).toMatch(/the transaction was rejected by network rules\.\n\n.+\n\[/);
  });

  it('answers all of 1.4.2 that is asked in batches', async () => {
    const outcomes = await client.batch([
      ['server.ping'],
      ['blockchain.block.header', 1],
      ['blockchain.scripthash.get_balance', scripthash],
    ]);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  });
});

describe('notifications', () => {
  it('tells headers before scripts, each once, and nothing that nobody subscribed to', async () => {
    const [wallet, silent] = await Promise.all([LineClient.connect(port), LineClient.connect(port)]);
    await wallet.get('server.version', ['x', '1.4']);
    await silent.get('server.version', ['x', '1.4']);
    await wallet.get('blockchain.headers.subscribe');
    const before = await wallet.get('blockchain.scripthash.subscribe', [scripthash]);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    const from = wallet.messages.length;
    node.mineBlocks(1);
    await waitFor('both notifications', () => wallet.messages.length === from + 2);
    const [header, script] = wallet.messages.slice(from);
    expect(header).toMatchObject({
      jsonrpc: '2.0',
      method: 'blockchain.headers.subscribe',
      params: [{ height: node.height }],
    });
    const history = await wallet.get('blockchain.scripthash.get_history', [scripthash]);
    const status = historyStatus(history as { tx_hash: string; height: number }[]);
    expect(script).toMatchObject({ method: 'blockchain.scripthash.subscribe', params: [scripthash, status] });

    await wallet.get('server.ping');
    expect(wallet.messages).toHaveLength(from + 4);
    await silent.get('server.ping');
    expect(silent.messages).toHaveLength(2);
    wallet.close();
    silent.close();
    await waitFor('subscriptions to be forgotten', () => server.subscriptions <= 1);
  });

  it('ends a subscription when asked to (1.4.2)', async () => {
    const client = await LineClient.connect(port);
    await client.get('server.version', ['x', '1.4.2']);
    await client.get('blockchain.scripthash.subscribe', [scripthash]);
    expect(await client.get('blockchain.scripthash.unsubscribe', [scripthash])).toBe(true);
    expect(await client.get('blockchain.scripthash.unsubscribe', [scripthash])).toBe(false);
    const from = client.messages.length;
    node.mineBlocks(1);
    await level();
    await client.get('server.ping');
    expect(client.messages).toHaveLength(from + 1);
    client.close();
  });

  it('tells a reorganisation: the new tip, and what the lost blocks had', async () => {
    const client = await LineClient.connect(port);
    await client.get('blockchain.headers.subscribe');
    await client.get('blockchain.scripthash.subscribe', [scripthash]);
    const lost = node.mineBlocks(2);
    await level();
    const foreign = decodeAddress(coin, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080').script;
    node.invalidateBlock(lost[0] ?? '');
    node.mineBlocks(3, { script: foreign });
    await waitFor('the new tip', () => {
      const last = client.notifications('blockchain.headers.subscribe').at(-1);
      return (last?.params?.[0] as { height?: number } | undefined)?.height === node.height;
    });
    const history = (await client.get('blockchain.scripthash.get_history', [scripthash])) as { height: number }[];
    expect(history.every(({ height }) => height <= node.height - 3)).toBe(true);
    await waitFor('the status', () => {
      const last = client.notifications('blockchain.scripthash.subscribe').at(-1);
      return last?.params?.[1] === historyStatus(history as { tx_hash: string; height: number }[]);
    });
    client.close();
  });
});

/** The shape of a value: names of members, kinds of values, the first item for all. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each)]));
  }
  return value === null ? null : typeof value;
}

describe('what Electrum 4.3.4 said to another server', () => {
  it('gets answers of the same shape here', async () => {
    const recorded = readFileSync(TRANSCRIPT, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly from: 'C' | 'S'; readonly msg: Message });
    const client = await LineClient.connect(port);
    const history = (await client.get('blockchain.scripthash.get_history', [scripthash])) as {
      tx_hash: string;
      height: number;
    }[];
    const known = history[0] ?? { tx_hash: '', height: 0 };
    const unused = scripthashOf(new Uint8Array(22).fill(9));
    const replay = await LineClient.connect(port);
    let compared = 0;
    for (const { from, msg } of recorded) {
      const { method, id, params = [] } = msg;
      if (from !== 'C' || method === undefined) continue;
      const theirs = recorded.find(({ from: side, msg: answer }) => side === 'S' && answer.id === id)?.msg;
      const wasEmpty = theirs?.result === null || (Array.isArray(theirs?.result) && theirs.result.length === 0);
      const own = (): readonly unknown[] => {
        switch (method) {
          case 'blockchain.scripthash.subscribe':
          case 'blockchain.scripthash.get_history':
            return [wasEmpty ? unused : scripthash];
          case 'blockchain.transaction.get':
            return [known.tx_hash];
          case 'blockchain.transaction.get_merkle':
            return [known.tx_hash, known.height];
          case 'blockchain.block.header':
            return [Math.min(Number(params[0]), node.height)];
          case 'blockchain.transaction.broadcast':
            return [bytesToHex(node.makeTransaction({ fee: 3_000n }))];
          default:
            return params;
        }
      };
      const ours = await replay.ask(method, own());
      expect(Object.keys(ours).sort(), method).toEqual(Object.keys(theirs ?? {}).sort());
      // Their histories had mempool items, ours are long; lists that may be empty are compared as lists.
      const both = [shapeOf(ours.result), shapeOf(theirs?.result)];
      if (method === 'mempool.get_fee_histogram' || method === 'blockchain.transaction.get_merkle') {
        expect(typeof both[0], method).toBe(typeof both[1]);
      } else if (method === 'blockchain.scripthash.get_history' && !wasEmpty) {
        expect(both[0], method).toEqual([expect.objectContaining({ tx_hash: 'string', height: 'number' })]);
      } else expect(both[0], method).toEqual(both[1]);
      compared++;
    }
    expect(compared).toBeGreaterThan(50);
    client.close();
    replay.close();
  });
});

describe('a node in trouble', () => {
  it('does not stop the server: answers of the index go on, the node is found again', async () => {
    const client = await LineClient.connect(port);
    await client.get('server.version', ['x', '1.4']);
    node.override('getbestblockhash', () => {
      throw new RpcFault(-28, 'Loading block index...');
    });
    node.override('estimatesmartfee', () => {
      throw new RpcFault(-32601, 'Method not found');
    });
    node.override('sendrawtransaction', () => {
      throw new RpcFault(-28, 'Loading block index...');
    });
    const trouble = await new Promise<{ message: string }>((resolve) => server.on('trouble', resolve));
    expect(trouble.message).toContain('Loading');
    expect(await client.get('blockchain.scripthash.get_balance', [scripthash])).toHaveProperty('confirmed');
    expect(await client.get('blockchain.estimatefee', [3])).toBe(-1);
    const raw = bytesToHex(node.makeTransaction());
    expect(await client.ask('blockchain.transaction.broadcast', [raw])).toHaveProperty('error');
    for (const method of ['getbestblockhash', 'estimatesmartfee', 'sendrawtransaction']) {
      node.override(method, undefined);
    }
    node.mineBlocks(1);
    await level();
    client.close();
  });
});

describe('the index thread and the ways in', () => {
  it('refuses histories over the limit with error 10001, by every method', async () => {
    const small = await createElectrumServer(configFor({ limits: { history: 10 } }));
    const [listener] = await small.listen();
    const client = await LineClient.connect(listener?.port ?? 0);
    for (const method of ['subscribe', 'get_history', 'listunspent']) {
      expect(await client.ask(`blockchain.scripthash.${method}`, [scripthash])).toMatchObject({
        error: { code: 10_001, message: 'history too large' },
      });
    }
    expect(small.subscriptions).toBe(0);
    client.close();
    await small.close();
  });

  it('bounds subscriptions of a session and of all', async () => {
    const small = await createElectrumServer(
      configFor({ limits: { subscriptionsPerSession: 20, subscriptions: 30 } }),
      { indexMode: 'inline' },
    );
    const [listener] = await small.listen();
    const storm = async (): Promise<Message[]> => {
      const client = await LineClient.connect(listener?.port ?? 0);
      const hashes = Array.from({ length: 25 }, (_, i) => scripthashOf(Uint8Array.of(i)));
      return Promise.all(hashes.map((hash) => client.ask('blockchain.scripthash.subscribe', [hash])));
    };
    const codes = (messages: readonly Message[]): unknown[] =>
      messages.flatMap(({ error }) => (error === undefined ? [] : [(error as { code: number }).code]));
    expect(codes(await storm())).toEqual(Array.from({ length: 5 }, () => -101));
    expect(codes(await storm())).toEqual(Array.from({ length: 15 }, () => -102));
    expect(small.subscriptions).toBe(30);
    await small.close();
  });

  it('does not wait for the next poll when the node announces a block over ZeroMQ', async () => {
    let announce: () => void = () => {};
    const announced = new Promise<void>((resolve) => {
      announce = resolve;
    });
    const endpoints: string[] = [];
    let closed = false;
    const zmq: ZmqLoader = async () => ({
      connect: (endpoint) => endpoints.push(endpoint),
      subscribe: () => {},
      close: () => {
        closed = true;
      },
      async *[Symbol.asyncIterator]() {
        await announced;
        yield [Buffer.from('hashblock'), Buffer.alloc(32), Buffer.alloc(4)];
      },
    });
    const [daemon] = configFor().daemons;
    const daemons = [{ ...daemon, url: node.url, zmq: { hashblock: 'tcp://127.0.0.1:28332' } }];
    const slow = await createElectrumServer(configFor({ daemons, pollMs: 60_000 }), { indexMode: 'inline', zmq });
    await slow.listen();
    expect(endpoints).toEqual(['tcp://127.0.0.1:28332']);
    node.mineBlocks(1);
    announce();
    await waitFor('the block', () => slow.tip.height === node.height, 5_000);
    await slow.close();
    expect(closed).toBe(true);
  });

  it('closes at any moment of its start, and leaves no thread behind', async () => {
    const resources = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = resources();
    for (const waitMs of [0, 5, 20, 60, 120, 250]) {
      const doomed = await createElectrumServer(configFor());
      const listening = doomed.listen().catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await doomed.close();
      const outcome = await listening;
      expect(Array.isArray(outcome) || isPoolError(outcome, 'closed'), String(outcome)).toBe(true);
    }
    await waitFor('the threads to end', () => resources() <= before, 5_000);
  });
});
