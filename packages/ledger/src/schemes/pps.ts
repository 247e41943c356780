import { PoolError } from '@headframe/primitives';
import { compareAccounts } from './apportion.js';
import { CREDIT_KINDS, type Credit, type CreditKind, type WorkEntry } from './credits.js';
import { checkFeePolicy, donationsByAccount, type FeePolicy, PPM, poolFeePpm } from './fees.js';
import { addFractions, type Fraction, fraction, wholeAndRest, ZERO_FRACTION } from './fraction.js';

/** Accepted work that is paid at once. */
export interface PpsWork extends WorkEntry {
  /** How many shares the work is the sum of; together they are worth at most as many blocks. Default 1. */
  readonly shares?: number;
}

/** What was earned but is less than one base unit: kept to the next time, never dropped. */
export interface PpsCarry {
  readonly account: string;
  readonly kind: CreditKind;
  /** At least 0 and below 1 base unit. */
  readonly carry: Fraction;
}

export interface PpsOptions {
  /** Shares that were judged against one network target, in any order, each exactly once. */
  readonly work: Iterable<PpsWork>;
  /** Work of a block at that target (`networkWork`). */
  readonly network: Fraction;
  /** What a block is worth, base units: {@link ppsReward} or {@link fppsReward}. */
  readonly reward: Fraction;
  readonly fees?: FeePolicy;
  /** Carries so far; those of other accounts may be among them and come back unchanged. */
  readonly carries?: Iterable<PpsCarry>;
}

export interface PpsResult {
  /** Whole base units, sorted by kind and account, never zero. */
  readonly credits: readonly Credit[];
  /** All carries after this: to be stored in the same transaction as the credits. */
  readonly carries: readonly PpsCarry[];
  /** Exactly what the work was worth before fees: credits + carries after - carries before. */
  readonly value: Fraction;
}

/** Reward of PPS: the subsidy of a block. Its transaction fees stay with the pool. */
export function ppsReward(subsidy: bigint): Fraction {
  return fraction(checkAmount(subsidy, 'a subsidy'));
}

/**
 * Reward of FPPS: the subsidy and the average of the fees of the blocks listed, exactly. Without blocks the subsidy.
 * A constant number of blocks (a day's 144, say) keeps the carries short.
 *
 * @param recentFees transaction fees of each recent block of the chain (not only of the pool), base units
 * @throws PoolError `invalid_argument` on a negative amount.
 */
export function fppsReward(subsidy: bigint, recentFees: readonly bigint[]): Fraction {
  checkAmount(subsidy, 'a subsidy');
  if (recentFees.length === 0) return fraction(subsidy);
  const count = BigInt(recentFees.length);
  const fees = recentFees.reduce((sum, fee) => sum + checkAmount(fee, 'fees'), 0n);
  return fraction(subsidy * count + fees, count);
}

function checkAmount(amount: bigint, what: string): bigint {
  if (amount < 0n) throw new PoolError('invalid_argument', `${what} of a block cannot be negative: ${amount}`);
  return amount;
}

/**
 * PPS and FPPS: each share is worth reward * work / network work, whatever the pool finds. No share is worth more than
 * a block. Fees and donations come off exactly; whole base units are credited and the rest is carried, so the total is
 * the same however shares are batched, and nothing is kept or lost. An orphaned block reverses nothing here: the pool
 * bears the risk ({@link ppsReserve}).
 *
 * @throws PoolError `invalid_argument` on negative work, a number of shares that is no positive integer, a carry
 *   outside 0 to 1, or fees as {@link checkFeePolicy}.
 */
export function ppsCredits({ work, network, reward, fees = {}, carries = [] }: PpsOptions): PpsResult {
  checkFeePolicy(fees);
  const blocks = blocksByAccount(work, network);
  const accrual = new Accrual(carries);
  // One denominator for everything: blocks (network.numerator), reward, fee and donation in millionths of millionths.
  const denominator = network.numerator * reward.denominator * PPM * PPM;
  const accrue = (account: string, kind: CreditKind, numerator: bigint): void =>
    accrual.add(account, kind, { numerator, denominator });

  const donations = donationsByAccount(fees);
  const left = PPM - BigInt(poolFeePpm(fees));
  let gross = 0n;
  for (const [account, part] of blocks) {
    const value = part * reward.numerator;
    gross += value;
    let kept = PPM;
    for (const { account: to, ppm } of donations.get(account) ?? []) {
      accrue(to, 'donation', value * left * BigInt(ppm));
      kept -= BigInt(ppm);
    }
    accrue(account, 'reward', value * left * kept);
  }
  for (const { account, ppm } of fees.recipients ?? []) accrue(account, 'fee', gross * BigInt(ppm) * PPM);
  return { ...accrual.settle(), value: { numerator: gross * PPM * PPM, denominator } };
}

/** Expected blocks by account, in units of 1 / network.numerator. */
function blocksByAccount(work: Iterable<PpsWork>, network: Fraction): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, work: amount, shares = 1 } of work) {
    if (amount < 0n) throw new PoolError('invalid_argument', `the work of ${account} is negative`);
    if (!Number.isSafeInteger(shares) || shares < 1) {
      throw new PoolError('invalid_argument', `a number of shares is a positive integer, not ${shares}`);
    }
    const expected = amount * network.denominator;
    const most = BigInt(shares) * network.numerator;
    sums.set(account, (sums.get(account) ?? 0n) + (expected < most ? expected : most));
  }
  return sums;
}

/** Exact sums by kind and account, split into whole units and carries at the end. */
class Accrual {
  readonly #sums: Readonly<Record<CreditKind, Map<string, Fraction>>> = {
    reward: new Map(),
    fee: new Map(),
    donation: new Map(),
  };

  constructor(carries: Iterable<PpsCarry>) {
    for (const { account, kind, carry } of carries) {
      if (carry.numerator < 0n || carry.numerator >= carry.denominator) {
        throw new PoolError('invalid_argument', `the carry of ${account} is not from 0 to below 1 base unit`);
      }
      this.add(account, kind, carry);
    }
  }

  add(account: string, kind: CreditKind, amount: Fraction): void {
    const sums = this.#sums[kind];
    sums.set(account, addFractions(sums.get(account) ?? ZERO_FRACTION, amount));
  }

  settle(): { readonly credits: readonly Credit[]; readonly carries: readonly PpsCarry[] } {
    const credits: Credit[] = [];
    const carries: PpsCarry[] = [];
    for (const kind of CREDIT_KINDS) {
      for (const [account, sum] of [...this.#sums[kind]].sort(([a], [b]) => compareAccounts(a, b))) {
        const { whole, rest } = wholeAndRest(sum);
        if (whole > 0n) credits.push({ account, kind, amount: whole });
        if (rest.numerator > 0n) carries.push({ account, kind, carry: rest });
      }
    }
    return { credits, carries };
  }
}

/** ln 10 in millionths, rounded up. */
const LN_10_PPM = 2_302_586n;

export interface PpsReserveOptions {
  /** What a block is worth to the pool, base units. */
  readonly reward: bigint;
  /** The pool fee, parts per million of the reward; positive, as without a fee no reserve is ever enough. */
  readonly feePpm: number;
  /** Chance of ever running dry that is accepted, as a power of ten: 3 is one in a thousand. */
  readonly oneInTenTo: number;
}

/**
 * What a PPS pool should hold back before it begins: reward * ln(1 / chance) / (2 * fee), rounded up (M. Rosenfeld,
 * "Analysis of Bitcoin Pooled Mining Reward Systems", on pay-per-share). Good for small fees.
 *
 * @throws PoolError `invalid_argument` on a fee outside 1 to a million, a power outside 1 to 100, a negative reward.
 *
 * @example
 * ppsReserve({ reward: 312_500_000n, feePpm: 20_000, oneInTenTo: 3 }); // 53966859375n: 173 blocks
 */
export function ppsReserve({ reward, feePpm, oneInTenTo }: PpsReserveOptions): bigint {
  if (!Number.isInteger(feePpm) || feePpm < 1 || feePpm > Number(PPM)) {
    throw new PoolError('invalid_argument', `the fee is an integer from 1 to ${PPM} parts per million, not ${feePpm}`);
  }
  if (!Number.isInteger(oneInTenTo) || oneInTenTo < 1 || oneInTenTo > 100) {
    throw new PoolError('invalid_argument', `the power of ten is an integer from 1 to 100, not ${oneInTenTo}`);
  }
  const divisor = 2n * BigInt(feePpm);
  return (checkAmount(reward, 'the reward') * LN_10_PPM * BigInt(oneInTenTo) + divisor - 1n) / divisor;
}
