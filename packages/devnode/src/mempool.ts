import type { Chain, TipChange } from './chain.js';
import { checkLooseTransaction, isFinal } from './checks.js';
import { type Coin, checkSpend, type SpendResult } from './coins.js';
import { DEV_NODE_LIMITS } from './limits.js';
import { transactionSigops } from './sigops.js';
import { outpointKey, spentKey, type Transaction } from './transaction.js';

export interface MempoolEntry {
  readonly transaction: Transaction;
  /** Base units. */
  readonly fee: bigint;
  readonly sigops: number;
  /** Height of the tip when it came. */
  readonly height: number;
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

  /** An output of the chain or of a waiting transaction, spent or not by others that wait. */
  coin(key: string): Coin | undefined {
    const onChain = this.#chain.coins.get(key);
    if (onChain !== undefined) return onChain;
    const separator = key.indexOf(':');
    const output = this.#entries.get(key.slice(0, separator))?.transaction.outputs[Number(key.slice(separator + 1))];
    if (output === undefined) return undefined;
    return { value: output.value, script: output.script, height: this.#chain.height + 1, coinbase: false };
  }

  /** Would {@link add} take it? The fee, or the reason in the words of nodes. */
  check(transaction: Transaction): SpendResult {
    const { params, coins } = this.#chain;
    if (this.#entries.has(transaction.id)) return { ok: false, reason: 'txn-already-in-mempool' };
    const form = checkLooseTransaction(transaction, params.maxMoney);
    if (form !== undefined) return { ok: false, reason: form };
    if (transaction.weight > DEV_NODE_LIMITS.maxTransactionWeight) return { ok: false, reason: 'tx-size' };
    const height = this.#chain.height + 1;
    if (!isFinal(transaction, height, this.#chain.medianTimePast(this.#chain.tip))) {
      return { ok: false, reason: 'non-final' };
    }
    if (transaction.outputs.some((_, i) => coins.get(outpointKey(transaction.id, i)) !== undefined)) {
      return { ok: false, reason: 'txn-already-known' };
    }
    if (transaction.inputs.some((input) => this.#spent.has(spentKey(input)))) {
      return { ok: false, reason: 'txn-mempool-conflict' };
    }
    const spend = checkSpend(transaction, (key) => this.coin(key), {
      height,
      coinbaseMaturity: params.coinbaseMaturity,
      signatures: coins.signatures,
    });
    if (spend.ok && this.#entries.size >= DEV_NODE_LIMITS.maxMempool) return { ok: false, reason: 'mempool full' };
    return spend;
  }

  /** @returns undefined when taken, otherwise the reason (`bad-txns-inputs-missingorspent`, `txn-mempool-conflict` ...). */
  add(transaction: Transaction): string | undefined {
    const spend = this.check(transaction);
    if (!spend.ok) return spend.reason;
    this.#entries.set(transaction.id, {
      transaction,
      fee: spend.fee,
      sigops: transactionSigops(transaction) * 4,
      height: this.#chain.height,
    });
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
