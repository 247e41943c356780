import { type Ledger, type WorkEntry, workOfDifficulty } from '@headframe/ledger';
import { compareAccounts } from './split-order.js';

/** Pieces the window is kept in, about: it loses its oldest piece at once, so this is its resolution. */
const PIECES = 64;
/** Ids are searched up to here. */
const MAX_ID = Number.MAX_SAFE_INTEGER;
/** First step back from the end of the log, in batches; doubled while it finds nothing. */
const STEP_BACK = 64;

interface Piece {
  readonly work: Map<string, bigint>;
  total: bigint;
}

interface Batch {
  readonly id: number;
  readonly piece: Piece;
}

/**
 * The last work of the share log up to now, followed as it grows: what a PPLNS window would hold if a block was found in
 * this moment. Coarse at its far end, which is enough to plan a coinbase; the books take the exact window of the block.
 */
export class RecentWindow {
  readonly #ledger: Pick<Ledger, 'shareLog'>;
  /** Oldest first. */
  #pieces: Piece[] = [];
  readonly #sums = new Map<string, bigint>();
  #total = 0n;
  #lastId: number | undefined;
  #size = 0n;
  /** Something was let go: a larger window has to be read anew. */
  #isCut = false;

  constructor(ledger: Pick<Ledger, 'shareLog'>) {
    this.#ledger = ledger;
  }

  /** Work in the window. */
  get work(): bigint {
    return this.#total;
  }

  /** By account, in account order. */
  accounts(): WorkEntry[] {
    return [...this.#sums]
      .map(([account, work]) => ({ account, work }))
      .sort((a, b) => compareAccounts(a.account, b.account));
  }

  /**
   * Reads what is new, and what is missing when the window grew. True when something changed.
   * @param size work the window holds
   */
  async follow(size: bigint, signal: AbortSignal): Promise<boolean> {
    // What was let go is not worth reading again for a little.
    const isTooSmall = this.#isCut && size > this.#size + this.#size / 8n;
    if (this.#lastId === undefined || isTooSmall) {
      this.#size = size;
      return this.#load(signal);
    }
    if (size < this.#size || !this.#isCut) this.#size = size;
    let changed = false;
    while (!signal.aborted) {
      const batches = await this.#ledger.shareLog(this.#lastId);
      if (batches.length === 0) break;
      for (const { id, shares } of batches) {
        this.#append(pieceOf(shares));
        this.#lastId = id;
      }
      changed = true;
    }
    this.#trim();
    return changed;
  }

  /** Walks back from the end of the log until the window is full. */
  async #load(signal: AbortSignal): Promise<boolean> {
    const end = await this.#findEnd(signal);
    const found: Piece[] = [];
    let total = 0n;
    let before = end + 1;
    let step = STEP_BACK;
    while (before > 1 && total < this.#size && !signal.aborted) {
      const from = Math.max(0, before - 1 - step);
      const batches = await this.#between(from, before, signal);
      // A gap in the ids, or the part that was pruned.
      step = batches.length === 0 ? step * 2 : STEP_BACK;
      for (const { piece } of batches.reverse()) {
        if (total >= this.#size) break;
        this.#gather(found, piece);
        total += piece.total;
      }
      before = from + 1;
    }
    if (signal.aborted) return false;
    this.#pieces = [];
    this.#sums.clear();
    this.#total = 0n;
    this.#isCut = before > 1;
    for (const piece of found.reverse()) this.#append(piece);
    this.#lastId = end;
    this.#trim();
    return true;
  }

  /** Id of the last batch: ids are dense enough that halving finds it. */
  async #findEnd(signal: AbortSignal): Promise<number> {
    let known = 0;
    let [first] = await this.#ledger.shareLog(0);
    if (first === undefined) return 0;
    known = first.id;
    // Nothing follows `beyond`.
    let beyond = MAX_ID;
    let stride = 1024;
    while (known < beyond && !signal.aborted) {
      const probe = beyond === MAX_ID ? known + stride : known + Math.floor((beyond - known) / 2);
      const page = await this.#ledger.shareLog(probe);
      [first] = page;
      const last = page.at(-1);
      if (first === undefined || last === undefined) {
        if (beyond === probe) break;
        beyond = probe;
        // Between what is known and here there may be as little as nothing.
        if (beyond - known <= STEP_BACK) break;
      } else {
        known = last.id;
        stride *= 2;
      }
    }
    for (;;) {
      const last = (await this.#ledger.shareLog(known)).at(-1);
      if (last === undefined || signal.aborted) return known;
      known = last.id;
    }
  }

  async #between(from: number, before: number, signal: AbortSignal): Promise<Batch[]> {
    const found: Batch[] = [];
    let at = from;
    while (!signal.aborted) {
      const page = await this.#ledger.shareLog(at);
      for (const { id, shares } of page) {
        if (id >= before) return found;
        found.push({ id, piece: pieceOf(shares) });
        at = id;
      }
      if (page.length === 0) break;
    }
    return found;
  }

  #append(piece: Piece): void {
    if (piece.total === 0n) return;
    for (const [account, work] of piece.work) this.#sums.set(account, (this.#sums.get(account) ?? 0n) + work);
    this.#total += piece.total;
    this.#gather(this.#pieces, piece);
  }

  /** Small batches share a piece: bounds the memory to so many pieces of all accounts. */
  #gather(pieces: Piece[], piece: Piece): void {
    const last = pieces.at(-1);
    if (last === undefined || (last.total + piece.total) * BigInt(PIECES) > this.#size) {
      if (piece.total > 0n) pieces.push(piece);
      return;
    }
    for (const [account, work] of piece.work) last.work.set(account, (last.work.get(account) ?? 0n) + work);
    last.total += piece.total;
  }

  #trim(): void {
    let dropped = 0;
    for (const piece of this.#pieces) {
      if (this.#total - piece.total < this.#size) break;
      dropped++;
      this.#total -= piece.total;
      for (const [account, work] of piece.work) {
        const left = (this.#sums.get(account) ?? 0n) - work;
        if (left > 0n) this.#sums.set(account, left);
        else this.#sums.delete(account);
      }
    }
    if (dropped === 0) return;
    this.#pieces = this.#pieces.slice(dropped);
    this.#isCut = true;
  }
}

function pieceOf(
  shares: readonly { readonly result: string; readonly account: string; readonly difficulty: number }[],
): Piece {
  const work = new Map<string, bigint>();
  let total = 0n;
  for (const { result, account, difficulty } of shares) {
    if (result !== 'accepted' || account === '') continue;
    const worth = workOfDifficulty(difficulty);
    work.set(account, (work.get(account) ?? 0n) + worth);
    total += worth;
  }
  return { work, total };
}
