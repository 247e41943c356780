import { scryptSync } from 'node:crypto';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBcoin, type TestNode } from '../nodes/bcoin.js';
import { type LitecoinNode, startLitecoind } from '../nodes/litecoind.js';
import { nodeRpc } from '../support/node-rpc.js';
import { requireService } from '../support/require.js';
import { ANYONE_SCRIPT, anyoneAddress, sha256d, spendAnyone } from '../support/script.js';
import { waitFor } from '../support/wait.js';

// The development chain judges the pool in fast tests; here real nodes judge the development chain.

const anyone = new Uint8Array(Buffer.from(ANYONE_SCRIPT, 'hex'));

function blockHex(node: DevNode, hash: string): string {
  return Buffer.from(node.getBlock(hash) ?? []).toString('hex');
}

/** Changes a block of one transaction without spoiling its merkle root, unless asked to, and solves it again. */
function altered(hex: string, change: (block: Buffer) => void, keepRoot = false): string {
  const block = Buffer.from(hex, 'hex');
  change(block);
  if (!keepRoot) {
    const full = block.subarray(81);
    const stripped = Buffer.concat([full.subarray(0, 4), full.subarray(6, -38), full.subarray(-4)]);
    sha256d(stripped).copy(block, 36);
  }
  for (let nonce = 0; ; nonce++) {
    block.writeUInt32LE(nonce, 76);
    const header = block.subarray(0, 80);
    // Regtest's target: the top bit of the hash, read as a little-endian integer, is clear.
    if ((scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 })[31] ?? 255) < 0x7f) return block.toString('hex');
  }
}

describe.runIf(requireService('litecoind'))('the development chain and litecoind', { timeout: 120_000 }, () => {
  let real: LitecoinNode;
  const dev = createDevNode({ coin: 'litecoin' });
  beforeAll(async () => {
    real = await startLitecoind();
  });
  afterAll(() => real.close());

  it("start at the same block and take each other's blocks", async () => {
    expect(await real.rpc('getblockhash', 0)).toBe(dev.tipHash);
    for (const hash of dev.mineBlocks(20, { script: anyone })) {
      expect(await real.rpc('submitblock', blockHex(dev, hash))).toBeNull();
    }
    for (const hash of await real.rpc<string[]>('generatetoaddress', 100, anyoneAddress('rltc'))) {
      expect(dev.submitBlock(Buffer.from(await real.rpc<string>('getblock', hash, 0), 'hex'))).toBeNull();
    }
    expect(await real.rpc('getbestblockhash')).toBe(dev.tipHash);
    expect(dev.height).toBe(120);
  });

  it('offer the same template', async () => {
    const first = await real.rpc<{ tx: string[] }>('getblock', await real.rpc<string>('getblockhash', 1));
    const spend = spendAnyone({ txid: first.tx[0] ?? '', index: 0, value: 49_99990000n });
    await real.rpc('sendrawtransaction', spend.hex);
    await dev.start();
    const call = await fetch(dev.url, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${dev.user}:${dev.password}`).toString('base64')}` },
      body: JSON.stringify({ method: 'sendrawtransaction', params: [spend.hex] }),
    });
    expect(await call.json()).toMatchObject({ result: spend.txid, error: null });
    await dev.close();
    const theirs = await real.rpc<Record<string, unknown>>('getblocktemplate', { rules: ['mweb', 'segwit'] });
    const ours = dev.template();
    const keys = ['height', 'previousblockhash', 'coinbasevalue', 'bits', 'target', 'mintime', 'version'];
    for (const key of [...keys, 'default_witness_commitment', 'noncerange', 'mutable', 'weightlimit', 'sizelimit']) {
      expect(ours[key], key).toEqual(theirs[key]);
    }
    expect(ours.transactions).toMatchObject([{ data: spend.hex, txid: spend.txid, fee: 10_000, depends: [] }]);
    expect(theirs.transactions).toMatchObject([{ data: spend.hex, txid: spend.txid, fee: 10_000, depends: [] }]);
    const { hash, weight } = (theirs.transactions as { hash: string; weight: number }[])[0] ?? {};
    expect(ours.transactions).toMatchObject([{ hash, weight }]);
  });

  it('refuse the same blocks for the same reasons', async () => {
    const tip = dev.tipHash;
    const [good = ''] = dev.mineBlocks(1, { transactions: false, script: anyone });
    const hex = blockHex(dev, good);
    dev.invalidateBlock(good);
    expect(dev.tipHash).toBe(tip);
    const valueAt = 81 + 4 + 2 + 1 + 36 + 1 + Number.parseInt(hex.slice(2 * (81 + 43), 2 * (81 + 44)), 16) + 4 + 1;
    const cases: readonly [reason: string, block: string][] = [
      ['bad-txnmrklroot', altered(hex, (block) => block.writeUInt8((block[40] ?? 0) ^ 1, 40), true)],
      ['time-too-old', altered(hex, (block) => block.writeUInt32LE(1_296_688_602, 68))],
      ['time-too-new', altered(hex, (block) => block.writeUInt32LE(Math.floor(Date.now() / 1000) + 8_000, 68))],
      ['bad-cb-amount', altered(hex, (block) => block.writeBigUInt64LE(block.readBigUInt64LE(valueAt) + 1n, valueAt))],
      ['bad-diffbits', altered(hex, (block) => block.writeUInt32LE(0x207ffffe, 72))],
      ['prev-blk-not-found', altered(hex, (block) => block.fill(7, 4, 36))],
      [
        'bad-witness-merkle-match',
        altered(hex, (block) => {
          block.fill(1, block.length - 36, block.length - 4);
          block.writeUInt32LE(block.readUInt32LE(68) + 1, 68); // else it has the hash of the block taken back above
        }),
      ],
    ];
    for (const [reason, block] of cases) {
      expect(await real.rpc('submitblock', block), `litecoind: ${reason}`).toBe(reason);
      expect(dev.submitBlock(Buffer.from(block, 'hex')), `development chain: ${reason}`).toBe(reason);
    }
    const claims = altered(hex, (block) => block.writeBigUInt64LE(block.readBigUInt64LE(valueAt) - 1n, valueAt));
    expect(await real.rpc('submitblock', claims)).toBeNull();
    expect(dev.submitBlock(Buffer.from(claims, 'hex'))).toBeNull();
    expect(await real.rpc('submitblock', claims)).toBe('duplicate');
    expect(dev.submitBlock(Buffer.from(claims, 'hex'))).toBe('duplicate');
    expect(await real.rpc('getbestblockhash')).toBe(dev.tipHash);
    const sibling = altered(hex, (block) => block.writeBigUInt64LE(block.readBigUInt64LE(valueAt) - 2n, valueAt));
    expect(await real.rpc('submitblock', sibling)).toBe('inconclusive');
    expect(dev.submitBlock(Buffer.from(sibling, 'hex'))).toBe('inconclusive');
  });
});

describe.runIf(requireService('bcoin'))('the development chain and bcoin', { timeout: 120_000 }, () => {
  let real: TestNode;
  beforeAll(async () => {
    real = await startBcoin();
  });
  afterAll(() => real.close());

  const dev = createDevNode();
  afterAll(() => dev.close());

  it('follow the same chain over the activation of segwit', async () => {
    for (const hash of await real.rpc<string[]>('generatetoaddress', 440, anyoneAddress('rb'))) {
      const hex = await real.rpc<string>('getblock', hash, false);
      expect(dev.submitBlock(Buffer.from(hex, 'hex')), hash).toBeNull();
    }
    for (const hash of dev.mineBlocks(5, { script: anyone })) {
      expect(await real.rpc('submitblock', blockHex(dev, hash))).toBeNull();
    }
    await waitFor('the tip', async () => (await real.rpc('getbestblockhash')) === dev.tipHash);
  });

  it('agree about the signatures of the wallet', async () => {
    await dev.start();
    const wallet = nodeRpc({ port: Number(new URL(dev.url).port), user: dev.user, password: dev.password });
    const give = async (hashes: readonly string[]): Promise<void> => {
      for (const hash of hashes) expect(await real.rpc('submitblock', blockHex(dev, hash)), hash).toBeNull();
    };
    await give(dev.mineBlocks(103));
    const payee = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    // One input, two inputs, and change of the payments before that waits in the mempool.
    const sent: string[] = [];
    for (const amount of [1, 8, 2]) {
      const raw = await wallet<string>('createrawtransaction', [], { [payee]: amount });
      const { hex } = await wallet<{ hex: string }>('fundrawtransaction', raw, { fee_rate: 5 });
      const signed = await wallet<{ hex: string }>('signrawtransactionwithwallet', hex);
      sent.push(await wallet<string>('sendrawtransaction', signed.hex));
    }
    expect(await wallet<string[]>('getrawmempool')).toEqual(sent);
    // bcoin first, so that it has to check by itself and not find the work done in its mempool.
    const [hash = ''] = dev.mineBlocks(1);
    await give([hash]);
    expect(await real.rpc('getbestblockhash')).toBe(hash);
    const { tx } = await real.rpc<{ tx: string[] }>('getblock', hash);
    expect(tx.slice(1)).toEqual(sent);

    // bcoin answers sendrawtransaction before it looked: its mempool tells.
    const good = dev.makeTransaction({ fee: 2_000n });
    const spoilt = dev.makeTransaction();
    spoilt[spoilt.length - 20] = (spoilt.at(-20) ?? 0) ^ 1; // in the key
    const [goodHex, spoiltHex] = [good, spoilt].map((bytes) => Buffer.from(bytes).toString('hex'));
    await expect(wallet('sendrawtransaction', spoiltHex)).rejects.toThrow(/script-verify-flag/);
    await real.rpc('sendrawtransaction', spoiltHex);
    const id = await wallet<string>('sendrawtransaction', goodHex);
    await real.rpc('sendrawtransaction', goodHex);
    await waitFor('bcoin to take it', async () => (await real.rpc<string[]>('getrawmempool')).includes(id));
    expect(await real.rpc('getrawmempool')).toEqual([id]);
  });
});
