import { PoolError } from '@headframe/primitives';
import { apportion, compareAccounts } from './apportion.js';
import type { WorkEntry } from './credits.js';

/** Accepted work with its place in time. */
export interface PlacedWork extends WorkEntry {
  /**
   * Safe integer that grows with time: a row number, or a minute when shares were folded into minutes. What has the
   * same position counts as simultaneous.
   */
  readonly position: number;
}

/** The last work before a block. */
export interface PplnsWindow {
  /** Sorted by account, never zero; they sum to `work`. */
  readonly accounts: readonly WorkEntry[];
  /** The size of the window, or less when there was not so much yet. Units of 10^-15 difficulty. */
  readonly work: bigint;
  /** False while the pool has less work behind it than the window holds. */
  readonly isFull: boolean;
  /** Oldest position inside, whole or in part; undefined when the window is empty. */
  readonly oldest: number | undefined;
}

/**
 * Gathers a window from shares that come newest first, as a query or an async cursor delivers them.
 *
 * @example
 * const builder = new PplnsWindowBuilder(windowWork(networkWork(target, 1), 2));
 * for await (const share of newestFirst) if (!builder.add(share)) break;
 * const window = builder.finish();
 */
export class PplnsWindowBuilder {
  readonly #size: bigint;
  /** Positions that are wholly inside. */
  readonly #inside = new Map<string, bigint>();
  #insideWork = 0n;
  #oldest: number | undefined;
  /** The position that is being read; more shares of it may come. */
  #slot = new Map<string, bigint>();
  #slotWork = 0n;
  #position: number | undefined;

  /**
   * @param size work the window holds (`windowWork`)
   * @throws PoolError `invalid_argument` unless it is positive.
   */
  constructor(size: bigint) {
    if (size <= 0n) throw new PoolError('invalid_argument', `a window holds positive work, not ${size}`);
    this.#size = size;
  }

  /**
   * Takes the next older share. The first one is the share that was the block.
   * @returns false when the window is full and this share, being older, is outside: no need to go on.
   * @throws PoolError `invalid_argument` when the share is newer than the one before, its position no safe integer or
   *   its work negative.
   */
  add({ account, work, position }: PlacedWork): boolean {
    if (!Number.isSafeInteger(position)) {
      throw new PoolError('invalid_argument', `a position is a safe integer, not ${position}`);
    }
    if (work < 0n) throw new PoolError('invalid_argument', `the work of ${account} is negative`);
    if (this.#position !== undefined && position > this.#position) {
      throw new PoolError('invalid_argument', `shares come newest first, but ${position} follows ${this.#position}`);
    }
    if (position !== this.#position) {
      if (this.#insideWork + this.#slotWork >= this.#size) return false;
      this.#closeSlot();
      this.#position = position;
    }
    this.#slot.set(account, (this.#slot.get(account) ?? 0n) + work);
    this.#slotWork += work;
    return true;
  }

  /** Moves what of the position fits inside: all of it, or its part up to the boundary. */
  #closeSlot(): void {
    const room = this.#size - this.#insideWork;
    let taken = room;
    if (this.#slotWork < room) taken = this.#slotWork;
    if (taken === 0n) return;
    // At the boundary all shares of the position are cut in one proportion; a single share is cut exactly.
    const slot = [...this.#slot].map(([account, weight]) => ({ account, weight }));
    for (const [account, work] of apportion(taken, slot)) {
      this.#inside.set(account, (this.#inside.get(account) ?? 0n) + work);
    }
    this.#insideWork += taken;
    this.#oldest = this.#position;
    this.#slot = new Map();
    this.#slotWork = 0n;
  }

  /** The window of what was added. Ends the building: call it once. */
  finish(): PplnsWindow {
    this.#closeSlot();
    const accounts = [...this.#inside].map(([account, work]) => ({ account, work }));
    return {
      accounts: accounts.sort((a, b) => compareAccounts(a.account, b.account)),
      work: this.#insideWork,
      isFull: this.#insideWork === this.#size,
      oldest: this.#oldest,
    };
  }
}

/**
 * The window of a list or any other iterable, newest first. Reads no further than needed.
 * @throws PoolError `invalid_argument` as {@link PplnsWindowBuilder}.
 */
export function pplnsWindow(newestFirst: Iterable<PlacedWork>, size: bigint): PplnsWindow {
  const builder = new PplnsWindowBuilder(size);
  for (const share of newestFirst) if (!builder.add(share)) break;
  return builder.finish();
}
