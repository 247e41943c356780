import { hexToBytes, isAtMostLe, uint256ToBytesLe } from '@headframe/primitives';
import { type Block, type BlockHeader, merkleRoot, parseBlock, serializeBlock, serializeHeader } from './block.js';
import type { BlockEntry, Chain } from './chain.js';
import { commitmentScript, heightPush } from './checks.js';
import { scryptHash, sha256d } from './hashes.js';
import type { MempoolEntry } from './mempool.js';
import { targetOfBits } from './target.js';
import { buildTransaction, type Transaction, type TransactionOutput } from './transaction.js';

/** What Core leaves free in a template for the coinbase. */
const RESERVED_WEIGHT = 8_000;
const RESERVED_SIGOPS = 400;
const MAX_WEIGHT = 4_000_000;
const MAX_SIGOPS = 80_000;

/** BIP 9 version with no bit signalled. */
export const BLOCK_VERSION = 0x20000000;

export interface Selection {
  readonly entries: readonly MempoolEntry[];
  readonly fees: bigint;
}

/** The waiting transactions that fit into one block, in an order in which each can be checked. */
export function selectTransactions(waiting: Iterable<MempoolEntry>): Selection {
  const entries: MempoolEntry[] = [];
  const left = new Set<string>();
  let weight = RESERVED_WEIGHT;
  let sigops = RESERVED_SIGOPS;
  let fees = 0n;
  for (const entry of waiting) {
    const { transaction } = entry;
    const parentLeft = left.size > 0 && transaction.inputs.some(({ previousTxid }) => left.has(previousTxid.join()));
    if (parentLeft || weight + transaction.weight > MAX_WEIGHT || sigops + entry.sigops > MAX_SIGOPS) {
      left.add(transaction.txid.join());
      continue;
    }
    weight += transaction.weight;
    sigops += entry.sigops;
    fees += entry.fee;
    entries.push(entry);
  }
  return { entries, fees };
}

function coinbase(height: number, extra: number, outputs: readonly TransactionOutput[]): Transaction {
  // The counter keeps two blocks at one height apart, and the scriptSig above two bytes at heights 1 to 16.
  const scriptSig = Uint8Array.of(...heightPush(height), 4, extra >>> 24, extra >>> 16, extra >>> 8, extra);
  return buildTransaction({
    inputs: [
      {
        previousTxid: new Uint8Array(32),
        previousIndex: 0xffffffff,
        scriptSig,
        sequence: 0xffffffff,
        witness: [new Uint8Array(32)],
      },
    ],
    outputs,
  });
}

/** Tries nonces, then times, until the header passes. With regtest's target two tries are usual. */
function grind(fields: Omit<BlockHeader, 'bytes' | 'hash' | 'id'>, algorithm: 'sha256d' | 'scrypt'): Uint8Array {
  const target = uint256ToBytesLe(targetOfBits(fields.bits) ?? 0n);
  const header = serializeHeader(fields);
  const view = new DataView(header.buffer);
  for (let time = fields.time; ; time++) {
    view.setUint32(68, time, true);
    for (let nonce = 0; nonce <= 0xffffffff; nonce++) {
      view.setUint32(76, nonce, true);
      const hash = algorithm === 'scrypt' ? scryptHash(header) : sha256d(header);
      if (isAtMostLe(hash, 0, target)) return header;
    }
  }
}

export interface MineOptions {
  readonly parent: BlockEntry;
  readonly script: Uint8Array;
  readonly transactions: readonly Transaction[];
  readonly fees: bigint;
  /** Distinguishes blocks that are otherwise equal. */
  readonly extra: number;
}

/** Builds and solves a block on `parent`. */
export function mineBlock(chain: Chain, options: MineOptions): Block {
  const { parent, script, transactions, fees, extra } = options;
  const height = parent.height + 1;
  const first = coinbase(height, extra, [
    { value: chain.params.subsidyAt(height) + fees, script },
    { value: 0n, script: commitmentScript(transactions) },
  ]);
  const all = [first, ...transactions];
  const header = grind(
    {
      version: BLOCK_VERSION,
      previousHash: hexToBytes(parent.id).reverse(),
      merkleRoot: merkleRoot(all.map(({ txid }) => txid)).root,
      time: chain.nextTime(parent),
      bits: chain.params.bitsAt(height),
      nonce: 0,
    },
    chain.params.algorithm,
  );
  return parseBlock(serializeBlock(header, all));
}
