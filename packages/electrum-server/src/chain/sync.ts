import { hexToBytes, isPoolError, PoolError, toDisplayHex } from '@headframe/primitives';
import type { Mempool } from './mempool.js';
import type { NodeCalls } from './node-link.js';
import { type IndexedBlock, parseRawBlock } from './parse-block.js';
import type { ChainStore } from './store.js';

/** Blocks in one SQL transaction while far behind. */
const MAX_BATCH_BLOCKS = 100;
/** Hex digits of blocks to ask for at once: two such batches, text and bytes, are what a sync holds in memory. */
const BATCH_HEX = 8_000_000;
/** Script hashes remembered between two notifications; with more, all subscriptions are looked at. */
const MAX_TOUCHED = 100_000;
/** Mempool transactions asked for in one request, and in one round. */
const FETCH_BATCH = 50;
const FETCH_ROUND = 2000;

export interface SyncSettings {
  /** Transactions of the mempool that are looked at; what is over it shows when it is confirmed. */
  readonly maxMempool: number;
}

/** What changed since the last report. */
export interface IndexChange {
  /** True when the tip is another one. */
  readonly tipChanged: boolean;
  /** Script hashes whose history may be another one; undefined: too many to say, or nobody kept count. */
  readonly touched: ReadonlySet<string> | undefined;
}

export interface SyncParts {
  readonly node: NodeCalls;
  readonly store: ChainStore;
  readonly mempool: Mempool;
  readonly settings: SyncSettings;
  /** Indexed height and the node's, while blocks come in. */
  onProgress(height: number, target: number): void;
  onChange(change: IndexChange): void;
  readonly signal: AbortSignal;
}

/** Brings index and mempool up to the node, step by step. One step at a time. */
export class ChainSync {
  readonly #parts: SyncParts;
  #touched: Set<string> | undefined;
  #tipChanged = false;
  /** False until the index has met the node's tip once: nobody is told of single scripts before. */
  #live = false;
  /** Listed transactions that cannot be read, so that they are not asked for again. */
  #unreadable = new Set<string>();
  #blockHex = BATCH_HEX / 10;

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.#touched = new Set();
  }

  /** True once the index has been level with the node. */
  get live(): boolean {
    return this.#live;
  }

  /**
   * One round: blocks, then mempool, then the report.
   * @returns true when there is more to do at once
   * @throws PoolError of the node; `storage_failed`
   */
  async step(): Promise<boolean> {
    const { node, store, signal } = this.#parts;
    const best = await tipOf(node);
    if (best !== store.tipHash) {
      const undone = await this.#followChain();
      if (signal.aborted) return false;
      // Headers are not held up by a mempool; but after a reorganisation its transactions are needed to tell who lost.
      if (!undone) this.#report();
    }
    if (signal.aborted) return false;
    this.#live = true;
    const more = await this.#followMempool();
    this.#report();
    return more;
  }

  #report(): void {
    const touched = this.#touched;
    if (!this.#live || (!this.#tipChanged && touched?.size === 0)) return;
    this.#parts.onChange({ tipChanged: this.#tipChanged, touched });
    this.#touched = new Set();
    this.#tipChanged = false;
  }

  /** A set to note scripts in; undefined while nobody keeps count. */
  #notes(): Set<string> | undefined {
    if (this.#touched !== undefined && (!this.#live || this.#touched.size > MAX_TOUCHED)) this.#touched = undefined;
    return this.#touched;
  }

  /** @returns true when blocks were taken off */
  async #followChain(): Promise<boolean> {
    const { node, store, mempool, signal } = this.#parts;
    let undone = false;
    for (;;) {
      const target = await numberFrom(node, 'getblockcount');
      while (store.height >= 0 && !signal.aborted) {
        if (store.height <= target && (await hashAt(node, store.height)) === store.tipHash) break;
        // One at a time: what was there before is a valid index, too, whenever the process ends.
        store.transaction(() => store.undo(this.#notes()));
        mempool.clear(this.#notes() ?? new Set());
        this.#tipChanged = true;
        undone = true;
      }
      if (signal.aborted || store.height >= target) return undone;
      if (!(await this.#forward(target))) continue;
      if ((await tipOf(node)) === store.tipHash) return undone;
    }
  }

  /** Puts on blocks up to `target`. @returns false when the chain changed under way */
  async #forward(target: number): Promise<boolean> {
    const { store, mempool, signal, onProgress } = this.#parts;
    let next = this.#fetch(store.height + 1, target);
    while (store.height < target && !signal.aborted) {
      const blocks = await next;
      const last = store.height + blocks.length;
      // The next ones travel while these are written.
      next = last < target ? this.#fetch(last + 1, target) : Promise.resolve([]);
      // A failure is met where it is awaited, also when this turn ends before.
      next.catch(() => {});
      try {
        store.transaction(() => {
          for (const block of blocks) store.apply(block, this.#notes());
        });
      } catch (error) {
        if (!isPoolError(error, 'conflict')) throw error;
        // The chain changed while we read it.
        await next.catch(() => {});
        return false;
      }
      for (const block of blocks) mempool.confirm(block.transactions, this.#notes() ?? new Set());
      this.#tipChanged = true;
      onProgress(store.height, target);
    }
    return true;
  }

  async #fetch(from: number, target: number): Promise<IndexedBlock[]> {
    const { node } = this.#parts;
    const room = Math.max(1, Math.min(MAX_BATCH_BLOCKS, Math.floor(BATCH_HEX / this.#blockHex)));
    const count = Math.min(room, target - from + 1);
    const heights = Array.from({ length: count }, (_, i) => from + i);
    const hashes = await texts(
      node,
      'getblockhash',
      heights.map((height) => [height]),
    );
    const raws = await texts(
      node,
      'getblock',
      hashes.map((hash) => [hash, false]),
    );
    this.#blockHex = Math.max(1000, ...raws.map((raw) => raw.length));
    return raws.map((raw, index) => {
      const block = parseRawBlock(hexToBytes(raw));
      if (toDisplayHex(block.hash) !== hashes[index]) {
        throw new PoolError('invalid_block', `the node's block is not ${hashes[index]}`);
      }
      return block;
    });
  }

  /** @returns true when transactions are left for the next round */
  async #followMempool(): Promise<boolean> {
    const { node, store, mempool, settings } = this.#parts;
    const listed = await node.call('getrawmempool');
    if (!Array.isArray(listed)) throw new PoolError('rpc_error', 'getrawmempool answered no list');
    // Taken from a newer chain, the list lacks what the next block has: wait for that block.
    if ((await tipOf(node)) !== store.tipHash) return true;
    const current = new Set<string>();
    for (const txid of listed) {
      if (typeof txid === 'string' && current.size < settings.maxMempool) current.add(txid.toLowerCase());
    }
    const notes = this.#notes() ?? new Set<string>();
    for (const txid of [...mempool.txids()]) {
      if (!current.has(txid)) mempool.remove(txid, notes, { descendants: false });
    }
    for (const txid of this.#unreadable) if (!current.has(txid)) this.#unreadable.delete(txid);
    const missing = [...current].filter((txid) => !mempool.has(txid) && !this.#unreadable.has(txid));
    await this.#takeIn(missing.slice(0, FETCH_ROUND));
    return missing.length > FETCH_ROUND;
  }

  async #takeIn(txids: readonly string[]): Promise<void> {
    const { node, store, mempool, signal } = this.#parts;
    let waiting: { readonly txid: string; readonly raw: Uint8Array }[] = [];
    for (let start = 0; start < txids.length && !signal.aborted; start += FETCH_BATCH) {
      const part = txids.slice(start, start + FETCH_BATCH);
      const outcomes = await node.batch(part.map((txid) => ({ method: 'getrawtransaction', params: [txid] })));
      outcomes.forEach((outcome, index) => {
        const txid = part[index];
        // One that is gone by now is not listed next time.
        if (txid === undefined || !outcome.ok || typeof outcome.result !== 'string') return;
        waiting.push({ txid, raw: hexToBytes(outcome.result) });
      });
    }
    // Children may be listed before their parents: go round until nothing moves.
    for (let before = -1; waiting.length !== before; ) {
      before = waiting.length;
      waiting = waiting.filter(({ txid, raw }) => {
        try {
          return !mempool.add(raw, (id, index) => store.coin(id, index), this.#notes() ?? new Set());
        } catch (error) {
          if (!isPoolError(error)) throw error;
          this.#unreadable.add(txid);
          return false;
        }
      });
    }
  }
}

async function tipOf(node: NodeCalls): Promise<string> {
  const hash = await node.call('getbestblockhash');
  if (typeof hash !== 'string') throw new PoolError('rpc_error', 'getbestblockhash answered no hash');
  return hash.toLowerCase();
}

async function numberFrom(node: NodeCalls, method: string): Promise<number> {
  const value = await node.call(method);
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new PoolError('rpc_error', `${method} answered no number`);
  }
  return value;
}

/** Display hex of the node's block at a height. */
async function hashAt(node: NodeCalls, height: number): Promise<string> {
  const hash = await node.call('getblockhash', [height]);
  if (typeof hash !== 'string') throw new PoolError('rpc_error', 'getblockhash answered no hash');
  return hash.toLowerCase();
}

async function texts(node: NodeCalls, method: string, params: readonly (readonly unknown[])[]): Promise<string[]> {
  const outcomes = await node.batch(params.map((each) => ({ method, params: each })));
  return outcomes.map((outcome) => {
    if (!outcome.ok) throw outcome.error;
    if (typeof outcome.result !== 'string') throw new PoolError('rpc_error', `${method} answered no text`);
    return outcome.result;
  });
}
