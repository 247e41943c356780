import { equalBytes, isAtMostLe, uint256ToBytesLe } from '@headframe/primitives';
import { type Block, type BlockHeader, merkleRoot } from './block.js';
import { scryptHash, sha256d } from './hashes.js';
import { transactionSigops } from './sigops.js';
import { targetOfBits } from './target.js';
import { spentKey, type Transaction } from './transaction.js';

/** Which function the proof of work is. */
export type ProofOfWork = 'sha256d' | 'scrypt';

const MAX_BLOCK_WEIGHT = 4_000_000;
const MAX_BLOCK_SIGOPS_COST = 80_000;
const WITNESS_SCALE = 4;

/**
 * The header's hash is at or under the target its bits name, and that target is within the chain's limit.
 * @returns undefined, or the BIP 22 reason.
 */
export function checkProofOfWork(header: BlockHeader, algorithm: ProofOfWork, limitBits: number): string | undefined {
  const target = targetOfBits(header.bits);
  const limit = targetOfBits(limitBits);
  if (target === undefined || limit === undefined || target > limit) return 'high-hash';
  const hash = algorithm === 'scrypt' ? scryptHash(header.bytes) : header.hash;
  return isAtMostLe(hash, 0, uint256ToBytesLe(target)) ? undefined : 'high-hash';
}

/** The merkle root of the header is that of the transactions, and of no other list. */
export function checkMerkleRoot(block: Block): string | undefined {
  const { root, mutated } = merkleRoot(block.transactions.map(({ txid }) => txid));
  if (!equalBytes(root, block.header.merkleRoot)) return 'bad-txnmrklroot';
  return mutated ? 'bad-txns-duplicate' : undefined; // CVE-2012-2459
}

function checkTransaction(transaction: Transaction, maxMoney: bigint): string | undefined {
  if (transaction.inputs.length === 0) return 'bad-txns-vin-empty';
  if (transaction.outputs.length === 0) return 'bad-txns-vout-empty';
  if (transaction.weight > MAX_BLOCK_WEIGHT) return 'bad-txns-oversize';
  let total = 0n;
  for (const { value } of transaction.outputs) {
    if (value >= 1n << 63n) return 'bad-txns-vout-negative'; // consensus reads it as signed
    if (value > maxMoney) return 'bad-txns-vout-toolarge';
    total += value;
    if (total > maxMoney) return 'bad-txns-txouttotal-toolarge';
  }
  const spent = new Set(transaction.inputs.map(spentKey));
  if (spent.size !== transaction.inputs.length) return 'bad-txns-inputs-duplicate';
  if (transaction.isCoinbase) {
    const length = transaction.inputs[0]?.scriptSig.length ?? 0;
    if (length < 2 || length > 100) return 'bad-cb-length';
    return undefined;
  }
  const nullInput = transaction.inputs.some(
    ({ previousIndex, previousTxid }) => previousIndex === 0xffffffff && previousTxid.every((byte) => byte === 0),
  );
  return nullInput ? 'bad-txns-prevout-null' : undefined;
}

/** {@link checkBlock}'s rules for a transaction that stands alone. */
export function checkLooseTransaction(transaction: Transaction, maxMoney: bigint): string | undefined {
  return transaction.isCoinbase ? 'coinbase' : checkTransaction(transaction, maxMoney);
}

/**
 * Everything about a block that needs no other block, proof of work aside: merkle root, sizes, coinbase placement, each
 * transaction's form, signature operations.
 * @returns undefined, or the BIP 22 reason.
 */
export function checkBlock(block: Block, maxMoney: bigint): string | undefined {
  const { transactions } = block;
  const merkle = checkMerkleRoot(block);
  if (merkle !== undefined) return merkle;
  if (transactions.length === 0 || transactions.length * WITNESS_SCALE > MAX_BLOCK_WEIGHT) return 'bad-blk-length';
  const stripped = transactions.reduce((sum, { weight, bytes }) => sum + (weight - bytes.length) / 3, 80);
  if (stripped * WITNESS_SCALE > MAX_BLOCK_WEIGHT) return 'bad-blk-length';
  if (!transactions[0]?.isCoinbase) return 'bad-cb-missing';
  let sigops = 0;
  for (const [i, transaction] of transactions.entries()) {
    if (i > 0 && transaction.isCoinbase) return 'bad-cb-multiple';
    const reason = checkTransaction(transaction, maxMoney);
    if (reason !== undefined) return reason;
    sigops += transactionSigops(transaction);
  }
  return sigops * WITNESS_SCALE > MAX_BLOCK_SIGOPS_COST ? 'bad-blk-sigops' : undefined;
}

/** Script prefix of the commitment output: OP_RETURN, a 36-byte push, the BIP 141 tag. */
const COMMITMENT_PREFIX = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/** The 32 committed bytes: of the last coinbase output that looks like a commitment (BIP 141). */
export function committedHash(coinbase: Transaction): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (const { script } of coinbase.outputs) {
    if (script.length >= 38 && equalBytes(script.subarray(0, 6), COMMITMENT_PREFIX)) found = script.subarray(6, 38);
  }
  return found;
}

/** What a coinbase has to commit to (BIP 141). `transactions` holds the coinbase first; its wtxid counts as zeros. */
export function witnessCommitmentHash(wtxids: readonly Uint8Array[], reserved: Uint8Array): Uint8Array {
  const leaves = wtxids.map((wtxid, i) => (i === 0 ? new Uint8Array(32) : wtxid));
  const preimage = new Uint8Array(64);
  preimage.set(merkleRoot(leaves).root, 0);
  preimage.set(reserved, 32);
  return sha256d(preimage);
}

/** The script of a commitment output for these transactions after the coinbase, with a reserved value of zeros. */
export function commitmentScript(transactions: readonly Transaction[]): Uint8Array {
  const wtxids = [new Uint8Array(32), ...transactions.map(({ wtxid }) => wtxid)];
  const script = new Uint8Array(38);
  script.set(COMMITMENT_PREFIX, 0);
  script.set(witnessCommitmentHash(wtxids, new Uint8Array(32)), 6);
  return script;
}

/** BIP 141: commitment, reserved value and the absence of witness data without a commitment. */
export function checkWitnessCommitment(block: Block): string | undefined {
  const coinbase = block.transactions[0];
  const committed = coinbase === undefined ? undefined : committedHash(coinbase);
  if (coinbase === undefined || committed === undefined) {
    return block.transactions.some(({ hasWitness }) => hasWitness) ? 'unexpected-witness' : undefined;
  }
  const stack = coinbase.inputs[0]?.witness ?? [];
  const reserved = stack[0];
  if (stack.length !== 1 || reserved?.length !== 32) return 'bad-witness-nonce-size';
  const expected = witnessCommitmentHash(
    block.transactions.map(({ wtxid }) => wtxid),
    reserved,
  );
  return equalBytes(expected, committed) ? undefined : 'bad-witness-merkle-match';
}

/** The bytes a coinbase scriptSig must begin with at this height (BIP 34: what a script compiler emits for the number). */
export function heightPush(height: number): Uint8Array {
  if (height === 0) return Uint8Array.of(0x00);
  if (height <= 16) return Uint8Array.of(0x50 + height);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  if (((bytes.at(-1) ?? 0) & 0x80) !== 0) bytes.push(0); // keep the sign bit clear
  return Uint8Array.of(bytes.length, ...bytes);
}

/** BIP 34. */
export function checkHeight(block: Block, height: number): string | undefined {
  const scriptSig = block.transactions[0]?.inputs[0]?.scriptSig ?? new Uint8Array();
  const expected = heightPush(height);
  return equalBytes(scriptSig.subarray(0, expected.length), expected) ? undefined : 'bad-cb-height';
}

/** Locked to a later height or time (both exclusive) unless every sequence opts out. */
export function isFinal(transaction: Transaction, height: number, time: number): boolean {
  const { lockTime } = transaction;
  if (lockTime === 0) return true;
  if (lockTime < (lockTime < 500_000_000 ? height : time)) return true;
  return transaction.inputs.every(({ sequence }) => sequence === 0xffffffff);
}
