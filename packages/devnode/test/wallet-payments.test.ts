import { hexToBytes } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitmentScript } from '../src/checks.js';
import { createDevNode, type DevNode, type DevNodeOptions } from '../src/index.js';
import { parseTransaction } from '../src/transaction.js';
import { type RpcClient, rpcClient } from './rpc-client.js';
import { spoiltBlock } from './support.js';

const STRANGER = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const clock = new FakeClock();
let node: DevNode;
let rpc: RpcClient;

async function start(options: DevNodeOptions = {}): Promise<void> {
  node = createDevNode({ clock, ...options });
  await node.start();
  rpc = rpcClient(node);
}
beforeEach(() => start());
afterEach(() => node.close());

interface Funding {
  readonly hex: string;
  readonly fee: number;
  readonly changepos: number;
}

/** A signed payment as a pool makes one. */
async function payment(amount: number | string = 1, options: object = {}): Promise<string> {
  const raw = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: amount }]);
  const { hex } = (await rpc.ok('fundrawtransaction', raw, options)) as Funding;
  const signed = await rpc.ok('signrawtransactionwithwallet', hex);
  expect(signed.complete).toBe(true);
  return signed.hex;
}

/** Mines these transactions, past the mempool. */
function mineOnly(...hexes: string[]): string {
  const transactions = hexes.map((hex) => parseTransaction(hexToBytes(hex)));
  const bytes = spoiltBlock(node, (parts) => {
    parts.transactions = transactions;
    parts.outputs = [
      { value: 1n, script: Uint8Array.of(0x51) },
      { value: 0n, script: commitmentScript(transactions) },
    ];
  });
  expect(node.submitBlock(bytes)).toBeNull();
  return node.tipHash;
}

describe('signing', () => {
  it('asks for the passphrase of an encrypted wallet', async () => {
    await node.close();
    await start({ wallet: { passphrase: 'secret' } });
    node.mineBlocks(101);
    const raw = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 1 }]);
    const { hex } = (await rpc.ok('fundrawtransaction', raw)) as Funding;
    expect(await rpc.fail('signrawtransactionwithwallet', hex)).toMatch(/^-13 /);
    expect(await rpc.fail('walletpassphrase', 'wrong', 60)).toMatch(/^-14 /);
    await rpc.ok('walletpassphrase', 'secret', 60);
    expect((await rpc.ok('getwalletinfo')).unlocked_until).toBe(Math.floor(clock.now() / 1000) + 60);
    expect(await rpc.ok('signrawtransactionwithwallet', hex)).toMatchObject({ complete: true });
    clock.advance(60_000);
    expect(await rpc.fail('signrawtransactionwithwallet', hex)).toMatch(/^-13 /);
    await rpc.ok('walletpassphrase', 'secret', 60);
    await rpc.ok('walletlock');
    expect(await rpc.ok('getwalletinfo')).toMatchObject({ unlocked_until: 0 });
  });

  it('has no passphrase without encryption, and can get one', async () => {
    expect(await rpc.fail('walletpassphrase', 'x', 1)).toMatch(/^-15 /);
    expect(await rpc.fail('walletlock')).toMatch(/^-15 /);
    await rpc.ok('encryptwallet', 'x');
    expect(await rpc.fail('encryptwallet', 'x')).toMatch(/^-15 /);
    await rpc.ok('walletpassphrase', 'x', 1);
  });

  it('says which inputs it cannot sign', async () => {
    const strange = await rpc.ok('createrawtransaction', [{ txid: 'ab'.repeat(32), vout: 1 }], [{ [STRANGER]: 1 }]);
    expect(await rpc.ok('signrawtransactionwithwallet', strange)).toMatchObject({
      complete: false,
      errors: [{ txid: 'ab'.repeat(32), vout: 1, error: 'Input not found or already spent' }],
    });
  });
});

describe('a payment', () => {
  beforeEach(() => {
    node.mineBlocks(102);
  });

  it('is refused in the words of nodes', async () => {
    const hex = await payment();
    const rival = await payment(2);
    const id = await rpc.ok('sendrawtransaction', hex);
    expect(await rpc.ok('sendrawtransaction', hex)).toBe(id);
    expect(await rpc.ok('testmempoolaccept', [hex])).toMatchObject([
      { allowed: false, 'reject-reason': 'txn-already-in-mempool' },
    ]);
    expect(await rpc.fail('sendrawtransaction', rival)).toBe('-26 txn-mempool-conflict');
    node.mineBlocks(1);
    expect(await rpc.fail('sendrawtransaction', hex)).toMatch(/^-27 Transaction already in/);
    expect(await rpc.fail('sendrawtransaction', rival)).toBe('-25 bad-txns-inputs-missingorspent');
    expect(await rpc.ok('testmempoolaccept', [rival])).toMatchObject([{ 'reject-reason': 'missing-inputs' }]);
    expect(await rpc.fail('sendrawtransaction', 'ff')).toMatch(/^-22 TX decode failed/);
    const dear = await payment(1, { feeRate: 0.2 });
    expect(await rpc.fail('sendrawtransaction', dear)).toMatch(/^-25 Fee exceeds maximum/);
    const spoilt = `${dear.slice(0, -20)}00${dear.slice(-18)}`; // a byte of the key
    expect(await rpc.fail('sendrawtransaction', spoilt, 0)).toMatch(/^-26 mandatory-script-verify-flag-failed/);
    expect(await rpc.ok('sendrawtransaction', dear, 0)).toHaveLength(64);
  });

  it('is found in the mempool, the chain and the wallet', async () => {
    const hex = await payment();
    const id = await rpc.ok('sendrawtransaction', hex);
    expect(await rpc.ok('getrawtransaction', id)).toBe(hex);
    expect(await rpc.ok('getmempoolentry', id)).toMatchObject({ height: 102, fees: { base: expect.any(Number) } });
    const before = await rpc.ok('getrawtransaction', id, true);
    expect(before).toMatchObject({ txid: id, hex });
    expect(before.blockhash).toBeUndefined();
    const [hash = ''] = node.mineBlocks(1);
    expect(await rpc.ok('getrawtransaction', id, 1)).toMatchObject({ blockhash: hash, confirmations: 1 });
    expect(await rpc.ok('getrawtransaction', id, true, hash)).toMatchObject({ in_active_chain: true });
    expect(await rpc.fail('getmempoolentry', id)).toMatch(/^-5 Transaction not in mempool/);
    const { vout } = await rpc.ok('decoderawtransaction', hex);
    const { n } = vout.find(
      ({ scriptPubKey }: { scriptPubKey: { address: string } }) => scriptPubKey.address === STRANGER,
    );
    expect(await rpc.ok('gettxout', id, n)).toMatchObject({
      value: 1,
      confirmations: 1,
      scriptPubKey: { address: STRANGER },
    });
    const block = await rpc.ok('getblock', hash, 2);
    expect(block.tx[1]).toMatchObject({ txid: id, vin: [{ txinwitness: [expect.any(String), expect.any(String)] }] });
    expect(await rpc.fail('getrawtransaction', 'ab'.repeat(32))).toMatch(/^-5 /);
    expect(await rpc.fail('gettransaction', 'ab'.repeat(32))).toBe('-5 Invalid or non-wallet transaction id');
    expect(await rpc.fail('gettransaction', 'ab')).toMatch(/^-8 txid must be of length 64/);
    expect(await rpc.ok('gettransaction', block.tx[0].txid)).toMatchObject({
      generated: true,
      details: [{ category: 'immature' }],
    });
  });

  it('waits again when its block leaves the chain', async () => {
    const id = await rpc.ok('sendrawtransaction', await payment());
    const [hash = ''] = node.mineBlocks(2);
    expect(await rpc.ok('gettransaction', id)).toMatchObject({ confirmations: 2 });
    node.invalidateBlock(hash);
    expect(await rpc.ok('getrawmempool')).toEqual([id]);
    const waiting = await rpc.ok('gettransaction', id);
    expect(waiting).toMatchObject({ confirmations: 0, trusted: true });
    expect(waiting.blockhash).toBeUndefined();
    node.mineBlocks(1);
    expect(await rpc.ok('gettransaction', id)).toMatchObject({ confirmations: 1 });
  });

  it('has negative confirmations, and gives its coins back, when a block contradicts it', async () => {
    const loser = await payment(1);
    const winner = await payment(2);
    const id = await rpc.ok('sendrawtransaction', loser);
    const child = await rpc.ok('sendrawtransaction', await payment(3, { fee_rate: 3 }));
    const unspent: number = (await rpc.ok('listunspent', 0)).length;
    const hash = mineOnly(winner);
    node.mineBlocks(2, { script: Uint8Array.of(0x51) });
    const winnerId = (await rpc.ok('decoderawtransaction', winner)).txid;
    expect(await rpc.ok('gettransaction', id)).toMatchObject({ confirmations: -3, walletconflicts: [winnerId] });
    expect(await rpc.ok('gettransaction', winnerId)).toMatchObject({ confirmations: 3, walletconflicts: [id] });
    expect(await rpc.ok('getrawmempool')).not.toContain(id);
    expect(await rpc.fail('getrawtransaction', id)).toMatch(/^-5 /);
    expect(await rpc.fail('sendrawtransaction', loser)).toBe('-25 bad-txns-inputs-missingorspent');
    expect(await rpc.ok('gettransaction', child), 'it spends another coin').toMatchObject({ confirmations: 2 });
    expect((await rpc.ok('listunspent', 0)).length).toBeGreaterThanOrEqual(unspent);
    node.invalidateBlock(hash);
    expect(await rpc.ok('gettransaction', winnerId)).toMatchObject({ confirmations: 0 });
  });

  it('that builds on a contradicted one is contradicted too', async () => {
    await node.close();
    await start();
    node.mineBlocks(1);
    node.mineBlocks(100, { script: Uint8Array.of(0x51) });
    const loser = await payment(1);
    const winner = await payment(2);
    await rpc.ok('sendrawtransaction', loser);
    const child = await rpc.ok('sendrawtransaction', await payment(3)); // the wallet has nothing but the loser's change
    mineOnly(winner);
    expect(await rpc.ok('gettransaction', child)).toMatchObject({ confirmations: -1 });
    expect(await rpc.ok('getbalances')).toMatchObject({
      mine: { trusted: expect.closeTo(48, 3), untrusted_pending: 0 },
    });
  });

  it('holds its coins until it is abandoned when the mempool lost it', async () => {
    await node.close();
    await start();
    node.mineBlocks(1);
    const [block = ''] = node.mineBlocks(100, { script: Uint8Array.of(0x51) });
    const id = await rpc.ok('sendrawtransaction', await payment());
    expect(await rpc.fail('abandontransaction', id)).toMatch(/^-5 Transaction not eligible/);
    node.invalidateBlock(block); // the coinbase it spends is too young again
    expect(await rpc.ok('getrawmempool')).toEqual([]);
    node.mineBlocks(100, { script: Uint8Array.of(0x51) });
    expect(await rpc.ok('gettransaction', id)).toMatchObject({ confirmations: 0, trusted: false });
    expect(await rpc.ok('listunspent')).toEqual([]);
    await rpc.ok('abandontransaction', id);
    expect(await rpc.ok('listunspent')).toHaveLength(1);
    expect(await rpc.fail('abandontransaction', 'ab'.repeat(32))).toMatch(/^-5 /);
  });
});

it('answers at the path of its wallet and at no other', async () => {
  await node.close();
  await start({ wallet: { name: 'pool' } });
  expect(await rpcClient(node, '/wallet/pool').ok('listwallets')).toEqual(['pool']);
  expect(await rpcClient(node, '/wallet/other').fail('getbalance')).toMatch(/^-18 Requested wallet does not exist/);
  expect(await rpcClient(node, '/').ok('getbalance')).toBe(0);
});

it('can be unloaded and loaded', async () => {
  await node.close();
  await start({ wallet: { name: 'pool' } });
  expect(await rpc.fail('loadwallet', 'pool')).toMatch(/^-35 .*already loaded/);
  await rpc.ok('unloadwallet');
  expect(await rpc.ok('listwallets')).toEqual([]);
  for (const method of ['getbalances', 'getnewaddress', 'gettransaction', 'unloadwallet']) {
    expect(await rpc.fail(method), method).toMatch(/^-18 /);
  }
  expect(await rpc.ok('getblockcount')).toBe(0);
  expect(await rpc.fail('loadwallet', 'other')).toMatch(/^-18 .*does not exist/);
  expect(await rpc.ok('loadwallet', 'pool')).toMatchObject({ name: 'pool' });
  expect(await rpc.ok('getbalance')).toBe(0);
});

it('says whether a payment may be replaced', async () => {
  node.mineBlocks(102);
  for (const [replaceable, answer] of [
    [true, 'yes'],
    [false, 'no'],
  ] as const) {
    const id = await rpc.ok('sendrawtransaction', await payment(1, { replaceable }));
    expect(await rpc.ok('gettransaction', id)).toMatchObject({ 'bip125-replaceable': answer });
  }
});

it('writes numbers as nodes do, to the last digit', async () => {
  node.mineBlocks(101);
  const raw = await rpc.ok(
    'createrawtransaction',
    [],
    [{ [STRANGER]: '0.00000546' }, { [node.walletAddress]: '12345678.00000001' }],
  );
  const { text } = await rpc.call('decoderawtransaction', raw);
  expect(text).toContain('"value":0.00000546,');
  expect(text).toContain('"value":12345678.00000001,');
  const large = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: '83999999.99999999' }]);
  expect((await rpc.call('decoderawtransaction', large)).text).toContain('83999999.99999999');
});

it('lets coins mature sooner when told to', async () => {
  await node.close();
  await start({ coinbaseMaturity: 3 });
  node.mineBlocks(3);
  expect(await rpc.ok('getbalance')).toBe(0);
  node.mineBlocks(1);
  expect(await rpc.ok('getbalance')).toBe(50);
  await rpc.ok('sendrawtransaction', await payment());
  node.mineBlocks(1);
  expect(await rpc.ok('getrawmempool')).toEqual([]);
});
