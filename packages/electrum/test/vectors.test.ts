import { sha256d } from '@headframe/hashing';
import { fromDisplayHex, hexToBytes, toDisplayHex } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  displayBranch,
  encodeBlockHeader,
  headerHexOf,
  headerObjectOf,
  historyStatus,
  merkleBranchOf,
  merkleRootFromBranch,
  parseBlockHeader,
  parseHeaderChain,
  scripthashOf,
  sortHistory,
  splitHeaders,
  verifyHeaderProof,
  verifyMerkleProof,
} from '../src/index.js';

// Vectors of the published description of the protocol.
const HISTORY = [
  { tx_hash: 'a6c9c361bd0bc536d6a22648efbf8f9b200e425ef6c3a7a9669dc444c532a347', height: 2472 },
  { tx_hash: '9c42f84b2fcdaff676ba25d9d4941741cc0d1a01cce0c23fdc4c0b2afa38431c', height: 2473 },
  { tx_hash: '770f2d4371b3fabb902dd9a103e2dd005fcd3971181078fca4a2a1d6ff127b30', height: 2473 },
  { tx_hash: '80b19848aed792565ab7c5a79b7c2a00fbf985741579396ebe0ab6098e607311', height: 0 },
  { tx_hash: 'e02a1dadfa83b996b24175df807b271ea5d02937ef5b35c195fac1e1bdc3198f', height: 0 },
  { tx_hash: 'bb4c8ab438c13b89ca80d1d5bee25b0b6b7f55673f4d801998ba97db161d9e85', height: -1 },
];
const STATUS = '78e96c6562cafa71c115503b9411fdfdc595a45031e2ab76ff75162fe1b0590d';
const HEADER_5 =
  '0100000085144a84488ea88d221c8bd6c059da090e88f8a2c99690ee55dbba4e00000000e11c48fecdd9e72510ca84f023370c9a38bf91ac5cae88019bee94d24528526344c36649ffff001d1d03e477';
const BRANCH_5 = [
  '000000004ebadb55ee9096c9a2f8880e09da59c0d68b1c228da88e48844a1485',
  '96cbbc84783888e4cc971ae8acf86dd3c1a419370336bb3c634c97695a8c5ac9',
  '965ac94082cebbcffe458075651e9cc33ce703ab0115c72d9e8b1a9906b2b636',
  '89e5daa6950b895190716dd26054432b564ccdc2868188ba1da76de8e1dc7591',
];
const ROOT_8 = 'e347b1c43fd9b5415bf0d92708db8284b78daf4d0e24f9c3405f45feb85e25db';

describe('scripts and statuses', () => {
  it('computes the scripthash of a script', () => {
    const script = hexToBytes('76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac');
    expect(scripthashOf(script)).toBe('8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161');
  });

  it('computes the status of a history', () => {
    expect(historyStatus(HISTORY)).toBe(STATUS);
    expect(historyStatus([])).toBeNull();
  });

  it('sorts a history whatever the order of its mempool (property)', () => {
    const confirmed = HISTORY.slice(0, 3);
    fc.assert(
      fc.property(fc.shuffledSubarray(HISTORY.slice(3), { minLength: 3 }), fc.nat(3), (mempool, at) => {
        const mixed = [...mempool.slice(0, at), ...confirmed, ...mempool.slice(at)];
        expect(historyStatus(sortHistory(mixed))).toBe(STATUS);
      }),
    );
  });
});

describe('headers', () => {
  const fields = parseBlockHeader(HEADER_5);

  it('reads header 5 of the main chain', () => {
    expect(fields).toEqual({
      version: 1,
      prevHash: BRANCH_5[0],
      merkleRoot: '63522845d294ee9b0188ae5cac91bf389a0c3723f084ca1025e7d9cdfe481ce1',
      timestamp: 1231471428,
      bits: 0x1d00ffff,
      nonce: 2011431709,
      hash: '000000009b7262315dbf071787ad3656097b892abffd1f95a1a022f896f533fc',
    });
  });

  it('writes what it read (property)', () => {
    const bytes = fc.uint8Array({ minLength: 80, maxLength: 80 });
    fc.assert(
      fc.property(bytes, fc.nat(1e6), (header, height) => {
        const parsed = parseBlockHeader(header);
        expect(encodeBlockHeader(parsed)).toEqual(header);
        expect(parsed.hash).toBe(toDisplayHex(sha256d(header)));
        const object = headerObjectOf(header, height + 1);
        expect(hexToBytes(headerHexOf(object))).toEqual(header);
      }),
    );
  });

  it('is an object in the old protocol', () => {
    expect(headerObjectOf(HEADER_5, 5)).toEqual({
      block_height: 5,
      version: 1,
      prev_block_hash: BRANCH_5[0],
      merkle_root: fields.merkleRoot,
      timestamp: 1231471428,
      bits: 486604799,
      nonce: 2011431709,
    });
    expect(headerObjectOf(HEADER_5, 0).prev_block_hash).toBeNull();
  });

  it('ignores what follows the 80 bytes and refuses fewer', () => {
    expect(parseBlockHeader(`${HEADER_5}00ff`)).toEqual(fields);
    expect(() => parseBlockHeader(HEADER_5.slice(2))).toThrow(expect.objectContaining({ code: 'invalid_data' }));
    expect(() => parseBlockHeader('zz'.repeat(80))).toThrow(expect.objectContaining({ code: 'invalid_hex' }));
  });

  it('splits the answers of both versions and a chunk', () => {
    const two = [HEADER_5, HEADER_5];
    expect(splitHeaders({ count: 2, hex: two.join('') })).toEqual(two);
    expect(splitHeaders({ count: 2, headers: two })).toEqual(two);
    expect(splitHeaders(two.join(''))).toEqual(two);
    expect(splitHeaders('')).toEqual([]);
    for (const bad of [`${HEADER_5}00`, { count: 1, hex: two.join('') }, { count: 3, headers: two }]) {
      expect(() => splitHeaders(bad)).toThrow(expect.objectContaining({ code: 'invalid_data' }));
    }
  });

  it('sees where a chain does not link', () => {
    const next = encodeBlockHeader({ ...fields, prevHash: fields.hash });
    const nextHex = Buffer.from(next).toString('hex');
    expect(parseHeaderChain([HEADER_5, nextHex])).toHaveLength(2);
    expect(() => parseHeaderChain([HEADER_5, nextHex, HEADER_5])).toThrow(/header 2/);
  });
});

describe('merkle proofs', () => {
  it('proves header 5 against checkpoint 8', () => {
    const proof = { header: HEADER_5, branch: BRANCH_5, root: ROOT_8 };
    expect(verifyHeaderProof(proof, 5, ROOT_8)).toBe(true);
    expect(verifyHeaderProof(proof, 4, ROOT_8)).toBe(false);
    expect(verifyHeaderProof(proof, 5, BRANCH_5[1] ?? '')).toBe(false);
    expect(verifyHeaderProof({ ...proof, header: `00${HEADER_5.slice(2)}` }, 5, ROOT_8)).toBe(false);
    expect(verifyHeaderProof({ ...proof, header: 'zz' }, 5, ROOT_8)).toBe(false);
  });

  it('proves every leaf of every tree, and nothing else (property)', () => {
    const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 40 }), fc.nat(1000), fc.nat(255), (leaves, seed, flip) => {
        const index = seed % leaves.length;
        const { branch, root } = merkleBranchOf(leaves, index);
        const own = leaves[index] ?? root;
        expect(merkleRootFromBranch(own, branch, index)).toEqual(root);
        const claim = { leaf: toDisplayHex(own), branch: displayBranch(branch), index, root: toDisplayHex(root) };
        expect(verifyMerkleProof(claim)).toBe(true);
        const other = Uint8Array.from(own);
        other[flip % 32] = (other[flip % 32] ?? 0) ^ 1;
        expect(verifyMerkleProof({ ...claim, leaf: toDisplayHex(other) })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('gives an empty branch to the only leaf', () => {
    const leaf = fromDisplayHex(ROOT_8);
    expect(merkleBranchOf([leaf], 0)).toEqual({ branch: [], root: leaf });
  });

  it.each([
    ['no leaf there', () => merkleBranchOf([new Uint8Array(32)], 1), 'invalid_argument'],
    ['no leaves', () => merkleBranchOf([], 0), 'invalid_argument'],
    ['a short leaf', () => merkleBranchOf([new Uint8Array(31)], 0), 'invalid_argument'],
    ['a position beyond the branch', () => merkleRootFromBranch(new Uint8Array(32), [], 1), 'invalid_data'],
    ['a fraction', () => merkleRootFromBranch(new Uint8Array(32), [new Uint8Array(32)], 0.5), 'invalid_data'],
    [
      '33 levels',
      () => merkleRootFromBranch(new Uint8Array(32), Array(33).fill(new Uint8Array(32)), 0),
      'invalid_data',
    ],
    ['a short sibling', () => merkleRootFromBranch(new Uint8Array(32), [new Uint8Array(3)], 0), 'invalid_data'],
  ])('refuses %s', (_what, run, code) => {
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});
