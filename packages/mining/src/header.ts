import { ByteReader, ByteWriter, PoolError } from '@headframe/primitives';

/** Bytes of a block header. */
export const HEADER_BYTES = 80;

/** The fields of a block header. Hashes in internal order; integers unsigned. */
export interface HeaderFields {
  readonly version: number;
  readonly previousHash: Uint8Array;
  readonly merkleRoot: Uint8Array;
  /** Unix seconds. */
  readonly ntime: number;
  readonly nbits: number;
  readonly nonce: number;
}

/** The 80 bytes that are hashed. */
export function buildHeader(fields: HeaderFields): Uint8Array {
  if (fields.previousHash.length !== 32 || fields.merkleRoot.length !== 32) {
    throw new PoolError('invalid_argument', 'the hashes of a header have 32 bytes');
  }
  return new ByteWriter(HEADER_BYTES)
    .u32le(fields.version)
    .write(fields.previousHash)
    .write(fields.merkleRoot)
    .u32le(fields.ntime)
    .u32le(fields.nbits)
    .u32le(fields.nonce)
    .finish();
}

/** Takes a header apart; the hashes are copies. @throws PoolError `invalid_block` unless it has 80 bytes. */
export function parseHeader(header: Uint8Array): HeaderFields {
  if (header.length !== HEADER_BYTES) {
    throw new PoolError('invalid_block', `a header has ${HEADER_BYTES} bytes, not ${header.length}`);
  }
  const reader = new ByteReader(header);
  return {
    version: reader.u32le(),
    previousHash: reader.copy(32),
    merkleRoot: reader.copy(32),
    ntime: reader.u32le(),
    nbits: reader.u32le(),
    nonce: reader.u32le(),
  };
}

/**
 * Header version of a share with rolled bits (BIP 310): the job's bits outside the mask, the miner's inside.
 * @returns the unsigned version, or -1 when the miner set a bit outside the mask
 */
export function mergeVersion(jobVersion: number, mask: number, bits: number): number {
  if ((bits & ~mask) !== 0) return -1;
  return ((jobVersion & ~mask) | (bits & mask)) >>> 0;
}
