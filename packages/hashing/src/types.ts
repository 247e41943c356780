/**
 * The part of a job that hashing needs. All byte fields are in internal order.
 * One hash of a share = SHA-256d(coinbase1 | extranonce | coinbase2), folded with the merkle branch, put into the
 * header, SHA-256d of the header.
 */
export interface ShareHashJob {
  /** Coinbase bytes before the extranonce (serialised without witness). */
  readonly coinbase1: Uint8Array;
  /** Coinbase bytes after the extranonce. */
  readonly coinbase2: Uint8Array;
  /** Bytes of extranonce1 and extranonce2 together. */
  readonly extranonceLength: number;
  /** Merkle branch, 32 bytes per step, one after the other. */
  readonly merkleBranch: Uint8Array;
  /** Previous block hash, 32 bytes. */
  readonly previousHash: Uint8Array;
  /** Compact target, as the integer. */
  readonly nbits: number;
}

/**
 * Layout of one packed share record, the input of {@link ShareHasher.hash}:
 * version u32 LE at 0, ntime u32 LE at 4, nonce u32 LE at 8, extranonce (1 | 2) from 12, zero padded to the stride.
 */
export const SHARE_RECORD = { version: 0, ntime: 4, nonce: 8, extranonce: 12, stride: 32, maxExtranonce: 20 } as const;

/** Layout of one result: the 80-byte header at 0, its SHA-256d (internal order) at 80. */
export const SHARE_RESULT = { header: 0, hash: 80, stride: 112 } as const;

export type HashBackend = 'simd' | 'scalar' | 'node';

/** Hashes whole shares. Not re-entrant; one per thread. */
export interface ShareHasher {
  readonly backend: HashBackend;
  /**
   * Hashes `count` shares: record i belongs to `jobs[i]`, lies at `i * SHARE_RECORD.stride` of `records`, and its
   * result is written at `i * SHARE_RESULT.stride` of `results`. Shares whose jobs have the same shape (coinbase
   * length and branch length) share SIMD lanes, whatever their order.
   */
  hash(jobs: readonly ShareHashJob[], records: Uint8Array, count: number, results: Uint8Array): void;
}

export type PowAlgorithmId = 'sha256d' | 'scrypt';

/** A proof-of-work function behind one type. */
export interface PowAlgorithm {
  readonly id: PowAlgorithmId;
  /** Heavy algorithms are always judged in threads when threads are allowed at all. */
  readonly heavy: boolean;
  /** Proof-of-work hash of an 80-byte header, 32 bytes in internal (little-endian integer) order. */
  hash(header: Uint8Array): Uint8Array;
  /**
   * Hashes `count` headers: header i lies at `i * stride` of `headers`, its hash is written at `i * 32` of `output`.
   * Several at once can cost less than one by one (scrypt: 85 us each in fours, 200 to 270 us alone).
   */
  hashMany(headers: Uint8Array, stride: number, count: number, output: Uint8Array): void;
}
