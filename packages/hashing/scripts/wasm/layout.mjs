/**
 * Where things lie in the linear memory that the kernels share with the TypeScript around them. The numbers that the
 * TypeScript side needs are written into the generated file, so this is the only place that states them.
 *
 * Scalar words are 4 bytes; SIMD words are 16 bytes (the same word of four shares side by side).
 */

/** One share record and one result, as in `src/types.ts`. */
const RECORD_BYTES = 32;
const RESULT_BYTES = 112;
/** Shares per pass over the kernels: 36 KiB of records and results, which stays in the first-level cache's neighbour. */
const CHUNK_SHARES = 256;

let next = 0;
/** Reserves `bytes` at the next multiple of 64, a cache line. */
function region(bytes) {
  const at = next;
  next = (next + bytes + 63) & ~63;
  return at;
}

/** Constants and working set of the scalar code. */
export const scalar = {
  wordBytes: 4,
  initial: region(8 * 4),
  padding64: region(64 * 4),
  state: region(8 * 4),
  schedule: region(64 * 4),
  message: region(16 * 4),
  header: region(32 * 4),
};

/** Constants and working set of the SIMD code. */
export const simd = {
  wordBytes: 16,
  initial: region(8 * 16),
  padding64: region(64 * 16),
  /** 32-bit constants that the code splats on load. */
  pool: region(128 * 4),
  poolWords: 128,
  state: region(8 * 16),
  schedule: region(64 * 16),
  message: region(16 * 16),
  header: region(32 * 16),
};

/** One lane: the two coinbase blocks that hold the extranonce, and room for what its copy overshoots. */
export const LANE_BYTES = 192;
export const lanes = region(4 * LANE_BYTES);

/** Input and output of the plain hash functions: the message with its padding, then 32 bytes of hash. */
export const HASH_INPUT_BYTES = 8192;
export const hashInput = region(HASH_INPUT_BYTES);
export const hashOutput = region(32);
/** Enough for the plain hash functions alone. */
export const hashBytes = next;

export const records = region(CHUNK_SHARES * RECORD_BYTES);
export const results = region(CHUNK_SHARES * RESULT_BYTES);
/** Jobs, one slot each, from here to the end of the memory. */
export const jobs = region(0);

/**
 * One job slot. The tail is the coinbase from the last whole block before the extranonce on, padded as SHA-256 wants
 * it; the merkle branch follows the tail.
 */
export const slot = {
  /** SHA-256 state after the whole blocks before the extranonce, 8 words. */
  midstate: 0,
  /** Previous block hash as 8 message words. */
  previousHash: 32,
  /** nBits as a message word. */
  nbits: 64,
  /** Offset of the extranonce in the tail. */
  extranonceOffset: 68,
  extranonceLength: 72,
  tail: 128,
};

/** scrypt has a memory of its own: constants, working set, then 128 KiB of pad per stream. */
export const scrypt = (() => {
  const STREAMS = 4;
  next = 0;
  const sha = {
    wordBytes: 4,
    initial: region(8 * 4),
    padding64: region(64 * 4),
    state: region(8 * 4),
    schedule: region(64 * 4),
    message: region(16 * 4),
  };
  const areas = {
    ...sha,
    /** The header as 20 message words. */
    header: region(20 * 4),
    key: region(8 * 4),
    /** State of the inner hash after the key block and the header's first 64 bytes. */
    innerHeader: region(8 * 4),
    /** Message words 8 to 15 of the outer hash of HMAC: padding of a 96-byte message. */
    outerPadding: region(8 * 4),
    /** Second block of the final inner hash: the counter 1 and padding of a 196-byte message. */
    finalBlock: region(16 * 4),
    streams: STREAMS,
    input: region(STREAMS * 80),
    output: region(STREAMS * 32),
    /** States of the inner and the outer hash after the key block, one after the other, per stream. */
    keys: region(STREAMS * 64),
    /** The 128-byte block that ROMix works on, per stream. */
    block: region(STREAMS * 128),
    /** Input of the Salsa20/8 under way, per stream. */
    feed: region(STREAMS * 64),
    /** 1024 copies of the block. */
    padBytes: 1024 * 128,
  };
  const pad = (next + 4095) & ~4095;
  return { ...areas, pad, bytes: pad + areas.streams * areas.padBytes };
})();

export const sizes = { recordBytes: RECORD_BYTES, resultBytes: RESULT_BYTES, chunkShares: CHUNK_SHARES };
