import { z } from 'zod';
import {
  balance,
  branch,
  count,
  hash,
  headerHex,
  headerObject,
  headerTip,
  height,
  hex,
  historyItem,
  mempoolItem,
  merkleProof,
  status,
  text,
  unspentItem,
} from './fields.js';
import { arg, form, method, subscription } from './method-types.js';
import { packageResult } from './methods-server.js';

const scripthash = arg('scripthash', hash);
const txid = arg('tx_hash', hash);
const cpHeight = arg('cp_height', height.default(0));
const startHeight = arg('start_height', height);
const headerCount = arg('count', count);
const MAX_HEADERS = 20_000;
/** With a checkpoint height: what proves the last header. */
const headerProof = { branch: branch.optional(), root: hash.optional() };
const headersHex = z.object({
  count,
  hex: z
    .string()
    .max(MAX_HEADERS * 160)
    .regex(/^([0-9a-fA-F]{2})*$/, 'not hex'),
  max: count,
});
const anyHeader = z.union([headerTip, headerObject]);

/** `blockchain.*` of versions 1.1 and later. */
export const CHAIN_METHODS = {
  'blockchain.headers.subscribe': method('The newest block, now and whenever there is a newer one.', {
    modern: { '1.4': subscription([], headerTip, z.tuple([headerTip])) },
    old: {
      '0.8': subscription([], headerObject, z.tuple([headerObject])),
      '1.2': subscription([arg('raw', z.boolean().default(false))], anyHeader, z.tuple([anyHeader])),
      '1.3': subscription([arg('raw', z.boolean().default(true))], anyHeader, z.tuple([anyHeader])),
    },
  }),
  'blockchain.block.header': method('A block header, with `cp_height` with a proof that it belongs to that chain.', {
    modern: {
      '1.4': form(
        [arg('height', height), cpHeight],
        z.union([headerHex, z.object({ header: headerHex, branch, root: hash })]),
      ),
    },
    old: { '1.3': form([arg('height', height)], headerHex) },
  }),
  'blockchain.block.headers': method('Up to `max` block headers in a row; `cp_height` proves the last.', {
    modern: {
      '1.4': form([startHeight, headerCount, cpHeight], headersHex.extend(headerProof)),
      '1.6': form(
        [startHeight, headerCount, cpHeight],
        z.object({ count, headers: z.array(headerHex).max(MAX_HEADERS), max: count, ...headerProof }),
      ),
    },
    old: { '1.2': form([startHeight, headerCount], headersHex) },
  }),
  'blockchain.scripthash.subscribe': method('The status of a script, now and whenever it changes.', {
    modern: { '1.1': subscription([scripthash], status, z.tuple([hash, status])) },
  }),
  'blockchain.scripthash.unsubscribe': method('Ends a subscription; false when there was none.', {
    modern: { '1.4.2': form([scripthash], z.boolean()) },
  }),
  'blockchain.scripthash.get_history': method('Transactions of a script: confirmed in chain order, then mempool.', {
    modern: { '1.1': form([scripthash], z.array(historyItem)) },
  }),
  'blockchain.scripthash.get_mempool': method('Transactions of a script that are in no block.', {
    modern: { '1.1': form([scripthash], z.array(mempoolItem)) },
  }),
  'blockchain.scripthash.get_balance': method('What a script has, and what the mempool will change about it.', {
    modern: { '1.1': form([scripthash], balance) },
  }),
  'blockchain.scripthash.listunspent': method('Outputs of a script that nothing has spent, mempool included.', {
    modern: { '1.1': form([scripthash], z.array(unspentItem)) },
  }),
  'blockchain.transaction.get': method("A transaction as hex, or with `verbose` as the node's own object.", {
    modern: { '1.2': form([txid, arg('verbose', z.boolean().default(false))], z.union([hex, z.looseObject({})])) },
    old: {
      '0.8': form([txid, arg('height', z.unknown())], hex),
      '1.1': form([txid], hex),
    },
  }),
  'blockchain.transaction.get_merkle': method('Proof that a transaction is in the block of that height.', {
    modern: { '0.8': form([txid, arg('height', height)], merkleProof) },
  }),
  'blockchain.transaction.id_from_pos': method(
    'The id of a transaction by its place in the chain, on demand with proof.',
    {
      modern: {
        '1.4': form(
          [arg('height', height), arg('tx_pos', count), arg('merkle', z.boolean().default(false))],
          z.union([hash, z.object({ tx_hash: hash, merkle: branch })]),
        ),
      },
    },
  ),
  'blockchain.transaction.broadcast': method('Gives a transaction to the network; its id is the answer.', {
    modern: { '1.1': form([arg('raw_tx', hex.min(20))], hash) },
    // A refusal came as a result that is no id.
    old: { '0.8': form([arg('raw_tx', hex.min(20))], text) },
  }),
  'blockchain.transaction.broadcast_package': method('Gives several transactions at once, parents first.', {
    modern: {
      '1.6': form(
        [arg('raw_txs', z.array(hex.min(20)).min(1).max(25)), arg('verbose', z.boolean().default(false))],
        packageResult,
      ),
    },
  }),
} as const;
