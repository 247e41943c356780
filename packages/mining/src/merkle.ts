import { sha256d } from '@headframe/hashing';
import { concatBytes, PoolError } from '@headframe/primitives';

const HASH_BYTES = 32;

function hashPair(pair: Uint8Array, left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 0);
  pair.set(right, HASH_BYTES);
  return sha256d(pair);
}

function checkHash(hash: Uint8Array): Uint8Array {
  if (hash.length !== HASH_BYTES) throw new PoolError('invalid_argument', `a hash has 32 bytes, not ${hash.length}`);
  return hash;
}

/**
 * What a miner needs to compute the merkle root from its coinbase: the left edge of the tree.
 * @param txids of the transactions after the coinbase, internal order
 * @returns 32 bytes per step, one after the other; empty without transactions
 */
export function merkleBranch(txids: readonly Uint8Array[]): Uint8Array {
  const pair = new Uint8Array(2 * HASH_BYTES);
  const steps: Uint8Array[] = [];
  // Position 0 of every level is the coinbase side, which is not known yet; `level` holds positions 1 and up.
  let level: readonly Uint8Array[] = txids.map(checkHash);
  for (let first = level[0]; first !== undefined; first = level[0]) {
    steps.push(first);
    const next: Uint8Array[] = [];
    for (let i = 1; i < level.length; i += 2) {
      const left = level[i] ?? first;
      next.push(hashPair(pair, left, level[i + 1] ?? left)); // an odd last one is paired with itself
    }
    level = next;
  }
  return concatBytes(...steps);
}

/** Merkle root from the coinbase txid and its branch (32 bytes per step), internal order. */
export function foldBranch(coinbaseTxid: Uint8Array, branch: Uint8Array): Uint8Array {
  if (branch.length % HASH_BYTES !== 0) {
    throw new PoolError('invalid_argument', `a merkle branch has 32 bytes per step, not ${branch.length} in all`);
  }
  const pair = new Uint8Array(2 * HASH_BYTES);
  let root = checkHash(coinbaseTxid);
  for (let at = 0; at < branch.length; at += HASH_BYTES) {
    root = hashPair(pair, root, branch.subarray(at, at + HASH_BYTES));
  }
  return root.slice();
}

/** Merkle root of all leaves, internal order. @throws PoolError `invalid_argument` without leaves. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first, ...rest] = leaves;
  if (first === undefined) throw new PoolError('invalid_argument', 'a merkle tree has at least one leaf');
  return foldBranch(first, merkleBranch(rest));
}

/**
 * Witness commitment of a block (BIP 141): SHA-256d(witness root | reserved value), both all zero for the coinbase.
 * @param wtxids of the transactions after the coinbase, internal order
 */
export function witnessCommitment(wtxids: readonly Uint8Array[]): Uint8Array {
  const zeros = new Uint8Array(HASH_BYTES);
  return sha256d(concatBytes(merkleRoot([zeros, ...wtxids]), zeros));
}

/** OP_RETURN, push of 36 bytes, then the four bytes that mark a commitment (BIP 141). */
const COMMITMENT_PREFIX = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/** Script of the output that carries a witness commitment. */
export function witnessCommitmentScript(commitment: Uint8Array): Uint8Array {
  return concatBytes(COMMITMENT_PREFIX, checkHash(commitment));
}

/** True for a script that nodes take for a witness commitment. */
export function isWitnessCommitmentScript(script: Uint8Array): boolean {
  return (
    script.length >= COMMITMENT_PREFIX.length + HASH_BYTES && COMMITMENT_PREFIX.every((byte, i) => script[i] === byte)
  );
}
