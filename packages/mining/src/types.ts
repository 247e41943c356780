import type { PowAlgorithmId, ShareHashJob } from '@headframe/hashing';

/** One transaction of a template. Hashes are in internal order. */
export interface TemplateTransaction {
  readonly data: Uint8Array;
  readonly txid: Uint8Array;
  /** wtxid; equals txid before segwit. */
  readonly hash: Uint8Array;
  /** Base units; undefined where the node does not say. */
  readonly fee: bigint | undefined;
  readonly weight: number | undefined;
}

/** An output that is not the miner's to choose (masternode, founder, development fund ...). */
export interface RequiredOutput {
  readonly script: Uint8Array;
  readonly amount: bigint;
}

/** A getblocktemplate answer, checked and turned into bytes (`parseTemplate`). */
export interface BlockTemplate {
  readonly height: number;
  /** Internal order. */
  readonly previousHash: Uint8Array;
  readonly version: number;
  readonly nbits: number;
  /** Network target of `nbits`: 32 bytes, little-endian integer. */
  readonly networkTarget: Uint8Array;
  /** Unix seconds. */
  readonly currentTime: number;
  readonly minTime: number;
  /** Subsidy plus fees, before required outputs are taken off. Base units. */
  readonly coinbaseValue: bigint;
  readonly transactions: readonly TemplateTransaction[];
  /** Bytes that must stand in the scriptSig after the height. */
  readonly coinbaseAux: Uint8Array;
  /** Script of the witness commitment output; undefined when the block carries none. */
  readonly witnessCommitment: Uint8Array | undefined;
  readonly requiredOutputs: readonly RequiredOutput[];
  /** Dash DIP4 extra payload, without its length. */
  readonly coinbasePayload: Uint8Array | undefined;
  /** Litecoin MWEB extension block. */
  readonly mweb: Uint8Array | undefined;
  /** Most weight units of the block; undefined before segwit. */
  readonly weightLimit?: number | undefined;
  readonly longPollId: string | undefined;
  readonly workId: string | undefined;
  readonly rules: readonly string[];
}

/** What differs between miners of one job (DESIGN decision 8). */
export interface JobVariant {
  /** `<extranonceLength>/<name of the output set>`; `12/main` by default. */
  readonly key: string;
  readonly extranonceLength: number;
  /** Coinbase bytes before the extranonce, without witness. */
  readonly coinbase1: Uint8Array;
  /** Coinbase bytes after the extranonce, without witness. */
  readonly coinbase2: Uint8Array;
  /** Where in coinbase1 the job stamp lies. Each job id has its own stamp, so no two jobs share a header. */
  readonly stampOffset: number;
}

/**
 * A job as it travels from the core to the edges: plain data, serialisable. Everything a miner or a share check
 * needs, but not the transactions (the core keeps those to assemble the block).
 */
export interface JobRecord {
  /** Unsigned 32-bit; on the wire 8 hex digits. Below 2^31 for jobs of the core, above for jobs derived by a channel. */
  readonly id: number;
  /** Id of the core's job that knows the transactions; equals `id` unless the job was derived. */
  readonly baseId: number;
  readonly height: number;
  readonly previousHash: Uint8Array;
  /** Header version with the rollable bits cleared. */
  readonly version: number;
  /** Bits that a miner may be allowed to roll on this chain (BIP 320: 1fffe000). */
  readonly versionMask: number;
  readonly nbits: number;
  readonly networkTarget: Uint8Array;
  /** Network difficulty in units of share difficulty (the coin's factor applied). */
  readonly networkDifficulty: number;
  /** Time to start from, unix seconds. */
  readonly ntime: number;
  /** Lowest ntime the node accepts. */
  readonly minTime: number;
  /** 32 bytes per step. */
  readonly merkleBranch: Uint8Array;
  readonly variants: readonly JobVariant[];
  readonly algorithm: PowAlgorithmId;
  /** True only for the first job on a new previous block. */
  readonly clean: boolean;
  /** Unix milliseconds when the core made it. */
  readonly createdAtMs: number;
  /** Miner's share of the coinbase: value of the block to the pool, base units. */
  readonly reward: bigint;
  /**
   * Bytes of the job stamp, 0 to 4; 4 unless said. A job of another pool has only the room which that pool leaves,
   * perhaps none: then a derived job may be the very same work, and a channel keeps one set of duplicates for both.
   */
  readonly stampLength?: number;
}

/** A job variant bound for hashing: what the share path holds on to. */
export interface HashableJob extends ShareHashJob {
  readonly algorithm: PowAlgorithmId;
  /** 32 bytes, little-endian integer. */
  readonly networkTarget: Uint8Array;
}
