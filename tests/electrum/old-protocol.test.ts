import type { DevNode } from '@headframe/devnode';
import { historyStatus } from '@headframe/electrum';
import { bytesToHex } from '@headframe/primitives';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';
import { LineClient } from './line-client.js';
import { type Stage, startStage } from './stage.js';

let stage: Stage;
let node: DevNode;
let port: number;
let address: string;

beforeAll(async () => {
  stage = await startStage();
  ({ node, port, address } = stage);
});
afterAll(() => stage?.close());

describe('the old protocol', () => {
  let client: LineClient;
  beforeAll(async () => {
    client = await LineClient.connect(port);
  });
  afterAll(() => client.close());

  it('answers each method of the table', async () => {
    const tip = node.height;
    expect(await client.get('server.version', ['2.0', '1.0'])).toBe('Headframe');
    expect(await client.get('server.banner')).toBe('dig deeper');
    expect(await client.get('server.donation_address')).toBe('');
    expect(await client.get('server.peers.subscribe')).toEqual([]);
    expect(await client.get('blockchain.numblocks.subscribe')).toBe(tip);
    expect(await client.get('blockchain.headers.subscribe')).toMatchObject({ block_height: tip });
    expect(await client.get('blockchain.block.get_header', [0])).toMatchObject({
      block_height: 0,
      prev_block_hash: null,
      merkle_root: '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
      timestamp: 1296688602,
      nonce: 2,
    });
    expect(await client.get('blockchain.block.get_chunk', [0])).toHaveLength(160 * (tip + 1));
    const history = (await client.get('blockchain.address.get_history', [address])) as {
      tx_hash: string;
      height: number;
    }[];
    expect(history.length).toBeGreaterThan(100);
    expect(await client.get('blockchain.address.subscribe', [address])).toBe(historyStatus(history));
    expect(await client.get('blockchain.address.get_mempool', [address])).toEqual([]);
    expect(await client.get('blockchain.address.get_balance', [address])).toMatchObject({ unconfirmed: 0 });
    expect(await client.get('blockchain.address.listunspent', [address])).not.toEqual([]);
    expect(await client.ask('blockchain.address.get_proof', [address])).toMatchObject({
      error: expect.stringContaining('no tree'),
    });
    const [{ tx_hash: txid, height } = { tx_hash: '', height: 0 }] = history;
    expect(await client.get('blockchain.utxo.get_address', [txid, 0])).toBe(address);
    expect(await client.get('blockchain.utxo.get_address', [txid, 7])).toBe(null);
    expect(await client.get('blockchain.transaction.get', [txid, height])).toMatch(/^[0-9a-f]+$/);
    expect(await client.get('blockchain.transaction.get_merkle', [txid, height])).toMatchObject({ pos: 0 });
    expect(await client.get('blockchain.estimatefee')).toBe(-1);
    expect(await client.get('blockchain.relayfee')).toBe(0.00001);
    expect(await client.get('server.version', ['2.0', '1.0'])).toBe('Headframe');
  });

  it('tells the reason of a rejected transaction as a result, and errors as a text', async () => {
    const raw = bytesToHex(node.makeTransaction());
    expect(await client.get('blockchain.transaction.broadcast', [`${raw.slice(0, -8)}ffffff7f`])).toContain('rejected');
    expect(await client.ask('blockchain.address.get_balance', ['nobody'])).toMatchObject({
      error: expect.stringContaining('not an address'),
    });
  });

  it('notifies heights, header objects and addresses, with an id that is null', async () => {
    node.mineBlocks(1);
    await waitFor('the notifications', () => client.notifications('blockchain.address.subscribe').length > 0);
    expect(client.notifications('blockchain.numblocks.subscribe').at(-1)).toEqual({
      id: null,
      method: 'blockchain.numblocks.subscribe',
      params: [node.height],
    });
    expect(client.notifications('blockchain.headers.subscribe').at(-1)).toMatchObject({
      id: null,
      params: [{ block_height: node.height }],
    });
    expect(client.notifications('blockchain.address.subscribe').at(-1)?.params?.[0]).toBe(address);
  });

  it('is understood without server.version, too', async () => {
    const bare = await LineClient.connect(port);
    expect(await bare.get('blockchain.address.get_balance', [address])).toHaveProperty('confirmed');
    expect(await bare.get('blockchain.numblocks.subscribe')).toBe(node.height);
    bare.close();
  });
});
