import { FakeClock } from '@headframe/primitives/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { commitmentScript } from '../src/checks.js';
import { createDevNode, type DevNode, parseBlock } from '../src/index.js';
import { buildTransaction, parseTransaction } from '../src/transaction.js';
import { type BlockParts, blockParts, buildBlock, spoiltBlock } from './support.js';

const NOW = 1_700_000_000;
let node: DevNode;

beforeEach(() => {
  node = createDevNode({ clock: new FakeClock(NOW * 1000) });
});

it('starts at the regtest genesis of either chain', () => {
  expect(node.tipHash).toBe('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206');
  const litecoin = createDevNode({ coin: 'litecoin' });
  expect(litecoin.tipHash).toBe('530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9');
});

it('accepts a block built from its template, and the same block only once', () => {
  const bytes = buildBlock(blockParts(node));
  expect(node.submitBlock(bytes)).toBeNull();
  expect(node.height).toBe(1);
  expect(node.tipHash).toBe(parseBlock(bytes).header.id);
  expect(node.submitBlock(bytes)).toBe('duplicate');
});

const spoils: readonly [reason: string, what: string, spoil: (parts: BlockParts) => void][] = [
  ['bad-diffbits', "bits are not the chain's", (p) => (p.bits = 0x207ffffe)],
  ['high-hash', 'bits are above the limit', (p) => (p.bits = 0x2100ffff)],
  ['prev-blk-not-found', 'the previous block is unknown', (p) => (p.previous = '11'.repeat(32))],
  ['time-too-new', 'the time is over two hours ahead', (p) => (p.time = NOW + 7_201)],
  ['bad-version(0x00000003)', 'the version is below 4', (p) => (p.version = 3)],
  ['bad-version(0xe0000000)', 'the version is negative', (p) => (p.version = 0xe0000000)],
  ['bad-txnmrklroot', 'the merkle root is another', (p) => (p.merkleRoot = new Uint8Array(32).fill(7))],
  [
    'bad-cb-amount',
    'one base unit too much is claimed',
    (p) => (p.outputs[0] = { ...out(p), value: out(p).value + 1n }),
  ],
  ['bad-cb-length', 'the scriptSig has one byte', (p) => (p.scriptSig = p.scriptSig.slice(0, 1))],
  ['bad-cb-length', 'the scriptSig has 101 bytes', (p) => (p.scriptSig = pad(p.scriptSig, 101))],
  ['bad-cb-height', 'the height is the next one', (p) => (p.scriptSig = Uint8Array.of(0x52, 0, 0))],
  ['bad-cb-height', 'height 1 is pushed as a number of one byte', (p) => (p.scriptSig = Uint8Array.of(1, 1, 0))],
  ['bad-witness-nonce-size', 'the coinbase has no witness but a commitment', (p) => (p.witness = [])],
  ['bad-witness-nonce-size', 'the reserved value has 31 bytes', (p) => (p.witness = [new Uint8Array(31)])],
  ['bad-witness-merkle-match', 'the reserved value is another', (p) => (p.witness = [new Uint8Array(32).fill(1)])],
  ['unexpected-witness', 'there is a witness without a commitment', (p) => p.outputs.pop()],
  ['bad-txns-vout-negative', 'a value is negative', (p) => (p.outputs[0] = { ...out(p), value: (1n << 64n) - 1n })],
  ['bad-txns-vout-toolarge', 'a value exceeds all money', (p) => (p.outputs[0] = { ...out(p), value: 1n << 62n })],
];

function out(parts: BlockParts): { value: bigint; script: Uint8Array } {
  return parts.outputs[0] ?? { value: 0n, script: new Uint8Array() };
}
function pad(bytes: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length);
  padded.set(bytes);
  return padded;
}

describe('refuses a block where', () => {
  it.each(spoils)('%s: %s', (reason, _, spoil) => {
    const before = node.tipHash;
    expect(node.submitBlock(spoiltBlock(node, spoil))).toBe(reason);
    expect(node.tipHash).toBe(before);
    expect(node.submitBlock(buildBlock(blockParts(node))), 'the chain is unharmed').toBeNull();
  });

  it('high-hash: the nonce does not solve it', () => {
    const good = buildBlock(blockParts(node));
    const { nonce } = parseBlock(good).header;
    // About half of all nonces fail; the first of the following ones that does will do.
    for (let n = nonce + 1; ; n++) {
      const result = node.submitBlock(spoiltBlock(node, (p) => (p.nonce = n)));
      if (result === null) continue;
      if (result === 'inconclusive') continue;
      expect(result).toBe('high-hash');
      break;
    }
  });

  it('time-too-old: the time is not above the median of eleven', () => {
    node.mineBlocks(20);
    const mintime = Number(node.template().mintime);
    expect(node.submitBlock(spoiltBlock(node, (p) => (p.time = mintime - 1)))).toBe('time-too-old');
    expect(node.submitBlock(spoiltBlock(node, (p) => (p.time = mintime)))).toBeNull();
  });

  it('bad-txns-inputs-missingorspent: a transaction spends what is not there', () => {
    const orphan = buildTransaction({
      inputs: [
        {
          previousTxid: new Uint8Array(32).fill(9),
          previousIndex: 0,
          scriptSig: new Uint8Array(),
          sequence: 0,
          witness: [],
        },
      ],
      outputs: [{ value: 1n, script: Uint8Array.of(0x51) }],
    });
    const spoil = (p: BlockParts): void => {
      p.transactions = [orphan];
      p.outputs[1] = { value: 0n, script: commitmentScript(p.transactions) };
    };
    const bytes = spoiltBlock(node, spoil);
    expect(node.submitBlock(bytes)).toBe('bad-txns-inputs-missingorspent');
    expect(node.submitBlock(bytes)).toBe('duplicate-invalid');
  });

  it('bad-txns-premature-spend-of-coinbase, bad-txns-in-belowout, bad-cb-multiple, bad-blk-sigops', () => {
    node.mineBlocks(101);
    const first = parseBlock(node.getBlock(node.tipHash) ?? new Uint8Array()).transactions[0];
    const good = parseTransaction(node.makeTransaction());
    const source = good.inputs[0];
    if (first === undefined || source === undefined) throw new Error('no coinbase');
    const young = buildTransaction({ inputs: [{ ...source, previousTxid: first.txid }], outputs: [...good.outputs] });
    const greedy = buildTransaction({
      inputs: [source],
      outputs: [{ value: 51n * 100_000_000n, script: Uint8Array.of(0x51) }],
    });
    const heavy = buildTransaction({
      inputs: [source],
      outputs: [{ value: 1n, script: new Uint8Array(20_001).fill(0xac) }],
    });
    const withTransactions =
      (list: (typeof young)[]) =>
      (p: BlockParts): void => {
        p.transactions = list;
        p.outputs[1] = { value: 0n, script: commitmentScript(list) };
      };
    expect(node.submitBlock(spoiltBlock(node, withTransactions([young])))).toBe('bad-txns-premature-spend-of-coinbase');
    expect(node.submitBlock(spoiltBlock(node, withTransactions([greedy])))).toBe('bad-txns-in-belowout');
    expect(node.submitBlock(spoiltBlock(node, withTransactions([first])))).toBe('bad-cb-multiple');
    expect(node.submitBlock(spoiltBlock(node, withTransactions([heavy])))).toBe('bad-blk-sigops');
    // CVE-2012-2459: refused without a mark on the hash, which another, valid list may share.
    expect(node.submitBlock(spoiltBlock(node, withTransactions([good, good, good])))).toBe('bad-txns-duplicate');
    expect(node.submitBlock(spoiltBlock(node, withTransactions([good, good])))).toBe('bad-txns-inputs-missingorspent');
    expect(node.submitBlock(spoiltBlock(node, withTransactions([good])))).toBeNull();
  });
});

it('takes fees into the coinbase, to the last base unit', () => {
  node.mineBlocks(101);
  node.addMempoolTransaction({ count: 3, fee: 700n });
  expect(node.template().coinbasevalue).toBe(50e8 + 2_100);
  const claimOneMore = spoiltBlock(node, (p) => (p.outputs[0] = { ...out(p), value: out(p).value + 1n }));
  expect(node.submitBlock(claimOneMore)).toBe('bad-cb-amount');
  expect(node.submitBlock(buildBlock(blockParts(node)))).toBeNull();
});

it('halves the subsidy every 150 blocks', () => {
  node.mineBlocks(149);
  expect(node.template().coinbasevalue).toBe(25e8);
});

it('honours harder bits from the height they were asked for', () => {
  const hard = createDevNode({ bits: 0x2000ffff, bitsFromHeight: 3 });
  hard.mineBlocks(2);
  expect(hard.template().bits).toBe('2000ffff');
  hard.mineBlocks(1);
  expect(parseBlock(hard.getBlock(hard.tipHash) ?? new Uint8Array()).header.bits).toBe(0x2000ffff);
  expect(() => createDevNode({ bits: 0x21ffffff })).toThrow(/limit/);
});

it('refuses to make a transaction without a mature coin', () => {
  node.mineBlocks(99);
  expect(() => node.makeTransaction()).toThrow(/mine 101 blocks/);
});
