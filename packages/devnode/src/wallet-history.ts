import { BoundedMap } from '@headframe/primitives';
import type { BlockEntry, Chain, TipChange } from './chain.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { Mempool } from './mempool.js';
import { spentKey, type Transaction } from './transaction.js';

/** A transaction that spends from the wallet or pays it (coinbases aside), in the chain or not. */
export interface WalletTransaction {
  readonly transaction: Transaction;
  /** Base units of the wallet's own outputs that it spends. */
  readonly debit: bigint;
  /** Base units; undefined when somebody else's outputs are spent too. */
  readonly fee: bigint | undefined;
  /** Unix seconds at which the wallet saw it first. */
  readonly time: number;
  /** Block it was last connected in. */
  block: BlockEntry | undefined;
  /** Block that spent one of its inputs otherwise. */
  conflict: BlockEntry | undefined;
  abandoned: boolean;
}

/** Where a transaction stands: confirmations are negative when a block contradicts it, by the depth of that block. */
export interface TransactionDepth {
  readonly confirmations: number;
  readonly block: BlockEntry | undefined;
}

/** The wallet's transactions, kept when the chain or the mempool forgets them. */
export class WalletHistory {
  readonly #chain: Chain;
  readonly #mempool: Mempool;
  readonly #records = new BoundedMap<string, WalletTransaction>(DEV_NODE_LIMITS.maxWalletTransactions);
  /** Transactions by the outputs they spend: more than one where they exclude each other. */
  readonly #spenders = new Map<string, Set<string>>();

  constructor(chain: Chain, mempool: Mempool) {
    this.#chain = chain;
    this.#mempool = mempool;
  }

  get size(): number {
    return this.#records.size;
  }
  get(id: string): WalletTransaction | undefined {
    return this.#records.get(id);
  }

  add(record: WalletTransaction): WalletTransaction {
    const { transaction } = record;
    const known = this.#records.get(transaction.id);
    if (known !== undefined) {
      known.abandoned = false;
      return known;
    }
    const forgotten = this.#records.set(transaction.id, record);
    if (forgotten !== undefined) this.#forget(forgotten[1].transaction);
    for (const input of transaction.inputs) {
      const key = spentKey(input);
      const spenders = this.#spenders.get(key) ?? new Set();
      this.#spenders.set(key, spenders.add(transaction.id));
    }
    return record;
  }

  #forget(transaction: Transaction): void {
    for (const input of transaction.inputs) {
      const key = spentKey(input);
      const spenders = this.#spenders.get(key);
      spenders?.delete(transaction.id);
      if (spenders?.size === 0) this.#spenders.delete(key);
    }
  }

  #isActive(block: BlockEntry | undefined): block is BlockEntry {
    return block !== undefined && this.#chain.isActive(block);
  }

  /** Keeps where transactions stand; the wallet adds the unknown ones of a block itself. */
  connected({ connected }: TipChange): void {
    for (const block of connected) {
      for (const transaction of block.block?.transactions.slice(1) ?? []) {
        const own = this.#records.get(transaction.id);
        if (own !== undefined) own.block = block;
        for (const input of transaction.inputs) {
          for (const id of this.#spenders.get(spentKey(input)) ?? []) {
            const rival = id === transaction.id ? undefined : this.#records.get(id);
            if (rival !== undefined) rival.conflict = block;
          }
        }
      }
    }
  }

  depth(record: WalletTransaction): TransactionDepth {
    const { height } = this.#chain;
    if (this.#isActive(record.block)) {
      return { confirmations: height - record.block.height + 1, block: record.block };
    }
    const conflict = this.#mempool.get(record.transaction.id) === undefined ? this.#conflictOf(record) : undefined;
    return { confirmations: conflict === undefined ? 0 : conflict.height - height - 1, block: undefined };
  }

  /** The block that excludes a transaction, or one that it builds on. */
  #conflictOf(record: WalletTransaction): BlockEntry | undefined {
    const seen = new Set<WalletTransaction>();
    const waiting = [record];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next) || this.#isActive(next.block)) continue;
      seen.add(next);
      if (this.#isActive(next.conflict)) return next.conflict;
      for (const input of next.transaction.inputs) {
        const parent = this.#records.get(spentKey(input).slice(0, 64));
        if (parent !== undefined) waiting.push(parent);
      }
    }
    return undefined;
  }

  /** True when a transaction that may still confirm spends this output, whether the mempool has it or not. */
  isSpent(key: string): boolean {
    for (const id of this.#spenders.get(key) ?? []) {
      const record = this.#records.get(id);
      if (record !== undefined && !record.abandoned && this.depth(record).confirmations >= 0) return true;
    }
    return false;
  }

  /** Display ids of the wallet's other transactions that spend an output which this one spends. */
  rivals({ transaction }: WalletTransaction): string[] {
    const found = new Set<string>();
    for (const input of transaction.inputs) for (const id of this.#spenders.get(spentKey(input)) ?? []) found.add(id);
    found.delete(transaction.id);
    return [...found].sort();
  }

  values(): IterableIterator<WalletTransaction> {
    return this.#records.values();
  }
}
