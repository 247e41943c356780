import { describe, expect, it } from 'vitest';
import { ElectrumClient, ElectrumError, isElectrumError } from '../src/index.js';
import { FakeClock, failureOf, GENESIS_HASH, GENESIS_HEADER, modernScript, ScriptedServer, settle } from './support.js';

const SH = '8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161';
const TXID = '8bc34e0c671d1b4fc3866c88762dbdb94942505a1a6cb6cd74978b4c4e3c1177';
const ADDRESS = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';
const RAW = '01000000'.repeat(20);
const HEADER_OBJECT = {
  block_height: 170,
  version: 1,
  prev_block_hash: TXID,
  merkle_root: SH,
  timestamp: 1231731025,
  bits: 486604799,
  nonce: 1889418792,
  utxo_root: SH,
};
const HISTORY = [{ tx_hash: TXID, height: 5 }];
const UNSPENT = [{ tx_hash: TXID, tx_pos: 1, height: 5, value: 5_000_000_000 }];
const BALANCE = { confirmed: 7, unconfirmed: -3 };
const MERKLE = { block_height: 5, merkle: [SH], pos: 1 };

async function connected(
  answers: Readonly<Record<string, unknown>>,
  version: unknown,
  protocol = { min: '1.4', max: '1.6' },
) {
  const clock = new FakeClock();
  const server = new ScriptedServer(clock, modernScript({ ...answers, 'server.version': version }));
  const client = new ElectrumClient({ server: 'memory', connect: server.connect, clock, protocol });
  await client.connect();
  return { client, server };
}

/** Calls one method and looks at what was sent and what came back. */
async function roundTrip(
  version: '1.0' | '1.4.2' | '1.6',
  method: string,
  answer: unknown,
  call: (client: ElectrumClient) => Promise<unknown>,
): Promise<{ readonly params: readonly unknown[]; readonly result: unknown }> {
  const reply = version === '1.0' ? '1.0' : ['scripted', version];
  const { client, server } = await connected({ [method]: answer }, reply, { min: '1.0', max: '1.6' });
  server.dialect = version === '1.0' ? 'old' : 'modern';
  const result = await call(client);
  const sent = server.calls.at(-1);
  expect(sent?.method).toBe(method);
  return { params: sent?.params ?? [], result };
}

describe('methods of servers up to 1.0', () => {
  it('getServerVersion', async () => {
    const { client, server } = await connected({}, '1.0', { min: '1.0', max: '1.4' });
    expect(await client.getServerVersion()).toEqual({ software: '1.0', version: '1.0' });
    // It keeps the connection alive in the way of its time.
    expect(server.calls.at(-1)).toEqual({ method: 'server.version', params: ['', '1.0'] });
    await client.ping();
    expect(server.count('server.version')).toBe(3);
  });

  it('subscribeNumBlocks', async () => {
    const { client, server } = await connected({ 'blockchain.numblocks.subscribe': 300_000 }, '1.0', {
      min: '1.0',
      max: '1.4',
    });
    server.dialect = 'old';
    const seen: unknown[] = [];
    client.on('numblocks', (notification) => seen.push(notification));
    expect(await client.subscribeNumBlocks()).toBe(300_000);
    server.notify('blockchain.numblocks.subscribe', 300_001);
    await settle();
    expect(seen).toEqual([{ height: 300_001 }]);
  });

  it('subscribeHeaders', async () => {
    const { client, server } = await connected({ 'blockchain.headers.subscribe': HEADER_OBJECT }, '1.0', {
      min: '1.0',
      max: '1.4',
    });
    server.dialect = 'old';
    const seen: number[] = [];
    client.on('headers', ({ height, nonce }) => seen.push(height, nonce));
    expect(await client.subscribeHeaders()).toMatchObject({
      height: 170,
      utxoRoot: SH,
      prevHash: TXID,
      merkleRoot: SH,
    });
    server.notify('blockchain.headers.subscribe', { ...HEADER_OBJECT, block_height: 171 });
    await settle();
    expect(seen).toEqual([171, HEADER_OBJECT.nonce]);
  });

  it('subscribeAddress', async () => {
    const { client, server } = await connected({ 'blockchain.address.subscribe': null }, '1.0', {
      min: '1.0',
      max: '1.4',
    });
    server.dialect = 'old';
    const seen: unknown[] = [];
    client.on('address', (notification) => seen.push(notification));
    expect(await client.subscribeAddress(ADDRESS)).toBeNull();
    server.notify('blockchain.address.subscribe', ADDRESS, TXID);
    await settle();
    expect(seen).toEqual([{ address: ADDRESS, status: TXID }]);
  });

  it.each([
    ['getBanner', 'server.banner', 'hello', (c: ElectrumClient) => c.getBanner(), []],
    ['getDonationAddress', 'server.donation_address', ADDRESS, (c: ElectrumClient) => c.getDonationAddress(), []],
    ['broadcast', 'blockchain.transaction.broadcast', TXID, (c: ElectrumClient) => c.broadcast(RAW), [RAW]],
    ['getMerkle', 'blockchain.transaction.get_merkle', MERKLE, (c: ElectrumClient) => c.getMerkle(TXID, 5), [TXID, 5]],
    ['getTransaction', 'blockchain.transaction.get', RAW, (c: ElectrumClient) => c.getTransaction(TXID), [TXID]],
    [
      'getAddressHistory',
      'blockchain.address.get_history',
      HISTORY,
      (c: ElectrumClient) => c.getAddressHistory(ADDRESS),
      [ADDRESS],
    ],
    [
      'getAddressBalance',
      'blockchain.address.get_balance',
      BALANCE,
      (c: ElectrumClient) => c.getAddressBalance(ADDRESS),
      [ADDRESS],
    ],
    [
      'getAddressProof',
      'blockchain.address.get_proof',
      [['a', 1]],
      (c: ElectrumClient) => c.getAddressProof(ADDRESS),
      [ADDRESS],
    ],
    [
      'listAddressUnspent',
      'blockchain.address.listunspent',
      UNSPENT,
      (c: ElectrumClient) => c.listAddressUnspent(ADDRESS),
      [ADDRESS],
    ],
    [
      'getAddressMempool',
      'blockchain.address.get_mempool',
      [{ tx_hash: TXID, height: 0 }],
      (c: ElectrumClient) => c.getAddressMempool(ADDRESS),
      [ADDRESS],
    ],
    [
      'getUtxoAddress',
      'blockchain.utxo.get_address',
      ADDRESS,
      (c: ElectrumClient) => c.getUtxoAddress(TXID, 1),
      [TXID, 1],
    ],
    ['estimateFee', 'blockchain.estimatefee', 0.0002, (c: ElectrumClient) => c.estimateFee(2), [2]],
    ['relayFee', 'blockchain.relayfee', 0.00001, (c: ElectrumClient) => c.relayFee(), []],
    [
      'getHeaderObject',
      'blockchain.block.get_header',
      HEADER_OBJECT,
      (c: ElectrumClient) => c.getHeaderObject(170),
      [170],
    ],
  ] as const)('%s', async (_name, method, answer, call, params) => {
    const round = await roundTrip('1.0', method, answer, call);
    expect(round.params).toEqual(params);
    expect(round.result).toEqual(answer);
  });

  it('getPeers', async () => {
    const peers = [['10.0.0.1', 'a.example', ['v1.0', 'p100', 't', 's', 'h', 'g']]];
    const { result } = await roundTrip('1.0', 'server.peers.subscribe', peers, (client) => client.getPeers());
    expect(result).toEqual([
      {
        address: '10.0.0.1',
        host: 'a.example',
        version: '1.0',
        tcpPort: 50_001,
        tlsPort: 50_002,
        httpPort: 8081,
        httpsPort: 8082,
        pruning: 100,
      },
    ]);
  });

  it('getChunk', async () => {
    const chunk = GENESIS_HEADER.repeat(3);
    const { params, result } = await roundTrip('1.0', 'blockchain.block.get_chunk', chunk, (client) =>
      client.getChunk(2),
    );
    expect(params).toEqual([2]);
    expect(result).toEqual([GENESIS_HEADER, GENESIS_HEADER, GENESIS_HEADER]);
  });

  it('takes a refused transaction for an error, though it came as a result', async () => {
    const { client } = await connected(
      { 'blockchain.transaction.broadcast': "{u'message': u'64: dust', u'code': -26}" },
      '1.0',
      {
        min: '1.0',
        max: '1.4',
      },
    );
    const error = await failureOf(client.broadcast(RAW));
    expect(isElectrumError(error, 'bad-request')).toBe(true);
    expect(error.message).toContain('dust');
  });

  it('reads an error that is a text', async () => {
    const { client, server } = await connected(
      {
        'blockchain.address.get_history': () => {
          throw new ElectrumError(1, 'invalid address');
        },
      },
      '1.0',
      { min: '1.0', max: '1.4' },
    );
    server.dialect = 'old';
    const error = await failureOf(client.getAddressHistory(ADDRESS));
    expect(error).toMatchObject({ code: 'request_failed', message: 'invalid address', rpcCode: undefined });
  });
});

describe('methods of modern servers', () => {
  const MEMPOOL = [{ tx_hash: TXID, height: -1, fee: 300 }];
  it.each([
    ['getHistory', 'blockchain.scripthash.get_history', HISTORY, (c: ElectrumClient) => c.getHistory(SH), [SH]],
    ['getMempool', 'blockchain.scripthash.get_mempool', MEMPOOL, (c: ElectrumClient) => c.getMempool(SH), [SH]],
    ['getBalance', 'blockchain.scripthash.get_balance', BALANCE, (c: ElectrumClient) => c.getBalance(SH), [SH]],
    ['listUnspent', 'blockchain.scripthash.listunspent', UNSPENT, (c: ElectrumClient) => c.listUnspent(SH), [SH]],
    ['getTransaction', 'blockchain.transaction.get', RAW, (c: ElectrumClient) => c.getTransaction(TXID), [TXID]],
    [
      'getVerboseTransaction',
      'blockchain.transaction.get',
      { txid: TXID },
      (c: ElectrumClient) => c.getVerboseTransaction(TXID),
      [TXID, true],
    ],
    ['getMerkle', 'blockchain.transaction.get_merkle', MERKLE, (c: ElectrumClient) => c.getMerkle(TXID, 5), [TXID, 5]],
    [
      'getTransactionId',
      'blockchain.transaction.id_from_pos',
      TXID,
      (c: ElectrumClient) => c.getTransactionId(5, 1),
      [5, 1],
    ],
    ['broadcast', 'blockchain.transaction.broadcast', TXID, (c: ElectrumClient) => c.broadcast(RAW), [RAW]],
    ['estimateFee', 'blockchain.estimatefee', -1, (c: ElectrumClient) => c.estimateFee(6), [6]],
    ['relayFee', 'blockchain.relayfee', 0.00001, (c: ElectrumClient) => c.relayFee(), []],
    ['getFeeHistogram', 'mempool.get_fee_histogram', [[12, 1000]], (c: ElectrumClient) => c.getFeeHistogram(), []],
    ['getBlockHeader', 'blockchain.block.header', GENESIS_HEADER, (c: ElectrumClient) => c.getBlockHeader(0), [0]],
    [
      'getHeaderProof',
      'blockchain.block.header',
      { header: GENESIS_HEADER, branch: [SH], root: TXID },
      (c: ElectrumClient) => c.getHeaderProof(0, 8),
      [0, 8],
    ],
    ['ping', 'server.ping', null, (c: ElectrumClient): Promise<unknown> => c.ping().then(() => null), []],
  ] as const)('%s', async (_name, method, answer, call, params) => {
    for (const version of ['1.4.2', '1.6'] as const) {
      if (method === 'blockchain.relayfee' && version === '1.6') continue;
      const round = await roundTrip(version, method, answer, call);
      expect(round.params).toEqual(params);
      expect(round.result).toEqual(answer);
    }
  });

  it('getServerVersion does not ask twice: a modern server would refuse', async () => {
    const { client, server } = await connected({}, ['ElectrumX 1.16', '1.4.2']);
    expect(await client.getServerVersion()).toEqual({ software: 'ElectrumX 1.16', version: '1.4.2' });
    expect(server.count('server.version')).toBe(1);
  });

  it('getFeatures', async () => {
    const { client } = await connected({}, ['s', '1.4']);
    expect(await client.getFeatures()).toMatchObject({ genesis_hash: GENESIS_HASH, hosts: {}, pruning: null });
  });

  it('getBlockHeaders in both versions', async () => {
    const joined = { count: 2, hex: GENESIS_HEADER.repeat(2), max: 2016 };
    const listed = { count: 2, headers: [GENESIS_HEADER, GENESIS_HEADER], max: 2016 };
    for (const [version, answer] of [
      ['1.4.2', joined],
      ['1.6', listed],
    ] as const) {
      const { params, result } = await roundTrip(
        version,
        'blockchain.block.headers',
        answer,
        (c): Promise<unknown> => c.getBlockHeaders(0, 2),
      );
      expect(params).toEqual([0, 2]);
      expect(result).toEqual({ headers: listed.headers, max: 2016 });
    }
  });

  it('relayFee of 1.6 comes from the mempool', async () => {
    const info = { mempoolminfee: 0.00002, minrelaytxfee: 0.00001, incrementalrelayfee: 0.00001 };
    const { result } = await roundTrip('1.6', 'mempool.get_info', info, (client) => client.relayFee());
    expect(result).toBe(0.00001);
  });

  it('sends a package and a peer', async () => {
    const { client, server } = await connected(
      { 'blockchain.transaction.broadcast_package': { success: true }, 'server.add_peer': false },
      ['s', '1.6'],
    );
    expect(await client.request('blockchain.transaction.broadcast_package', [RAW, RAW])).toEqual({ success: true });
    expect(await client.request('server.add_peer', { hosts: {} })).toBe(false);
    expect(server.calls.at(-2)?.params).toEqual([[RAW, RAW]]);
  });
});
