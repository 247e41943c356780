import { PoolError } from '@headframe/primitives';
import { apportion, compareAccounts } from './apportion.js';
import { checkFeePolicy, cutParts, donationsByAccount, type FeePolicy } from './fees.js';

/** Why an account is credited: for its work, as a fee recipient, or as the receiver of donations. */
export type CreditKind = 'reward' | 'fee' | 'donation';

/** In the order in which credits are listed. */
export const CREDIT_KINDS: readonly CreditKind[] = ['reward', 'fee', 'donation'];

/** A change of what the pool owes to an account. */
export interface Credit {
  readonly account: string;
  readonly kind: CreditKind;
  /** Base units. Positive, or negative in a reversal. */
  readonly amount: bigint;
}

/** Work of an account: one share, or any sum of shares. */
export interface WorkEntry {
  readonly account: string;
  /** In units of 10^-15 difficulty (`workOfDifficulty`). */
  readonly work: bigint;
}

/**
 * Adds up work by account.
 * @throws PoolError `invalid_argument` on negative work.
 */
export function workByAccount(entries: Iterable<WorkEntry>): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, work } of entries) {
    if (work < 0n) throw new PoolError('invalid_argument', `the work of ${account} is negative`);
    sums.set(account, (sums.get(account) ?? 0n) + work);
  }
  return sums;
}

export interface DistributeOptions {
  /** What the block leaves to the pool, base units. */
  readonly reward: bigint;
  /** Weight by account, in any unit. */
  readonly weights: ReadonlyMap<string, bigint>;
  /** Gets everything after fees when there are no weights: a block is never left undivided. */
  readonly finder: string;
  readonly fees?: FeePolicy;
}

/**
 * Divides the reward of a block into credits that sum to it exactly. The fee comes first, its total rounded down
 * and divided among the recipients by their parts; the rest is divided by weight; then what each account gives away, its
 * total rounded down, is divided among the receivers by their parts. All three divisions are to the last unit
 * ({@link apportion}).
 * Credits are merged by kind and account, sorted by kind (reward, fee, donation) and account, and never zero.
 *
 * @throws PoolError `invalid_argument` on a negative reward or weight, or fees as {@link checkFeePolicy}.
 */
export function distribute(options: DistributeOptions): Credit[] {
  const { reward, finder, fees = {} } = options;
  checkFeePolicy(fees);
  if (reward < 0n) throw new PoolError('invalid_argument', `a reward is not negative: ${reward}`);
  const sheet = new CreditSheet();
  let net = reward;
  for (const [account, fee] of cutParts(reward, fees.recipients ?? [])) {
    sheet.add(account, 'fee', fee);
    net -= fee;
  }
  const donations = donationsByAccount(fees);
  for (const [account, amount] of divide(net, options.weights, finder)) {
    let kept = amount;
    for (const [receiver, donation] of cutParts(amount, donations.get(account) ?? [])) {
      sheet.add(receiver, 'donation', donation);
      kept -= donation;
    }
    sheet.add(account, 'reward', kept);
  }
  return sheet.credits();
}

function divide(net: bigint, weights: ReadonlyMap<string, bigint>, finder: string): ReadonlyMap<string, bigint> {
  const list = [...weights].map(([account, weight]) => ({ account, weight }));
  if (list.every(({ weight }) => weight === 0n)) return new Map([[finder, net]]);
  return apportion(net, list);
}

/** Gathers amounts by kind and account. */
class CreditSheet {
  readonly #sums: Readonly<Record<CreditKind, Map<string, bigint>>> = {
    reward: new Map(),
    fee: new Map(),
    donation: new Map(),
  };

  add(account: string, kind: CreditKind, amount: bigint): void {
    const sums = this.#sums[kind];
    sums.set(account, (sums.get(account) ?? 0n) + amount);
  }

  credits(): Credit[] {
    return CREDIT_KINDS.flatMap((kind) =>
      [...this.#sums[kind]]
        .filter(([, amount]) => amount !== 0n)
        .sort(([a], [b]) => compareAccounts(a, b))
        .map(([account, amount]): Credit => ({ account, kind, amount })),
    );
  }
}

/** What takes credits back, for the block that was orphaned: the same rows, negated. */
export function reverseCredits(credits: readonly Credit[]): Credit[] {
  return credits.map(({ account, kind, amount }) => ({ account, kind, amount: -amount }));
}

/** Sum of all kinds by account; accounts whose credits cancel out are left out. */
export function creditsByAccount(credits: Iterable<Credit>): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, amount } of credits) {
    const sum = (sums.get(account) ?? 0n) + amount;
    if (sum === 0n) sums.delete(account);
    else sums.set(account, sum);
  }
  return sums;
}

/** Sum of all credits, base units. */
export function creditTotal(credits: Iterable<Credit>): bigint {
  let total = 0n;
  for (const { amount } of credits) total += amount;
  return total;
}
