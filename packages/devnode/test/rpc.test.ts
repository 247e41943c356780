import { request } from 'node:http';
import { bytesToHex } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createDevNode,
  DEV_NODE_LIMITS,
  type DevNode,
  type DevNodeOptions,
  parseBlock,
  RpcFault,
} from '../src/index.js';
import { blockParts, buildBlock, spoiltBlock } from './support.js';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, looked at by assertions only
  readonly body: any;
}

let node: DevNode;
let clock: FakeClock;

async function startNode(options: DevNodeOptions = {}): Promise<void> {
  clock = new FakeClock();
  node = createDevNode({ clock, user: 'u', password: 'p', ...options });
  await node.start();
}
beforeEach(() => startNode());
afterEach(() => node.close());

function post(body: string, authorization = `Basic ${Buffer.from('u:p').toString('base64')}`): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(node.url, { method: 'POST', headers: { authorization }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text === '' ? '' : JSON.parse(text) }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
function rpc(method: string, ...params: unknown[]): Promise<Answer> {
  return post(JSON.stringify({ id: 7, method, params }));
}
async function result(method: string, ...params: unknown[]): Promise<Answer['body']> {
  const { body } = await rpc(method, ...params);
  expect(body.error, method).toBeNull();
  return body.result;
}
async function errorCode(method: string, ...params: unknown[]): Promise<number> {
  const { body } = await rpc(method, ...params);
  expect(body.result, method).toBeNull();
  return body.error.code;
}
const TEMPLATE = { rules: ['segwit'] };

describe('the wire', () => {
  it('echoes the id and answers errors as Core does', async () => {
    expect(await rpc('getblockcount')).toEqual({ status: 200, body: { result: 0, error: null, id: 7 } });
    expect(await rpc('nosuchthing')).toMatchObject({ status: 404, body: { error: { code: -32601 } } });
    expect(await rpc('toString')).toMatchObject({ status: 404 });
    expect(await rpc('getblockhash', 5)).toMatchObject({ status: 500, body: { error: { code: -8 } } });
    expect(await post('{"id":')).toMatchObject({ status: 500, body: { error: { code: -32700 } } });
    expect(await post('7')).toMatchObject({ status: 400, body: { error: { code: -32600 } } });
    expect(await post('{"method":"getblockcount","params":{}}')).toMatchObject({ status: 400 });
    expect(await post('{"method":"getblockcount","params":null}')).toMatchObject({ status: 200, body: { result: 0 } });
  });

  it('answers errors with HTTP 200 when asked to, as bcoin does', async () => {
    await node.close();
    await startNode({ errorsWithStatus200: true });
    expect(await rpc('nosuchthing')).toMatchObject({ status: 200, body: { error: { code: -32601 } } });
  });

  it('refuses wrong credentials, other verbs and bodies without end', async () => {
    expect((await post('{}', 'Basic bm86bm8=')).status).toBe(401);
    expect((await post('{}', '')).status).toBe(401);
    const authorization = `Basic ${Buffer.from('u:p').toString('base64')}`;
    expect((await fetch(node.url, { headers: { authorization } })).status).toBe(405);
    expect((await post(' '.repeat(DEV_NODE_LIMITS.maxBodyBytes + 1))).status).toBe(413);
    expect((await rpc('getblockcount')).status).toBe(200);
  });

  it('answers batches in order, each call for itself', async () => {
    const calls = ['getblockcount', 'nosuchthing', 'getbestblockhash'].map((method, id) => ({
      id,
      method,
      params: [],
    }));
    const { status, body } = await post(JSON.stringify(calls));
    expect(status).toBe(200);
    expect(body).toMatchObject([
      { id: 0, result: 0 },
      { id: 1, error: { code: -32601 } },
      { id: 2, result: node.tipHash },
    ]);
    expect((await post(JSON.stringify(new Array(DEV_NODE_LIMITS.maxBatch + 1).fill(1)))).status).toBe(413);
  });

  it('stops and starts again with its chain and port', async () => {
    const { url } = node;
    node.mineBlocks(3);
    await node.close();
    await node.close();
    expect(() => node.url).toThrow(/start/);
    await node.start();
    expect(node.url).toBe(url);
    expect(await result('getblockcount')).toBe(3);
  });
});

describe('chain methods', () => {
  it('describe blocks on and beside the active chain', async () => {
    const [one = '', two = ''] = node.mineBlocks(2);
    const [side = ''] = node.mineBlocks(1, { onto: one });
    expect(await result('getbestblockhash')).toBe(two);
    expect(await result('getblockhash', 1)).toBe(one);
    expect(await result('getblockheader', one)).toMatchObject({
      hash: one,
      height: 1,
      confirmations: 2,
      nextblockhash: two,
      bits: '207fffff',
      versionHex: '20000000',
      nTx: 1,
    });
    expect(await result('getblockheader', side)).toMatchObject({
      height: 2,
      confirmations: -1,
      previousblockhash: one,
    });
    const raw: string = await result('getblock', two, 0);
    expect(raw).toBe(bytesToHex(node.getBlock(two) ?? new Uint8Array()));
    expect(await result('getblockheader', two, false)).toBe(raw.slice(0, 160));
    const block = await result('getblock', two, 2);
    expect(block).toMatchObject({ hash: two, size: raw.length / 2, tx: [{ vin: [{ coinbase: expect.any(String) }] }] });
    expect(block.tx[0].vout[0].value).toBe(50);
    expect(await result('getblock', two)).toMatchObject({ tx: [block.tx[0].txid] });
    expect(await result('getchaintips')).toEqual([
      { height: 2, hash: two, branchlen: 0, status: 'active' },
      { height: 2, hash: side, branchlen: 1, status: 'valid-headers' },
    ]);
    expect(await result('gettxout', block.tx[0].txid, 0)).toMatchObject({
      value: 50,
      coinbase: true,
      confirmations: 1,
    });
    expect(await result('gettxout', block.tx[0].txid, 9)).toBeNull();
    expect(await errorCode('getblock', 'ab'.repeat(32))).toBe(-5);
    expect(await errorCode('getblock', 5)).toBe(-3);
  });

  it('forget the bodies of deep blocks, not their headers', async () => {
    const [first = ''] = node.mineBlocks(DEV_NODE_LIMITS.keepBodies + 1);
    expect(await errorCode('getblock', first)).toBe(-1);
    expect(await result('getblockheader', first)).toMatchObject({ height: 1 });
    expect(await errorCode('invalidateblock', first)).toBe(-1);
    expect(node.submitBlock(node.getBlock(node.tipHash) ?? new Uint8Array())).toBe('duplicate');
  });

  it('invalidate, reconsider and prefer blocks', async () => {
    const [one = '', two = ''] = node.mineBlocks(2);
    const [side = ''] = node.mineBlocks(1, { onto: one });
    expect(await result('preciousblock', side)).toBeNull();
    expect(node.tipHash).toBe(side);
    await result('preciousblock', two);
    expect(node.tipHash).toBe(two);
    await result('invalidateblock', one);
    expect(node.height).toBe(0);
    await result('reconsiderblock', one);
    expect(node.height).toBe(2);
  });
});

describe('mining methods', () => {
  it('refuse a template without the rules, without peers and during initial download', async () => {
    expect(await errorCode('getblocktemplate')).toBe(-8);
    expect(await errorCode('getblocktemplate', { mode: 'cooking' })).toBe(-8);
    node.setReadiness({ peers: 0 });
    expect(await errorCode('getblocktemplate', TEMPLATE)).toBe(-9);
    expect(await result('getnetworkinfo')).toMatchObject({ connections: 0 });
    node.setReadiness({ peers: 3, initialDownload: true });
    expect(await errorCode('getblocktemplate', TEMPLATE)).toBe(-10);
    expect(await result('getblockchaininfo')).toMatchObject({ initialblockdownload: true });
    node.setReadiness({ initialDownload: false });
    expect(await result('getblocktemplate', TEMPLATE)).toMatchObject({ height: 1, coinbasevalue: 50e8 });
  });

  it('ask Litecoin callers for mweb too', async () => {
    await node.close();
    await startNode({ coin: 'litecoin' });
    expect(await errorCode('getblocktemplate', TEMPLATE)).toBe(-8);
    expect(await result('getblocktemplate', { rules: ['mweb', 'segwit'] })).toMatchObject({ height: 1 });
    node.mineBlocks(2);
    expect(await result('getblockcount')).toBe(2);
  });

  it('offer the waiting transactions with their dependencies', async () => {
    node.mineBlocks(101);
    const ids = node.addMempoolTransaction({ count: 3 });
    // An output that anybody may take, for a transaction without witness.
    const [open = ''] = node.addMempoolTransaction({ script: Uint8Array.of(0x51), padding: 500 });
    const inputs = [{ txid: open, vout: 0 }];
    await result('sendrawtransaction', await result('createrawtransaction', inputs, [{ data: 'ab'.repeat(500) }]));
    const template = await result('getblocktemplate', TEMPLATE);
    expect(template.transactions.map(({ txid }: { txid: string }) => txid).slice(0, 3)).toEqual(ids);
    expect(template.transactions[0]).toMatchObject({ fee: 1_000, depends: [] });
    expect(template.transactions[0].hash).not.toBe(template.transactions[0].txid);
    // Blocks 1 and 2 are mature at height 102; the third spends what the first returns.
    expect(template.transactions[2].depends).toEqual([1]);
    expect(template.transactions[3].hash).not.toBe(template.transactions[3].txid);
    expect(template.transactions[4]).toMatchObject({ depends: [4], fee: 10_000 });
    expect(template.transactions[4].hash).toBe(template.transactions[4].txid);
    expect(template.transactions[4].weight).toBeGreaterThan(2_000);
    expect(await result('getrawmempool')).toHaveLength(5);
    expect((await result('getrawmempool', true))[ids[0] ?? '']).toMatchObject({ fees: { base: 0.00001 } });
    expect(await result('submitblock', bytesToHex(buildBlock(blockParts(node))))).toBeNull();
    expect(await result('getrawmempool')).toEqual([]);
  });

  it('answer submitblock with BIP 22 strings and -22 for what is no block', async () => {
    const good = bytesToHex(buildBlock(blockParts(node)));
    expect(await result('submitblock', bytesToHex(spoiltBlock(node, (p) => (p.time = 1))))).toBe('time-too-old');
    expect(await result('submitblock', good)).toBeNull();
    expect(await result('submitblock', good)).toBe('duplicate');
    for (const bad of ['', 'zz', good.slice(0, -2), `${good}00`, 'a']) {
      expect(await errorCode('submitblock', bad), bad.slice(0, 10)).toBe(-22);
    }
    const headerAndNothing = `${good.slice(0, 160)}00`;
    expect(await rpc('submitblock', headerAndNothing)).toMatchObject({
      body: { error: { code: -22, message: 'Block does not start with a coinbase' } },
    });
  });

  it('judge proposals by everything but the proof of work', async () => {
    const unsolved = (nonce: number): string => bytesToHex(spoiltBlock(node, (p) => (p.nonce = nonce)));
    for (const nonce of [0, 1, 2, 3]) {
      expect(await result('getblocktemplate', { ...TEMPLATE, mode: 'proposal', data: unsolved(nonce) })).toBeNull();
    }
    expect(node.height).toBe(0);
    const greedy = bytesToHex(
      spoiltBlock(node, (p) => {
        p.outputs = p.outputs.map((output, i) => (i === 0 ? { ...output, value: output.value + 1n } : output));
      }),
    );
    expect(await result('getblocktemplate', { mode: 'proposal', data: greedy })).toBe('bad-cb-amount');
    const old = unsolved(0);
    node.mineBlocks(1);
    expect(await result('getblocktemplate', { mode: 'proposal', data: old })).toBe('inconclusive-not-best-prevblk');
    expect(await errorCode('getblocktemplate', { mode: 'proposal' })).toBe(-3);
    expect(await errorCode('getblocktemplate', { mode: 'proposal', data: '00' })).toBe(-22);
  });

  it('generate to addresses and scripts', async () => {
    const hashes = await result('generatetodescriptor', 2, 'raw(51)');
    const block = parseBlock(node.getBlock(hashes[1]) ?? new Uint8Array());
    expect(block.transactions[0]?.outputs[0]?.script).toEqual(Uint8Array.of(0x51));
    const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    expect(await result('validateaddress', address)).toMatchObject({ isvalid: true });
    const [paid] = await result('generatetoaddress', 1, address);
    const outputs = parseBlock(node.getBlock(paid) ?? new Uint8Array()).transactions[0]?.outputs;
    expect(bytesToHex(outputs?.[0]?.script ?? new Uint8Array())).toBe('0014751e76e8199196d454941c45d1b3a323f1433bd6');
    expect(await result('generate', 1)).toHaveLength(1);
    expect(await errorCode('generatetoaddress', 1, 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')).toBe(-5);
    expect(await result('validateaddress', 'nonsense')).toMatchObject({ isvalid: false });
    expect(await errorCode('generatetodescriptor', 1, 'wpkh(x)')).toBe(-5);
    expect(await errorCode('generate', -1)).toBe(-8);
    expect(await errorCode('generate', 1.5)).toBe(-8);
    expect(await errorCode('generate', 1e6)).toBe(-8);
    expect(await result('getmininginfo')).toMatchObject({ blocks: 4, chain: 'regtest' });
    expect(await result('getdifficulty')).toBeCloseTo(4.6565e-10, 13);
    expect(await result('getconnectioncount')).toBe(1);
  });
});

describe('sendrawtransaction', () => {
  it('takes what can be mined and says why not', async () => {
    node.mineBlocks(102);
    const one = bytesToHex(node.makeTransaction());
    const rival = bytesToHex(node.makeTransaction({ fee: 5_000n }));
    const id = await result('sendrawtransaction', one);
    expect(await result('sendrawtransaction', one)).toBe(id);
    expect(await rpc('sendrawtransaction', rival)).toMatchObject({
      body: { error: { message: 'txn-mempool-conflict' } },
    });
    expect(await errorCode('sendrawtransaction', 'ff')).toBe(-22);
    node.mineBlocks(1);
    expect(await errorCode('sendrawtransaction', one)).toBe(-27);
    expect(await errorCode('sendrawtransaction', rival)).toBe(-25);
  });
});

describe('longpoll', () => {
  /** An array, so that awaiting it does not await the answer. */
  async function waiting(): Promise<[Promise<Answer>]> {
    const { longpollid } = await result('getblocktemplate', TEMPLATE);
    const answer = rpc('getblocktemplate', { ...TEMPLATE, longpollid });
    // The call is on its way when a later one was answered.
    await result('getblockcount');
    return [answer];
  }

  it('answers at once when the id is old', async () => {
    expect(await result('getblocktemplate', { ...TEMPLATE, longpollid: 'old' })).toMatchObject({ height: 1 });
  });

  it('answers when a block comes', async () => {
    const [answer] = await waiting();
    while (clock.pending === 0) await settle();
    node.mineBlocks(1);
    expect((await await answer).body.result).toMatchObject({ height: 2 });
  });

  it('answers a minute after a transaction came', async () => {
    node.mineBlocks(101);
    const [answer] = await waiting();
    while (clock.pending === 0) await settle();
    clock.advance(60_000);
    node.addMempoolTransaction();
    clock.advance(10_000);
    expect((await await answer).body.result.transactions).toHaveLength(1);
  });

  it('ends with an error when the node stops, and lets go when the caller hangs up', async () => {
    const [answer] = await waiting();
    while (clock.pending === 0) await settle();
    await node.close();
    expect((await await answer).body.error.message).toMatch(/Shutting down/);
    await node.start();
    const abort = new AbortController();
    const { longpollid } = await result('getblocktemplate', TEMPLATE);
    const hung = fetch(node.url, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` },
      body: JSON.stringify({ method: 'getblocktemplate', params: [{ ...TEMPLATE, longpollid }] }),
      signal: abort.signal,
    }).catch(() => 'hung up');
    while (clock.pending === 0) await settle();
    abort.abort();
    await hung;
    while (clock.pending > 0) await settle();
  });
});

describe('override', () => {
  it('puts a fault in front of a method and takes it away', async () => {
    node.override('submitblock', () => {
      throw new RpcFault(-28, 'Loading block index...');
    });
    expect(await errorCode('submitblock', '00')).toBe(-28);
    node.override('submitblock', () => 'inconclusive');
    expect(await result('submitblock', '00')).toBe('inconclusive');
    node.override('submitblock', undefined);
    expect(await errorCode('submitblock', '00')).toBe(-22);
    let calls = 0;
    node.override('getblockcount', (_, next) => {
      calls++;
      return next();
    });
    expect(await result('getblockcount')).toBe(0);
    expect(calls).toBe(1);
    node.override('brandnew', () => 'answer');
    expect(await result('brandnew')).toBe('answer');
  });
});

it('tells listeners about blocks and submissions', async () => {
  const seen: unknown[] = [];
  node.on('block', ({ height, transactions }) => seen.push(['block', height, transactions]));
  node.on('submitted', ({ result: verdict }) => seen.push(['submitted', verdict]));
  node.mineBlocks(1);
  const bytes = buildBlock(blockParts(node));
  node.submitBlock(bytes);
  node.submitBlock(bytes);
  expect(seen).toEqual([
    ['block', 1, 1],
    ['block', 2, 1],
    ['submitted', null],
    ['submitted', 'duplicate'],
  ]);
});
