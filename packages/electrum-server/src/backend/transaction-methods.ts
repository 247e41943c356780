import { compareVersions } from '@headframe/electrum';
import { isPoolError } from '@headframe/primitives';
import type { ElectrumContext } from '../sessions/context.js';
import { type BackendParts, badRequest, guarded } from './parts.js';

/** Registers `blockchain.transaction.*`. */
export function registerTransactionMethods(parts: BackendParts): void {
  const { framework, index, node } = parts;

  framework.electrumMethod('blockchain.transaction.get', ([txid, verbose], context) =>
    guarded(async () => {
      const found = await index.call('transaction', txid);
      // Versions up to 1.0 have a height in second place, which nobody needs.
      const version = framework.versionFor(context, 'blockchain.transaction.get');
      if (verbose === true && compareVersions(version, '1.2') >= 0) {
        // With the hash of the block a node needs no index of its own.
        const block = found === undefined ? [] : [found.blockHash];
        return node.call('getrawtransaction', [txid, true, ...block]);
      }
      return found?.raw ?? node.call('getrawtransaction', [txid]);
    }),
  );
  framework.electrumMethod('blockchain.transaction.get_merkle', ([txid, height]) =>
    guarded(async () => {
      const proof = await index.call('proveTransaction', txid, height);
      if (proof === undefined) return badRequest(`tx ${txid} not in block at height ${height}`);
      return { block_height: height, ...proof };
    }),
  );
  framework.electrumMethod('blockchain.transaction.id_from_pos', ([height, position, merkle]) =>
    guarded(async () => {
      const found = await index.call('transactionAt', height, position);
      if (found === undefined) return badRequest(`no tx at position ${position} in block at height ${height}`);
      return merkle ? { tx_hash: found.txid, merkle: found.merkle } : found.txid;
    }),
  );
  framework.electrumMethod('blockchain.transaction.broadcast', ([raw], context) => broadcast(parts, raw, context));
  framework.electrumMethod('blockchain.transaction.broadcast_package', ([raws, verbose]) =>
    guarded(async () => {
      const result = await node.call('submitpackage', [raws]);
      index.poke();
      return verbose ? result : packageOutcome(result);
    }),
  );
}

async function broadcast({ node, index }: BackendParts, raw: string, { state }: ElectrumContext): Promise<unknown> {
  return guarded(async () => {
    try {
      const txid = await node.call('sendrawtransaction', [raw]);
      index.poke();
      return txid;
    } catch (error) {
      if (!isPoolError(error, 'rpc_error')) throw error;
      const reason = String(error.details.rpcMessage ?? error.message);
      // Old clients take any result that is no id for the reason.
      if (state.isOld) return `The transaction was rejected by network rules. (${reason})`;
      return badRequest(`the transaction was rejected by network rules.\n\n${reason}\n[${raw}]`);
    }
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `submitpackage` says, in the protocol's short form. */
function packageOutcome(result: unknown): unknown {
  const { package_msg: message, 'tx-results': results } = isRecord(result) ? result : {};
  const errors = Object.values(isRecord(results) ? results : {}).flatMap((each) =>
    isRecord(each) && typeof each.error === 'string' ? [{ txid: each.txid, error: each.error }] : [],
  );
  const success = message === 'success' && errors.length === 0;
  return success ? { success } : { success, errors };
}
