import { type RpcClient, rpcCodeOf } from '@headframe/daemon';
import { type Clock, errorMessage } from '@headframe/primitives';
import type { FindOptions, SignedTransaction, TransactionState } from '../types.js';
import { recordOf } from './json.js';
import { isSamePayment, parseRawTransaction, type RawTransaction } from './raw-transaction.js';
import type { SpenderSearch } from './spender-search.js';

const NOT_FOUND = -5;
const MISC = -1;

/** What the wallet itself says of a transaction. Negative `confirmations`: one with its coins is that deep. */
export interface WalletEntry {
  readonly confirmations: number;
  /** Ids of wallet transactions that spend the same coins. */
  readonly conflicts: readonly string[];
}

export interface TransactionFinderModules {
  readonly node: RpcClient;
  readonly search: SpenderSearch;
  readonly clock: Clock;
  /** What the wallet knows; undefined when it does not know the transaction. */
  entry(txid: string): Promise<WalletEntry | undefined>;
  isInMempool(txid: string): Promise<boolean>;
  /** A transaction of the wallet with its confirmations, if it has it. */
  load(txid: string): Promise<{ readonly transaction: RawTransaction; readonly confirmations: number } | undefined>;
}

/**
 * Finds out what became of a transaction. Says `conflicted` only with the other transaction at hand; whatever is not
 * known for sure is `unknown`, and sending again does no harm.
 */
export async function findTransaction(
  modules: TransactionFinderModules,
  signed: SignedTransaction,
  { signedMs }: FindOptions,
): Promise<TransactionState> {
  const entry = await modules.entry(signed.txid);
  if (entry !== undefined && entry.confirmations > 0) return { state: 'chain', confirmations: entry.confirmations };
  if (await modules.isInMempool(signed.txid)) return { state: 'mempool' };
  const indexed = entry === undefined ? await confirmationsByIndex(modules.node, signed.txid) : undefined;
  if (indexed !== undefined) return { state: 'chain', confirmations: indexed };

  const own = parseRawTransaction(signed.transaction);
  for (const txid of entry?.conflicts ?? []) {
    const other = await modules.load(txid);
    if (other !== undefined && other.confirmations > 0) return stateOf(own, other);
  }
  if (!(await modules.search.isAnySpent(own.inputs))) return { state: 'unknown' };
  const spender = await modules.search.find(own.txid, own.inputs, signedMs, modules.clock.now());
  return spender === undefined ? { state: 'unknown' } : stateOf(own, spender);
}

function stateOf(
  own: RawTransaction,
  { transaction, confirmations }: { readonly transaction: RawTransaction; readonly confirmations: number },
): TransactionState {
  if (transaction.txid === own.txid) return { state: 'chain', confirmations };
  if (isSamePayment(own, transaction)) return { state: 'chain', confirmations, txid: transaction.txid };
  return { state: 'conflicted', confirmations, txid: transaction.txid, outputs: transaction.outputs };
}

/** From the node's index of all transactions, where it keeps one. */
async function confirmationsByIndex(node: RpcClient, txid: string): Promise<number | undefined> {
  try {
    const { confirmations } = recordOf(await node.call('getrawtransaction', [txid, true]), 'transaction');
    return typeof confirmations === 'number' && confirmations > 0 ? confirmations : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** True when the node answered that it does not know a transaction. bcoin has no code of its own for that. */
export function isNotFound(error: unknown): boolean {
  const code = rpcCodeOf(error);
  return code === NOT_FOUND || (code === MISC && /not found/i.test(errorMessage(error)));
}
