import { bytesToHex, concatBytes, fromDisplayHex, hexToBytes, toDisplayHex } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { heightPush } from '../src/checks.js';
import { scryptHash, sha256d } from '../src/hashes.js';
import {
  checkBlock,
  checkMerkleRoot,
  checkProofOfWork,
  checkWitnessCommitment,
  merkleRoot,
  parseBlock,
  parseHeader,
  parseTransaction,
  witnessCommitmentHash,
} from '../src/index.js';
import { MAX_MONEY } from '../src/transaction.js';
import { realBlocks } from './vectors.js';

/** Proof-of-work limit of Bitcoin's main chain and testnet3. */
const LIMIT_BITS = 0x1d00ffff;

function judge(bytes: Uint8Array): string | undefined {
  try {
    const block = parseBlock(bytes);
    return (
      checkProofOfWork(block.header, 'sha256d', LIMIT_BITS) ??
      checkBlock(block, MAX_MONEY.bitcoin) ??
      checkWitnessCommitment(block)
    );
  } catch (error) {
    return `decode failed: ${String(error)}`;
  }
}

describe.each(realBlocks.blocks)('$name', (vector) => {
  const header = parseHeader(hexToBytes(vector.header));

  it('has its hash and proof of work', () => {
    expect(header.id).toBe(vector.hash);
    expect(checkProofOfWork(header, 'sha256d', LIMIT_BITS)).toBeUndefined();
  });

  it('loses its proof of work when any one bit of the header flips', () => {
    for (let bit = 0; bit < 640; bit++) {
      const bytes = header.bytes.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(checkProofOfWork(parseHeader(bytes), 'sha256d', LIMIT_BITS), `bit ${bit}`).toBe('high-hash');
    }
  });

  it('has the coinbase and the merkle root that its header names', () => {
    const coinbase = parseTransaction(hexToBytes(vector.coinbase.asSerializedInBlockHex));
    expect(coinbase.isCoinbase).toBe(true);
    expect(coinbase.id).toBe(vector.coinbase.txid);
    expect(parseTransaction(hexToBytes(vector.coinbase.nonWitnessHex)).id).toBe(vector.coinbase.txid);
    let root: Uint8Array = coinbase.txid;
    for (const step of vector.merkleBranch) root = sha256d(concatBytes(root, hexToBytes(step)));
    expect(bytesToHex(root)).toBe(bytesToHex(header.merkleRoot));
    if (vector.height > 227_836) {
      // BIP 34 is in force.
      const push = heightPush(vector.height);
      expect(bytesToHex(coinbase.inputs[0]?.scriptSig ?? new Uint8Array())).toMatch(new RegExp(`^${bytesToHex(push)}`));
    }
  });

  const { txids: ids, wtxids, fullBlockHex } = vector;
  if (ids !== undefined)
    it('has the merkle root of its transaction ids, of no other list', () => {
      const txids = ids.map(fromDisplayHex);
      expect(txids).toHaveLength(vector.txCount);
      expect(merkleRoot(txids)).toEqual({ root: header.merkleRoot, mutated: false });
      const flipped = txids.map((txid, i) =>
        i === txids.length - 1 ? txid.map((b, j) => (j === 9 ? b ^ 4 : b)) : txid,
      );
      expect(merkleRoot(flipped).root).not.toEqual(header.merkleRoot);
    });

  if (wtxids !== undefined)
    it('commits to its witness data', () => {
      const reserved = hexToBytes(vector.witness?.reservedValue ?? '');
      const commitment = witnessCommitmentHash(wtxids.map(fromDisplayHex), reserved);
      expect(bytesToHex(commitment)).toBe(vector.witness?.commitment);
    });

  if (fullBlockHex !== undefined)
    it('is accepted whole and refused after any bit flip', () => {
      const bytes = hexToBytes(fullBlockHex);
      expect(judge(bytes)).toBeUndefined();
      const block = parseBlock(bytes);
      expect(block.transactions.map(({ id }) => id)).toEqual(vector.txids);
      // Every bit of the small blocks; the large one in prime steps, which come by every part of it.
      const step = bytes.length > 1_000 ? 7 * 13 : 1;
      for (let bit = 640; bit < bytes.length * 8; bit += step) {
        const flipped = bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(judge(flipped), `bit ${bit}`).toBeDefined();
      }
      expect(judge(concatBytes(bytes, Uint8Array.of(0)))).toMatch(/decode/);
      for (const length of [0, 79, 80, 81, 200, bytes.length - 1]) {
        expect(judge(bytes.subarray(0, length)), `cut to ${length}`).toMatch(/decode/);
      }
    });
});

it('refuses the other transaction list with the same merkle root (CVE-2012-2459)', () => {
  const vector = realBlocks.blocks.find(({ name }) => name === 'mainnet 100002');
  const block = parseBlock(hexToBytes(vector?.fullBlockHex ?? ''));
  expect(block.transactions).toHaveLength(9);
  // Nine leaves: the ninth is paired with itself. Listing it twice yields the same root.
  const last = block.transactions.at(-1);
  const doubled = { ...block, transactions: last === undefined ? [] : [...block.transactions, last] };
  expect(merkleRoot(doubled.transactions.map(({ txid }) => txid))).toEqual({
    root: block.header.merkleRoot,
    mutated: true,
  });
  expect(checkMerkleRoot(doubled)).toBe('bad-txns-duplicate');
  expect(checkBlock(doubled, MAX_MONEY.bitcoin)).toBe('bad-txns-duplicate');
});

describe.each(realBlocks.scryptHeaders)('$name', ({ header, blockHash, powHash }) => {
  it('passes by scrypt, not by SHA-256d, and not after a bit flip', () => {
    const parsed = parseHeader(hexToBytes(header));
    const limit = 0x1e0fffff;
    expect(parsed.id).toBe(blockHash);
    expect(toDisplayHex(scryptHash(parsed.bytes))).toBe(powHash);
    expect(checkProofOfWork(parsed, 'scrypt', limit)).toBeUndefined();
    expect(checkProofOfWork(parsed, 'sha256d', limit)).toBe('high-hash');
    for (let bit = 0; bit < 640; bit += 31) {
      const bytes = parsed.bytes.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(checkProofOfWork(parseHeader(bytes), 'scrypt', limit), `bit ${bit}`).toBe('high-hash');
    }
  });
});
