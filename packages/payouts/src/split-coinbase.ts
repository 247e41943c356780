import { type CoinNode, isTransient } from '@headframe/daemon';
import { type CoinbaseOutput, HEADER_BYTES, sha256d } from '@headframe/mining';
import { ByteReader, hexToBytes, isPoolError, PoolError, toDisplayHex } from '@headframe/primitives';
import type { BlockReader } from './accountant-types.js';

/** A coinbase has more outputs only by mistake: 100,000 bytes of scripts and amounts hold no more. */
const MAX_OUTPUTS = 11_000;
/** A scriptSig of a coinbase has at most 100 bytes; anything near it is still read. */
const MAX_SCRIPT = 10_000;

/**
 * Outputs of the coinbase of a block as nodes print it (raw getblock): header, number of transactions, coinbase. What
 * follows is not looked at.
 *
 * @param hash display hex; the block must be this one
 * @throws PoolError `invalid_block` when it is not, or not a block; `end_of_data` when it is cut short.
 */
export function coinbaseOutputs(block: Uint8Array, hash: string): CoinbaseOutput[] {
  if (block.length < HEADER_BYTES || toDisplayHex(sha256d(block.subarray(0, HEADER_BYTES))) !== hash) {
    throw new PoolError('invalid_block', `the node's block is not ${hash}`);
  }
  const reader = new ByteReader(block, HEADER_BYTES);
  if (reader.compactSize() === 0) throw invalid('no transactions');
  reader.u32le();
  let inputs = reader.compactSize();
  // BIP 144: a transaction with witness has the marker 0 where the number of inputs stands otherwise.
  if (inputs === 0) {
    if (reader.u8() !== 1) throw invalid('an unknown kind of transaction');
    inputs = reader.compactSize();
  }
  if (inputs !== 1) throw invalid(`a coinbase with ${inputs} inputs`);
  reader.view(36);
  skipScript(reader);
  reader.u32le();
  const count = reader.compactSize();
  if (count > MAX_OUTPUTS) throw invalid(`a coinbase with ${count} outputs`);
  return Array.from({ length: count }, () => {
    const amount = reader.u64le();
    return { amount, script: skipScript(reader) };
  });
}

function skipScript(reader: ByteReader): Uint8Array {
  const length = reader.compactSize();
  if (length > MAX_SCRIPT) throw invalid(`a script of ${length} bytes`);
  return reader.copy(length);
}

const invalid = (what: string): PoolError => new PoolError('invalid_block', `a block with ${what}`);

/**
 * Reads coinbases through the nodes of a pool (`createNodePool`), asking one after the other: a node that is behind, or on
 * another branch, does not know every block.
 */
export function blockReader(nodes: { candidates(): readonly Pick<CoinNode, 'call'>[] }): BlockReader {
  return {
    async coinbaseOf(hash) {
      let last: unknown = new PoolError('no_node', 'no node to ask for a block');
      for (const node of nodes.candidates()) {
        try {
          const raw = await node.call('getblock', [hash, false]);
          if (typeof raw !== 'string') throw new PoolError('invalid_block', 'the node printed no raw block');
          return coinbaseOutputs(hexToBytes(raw), hash);
        } catch (error) {
          if (!isPoolError(error)) throw error;
          // What a node answered says more than that another one was away.
          if (last === undefined || !isTransient(error) || isPoolError(last, 'no_node')) last = error;
        }
      }
      throw last;
    },
  };
}
