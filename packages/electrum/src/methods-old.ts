import { z } from 'zod';
import {
  address,
  balance,
  count,
  hash,
  headerObject,
  height,
  historyItem,
  mempoolItem,
  status,
  unspentItem,
} from './fields.js';
import { arg, form, method, subscription } from './method-types.js';

const owner = arg('address', address);
const CHUNK_HEX = 2016 * 160;

/** What went away with 1.1, 1.3 and 1.4: the address instead of the script hash, headers as objects. */
export const OLD_METHODS = {
  'blockchain.numblocks.subscribe': method('The height of the chain, now and whenever it grows.', {
    old: { '0.8': subscription([], height, z.tuple([height])) },
    removedIn: '1.1',
  }),
  'blockchain.block.get_header': method('A block header as an object.', {
    old: { '0.8': form([arg('height', height)], headerObject) },
    removedIn: '1.4',
  }),
  'blockchain.block.get_chunk': method('Up to 2,016 block headers from `index * 2016` on, as one hex string.', {
    old: {
      '0.8': form(
        [arg('index', count)],
        z
          .string()
          .max(CHUNK_HEX)
          .regex(/^([0-9a-fA-F]{2})*$/, 'not hex'),
      ),
    },
    removedIn: '1.4',
  }),
  'blockchain.address.subscribe': method('The status of an address, now and whenever it changes.', {
    old: { '0.8': subscription([owner], status, z.tuple([address, status])) },
    removedIn: '1.3',
  }),
  'blockchain.address.get_history': method('Transactions of an address: confirmed in chain order, then mempool.', {
    old: { '0.8': form([owner], z.array(historyItem)) },
    removedIn: '1.3',
  }),
  'blockchain.address.get_mempool': method('Transactions of an address that are in no block.', {
    // Old servers leave the fee out.
    old: { '0.8': form([owner], z.array(mempoolItem.partial({ fee: true }))) },
    removedIn: '1.3',
  }),
  'blockchain.address.get_balance': method('What an address has, and what the mempool will change about it.', {
    old: { '0.8': form([owner], balance) },
    removedIn: '1.3',
  }),
  'blockchain.address.listunspent': method('Outputs of an address that nothing has spent.', {
    old: { '0.8': form([owner], z.array(unspentItem)) },
    removedIn: '1.3',
  }),
  'blockchain.address.get_proof': method(
    'Proof of the unspent outputs against `utxo_root`. No server of today has it.',
    {
      old: { '0.8': form([owner], z.array(z.unknown()).max(10_000)) },
      removedIn: '1.1',
    },
  ),
  'blockchain.utxo.get_address': method('Who an output pays; null when it pays no address.', {
    old: { '0.8': form([arg('tx_hash', hash), arg('index', count)], address.nullable()) },
    removedIn: '1.1',
  }),
} as const;
