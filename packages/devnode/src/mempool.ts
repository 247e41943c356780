import type { Chain, TipChange } from './chain.js';
import { checkLooseTransaction, isFinal } from './checks.js';
import { type Coin, checkSpend } from './coins.js';
import { DEV_NODE_LIMITS } from './limits.js';
import { outpointKey, spentKey, type Transaction, transactionSigops } from './transaction.js';

export interface MempoolEntry {
  readonly transaction: Transaction;
  /** Base units. */
  readonly fee: bigint;
  readonly sigops: number;
}

/** Transactions that wait for a block, each after those it spends from. First come, first served; fees do not order. */
export class Mempool {
  readonly #chain: Chain;
  readonly #entries = new Map<string, MempoolEntry>();
  readonly #spent = new Map<string, string>();
  /** Rises with every change: part of the longpoll id. */
  #updates = 0;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  get size(): number {
    return this.#entries.size;
  }
  get updates(): number {
    return this.#updates;
  }
  get(id: string): MempoolEntry | undefined {
    return this.#entries.get(id);
  }
  entries(): IterableIterator<MempoolEntry> {
    return this.#entries.values();
  }
  /** True when a waiting transaction spends this output. */
  isSpent(key: string): boolean {
    return this.#spent.has(key);
  }

  #coin(key: string): Coin | undefined {
    const onChain = this.#chain.coins.get(key);
    if (onChain !== undefined) return onChain;
    const separator = key.indexOf(':');
    const output = this.#entries.get(key.slice(0, separator))?.transaction.outputs[Number(key.slice(separator + 1))];
    if (output === undefined) return undefined;
    return { value: output.value, script: output.script, height: this.#chain.height + 1, coinbase: false };
  }

  /** @returns undefined when taken, otherwise the reason (`bad-txns-inputs-missingorspent`, `txn-mempool-conflict` ...). */
  add(transaction: Transaction): string | undefined {
    const { params } = this.#chain;
    if (this.#entries.has(transaction.id)) return 'txn-already-in-mempool';
    const form = checkLooseTransaction(transaction, params.maxMoney);
    if (form !== undefined) return form;
    if (transaction.weight > DEV_NODE_LIMITS.maxTransactionWeight) return 'tx-size';
    const height = this.#chain.height + 1;
    if (!isFinal(transaction, height, this.#chain.medianTimePast(this.#chain.tip))) return 'non-final';
    if (transaction.outputs.some((_, i) => this.#chain.coins.get(outpointKey(transaction.id, i)) !== undefined)) {
      return 'txn-already-known';
    }
    if (transaction.inputs.some((input) => this.#spent.has(spentKey(input)))) return 'txn-mempool-conflict';
    const spend = checkSpend(transaction, (key) => this.#coin(key), {
      height,
      coinbaseMaturity: params.coinbaseMaturity,
    });
    if (!spend.ok) return spend.reason;
    if (this.#entries.size >= DEV_NODE_LIMITS.maxMempool) return 'mempool full';
    this.#entries.set(transaction.id, { transaction, fee: spend.fee, sigops: transactionSigops(transaction) * 4 });
    for (const input of transaction.inputs) this.#spent.set(spentKey(input), transaction.id);
    this.#updates++;
    return undefined;
  }

  /** After the tip moved: what a lost block held comes back, what the chain now holds or contradicts goes. */
  update({ disconnected }: TipChange): void {
    const waiting = [...this.#entries.values()].map(({ transaction }) => transaction);
    const returned = [...disconnected].reverse().flatMap(({ transactions }) => transactions.slice(1));
    this.#entries.clear();
    this.#spent.clear();
    for (const transaction of [...returned, ...waiting]) this.add(transaction);
    this.#updates++;
  }
}
