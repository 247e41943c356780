import {
  encodeBlockHeader,
  headerHexOf,
  headerObjectOf,
  merkleBranchOf,
  merkleRootFromBranch,
  parseBlockHeader,
  parseHeaderChain,
  splitHeaders,
  verifyHeaderProof,
  verifyMerkleProof,
} from '@headframe/electrum';
import { bytesToHex, equalBytes, toDisplayHex } from '@headframe/primitives';
import { check, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

/** The bytes as a tree of hashes: each path leads to the root, and does not for another leaf. */
function tree(bytes: Uint8Array): string {
  const leaves = Array.from({ length: bytes.length >> 5 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
  const index = leaves.length === 0 ? 0 : (bytes[0] ?? 0) % (leaves.length + 1);
  const built = tolerate(['invalid_argument'], () => merkleBranchOf(leaves, index));
  const leaf = leaves[index];
  if (built === undefined || leaf === undefined) return 'no leaf';
  check(equalBytes(merkleRootFromBranch(leaf, built.branch, index), built.root), 'the branch leads to the root');
  check(built.branch.length === Math.ceil(Math.log2(leaves.length)), 'a hash per level');
  const claim = {
    leaf: toDisplayHex(leaf),
    branch: built.branch.map(toDisplayHex),
    index,
    root: toDisplayHex(built.root),
  };
  check(verifyMerkleProof(claim), 'a proof holds');
  const other = Uint8Array.from(leaf);
  other[0] = (other[0] ?? 0) ^ 1;
  check(!verifyMerkleProof({ ...claim, leaf: toDisplayHex(other) }), 'a proof of something else does not');
  return `tree of ${built.branch.length}`;
}

export const electrumProofTarget: FuzzTarget = {
  name: 'electrum-proof',
  promise: 'headers, chunks and proofs from a server are read without a throw of another kind, and what holds is true',
  maxBytes: 2600,
  dictionary: ['\x01\x00\x00\x00', '\xff\xff\x00\x1d', '0'.repeat(64), 'zz'],
  run(bytes) {
    const seen: string[] = [tree(bytes)];
    const header = tolerate(['invalid_data'], () => parseBlockHeader(bytes));
    if (header !== undefined) {
      check(equalBytes(encodeBlockHeader(header), bytes.subarray(0, 80)), 'a header is written as it was read');
      const object = headerObjectOf(bytes, 1);
      check(headerHexOf(object) === bytesToHex(bytes.subarray(0, 80)), 'and so is its old form');
      seen.push('header');
    }
    // As a server would send it: text that may be no hex.
    const text = Buffer.from(bytes).toString('latin1');
    for (const hex of [text, bytesToHex(bytes)]) {
      const headers = tolerate(['invalid_data'], () => splitHeaders(hex));
      if (headers !== undefined) {
        const chain = tolerate(['invalid_data', 'invalid_hex'], () => parseHeaderChain(headers));
        seen.push(chain === undefined ? 'chunk' : `chain of ${Math.min(3, chain.length)}`);
      }
      const proof = { header: hex, branch: [hex.slice(0, 64), hex.slice(64, 128)], root: hex.slice(-64) };
      check(!verifyHeaderProof(proof, bytes.length % 5, proof.root), 'nobody finds a proof by chance');
    }
    return seen.join(', ');
  },
};
