import type { BlockEntry, TipChange } from './chain.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { Transaction } from './transaction.js';

/** A transaction of the active chain. */
export interface IndexedTransaction {
  readonly transaction: Transaction;
  readonly block: BlockEntry;
}

/** Where the active chain's transactions stand, as deep as the chain keeps bodies. */
export class TransactionIndex {
  readonly #transactions = new Map<string, IndexedTransaction>();
  /** By height, to forget deep ones. */
  readonly #ids = new Map<number, readonly string[]>();

  get(id: string): IndexedTransaction | undefined {
    return this.#transactions.get(id);
  }

  update({ disconnected, connected }: TipChange): void {
    for (const { transactions } of disconnected) for (const { id } of transactions) this.#transactions.delete(id);
    for (const block of connected) {
      const transactions = block.block?.transactions ?? [];
      for (const transaction of transactions) this.#transactions.set(transaction.id, { transaction, block });
      this.#ids.set(
        block.height,
        transactions.map(({ id }) => id),
      );
      const deep = block.height - DEV_NODE_LIMITS.keepBodies;
      for (const id of this.#ids.get(deep) ?? []) this.#transactions.delete(id);
      this.#ids.delete(deep);
    }
  }
}
