import { type Credit, distribute, type WorkEntry, workByAccount } from './credits.js';
import type { FeePolicy } from './fees.js';

/** What every scheme that divides a block must know of it. */
export interface BlockReward {
  /** What the block leaves to the pool (`JobRecord.reward`), base units. */
  readonly reward: bigint;
  /** Account whose share was the block. */
  readonly finder: string;
  readonly fees?: FeePolicy;
}

/**
 * SOLO: who finds the block gets all of it, less fees.
 * @throws PoolError `invalid_argument` as {@link distribute}.
 *
 * @example
 * soloCredits({ reward: 312_500_000n, finder: 'alice', fees: { recipients: [{ account: 'pool', ppm: 10_000 }] } });
 * // reward: alice 309375000; fee: pool 3125000
 */
export function soloCredits(block: BlockReward): Credit[] {
  return distribute({ ...block, weights: new Map() });
}

export interface PropOptions extends BlockReward {
  /** Accepted shares since the block before, this block's share included; in any order, summed or not. */
  readonly round: Iterable<WorkEntry>;
}

/**
 * PROP: the block is divided by the work of its round, less fees. A round without work goes to the finder.
 * @throws PoolError `invalid_argument` as {@link distribute}.
 */
export function propCredits({ round, ...block }: PropOptions): Credit[] {
  return distribute({ ...block, weights: workByAccount(round) });
}

export interface PplnsOptions extends BlockReward {
  /** The last work up to and including this block's share: `pplnsWindow`, or a ledger's `windowBefore`. */
  readonly window: { readonly accounts: Iterable<WorkEntry> };
}

/**
 * PPLNS: the block is divided by the work in the window that ends with the block's share, less fees. A window without
 * work goes to the finder.
 * @throws PoolError `invalid_argument` as {@link distribute}.
 */
export function pplnsCredits({ window, ...block }: PplnsOptions): Credit[] {
  return distribute({ ...block, weights: workByAccount(window.accounts) });
}
