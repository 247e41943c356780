import { ByteReader, ByteWriter, equalBytes, PoolError, toDisplayHex } from '@headframe/primitives';
import { sha256d } from './hashes.js';
import { readTransaction, type Transaction } from './transaction.js';

/** The 80-byte header, taken apart. Hashes are in internal order. */
export interface BlockHeader {
  /** Unsigned; consensus reads it as signed. */
  readonly version: number;
  readonly previousHash: Uint8Array;
  readonly merkleRoot: Uint8Array;
  /** Unix seconds. */
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
  readonly bytes: Uint8Array;
  /** SHA-256d of the header, internal order. */
  readonly hash: Uint8Array;
  /** Display hex of `hash`. */
  readonly id: string;
}

export interface Block {
  readonly header: BlockHeader;
  readonly transactions: readonly Transaction[];
  readonly bytes: Uint8Array;
  /** BIP 141 weight of the whole block. */
  readonly weight: number;
}

/** Parses 80 bytes. @throws PoolError `end_of_data` on fewer. */
export function parseHeader(bytes: Uint8Array): BlockHeader {
  const own = Uint8Array.from(bytes.subarray(0, 80));
  const reader = new ByteReader(own);
  const version = reader.u32le();
  const previousHash = reader.copy(32);
  const merkleRoot = reader.copy(32);
  const time = reader.u32le();
  const bits = reader.u32le();
  const nonce = reader.u32le();
  const hash = sha256d(own);
  return { version, previousHash, merkleRoot, time, bits, nonce, bytes: own, hash, id: toDisplayHex(hash) };
}

const MIN_TRANSACTION_BYTES = 60;

/**
 * Parses a whole block and nothing after it.
 * @throws PoolError `end_of_data` or `invalid_data`.
 */
export function parseBlock(bytes: Uint8Array): Block {
  const own = Uint8Array.from(bytes); // a Buffer's slice() would share memory with the caller
  const header = parseHeader(own);
  const reader = new ByteReader(own, 80);
  const count = reader.compactSize();
  if (count * MIN_TRANSACTION_BYTES > reader.remaining) {
    throw new PoolError('invalid_data', `${count} transactions cannot fit`);
  }
  const countBytes = reader.offset - 80;
  const transactions = Array.from({ length: count }, () => readTransaction(reader));
  if (reader.remaining > 0) throw new PoolError('invalid_data', `${reader.remaining} bytes after the block`);
  const weight = transactions.reduce((sum, { weight }) => sum + weight, (80 + countBytes) * 4);
  return { header, transactions, bytes: own, weight };
}

/** Header fields to 80 bytes. */
export function serializeHeader(fields: Omit<BlockHeader, 'bytes' | 'hash' | 'id'>): Uint8Array {
  return new ByteWriter(80)
    .u32le(fields.version)
    .write(fields.previousHash)
    .write(fields.merkleRoot)
    .u32le(fields.time)
    .u32le(fields.bits)
    .u32le(fields.nonce)
    .finish();
}

/** Header and transactions to block bytes. */
export function serializeBlock(header: Uint8Array, transactions: readonly Transaction[]): Uint8Array {
  const writer = new ByteWriter(4096).write(header).compactSize(transactions.length);
  for (const transaction of transactions) writer.write(transaction.bytes);
  return writer.finish();
}

export interface MerkleResult {
  readonly root: Uint8Array;
  /** Two equal hashes stand side by side in some level: another list of transactions has the same root (CVE-2012-2459). */
  readonly mutated: boolean;
}

/** Root of a list of hashes in internal order; the last of an odd level is paired with itself. */
export function merkleRoot(leaves: readonly Uint8Array[]): MerkleResult {
  let level = leaves;
  let mutated = false;
  const pair = new Uint8Array(64);
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] ?? new Uint8Array(32);
      const right = level[i + 1] ?? left;
      if (i + 1 < level.length && equalBytes(left, right)) mutated = true;
      pair.set(left, 0);
      pair.set(right, 32);
      next.push(sha256d(pair));
    }
    level = next;
  }
  return { root: level[0] ?? new Uint8Array(32), mutated };
}
