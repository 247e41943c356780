import { sha256d } from '@headframe/hashing';
import { equalBytes, fromDisplayHex, PoolError, toDisplayHex } from '@headframe/primitives';

const HASH_BYTES = 32;
/** No tree has more levels: positions are 32 bits wide. */
const MAX_LEVELS = 32;

function pairHash(pair: Uint8Array, left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 0);
  pair.set(right, HASH_BYTES);
  return sha256d(pair);
}

/** A leaf's way to the root: its sibling on each level, from the leaf up. Bytes in internal order. */
export interface MerkleBranch {
  readonly branch: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/**
 * Branch of one leaf and root of the tree, as blocks build it (an odd last one is paired with itself). The proof of a
 * header against a checkpoint is the same over the header hashes 0 to `cp_height`.
 * @param leaves hashes, 32 bytes each, internal order
 * @throws PoolError `invalid_argument` for an index without leaf or a hash of another length
 */
export function merkleBranchOf(leaves: readonly Uint8Array[], index: number): MerkleBranch {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new PoolError('invalid_argument', `no leaf ${index} among ${leaves.length}`);
  }
  if (leaves.some((leaf) => leaf.length !== HASH_BYTES)) {
    throw new PoolError('invalid_argument', 'a hash has 32 bytes');
  }
  const pair = new Uint8Array(2 * HASH_BYTES);
  const branch: Uint8Array[] = [];
  let level = leaves;
  let at = index;
  while (level.length > 1) {
    const own = level[at] ?? pair;
    branch.push(level[at ^ 1] ?? own);
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] ?? pair;
      next.push(pairHash(pair, left, level[i + 1] ?? left));
    }
    level = next;
    at >>>= 1;
  }
  return { branch, root: (level[0] ?? pair).slice() };
}

/**
 * Root that a leaf and its branch lead to, internal order.
 * @throws PoolError `invalid_data` for a branch that is too long for the position, too short, or no hashes
 */
export function merkleRootFromBranch(leaf: Uint8Array, branch: readonly Uint8Array[], index: number): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** Math.min(branch.length, MAX_LEVELS)) {
    throw new PoolError('invalid_data', `a branch of ${branch.length} hashes has no position ${index}`);
  }
  if (branch.length > MAX_LEVELS || [leaf, ...branch].some((hash) => hash.length !== HASH_BYTES)) {
    throw new PoolError('invalid_data', `not a merkle branch (${branch.length} hashes)`);
  }
  const pair = new Uint8Array(2 * HASH_BYTES);
  let hash = leaf;
  let at = index;
  for (const sibling of branch) {
    hash = at % 2 === 1 ? pairHash(pair, sibling, hash) : pairHash(pair, hash, sibling);
    at = Math.floor(at / 2);
  }
  return hash.slice();
}

/** What has to be proved by {@link verifyMerkleProof}; hashes as hex in display order, as they are on the wire. */
export interface MerkleClaim {
  /** Id of the transaction, or hash of the header. */
  readonly leaf: string;
  readonly branch: readonly string[];
  /** Place of the leaf: in the block, or the height of the header. */
  readonly index: number;
  /** Merkle root of the header, or root of the checkpoint. */
  readonly root: string;
}

/** True when the branch leads from the leaf to the root. Never throws: what is malformed proves nothing. */
export function verifyMerkleProof(claim: MerkleClaim): boolean {
  try {
    const root = merkleRootFromBranch(fromDisplayHex(claim.leaf), claim.branch.map(fromDisplayHex), claim.index);
    return equalBytes(root, fromDisplayHex(claim.root));
  } catch {
    return false;
  }
}

/** Hashes of the wire. */
export function displayBranch(branch: readonly Uint8Array[]): string[] {
  return branch.map(toDisplayHex);
}
