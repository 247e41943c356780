import { type Clock, PoolError, toDisplayHex } from '@headframe/primitives';
import { type Block, type BlockHeader, parseBlock } from './block.js';
import { checkBlock, checkHeight, checkProofOfWork, checkWitnessCommitment, isFinal } from './checks.js';
import { CoinSet, type Undo } from './coins.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { ChainParams } from './params.js';
import { REGTEST_BITS, workOfBits } from './target.js';

/** A block of the index, on the active chain or beside it. */
export interface BlockEntry {
  readonly header: BlockHeader;
  /** Display hex. */
  readonly id: string;
  readonly height: number;
  readonly parent: BlockEntry | undefined;
  /** Expected hashes from genesis on. */
  readonly work: bigint;
  readonly transactionCount: number;
  readonly bytes: number;
  readonly weight: number;
  /** Undefined once the block is deeper than the chain keeps. */
  block: Block | undefined;
  /** Set while connected (and not pruned). */
  undo: Undo | undefined;
  invalid: boolean;
  /** Order of arrival; of two chains with equal work the one that came first wins. */
  sequence: number;
}

/** Blocks that left and entered the active chain, each in the order it happened. */
export interface TipChange {
  readonly disconnected: readonly Block[];
  readonly connected: readonly BlockEntry[];
}

/** `undefined` result: accepted and now the tip. Otherwise a BIP 22 string. */
export type SubmitResult = string | undefined;

const MAX_FUTURE_SECONDS = 7_200;
const MEDIAN_SPAN = 11;

/** Block index, active chain and coins; every rule that needs other blocks. */
export class Chain {
  readonly params: ChainParams;
  readonly coins: CoinSet = new CoinSet();
  readonly #clock: Clock;
  readonly #entries = new Map<string, BlockEntry>();
  readonly #active: BlockEntry[] = [];
  readonly #onTip: (change: TipChange) => void;
  #sequence = 0;
  #preferred = 0;
  #prunedTo = 0;

  constructor(params: ChainParams, clock: Clock, onTip: (change: TipChange) => void) {
    this.params = params;
    this.#clock = clock;
    this.#onTip = onTip;
    // Genesis creates no coins: its output can be spent on no chain.
    const genesis = this.#insert(parseBlock(params.genesis), undefined);
    genesis.undo = [];
    this.#active.push(genesis);
  }

  get tip(): BlockEntry {
    const tip = this.#active.at(-1);
    if (tip === undefined) throw new PoolError('invalid_block', 'the chain has no genesis');
    return tip;
  }
  get height(): number {
    return this.#active.length - 1;
  }
  get size(): number {
    return this.#entries.size;
  }
  entry(id: string): BlockEntry | undefined {
    return this.#entries.get(id);
  }
  at(height: number): BlockEntry | undefined {
    return this.#active[height];
  }
  isActive(entry: BlockEntry): boolean {
    return this.#active[entry.height] === entry;
  }

  /** Median time of the eleven blocks that end here (BIP 113). */
  medianTimePast(entry: BlockEntry): number {
    const times: number[] = [];
    for (let e: BlockEntry | undefined = entry; e !== undefined && times.length < MEDIAN_SPAN; e = e.parent) {
      times.push(e.header.time);
    }
    times.sort((a, b) => a - b);
    return times[times.length >> 1] ?? 0;
  }

  /** Time a block on this parent would get now. */
  nextTime(parent: BlockEntry): number {
    return Math.max(Math.floor(this.#clock.now() / 1000), this.medianTimePast(parent) + 1);
  }

  #insert(block: Block, parent: BlockEntry | undefined): BlockEntry {
    const entry: BlockEntry = {
      header: block.header,
      id: block.header.id,
      height: parent === undefined ? 0 : parent.height + 1,
      parent,
      work: (parent?.work ?? 0n) + workOfBits(block.header.bits),
      transactionCount: block.transactions.length,
      bytes: block.bytes.length,
      weight: block.weight,
      block,
      undo: undefined,
      invalid: false,
      sequence: ++this.#sequence,
    };
    this.#entries.set(entry.id, entry);
    return entry;
  }

  #checkContext(block: Block, parent: BlockEntry): string | undefined {
    const { header, transactions, weight } = block;
    const height = parent.height + 1;
    const median = this.medianTimePast(parent);
    if (header.bits !== this.params.bitsAt(height)) return 'bad-diffbits';
    if (header.time <= median) return 'time-too-old';
    if (header.time > Math.floor(this.#clock.now() / 1000) + MAX_FUTURE_SECONDS) return 'time-too-new';
    if ((header.version | 0) < 4) return `bad-version(0x${header.version.toString(16).padStart(8, '0')})`; // BIP 34, 66, 65
    if (!transactions.every((transaction) => isFinal(transaction, height, median))) return 'bad-txns-nonfinal';
    const reason = checkHeight(block, height) ?? checkWitnessCommitment(block);
    if (reason !== undefined) return reason;
    return weight > 4_000_000 ? 'bad-blk-weight' : undefined;
  }

  /** Takes a block in and moves the tip when the block's chain has the most work. */
  submit(block: Block): SubmitResult {
    const known = this.#entries.get(block.header.id);
    if (known !== undefined) return known.invalid ? 'duplicate-invalid' : 'duplicate';
    const reason =
      checkProofOfWork(block.header, this.params.algorithm, REGTEST_BITS) ?? checkBlock(block, this.params.maxMoney);
    if (reason !== undefined) return reason;
    const parent = this.#entries.get(toDisplayHex(block.header.previousHash));
    if (parent === undefined) return 'prev-blk-not-found';
    if (parent.invalid) return 'bad-prevblk';
    if (parent.height < this.height - DEV_NODE_LIMITS.keepBodies) return 'rejected';
    const context = this.#checkContext(block, parent);
    if (context !== undefined) return context;
    if (this.#entries.size >= DEV_NODE_LIMITS.maxBlocks) return 'rejected';
    const entry = this.#insert(block, parent);
    if (entry.work <= this.tip.work) return 'inconclusive'; // of equals the first stays
    const failure = this.#activate(entry);
    if (entry.invalid) return failure ?? 'rejected';
    return this.isActive(entry) ? undefined : 'inconclusive';
  }

  /** Would this block be accepted on the tip? Everything is checked but its proof of work (BIP 23). */
  propose(block: Block): string | undefined {
    const known = this.#entries.get(block.header.id);
    if (known !== undefined) return known.invalid ? 'duplicate-invalid' : 'duplicate';
    if (toDisplayHex(block.header.previousHash) !== this.tip.id) return 'inconclusive-not-best-prevblk';
    const reason = checkBlock(block, this.params.maxMoney) ?? this.#checkContext(block, this.tip);
    if (reason !== undefined) return reason;
    const height = this.height + 1;
    const result = this.coins.connect(block, this.#spendContext(height), this.params.subsidyAt(height));
    if (!result.ok) return result.reason;
    this.coins.disconnect(block, result.undo);
    return undefined;
  }

  /** Height and maturity a transaction of the block at `height` is judged by. */
  #spendContext(height: number): { readonly height: number; readonly coinbaseMaturity: number } {
    return { height, coinbaseMaturity: this.params.coinbaseMaturity };
  }

  /** Marks a block and what builds on it as invalid, and leaves it. @returns false when the block is unknown or too deep. */
  invalidate(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.height <= this.#prunedTo) return false;
    this.#markInvalid(entry);
    this.#activate(this.#best());
    return true;
  }

  /** Takes {@link invalidate} back. @returns false when the block is unknown. */
  reconsider(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    for (let e: BlockEntry | undefined = entry; e !== undefined; e = e.parent) e.invalid = false;
    for (const other of this.#entries.values()) if (this.#descends(other, entry)) other.invalid = false;
    this.#activate(this.#best());
    return true;
  }

  /** Prefers a block over others with the same work, as if it had arrived first. @returns false when it is unknown. */
  prefer(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    entry.sequence = --this.#preferred;
    this.#activate(this.#best());
    return true;
  }

  /** Ends of branches, the active one included. */
  tips(): readonly BlockEntry[] {
    const parents = new Set([...this.#entries.values()].map(({ parent }) => parent));
    return [...this.#entries.values()].filter((entry) => !parents.has(entry));
  }

  #descends(entry: BlockEntry, ancestor: BlockEntry): boolean {
    let e: BlockEntry | undefined = entry;
    while (e !== undefined && e.height > ancestor.height) e = e.parent;
    return e === ancestor;
  }

  #markInvalid(entry: BlockEntry): void {
    for (const other of this.#entries.values()) {
      if (other.height >= entry.height && this.#descends(other, entry)) other.invalid = true;
    }
  }

  #best(): BlockEntry {
    let best = this.tip;
    for (const entry of this.#entries.values()) {
      if (entry.invalid) continue;
      if (
        best.invalid ||
        entry.work > best.work ||
        (entry.work === best.work && entry.sequence < best.sequence && entry !== best)
      ) {
        best = entry;
      }
    }
    return best;
  }

  /** Moves to `best`, or to the next best if that fails. @returns why a block on the way turned out invalid. */
  #activate(best: BlockEntry): string | undefined {
    const disconnected: Block[] = [];
    const connected: BlockEntry[] = [];
    let failure: string | undefined;
    // Each further round follows a block that was marked invalid, so this ends.
    for (let goal = best; goal !== this.tip; goal = this.#best()) {
      const path: BlockEntry[] = [];
      let fork = goal;
      while (!this.isActive(fork) && fork.parent !== undefined) {
        path.push(fork);
        fork = fork.parent;
      }
      if (fork.height < this.height - DEV_NODE_LIMITS.keepBodies) {
        failure = 'rejected';
        this.#markInvalid(path.at(-1) ?? goal);
        continue;
      }
      while (this.tip !== fork) {
        const leaving = this.#disconnectTip();
        if (connected.at(-1)?.id === leaving.header.id) connected.pop();
        else disconnected.push(leaving);
      }
      for (const entry of path.reverse()) {
        const reason = this.#connect(entry);
        if (reason !== undefined) {
          failure = reason;
          this.#markInvalid(entry);
          break;
        }
        connected.push(entry);
      }
    }
    this.#prune();
    if (disconnected.length > 0 || connected.length > 0) this.#onTip({ disconnected, connected });
    return failure;
  }

  #connect(entry: BlockEntry): string | undefined {
    if (entry.block === undefined) return 'rejected';
    const subsidy = this.params.subsidyAt(entry.height);
    const result = this.coins.connect(entry.block, this.#spendContext(entry.height), subsidy);
    if (!result.ok) return result.reason;
    entry.undo = result.undo;
    this.#active.push(entry);
    return undefined;
  }

  #disconnectTip(): Block {
    const { tip } = this;
    if (tip.block === undefined || tip.undo === undefined) {
      throw new PoolError('invalid_block', `block ${tip.id} is too deep to be disconnected`);
    }
    this.coins.disconnect(tip.block, tip.undo);
    tip.undo = undefined;
    this.#active.pop();
    return tip.block;
  }

  #prune(): void {
    for (; this.#prunedTo < this.height - DEV_NODE_LIMITS.keepBodies; this.#prunedTo++) {
      const entry = this.#active[this.#prunedTo + 1];
      if (entry === undefined) return;
      entry.block = undefined;
      entry.undo = undefined;
    }
  }
}
