import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  AddressNotification,
  decodeNotification,
  ElectrumClient,
  type ElectrumNotification,
  HeadersNotification,
  NumBlocksNotification,
} from '@headframe/electrum';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TXID = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';
const ADDRESS = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';
const HASH = '78e96c6562cafa71c115503b9411fdfdc595a45031e2ab76ff75162fe1b0590d';
const HEADER = {
  block_height: 2,
  version: 1,
  prev_block_hash: '00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048',
  merkle_root: '9b0fc92260312ce44e74ef369f5c66bb85b66f7f3c5a5a5a5a5a5a5a5a5a5a5a',
  timestamp: 1231469744,
  bits: 486604799,
  nonce: 1639830024,
  utxo_root: HASH,
};
const RAW = '01'.repeat(60);
const CHUNK = '01'.repeat(80) + '02'.repeat(80);
const HISTORY = [{ tx_hash: TXID, height: 100 }];

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** An Electrum server of 2013 over TCP: bare results, errors as texts, notifications with a null id. */
class OldServer {
  readonly calls: Call[] = [];
  readonly answers = new Map<string, unknown>([['server.version', '1.0']]);
  #server: Server | undefined = undefined;
  #socket: Socket | undefined = undefined;

  async listen(): Promise<string> {
    this.#server = createServer((socket) => {
      this.#socket = socket;
      let text = '';
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          this.#answer(JSON.parse(text.slice(0, end)) as Call);
          text = text.slice(end + 1);
        }
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(call: Call): void {
    this.calls.push({ id: call.id, method: call.method, params: call.params ?? [] });
    const answer = this.answers.get(call.method);
    const body = answer === undefined ? { error: `unknown method: ${call.method}` } : { result: answer };
    this.#socket?.write(`${JSON.stringify({ id: call.id, ...body })}\n`);
  }

  notify(method: string, ...params: unknown[]): void {
    this.#socket?.write(`${JSON.stringify({ id: null, method, params })}\n`);
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

let old: OldServer;
let client: ElectrumClient;

beforeEach(async () => {
  old = new OldServer();
  const server = await old.listen();
  client = new ElectrumClient({ server, protocol: { min: '1.0', max: '1.0' }, reconnect: false, clientName: 'test/1' });
  await client.connect();
});
afterEach(async () => {
  await client.close();
  await old.close();
});

interface Row {
  /** Name of the function in stratum-php. */
  readonly php: string;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly answer: unknown;
  readonly call: () => Promise<unknown>;
  /** What the call gives; default `answer`. */
  readonly gives?: unknown;
}

const ROWS: readonly Row[] = [
  {
    php: 'getServerVersion',
    method: 'server.version',
    params: ['', '1.0'],
    answer: '1.0',
    call: () => client.getServerVersion(),
    gives: { software: '1.0', version: '1.0' },
  },
  { php: 'getServerBanner', method: 'server.banner', params: [], answer: 'Welcome', call: () => client.getBanner() },
  {
    php: 'getDonationAddress',
    method: 'server.donation_address',
    params: [],
    answer: ADDRESS,
    call: () => client.getDonationAddress(),
  },
  {
    php: 'getServerPeers',
    method: 'server.peers.subscribe',
    params: [],
    answer: [['203.0.113.7', 'electrum.example', ['v1.0', 't', 's50012', 'h8081', 'g', 'p100']]],
    call: () => client.getPeers(),
    gives: [
      {
        address: '203.0.113.7',
        host: 'electrum.example',
        version: '1.0',
        tcpPort: 50001,
        tlsPort: 50012,
        httpPort: 8081,
        httpsPort: 8082,
        pruning: 100,
      },
    ],
  },
  {
    php: 'subscribeNumBlocks',
    method: 'blockchain.numblocks.subscribe',
    params: [],
    answer: 840_000,
    call: () => client.subscribeNumBlocks(),
  },
  {
    php: 'subscribeHeaders',
    method: 'blockchain.headers.subscribe',
    params: [],
    answer: HEADER,
    call: async () => (await client.subscribeHeaders()).toCall().params[0],
  },
  {
    php: 'subscribeAddress',
    method: 'blockchain.address.subscribe',
    params: [ADDRESS],
    answer: HASH,
    call: () => client.subscribeAddress(ADDRESS),
  },
  {
    php: 'transactionBroadcast',
    method: 'blockchain.transaction.broadcast',
    params: [RAW],
    answer: TXID,
    call: () => client.broadcast(RAW),
  },
  {
    php: 'transactionGetMerkle',
    method: 'blockchain.transaction.get_merkle',
    params: [TXID, 100],
    answer: { block_height: 100, merkle: [HASH], pos: 1 },
    call: () => client.getMerkle(TXID, 100),
  },
  {
    php: 'transactionGet',
    method: 'blockchain.transaction.get',
    params: [TXID],
    answer: RAW,
    call: () => client.getTransaction(TXID),
  },
  {
    php: 'addressGetHistory',
    method: 'blockchain.address.get_history',
    params: [ADDRESS],
    answer: HISTORY,
    call: () => client.getAddressHistory(ADDRESS),
  },
  {
    php: 'addressGetBalance',
    method: 'blockchain.address.get_balance',
    params: [ADDRESS],
    answer: { confirmed: 5_000_000_000, unconfirmed: -7 },
    call: () => client.getAddressBalance(ADDRESS),
  },
  {
    php: 'addressGetProof',
    method: 'blockchain.address.get_proof',
    params: [ADDRESS],
    answer: [['00', HASH]],
    call: () => client.getAddressProof(ADDRESS),
  },
  {
    php: 'addressListUnspent',
    method: 'blockchain.address.listunspent',
    params: [ADDRESS],
    answer: [{ tx_hash: TXID, tx_pos: 0, height: 100, value: 5_000_000_000 }],
    call: () => client.listAddressUnspent(ADDRESS),
  },
  {
    php: 'addressGetMempool',
    method: 'blockchain.address.get_mempool',
    params: [ADDRESS],
    answer: [{ tx_hash: TXID, height: 0 }],
    call: () => client.getAddressMempool(ADDRESS),
  },
  {
    php: 'utxoGetAddress',
    method: 'blockchain.utxo.get_address',
    params: [TXID, 0],
    answer: ADDRESS,
    call: () => client.getUtxoAddress(TXID, 0),
  },
  {
    php: 'estimateFee',
    method: 'blockchain.estimatefee',
    params: [6],
    answer: 0.0001,
    call: () => client.estimateFee(6),
  },
  { php: 'relayFee', method: 'blockchain.relayfee', params: [], answer: 0.00001, call: () => client.relayFee() },
  {
    php: 'blockGetHeader',
    method: 'blockchain.block.get_header',
    params: [2],
    answer: HEADER,
    call: () => client.getHeaderObject(2),
  },
  {
    php: 'blockGetChunk',
    method: 'blockchain.block.get_chunk',
    params: [1],
    answer: CHUNK,
    call: () => client.getChunk(1),
    gives: ['01'.repeat(80), '02'.repeat(80)],
  },
];

describe('an Electrum client on a server of the first protocol, over TCP', () => {
  it.each(ROWS.map((row) => [row.php, row.method, row] as const))(
    '%s: asks %s and reads the answer',
    async (...given) => {
      const { method, params, answer, call, gives } = given[2];
      old.answers.set(method, answer);
      const before = old.calls.length;
      expect(await call()).toEqual(gives ?? answer);
      expect(old.calls.slice(before)).toEqual([{ id: expect.any(Number), method, params }]);
    },
  );

  it('introduces itself with its name and version', () => {
    expect(old.calls[0]).toMatchObject({ method: 'server.version', params: ['test/1', '1.0'] });
  });

  it('says server.version again as a sign of life, where there is no ping', async () => {
    await client.ping();
    expect(old.calls.map(({ method }) => method)).toEqual(['server.version', 'server.version']);
  });

  it('asks under small whole numbers, each once', async () => {
    for (const name of ['server.banner', 'server.donation_address']) old.answers.set(name, 'text');
    await Promise.all([client.getBanner(), client.getDonationAddress(), client.getBanner()]);
    const ids = old.calls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(Number.isSafeInteger(id) && id >= 0).toBe(true);
  });

  it('rejects on an error of the server, which is a text here, and a null result is a result', async () => {
    await expect(client.getBanner()).rejects.toMatchObject({ code: 'request_failed' });
    old.answers.set('blockchain.utxo.get_address', null);
    expect(await client.getUtxoAddress(TXID, 0)).toBeNull();
  });

  it('rejects when a refused transaction comes back as a result', async () => {
    old.answers.set('blockchain.transaction.broadcast', 'the transaction was rejected by network rules');
    await expect(client.broadcast(RAW)).rejects.toMatchObject({ code: 'request_failed' });
  });
});

/** The next event of a name. */
function next(event: 'headers' | 'address' | 'numblocks'): Promise<ElectrumNotification> {
  return new Promise((resolve) => client.on(event, resolve as (value: unknown) => void));
}

describe('what the server says unasked', () => {
  it('HeadersNotification: an event with the fields of the header, as an object of the wire', async () => {
    old.answers.set(HeadersNotification.method, HEADER);
    await client.subscribeHeaders();
    const told = next('headers');
    old.notify(HeadersNotification.method, { ...HEADER, block_height: 3, nonce: 5 });
    expect(await told).toMatchObject({
      height: 3,
      nonce: 5,
      prevHash: HEADER.prev_block_hash,
      merkleRoot: HEADER.merkle_root,
      timestamp: HEADER.timestamp,
      bits: HEADER.bits,
      version: 1,
      utxoRoot: HASH,
    });
  });

  it('AddressNotification: an event with address and status', async () => {
    old.answers.set(AddressNotification.method, null);
    await client.subscribeAddress(ADDRESS);
    const told = next('address');
    old.notify(AddressNotification.method, ADDRESS, HASH);
    expect(await told).toMatchObject({ address: ADDRESS, status: HASH });
  });

  it('NumBlocksNotification: an event with the height', async () => {
    old.answers.set(NumBlocksNotification.method, 1);
    await client.subscribeNumBlocks();
    const told = next('numblocks');
    old.notify(NumBlocksNotification.method, 2);
    expect(await told).toMatchObject({ height: 2 });
  });

  it.each([
    [HeadersNotification.method, [HEADER]],
    [HeadersNotification.method, [{ height: 7, hex: '00'.repeat(80) }]],
    [AddressNotification.method, [ADDRESS, HASH]],
    [NumBlocksNotification.method, [7]],
  ])('is a value that writes itself back: %s %j', (method, params) => {
    expect(decodeNotification(method, params)?.toCall()).toEqual({ method, params });
  });
});
