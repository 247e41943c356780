import { scripthashOf } from '@headframe/electrum';
import { toDisplayHex } from '@headframe/primitives';
import { type IndexedTransaction, parseRawTransaction } from './parse-block.js';
import { isUnspendable, type StoredOutput } from './store.js';

/** A transaction of the mempool as an answer needs it. */
export interface MempoolTransaction {
  /** Display hex. */
  readonly txid: string;
  /** 0: all its inputs are confirmed; -1: one is in the mempool too. */
  readonly height: 0 | -1;
  /** Base units. */
  readonly fee: bigint;
}

/** An output of the mempool. */
export interface MempoolOutput {
  readonly txid: string;
  readonly index: number;
  readonly value: bigint;
}

interface EntryInput {
  readonly outpoint: string;
  /** Display hex of the transaction that made the coin. */
  readonly parent: string;
  readonly scripthash: string;
  readonly value: bigint;
}

interface Entry {
  readonly txid: string;
  readonly fee: bigint;
  readonly vsize: number;
  readonly inputs: readonly EntryInput[];
  /** `undefined` where nothing can ever spend it. */
  readonly outputs: readonly (StoredOutput | undefined)[];
}

const outpointOf = (txid: string, index: number): string => `${txid}:${index}`;

/**
 * What the node's mempool means for scripts: in memory, bounded by the number of transactions. Whether a transaction
 * stands on unconfirmed ones is looked up when asked, so that it is right at every moment.
 */
export class Mempool {
  readonly #entries = new Map<string, Entry>();
  /** Outpoint to the transaction that spends it. */
  readonly #spenders = new Map<string, string>();
  readonly #byScript = new Map<string, Set<string>>();

  get size(): number {
    return this.#entries.size;
  }

  has(txid: string): boolean {
    return this.#entries.has(txid);
  }
  txids(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /**
   * Takes a transaction in.
   * @param coin finds a confirmed coin
   * @returns false when a coin it spends is not known (yet)
   */
  add(
    raw: Uint8Array,
    coin: (txid: Uint8Array, index: number) => StoredOutput | undefined,
    touched: Set<string>,
  ): boolean {
    const transaction = parseRawTransaction(raw);
    const txid = toDisplayHex(transaction.txid);
    if (this.#entries.has(txid)) return true;
    const inputs = this.#resolve(transaction, coin);
    if (inputs === undefined) return false;
    const outputs = transaction.outputs.map(({ script, value }) =>
      isUnspendable(script) ? undefined : { scripthash: scripthashOf(script), value },
    );
    const paid = transaction.outputs.reduce((sum, { value }) => sum + value, 0n);
    const fee = inputs.reduce((sum, { value }) => sum + value, -paid);
    // Below zero only where coins come from an extension block, which is not indexed.
    const entry: Entry = { txid, fee: fee < 0n ? 0n : fee, vsize: transaction.vsize, inputs, outputs };
    // The node has replaced what spent the same coins; it does not list that any more.
    for (const { outpoint } of inputs) {
      const rival = this.#spenders.get(outpoint);
      if (rival !== undefined) this.remove(rival, touched, { descendants: true });
    }
    this.#entries.set(txid, entry);
    for (const { outpoint } of inputs) this.#spenders.set(outpoint, txid);
    for (const scripthash of scriptsOf(entry)) {
      const ids = this.#byScript.get(scripthash) ?? new Set();
      ids.add(txid);
      this.#byScript.set(scripthash, ids);
      touched.add(scripthash);
    }
    return true;
  }

  /** Takes a transaction out; with `descendants` also all that stand on it. */
  remove(txid: string, touched: Set<string>, options: { readonly descendants: boolean }): void {
    const entry = this.#entries.get(txid);
    if (entry === undefined) return;
    this.#entries.delete(txid);
    for (const { outpoint } of entry.inputs) {
      if (this.#spenders.get(outpoint) === txid) this.#spenders.delete(outpoint);
    }
    for (const scripthash of scriptsOf(entry)) {
      touched.add(scripthash);
      const ids = this.#byScript.get(scripthash);
      ids?.delete(txid);
      if (ids?.size === 0) this.#byScript.delete(scripthash);
    }
    for (let index = 0; index < entry.outputs.length; index++) {
      const childId = this.#spenders.get(outpointOf(txid, index));
      if (childId === undefined) continue;
      if (options.descendants) this.remove(childId, touched, options);
      else {
        // Its height in histories becomes 0.
        const child = this.#entries.get(childId);
        if (child !== undefined) for (const scripthash of scriptsOf(child)) touched.add(scripthash);
      }
    }
  }

  /** A block came: what it has is no longer in the mempool, nor is what it makes impossible. */
  confirm(transactions: readonly IndexedTransaction[], touched: Set<string>): void {
    if (this.size === 0) return;
    for (const transaction of transactions) {
      const txid = toDisplayHex(transaction.txid);
      this.remove(txid, touched, { descendants: false });
      for (const input of transaction.inputs) {
        const rival = this.#spenders.get(outpointOf(toDisplayHex(input.txid), input.index));
        if (rival !== undefined) this.remove(rival, touched, { descendants: true });
      }
    }
  }

  clear(touched: Set<string>): void {
    for (const scripthash of this.#byScript.keys()) touched.add(scripthash);
    this.#entries.clear();
    this.#spenders.clear();
    this.#byScript.clear();
  }

  /** Transactions that touch a script, in no particular order. */
  history(scripthash: string): MempoolTransaction[] {
    return this.#entriesOf(scripthash).map((entry) => ({
      txid: entry.txid,
      height: entry.inputs.some(({ parent }) => this.#entries.has(parent)) ? -1 : 0,
      fee: entry.fee,
    }));
  }

  /** What the mempool will change about the balance of a script. */
  balanceDelta(scripthash: string): bigint {
    let delta = 0n;
    for (const entry of this.#entriesOf(scripthash)) {
      for (const output of entry.outputs) if (output?.scripthash === scripthash) delta += output.value;
      for (const input of entry.inputs) if (input.scripthash === scripthash) delta -= input.value;
    }
    return delta;
  }

  /** Outputs of the mempool to a script that nothing spends. */
  unspent(scripthash: string): MempoolOutput[] {
    return this.#entriesOf(scripthash).flatMap(({ txid, outputs }) =>
      outputs.flatMap((output, index) =>
        output?.scripthash === scripthash && !this.isSpent(txid, index) ? [{ txid, index, value: output.value }] : [],
      ),
    );
  }

  /** True when a transaction of the mempool spends this output. */
  isSpent(txid: string, index: number): boolean {
    return this.#spenders.has(outpointOf(txid, index));
  }

  /** Fee rate (base units per virtual byte) and virtual size of each transaction. */
  fees(): { readonly rate: number; readonly vsize: number }[] {
    return [...this.#entries.values()].map(({ fee, vsize }) => ({ rate: Number(fee) / vsize, vsize }));
  }

  #entriesOf(scripthash: string): Entry[] {
    const entries: Entry[] = [];
    for (const txid of this.#byScript.get(scripthash) ?? []) {
      const entry = this.#entries.get(txid);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  #resolve(
    transaction: IndexedTransaction,
    coin: (txid: Uint8Array, index: number) => StoredOutput | undefined,
  ): EntryInput[] | undefined {
    const inputs: EntryInput[] = [];
    for (const { txid, index } of transaction.inputs) {
      const parent = toDisplayHex(txid);
      const found = this.#entries.get(parent)?.outputs[index] ?? coin(txid, index);
      if (found === undefined) return undefined;
      inputs.push({ outpoint: outpointOf(parent, index), parent, scripthash: found.scripthash, value: found.value });
    }
    return inputs;
  }
}

function scriptsOf(entry: Entry): Set<string> {
  const scripts = new Set(entry.inputs.map(({ scripthash }) => scripthash));
  for (const output of entry.outputs) if (output !== undefined) scripts.add(output.scripthash);
  return scripts;
}
