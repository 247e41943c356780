import { sha256d } from '@headframe/hashing';
import {
  ByteReader,
  ByteWriter,
  bytesToHex,
  fromDisplayHex,
  hexToBytes,
  PoolError,
  toDisplayHex,
} from '@headframe/primitives';
import type { HeaderObject } from './fields.js';
import { verifyMerkleProof } from './merkle.js';

/** Bytes of a block header; what follows on merged-mined chains is not part of it. */
export const BLOCK_HEADER_BYTES = 80;
/** Headers of one chunk of the old protocol: a difficulty period of Bitcoin. */
export const CHUNK_HEADERS = 2016;

/** A block header, field by field. Hashes as hex in display order; numbers unsigned but for the version. */
export interface BlockHeader {
  readonly version: number;
  readonly prevHash: string;
  readonly merkleRoot: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Target in compact form. */
  readonly bits: number;
  readonly nonce: number;
  /** SHA-256d of the 80 bytes: the block's name, whatever the chain hashes for work. */
  readonly hash: string;
}

/**
 * Reads the first 80 bytes of a header; on merged-mined chains more may follow.
 * @throws PoolError `invalid_data` below 80 bytes, `invalid_hex`
 */
export function parseBlockHeader(header: Uint8Array | string): BlockHeader {
  const all = typeof header === 'string' ? hexToBytes(header) : header;
  if (all.length < BLOCK_HEADER_BYTES) {
    throw new PoolError('invalid_data', `a block header has 80 bytes, not ${all.length}`);
  }
  const bytes = all.subarray(0, BLOCK_HEADER_BYTES);
  const reader = new ByteReader(bytes);
  return {
    version: reader.u32le() | 0,
    prevHash: toDisplayHex(reader.view(32)),
    merkleRoot: toDisplayHex(reader.view(32)),
    timestamp: reader.u32le(),
    bits: reader.u32le(),
    nonce: reader.u32le(),
    hash: toDisplayHex(sha256d(bytes)),
  };
}

/** The 80 bytes of a header. @throws PoolError `invalid_hex`, `invalid_argument` */
export function encodeBlockHeader(header: Omit<BlockHeader, 'hash'>): Uint8Array {
  const writer = new ByteWriter(BLOCK_HEADER_BYTES);
  const { version, timestamp, bits, nonce } = header;
  for (const hash of [header.prevHash, header.merkleRoot]) {
    if (hash.length !== 64) throw new PoolError('invalid_argument', `a hash has 64 hex digits, not ${hash.length}`);
  }
  writer
    .u32le(version >>> 0)
    .write(fromDisplayHex(header.prevHash))
    .write(fromDisplayHex(header.merkleRoot));
  writer.u32le(timestamp).u32le(bits).u32le(nonce);
  return writer.finish();
}

/** A header as the old protocol tells it. @throws PoolError as {@link parseBlockHeader} */
export function headerObjectOf(header: Uint8Array | string, height: number): HeaderObject {
  const { version, prevHash, merkleRoot, timestamp, bits, nonce } = parseBlockHeader(header);
  const prev_block_hash = height === 0 ? null : prevHash;
  return { block_height: height, version, prev_block_hash, merkle_root: merkleRoot, timestamp, bits, nonce };
}

/** Hex of the 80 bytes that an old header object describes. @throws PoolError as {@link encodeBlockHeader} */
export function headerHexOf(object: HeaderObject): string {
  const { version, merkle_root: merkleRoot, timestamp, bits, nonce } = object;
  const prevHash = object.prev_block_hash ?? '0'.repeat(64);
  return bytesToHex(encodeBlockHeader({ version, prevHash, merkleRoot, timestamp, bits, nonce }));
}

/** Answer of `block.headers` (either shape), or of the old `block.get_chunk`. */
export type HeadersAnswer =
  | string
  | { readonly count: number; readonly hex: string }
  | { readonly count: number; readonly headers: readonly string[] };

/**
 * The headers of a `block.headers` answer, of either version, or of a chunk, 80 bytes each as hex.
 * @throws PoolError `invalid_data` when the length does not fit the count
 */
export function splitHeaders(answer: HeadersAnswer): readonly string[] {
  const joined = typeof answer === 'string' ? answer : 'hex' in answer ? answer.hex : undefined;
  const width = 2 * BLOCK_HEADER_BYTES;
  let list: readonly string[];
  if (joined !== undefined) {
    if (joined.length % width !== 0) throw new PoolError('invalid_data', `${joined.length / 2} bytes are no headers`);
    list = Array.from({ length: joined.length / width }, (_, i) => joined.slice(i * width, (i + 1) * width));
  } else list = typeof answer === 'object' && 'headers' in answer ? answer.headers : [];
  if (typeof answer === 'object' && answer.count !== list.length) {
    throw new PoolError('invalid_data', `${list.length} headers where ${answer.count} were announced`);
  }
  return list;
}

/**
 * Checks that headers link: each names the hash of the one before it.
 * @returns their parsed forms
 * @throws PoolError `invalid_data` naming the first that does not; as {@link parseBlockHeader}
 */
export function parseHeaderChain(headers: readonly string[]): readonly BlockHeader[] {
  const parsed = headers.map((header) => parseBlockHeader(header));
  for (let i = 1; i < parsed.length; i++) {
    if (parsed[i]?.prevHash !== parsed[i - 1]?.hash) {
      throw new PoolError('invalid_data', `header ${i} does not follow header ${i - 1}`);
    }
  }
  return parsed;
}

/** Answer of `block.header` with a checkpoint height. */
export interface HeaderProof {
  readonly header: string;
  readonly branch: readonly string[];
  readonly root: string;
}

/** True when the proof leads from the header at `height` to `checkpointRoot`, which the caller knows beforehand. */
export function verifyHeaderProof(proof: HeaderProof, height: number, checkpointRoot: string): boolean {
  if (proof.root !== checkpointRoot || proof.header.length < 2 * BLOCK_HEADER_BYTES) return false;
  let leaf: string;
  try {
    leaf = parseBlockHeader(proof.header).hash;
  } catch {
    return false;
  }
  return verifyMerkleProof({ leaf, branch: proof.branch, index: height, root: checkpointRoot });
}
