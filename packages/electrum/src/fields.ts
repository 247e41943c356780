import { z } from 'zod';

/** Nobody has that many blocks; keeps arithmetic on heights far from trouble. */
const MAX_HEIGHT = 0x7fffffff;
/** Consensus limit of a block's weight as bytes, twice for hex. */
const MAX_TX_HEX = 8_000_000;
const MAX_TEXT = 100_000;

/** Hash as nodes print it: 64 hex digits. Capitals are taken and made small. */
export const hash = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'not 64 hex digits')
  .describe('hash');
export const height = z.int().min(0).max(MAX_HEIGHT).describe('height');
export const count = z.int().min(0).max(MAX_HEIGHT);
/** Bytes as hex; the empty string is none. */
export const hex = z
  .string()
  .max(MAX_TX_HEX)
  .regex(/^([0-9a-fA-F]{2})*$/, 'not hex')
  .describe('hex');
/** 80 bytes as hex; chains with merged mining append their proof. */
export const headerHex = hex.min(160).describe('header');
/** Satoshi. */
export const amount = z.int().describe('satoshi');
/** Coins per 1,000 bytes; -1: the node cannot tell. */
export const feeRate = z.number().describe('fee rate');
export const text = z.string().max(MAX_TEXT);
export const address = z.string().min(1).max(130).describe('address');
/** Hash of a history, see `historyStatus`; null without transactions. */
export const status = hash.nullable().describe('status');
/** Siblings from the leaf up. No block has 2^32 transactions. */
export const branch = z.array(hash).max(32).describe('branch');

export const historyItem = z.object({
  tx_hash: hash,
  /** 0: in the mempool; -1: in the mempool, and so is one of its inputs. */
  height: z.int().min(-1).max(MAX_HEIGHT),
  /** Satoshi; mempool only. */
  fee: amount.min(0).optional(),
});
export const mempoolItem = z.object({
  tx_hash: hash,
  height: z.union([z.literal(0), z.literal(-1)]),
  /** Satoshi. */
  fee: amount.min(0),
});
export const balance = z.object({ confirmed: amount.min(0), unconfirmed: amount });
export const unspentItem = z.object({
  tx_hash: hash,
  tx_pos: count,
  /** 0: in the mempool. */
  height: z.int().min(0).max(MAX_HEIGHT),
  value: amount.min(0),
});
export const merkleProof = z.object({ block_height: height, merkle: branch, pos: count });

/** A block header the old way: its fields one by one, with the height. */
export const headerObject = z
  .object({
    block_height: height,
    version: z.int(),
    /** Null above the first block on some servers. */
    prev_block_hash: hash.nullable(),
    merkle_root: hash,
    timestamp: z.int().min(0).max(0xffffffff),
    bits: z.int().min(0).max(0xffffffff),
    nonce: z.int().min(0).max(0xffffffff),
    /** Root of the tree of unspent outputs that servers before 1.0 kept. */
    utxo_root: z.string().max(64).optional(),
  })
  .describe('header object');
export const headerTip = z.object({ height, hex: headerHex });

/** Name and hidden name of ports: `{tcp_port, ssl_port}` and what newer servers add (`ws_port`, ...). */
const hostPorts = z.record(z.string().max(32), z.int().min(0).max(65_535).nullable().catch(null));
export const features = z.looseObject({
  genesis_hash: hash,
  hosts: z.record(z.string().max(255), hostPorts).default({}),
  protocol_min: z.string().max(20),
  protocol_max: z.string().max(20),
  server_version: z.string().max(200),
  hash_function: z.string().max(32).default('sha256'),
  pruning: z.int().nullable().default(null),
});
export const peer = z.tuple([z.string().max(255), z.string().max(255), z.array(z.string().max(32)).max(64)]);

/** Type of a history item: a transaction that touched a script. */
export type HistoryItem = z.output<typeof historyItem>;
export type MempoolItem = z.output<typeof mempoolItem>;
export type ScriptBalance = z.output<typeof balance>;
export type UnspentItem = z.output<typeof unspentItem>;
export type MerkleProof = z.output<typeof merkleProof>;
/** A header the old way, see `headerObjectOf`. */
export type HeaderObject = z.output<typeof headerObject>;
export type HeaderTip = z.output<typeof headerTip>;
export type ServerFeatures = z.output<typeof features>;
/** Address, host name, and what it serves: `v1.4`, `s50002`, `t50001`, `p100`. */
export type ServerPeer = z.output<typeof peer>;
