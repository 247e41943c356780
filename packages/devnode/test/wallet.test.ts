import { FakeClock } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDevNode, type DevNode, type DevNodeOptions } from '../src/index.js';
import { type RpcClient, rpcClient } from './rpc-client.js';

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

describe('addresses', () => {
  it('are the same for the same seed, and ours', async () => {
    const address = await rpc.ok('getnewaddress');
    expect(address).toMatch(/^bcrt1q[a-z0-9]{38}$/);
    expect(await rpc.ok('getaddressinfo', address)).toMatchObject({ ismine: true, ischange: false, iswitness: true });
    expect(await rpc.ok('getaddressinfo', STRANGER)).toMatchObject({
      ismine: false,
      scriptPubKey: `0014${'751e76e8199196d454941c45d1b3a323f1433bd6'}`,
    });
    const change = await rpc.ok('getrawchangeaddress');
    expect(await rpc.ok('getaddressinfo', change)).toMatchObject({ ismine: true, ischange: true });
    expect(await rpc.fail('getaddressinfo', 'nonsense')).toMatch(/^-5 /);
    const first = node.walletAddress;
    await node.close();
    await start();
    expect(node.walletAddress).toBe(first);
    expect(await rpc.ok('getnewaddress')).toBe(address);
    await node.close();
    await start({ wallet: { seed: 'another' }, coin: 'litecoin' });
    expect(await rpc.ok('getnewaddress')).toMatch(/^rltc1q/);
    expect(node.walletAddress.slice(5)).not.toBe(first.slice(5));
  });

  it('are told by validateaddress, with those of every form', async () => {
    expect(await rpc.ok('validateaddress', STRANGER)).toMatchObject({
      isvalid: true,
      witness_version: 0,
      iswitness: true,
    });
    expect(await rpc.ok('validateaddress', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')).toMatchObject({
      isvalid: false,
    });
    for (const address of [
      'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn',
      '2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc',
      'bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85',
      'bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6',
    ]) {
      const raw = await rpc.ok('createrawtransaction', [], { [address]: 1 });
      const { vout } = await rpc.ok('decoderawtransaction', raw);
      expect(vout).toMatchObject([{ value: 1, scriptPubKey: { address } }]);
    }
  });
});

describe('balances', () => {
  it('follow coinbases until they are mature, payments and change', async () => {
    node.mineBlocks(1);
    expect(await rpc.ok('getbalances')).toMatchObject({ mine: { trusted: 0, immature: 50 } });
    expect(await rpc.ok('listunspent')).toEqual([]);
    node.mineBlocks(100, { script: Uint8Array.of(0x51) });
    const answer = await rpc.call('getbalance');
    expect(answer.text).toContain('"result":50.00000000,');
    expect(await rpc.ok('listunspent')).toMatchObject([
      { amount: 50, confirmations: 101, address: node.walletAddress, safe: true },
    ]);
    const id = await rpc.ok('sendrawtransaction', await payment('1.00000001', { fee_rate: 2 }));
    const { fee, amount, confirmations, details } = await rpc.ok('gettransaction', id);
    expect({ amount, confirmations }).toEqual({ amount: -1.00000001, confirmations: 0 });
    expect(details).toMatchObject([{ category: 'send', address: STRANGER, amount: -1.00000001 }]);
    expect(fee).toBeCloseTo(-0.00000282, 8);
    expect(await rpc.ok('getbalance')).toBeCloseTo(50 - 1.00000001 + fee, 8);
    expect(await rpc.ok('getbalance', '*', 1)).toBe(0);
    expect(await rpc.ok('listunspent')).toEqual([]);
    expect(await rpc.ok('listunspent', 0)).toHaveLength(1);
    expect(await rpc.ok('getwalletinfo')).toMatchObject({ walletname: '', txcount: 1, private_keys_enabled: true });
    node.mineBlocks(1, { script: Uint8Array.of(0x51) });
    expect(await rpc.ok('gettransaction', id)).toMatchObject({
      confirmations: 1,
      blockhash: node.tipHash,
      blockindex: 1,
    });
    expect(await rpc.ok('getbalance', '*', 1)).toBeCloseTo(50 - 1.00000001 + fee, 8);
  });

  it('show a coin that somebody else sends as pending', async () => {
    node.mineBlocks(101);
    const [own = ''] = node.addMempoolTransaction({ script: Uint8Array.of(0x51), value: 5_000_000n });
    const address = await rpc.ok('getnewaddress');
    const raw = await rpc.ok('createrawtransaction', [{ txid: own, vout: 0 }], [{ [address]: 0.0499 }]);
    const gift = await rpc.ok('sendrawtransaction', raw);
    expect(await rpc.ok('getbalances')).toMatchObject({ mine: { untrusted_pending: 0.0499 } });
    expect(await rpc.ok('gettransaction', gift)).toMatchObject({ amount: 0.0499, details: [{ category: 'receive' }] });
    const unspent: { txid: string; safe: boolean }[] = await rpc.ok('listunspent', 0, 0, [address]);
    expect(unspent).toMatchObject([{ txid: gift, safe: false }]);
    expect(await rpc.ok('listunspent', 0, 0, [address], false)).toEqual([]);
  });
});

describe('funding', () => {
  beforeEach(() => {
    node.mineBlocks(103);
  });

  it('pays the fee that was asked for, and gives change', async () => {
    const raw = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 60 }]);
    for (const options of [{ fee_rate: 10 }, { feeRate: 0.0001 }, { feeRate: '0.00010000' }]) {
      const { hex, fee, changepos } = (await rpc.ok('fundrawtransaction', raw, options)) as Funding;
      const { vin, vout } = await rpc.ok('decoderawtransaction', hex);
      expect(vin).toHaveLength(2);
      expect(vout).toHaveLength(2);
      const signed = await rpc.ok('signrawtransactionwithwallet', hex);
      const { vsize } = await rpc.ok('decoderawtransaction', signed.hex);
      // Signatures are one byte shorter than the longest, or two.
      expect(fee * 1e8).toBeGreaterThanOrEqual(vsize * 10);
      expect(fee * 1e8).toBeLessThanOrEqual((vsize + 2) * 10);
      expect(vout[changepos].value).toBeCloseTo(100 - 60 - fee, 8);
      expect(await rpc.ok('testmempoolaccept', [signed.hex])).toMatchObject([
        { allowed: true, vsize, fees: { base: fee } },
      ]);
    }
  });

  it('lets outputs pay, and puts the change where it is told', async () => {
    const raw = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 2 }, { [node.walletAddress]: 3 }]);
    const options = { fee_rate: 1, subtractFeeFromOutputs: [0], changePosition: 1, changeAddress: STRANGER };
    const { hex, fee, changepos } = (await rpc.ok('fundrawtransaction', raw, options)) as Funding;
    expect(changepos).toBe(1);
    const { vout } = await rpc.ok('decoderawtransaction', hex);
    expect(vout.map(({ value }: { value: number }) => value)).toEqual([2 - fee, 45, 3]);
    const everything = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 150 }]);
    const all = (await rpc.ok('fundrawtransaction', everything, { subtractFeeFromOutputs: [0] })) as Funding;
    expect(all.changepos).toBe(-1);
    expect(await rpc.fail('fundrawtransaction', everything)).toBe('-4 Insufficient funds');
    expect(await rpc.fail('fundrawtransaction', everything, { subtractFeeFromOutputs: [1] })).toMatch(
      /^-8 .*too large/,
    );
  });

  it('keeps aside what it chose when asked to', async () => {
    const raw = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 49 }]);
    for (let i = 0; i < 3; i++) await rpc.ok('fundrawtransaction', raw, { lockUnspents: true });
    expect(await rpc.fail('fundrawtransaction', raw)).toBe('-4 Insufficient funds');
    const locked = await rpc.ok('listlockunspent');
    expect(locked).toHaveLength(3);
    expect(await rpc.fail('lockunspent', false, [locked[0]])).toBe('-8 Invalid parameter, output already locked');
    await rpc.ok('lockunspent', true, [locked[0]]);
    expect(await rpc.fail('lockunspent', true, [locked[0]])).toBe('-8 Invalid parameter, expected locked output');
    expect(await rpc.ok('listunspent')).toHaveLength(1);
    const { hex } = (await rpc.ok('fundrawtransaction', raw)) as Funding;
    await rpc.ok('sendrawtransaction', (await rpc.ok('signrawtransactionwithwallet', hex)).hex);
    expect(await rpc.fail('lockunspent', false, [locked[0]])).toBe('-8 Invalid parameter, expected unspent output');
    expect(await rpc.fail('lockunspent', false, [{ ...locked[1], vout: 9 }])).toMatch(/out of bounds/);
    expect(await rpc.fail('lockunspent', false, [{ txid: 'ab'.repeat(32), vout: 0 }])).toMatch(/unknown transaction/);
    await rpc.ok('lockunspent', true);
    expect(await rpc.ok('listlockunspent')).toEqual([]);
  });

  it('refuses amounts, rates and addresses as Core does', async () => {
    expect(await rpc.fail('createrawtransaction', [], [{ bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4: 1 }])).toMatch(
      /^-5 Invalid Bitcoin address/,
    );
    expect(await rpc.fail('createrawtransaction', [], [{ [STRANGER]: '1.123456789' }])).toBe('-3 Invalid amount');
    expect(await rpc.fail('createrawtransaction', [], [{ [STRANGER]: -1 }])).toBe('-3 Amount out of range');
    expect(await rpc.fail('createrawtransaction', [], [{ [STRANGER]: 1 }, { [STRANGER]: 1 }])).toMatch(
      /-8 .*duplicated address/,
    );
    const raw = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 1 }]);
    expect(await rpc.fail('fundrawtransaction', raw, { fee_rate: 0.5 })).toMatch(/^-4 Fee rate/);
    expect(await rpc.fail('fundrawtransaction', raw, { fee_rate: 5, feeRate: 1 })).toMatch(/^-8 /);
    const dust = await rpc.ok('createrawtransaction', [], [{ [STRANGER]: 0.00000293 }]);
    expect(await rpc.fail('fundrawtransaction', dust)).toBe('-4 Transaction amount too small');
    expect(await rpc.fail('fundrawtransaction', 'zz')).toMatch(/^-22 /);
  });
});
