import { sha256d } from '@headframe/hashing';
import { ByteWriter, hexToBytes, toDisplayHex } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRawBlock, parseRawTransaction } from '../src/index.js';
import { type ModelTransaction, modelBlock, modelTransaction, scriptOf } from './model-chain.js';

const PREVIOUS = '11'.repeat(32);

// Block 0 of Bitcoin.
const GENESIS =
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000';

function coinbase(stamp = 1): ModelTransaction {
  return modelTransaction({ inputs: [], outputs: [{ value: 50n, script: scriptOf(0) }], stamp, witness: true });
}
function spending(of: ModelTransaction, extra: { witness?: boolean; hogEx?: boolean } = {}): ModelTransaction {
  const inputs = [{ txid: of.txid, index: 0, value: 50n, script: scriptOf(0) }];
  return modelTransaction({ inputs, outputs: [{ value: 49n, script: scriptOf(1) }], stamp: 5, ...extra });
}
const idsOf = (raw: Uint8Array): string[] => parseRawBlock(raw).transactions.map(({ txid }) => toDisplayHex(txid));

describe('parseRawBlock', () => {
  it('reads block 0 of Bitcoin', () => {
    const block = parseRawBlock(hexToBytes(GENESIS));
    expect(toDisplayHex(block.hash)).toBe('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
    const [transaction] = block.transactions;
    expect(toDisplayHex(transaction?.txid ?? new Uint8Array())).toBe(
      '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
    );
    expect(transaction).toMatchObject({ inputs: [], vsize: 204, outputs: [{ value: 5_000_000_000n }] });
  });

  it('leaves witnesses out of ids, and weighs them a quarter', () => {
    const [first, second] = [coinbase(), spending(coinbase(), { witness: true })];
    const block = parseRawBlock(modelBlock(PREVIOUS, [first, second]).raw);
    expect(block.transactions.map(({ txid }) => toDisplayHex(txid))).toEqual([first.txid, second.txid]);
    expect(block.transactions[1]?.inputs).toHaveLength(1);
    const plain = spending(coinbase());
    expect(block.transactions[1]?.vsize).toBe(Math.ceil((3 * plain.raw.length + second.raw.length) / 4));
  });

  it('reads the last transaction of a block with an extension block, and stops there', () => {
    const first = coinbase();
    for (const witness of [true, false]) {
      const hogEx = spending(first, { hogEx: true, witness });
      const { raw } = modelBlock(PREVIOUS, [first, hogEx], { behind: Uint8Array.of(1, 2, 3, 4, 5, 6) });
      expect(idsOf(raw)).toEqual([first.txid, hogEx.txid]);
    }
  });

  it('steps over a merged-mining proof, and does not look for one where the version bit means something else', () => {
    const first = coinbase();
    const parent = coinbase(9);
    const proof = new ByteWriter()
      .write(parent.raw)
      .write(new Uint8Array(32))
      .compactSize(2)
      .write(new Uint8Array(64).fill(3))
      .u32le(0)
      .compactSize(0)
      .u32le(0)
      .write(new Uint8Array(80).fill(4))
      .finish();
    const merged = modelBlock(PREVIOUS, [first], { version: 0x00620102, between: proof });
    expect(idsOf(merged.raw)).toEqual([first.txid]);
    expect(toDisplayHex(parseRawBlock(merged.raw).hash)).toBe(merged.hash);
    const plain = modelBlock(PREVIOUS, [first], { version: 0x20000100 });
    expect(idsOf(plain.raw)).toEqual([first.txid]);
  });

  it('refuses transactions that do not lead to the merkle root', () => {
    const { raw } = modelBlock(PREVIOUS, [coinbase()]);
    const forged = raw.slice();
    forged[40] = (forged[40] ?? 0) ^ 1;
    expect(() => parseRawBlock(forged)).toThrow(/merkle root/);
  });

  it('throws a PoolError for whatever else it is given (property)', () => {
    const { raw } = modelBlock(PREVIOUS, [coinbase(), spending(coinbase())]);
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), fc.nat(raw.length), (at, byte, length) => {
        const broken = raw.slice(0, length);
        if (at < broken.length) broken[at] = byte;
        try {
          parseRawBlock(broken);
        } catch (error) {
          expect(error).toMatchObject({ name: 'PoolError' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseRawTransaction', () => {
  it('steps over the extension data of a transaction that stands alone', () => {
    const known = spending(coinbase());
    // Flag 8, then data that only the node understands, then the lock time.
    const raw = Buffer.concat([
      known.raw.subarray(0, 4),
      Uint8Array.of(0, 8),
      known.raw.subarray(4, -4),
      new Uint8Array(100).fill(7),
      known.raw.subarray(-4),
    ]);
    const read = parseRawTransaction(raw);
    expect(toDisplayHex(read.txid)).toBe(known.txid);
    expect(toDisplayHex(sha256d(known.raw))).toBe(known.txid);
  });

  it('refuses trailing bytes and unknown flags', () => {
    const { raw } = coinbase();
    expect(() => parseRawTransaction(Buffer.concat([raw, Uint8Array.of(0)]))).toThrow(/follow a transaction/);
    const flagged = raw.slice();
    flagged[5] = 0x12;
    expect(() => parseRawTransaction(flagged)).toThrow(/flags/);
  });
});
