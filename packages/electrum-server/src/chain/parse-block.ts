import { sha256d } from '@headframe/hashing';
import { ByteReader, concatBytes, equalBytes, PoolError } from '@headframe/primitives';

/** Bytes of a block header. */
const HEADER_BYTES = 80;
/** Version bit that says a merged-mining proof follows the header. */
const AUXPOW_BIT = 0x100;
/** Flags of BIP 144 and of MWEB in the byte behind the empty list of inputs. */
const WITNESS_FLAG = 0x01;
const MWEB_FLAG = 0x08;
const MIN_INPUT_BYTES = 41; // outpoint 36, empty script 1, sequence 4
const MIN_OUTPUT_BYTES = 9; // value 8, empty script 1
const MIN_TX_BYTES = 10;
/** No tree of transactions is deeper; bounds what a merged-mining proof may make us skip. */
const MAX_BRANCH = 32;

/** What an input spends. */
export interface SpentOutpoint {
  /** Internal order, a view of the parsed bytes. */
  readonly txid: Uint8Array;
  readonly index: number;
}

export interface IndexedOutput {
  /** Base units. */
  readonly value: bigint;
  /** A view of the parsed bytes. */
  readonly script: Uint8Array;
}

/** A transaction as far as an index looks at it. Byte arrays are views of what was parsed. */
export interface IndexedTransaction {
  /** Internal order. */
  readonly txid: Uint8Array;
  /** The serialisation it came in, witness included. */
  readonly raw: Uint8Array;
  /** BIP 141 virtual size. */
  readonly vsize: number;
  /** Empty for a coinbase. */
  readonly inputs: readonly SpentOutpoint[];
  readonly outputs: readonly IndexedOutput[];
}

export interface IndexedBlock {
  /** The 80 bytes, a view. */
  readonly header: Uint8Array;
  /** SHA-256d of the header, internal order. */
  readonly hash: Uint8Array;
  /** Internal order, a view. */
  readonly previousHash: Uint8Array;
  readonly transactions: readonly IndexedTransaction[];
}

function readInputs(reader: ByteReader, count: number): SpentOutpoint[] {
  if (count * MIN_INPUT_BYTES > reader.remaining) throw new PoolError('invalid_data', `${count} inputs cannot fit`);
  const inputs: SpentOutpoint[] = [];
  for (let i = 0; i < count; i++) {
    const txid = reader.view(32);
    const index = reader.u32le();
    reader.view(reader.compactSize());
    reader.u32le();
    // The outpoint of a coinbase is no output.
    if (index !== 0xffffffff || txid.some((byte) => byte !== 0)) inputs.push({ txid, index });
  }
  return inputs;
}

function readOutputs(reader: ByteReader): IndexedOutput[] {
  const count = reader.compactSize();
  if (count * MIN_OUTPUT_BYTES > reader.remaining) throw new PoolError('invalid_data', `${count} outputs cannot fit`);
  const outputs: IndexedOutput[] = [];
  for (let i = 0; i < count; i++) {
    const value = reader.u64le();
    outputs.push({ value, script: reader.view(reader.compactSize()) });
  }
  return outputs;
}

function skipWitnesses(reader: ByteReader, count: number): void {
  for (let i = 0; i < count; i++) {
    for (let items = reader.compactSize(); items > 0; items--) reader.view(reader.compactSize());
  }
}

/**
 * Reads one transaction. `end`: where it ends when it stands alone, so that the extension data of an MWEB transaction,
 * which only the node understands, can be stepped over; within a block that data is always empty.
 */
function readTransaction(reader: ByteReader, end: number | undefined): IndexedTransaction {
  const { bytes } = reader;
  const start = reader.offset;
  reader.u32le();
  let bodyStart = reader.offset;
  let inputCount = reader.compactSize();
  let flags = 0;
  if (inputCount === 0) {
    flags = reader.u8();
    if (flags === 0 || (flags & ~(WITNESS_FLAG | MWEB_FLAG)) !== 0) {
      throw new PoolError('invalid_data', `unknown transaction flags ${flags}`);
    }
    bodyStart = reader.offset;
    inputCount = reader.compactSize();
  }
  const inputs = readInputs(reader, inputCount);
  const outputs = readOutputs(reader);
  const bodyEnd = reader.offset;
  if ((flags & WITNESS_FLAG) !== 0) skipWitnesses(reader, inputCount);
  if ((flags & MWEB_FLAG) !== 0) {
    if (end !== undefined) reader.offset = end - 4;
    else if (reader.u8() !== 0) throw new PoolError('invalid_data', 'extension data within a block');
  }
  const lockTimeAt = reader.offset;
  reader.u32le();
  const raw = bytes.subarray(start, reader.offset);
  const stripped =
    flags === 0
      ? raw
      : concatBytes(
          bytes.subarray(start, start + 4),
          bytes.subarray(bodyStart, bodyEnd),
          bytes.subarray(lockTimeAt, lockTimeAt + 4),
        );
  const vsize = Math.ceil((stripped.length * 3 + raw.length) / 4);
  return { txid: sha256d(stripped), raw, vsize, inputs, outputs };
}

/**
 * Reads a transaction as nodes print it. Its arrays are views of `bytes`.
 * @throws PoolError `invalid_data`, `end_of_data`
 */
export function parseRawTransaction(bytes: Uint8Array): IndexedTransaction {
  const reader = new ByteReader(bytes);
  const transaction = readTransaction(reader, bytes.length);
  if (reader.remaining !== 0) throw new PoolError('invalid_data', `${reader.remaining} bytes follow a transaction`);
  return transaction;
}

/** Steps over a merged-mining proof: parent coinbase, its branch, the chain branch, the parent's header. */
function skipAuxPow(reader: ByteReader): void {
  readTransaction(reader, undefined);
  reader.view(32);
  for (let i = 0; i < 2; i++) {
    const count = reader.compactSize();
    if (count > MAX_BRANCH) throw new PoolError('invalid_data', `a branch of ${count} hashes`);
    reader.view(32 * count + 4);
  }
  reader.view(HEADER_BYTES);
}

function merkleRootOf(transactions: readonly IndexedTransaction[]): Uint8Array {
  let level = transactions.map(({ txid }) => txid);
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] ?? new Uint8Array(32);
      next.push(sha256d(concatBytes(left, level[i + 1] ?? left)));
    }
    level = next;
  }
  return level[0] ?? new Uint8Array(32);
}

function parseWith(bytes: Uint8Array, hasAuxPow: boolean): IndexedBlock {
  const reader = new ByteReader(bytes, HEADER_BYTES);
  if (hasAuxPow) skipAuxPow(reader);
  const count = reader.compactSize();
  if (count === 0 || count * MIN_TX_BYTES > reader.remaining) {
    throw new PoolError('invalid_block', `${count} transactions cannot be in this block`);
  }
  const transactions = Array.from({ length: count }, () => readTransaction(reader, undefined));
  // What follows is a MWEB extension block, which has no scripts to index.
  const header = bytes.subarray(0, HEADER_BYTES);
  if (!equalBytes(merkleRootOf(transactions), header.subarray(36, 68))) {
    throw new PoolError('invalid_block', 'the transactions do not lead to the merkle root of the header');
  }
  return { header, hash: sha256d(header), previousHash: header.subarray(4, 36), transactions };
}

/**
 * Reads a block as nodes print it (`getblock` with verbosity 0): header, merged-mining proof where the chain has one,
 * transactions, MWEB block. The transactions are checked against the merkle root, so that a misread block cannot get
 * into an index. Arrays are views of `bytes`.
 *
 * @throws PoolError `invalid_block`, `invalid_data` or `end_of_data`
 */
export function parseRawBlock(bytes: Uint8Array): IndexedBlock {
  if (bytes.length < HEADER_BYTES) throw new PoolError('invalid_block', `a block of ${bytes.length} bytes`);
  const version = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  if ((version & AUXPOW_BIT) === 0) return parseWith(bytes, false);
  // On other chains the bit means something else; the merkle root tells which it was.
  try {
    return parseWith(bytes, true);
  } catch {
    return parseWith(bytes, false);
  }
}
