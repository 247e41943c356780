import { type Coin, type CoinDefinition, decodeAddress, resolveCoin } from '@headframe/coins';
import type { FeeRecipient } from '@headframe/ledger';
import { lowestDifficulty, type PayoutOutput } from '@headframe/mining';
import { canonicalAddress } from '@headframe/payouts';
import { errorMessage, hexToU32, PoolError } from '@headframe/primitives';
import { BigNumber } from 'bignumber.js';
import { creditsAccounts } from './config/payout.js';
import { type ConfigProblem, configError } from './config/problems.js';
import type { PoolConfig } from './config/schema.js';

/** What a configuration means for the chain: checked once, before any port is opened. */
export interface PoolSetup {
  readonly coin: Coin;
  /** Outputs of the coinbase; with `coinbase-split`, those used while nobody has shares. */
  readonly outputs: readonly PayoutOutput[];
  readonly versionMask: number;
  /** True when rewards are credited to accounts, whose usernames are addresses. */
  readonly creditsAccounts: boolean;
  /** Fees as credits; empty when they are outputs of the coinbase. */
  readonly fees: readonly FeeRecipient[];
  /**
   * The pool's own account: with `coinbase-split` the address that its coinbases pay, else a name that is no address, so
   * that what the pool keeps (donations; under PPS what blocks bring above what shares cost) is not paid out.
   */
  readonly poolAccount: string;
  /** `payout.address` in its one form, and its script. */
  readonly poolAddress: string;
  readonly poolScript: Uint8Array;
  /** Least payment, base units; undefined without payments. */
  readonly minimumPayout: bigint | undefined;
}

/** The setup in force; another one takes its place when the configuration is reloaded. */
export interface CurrentSetup {
  current: PoolSetup;
}

/** Fees are given in percent with at most four decimals, so a whole is this many parts: a million, as in a fee policy. */
const PARTS_PER_PERCENT = 10_000;

/** Account of what the pool keeps. */
const POOL_ACCOUNT = 'pool';

/** Base units of a coin: all coins here have eight decimals. */
export const UNITS_PER_COIN = 100_000_000;

/**
 * Resolves coin, addresses and difficulties of a configuration.
 * @throws PoolError `invalid_config` that lists everything that is wrong
 */
export function setUp(config: PoolConfig): PoolSetup {
  let coin: Coin;
  try {
    coin = resolveCoin(config.coin as string | CoinDefinition, config.network);
  } catch (error) {
    throw configError([{ path: 'coin', message: errorMessage(error) }]);
  }
  const problems: ConfigProblem[] = [];
  const script = (path: string, address: string): Uint8Array => {
    try {
      const decoded = decodeAddress(coin, address);
      // Outputs of witness versions without rules can be spent by anybody.
      if (decoded.type === 'witness')
        throw new PoolError('invalid_address', 'is of a witness version that nobody can own yet');
      return decoded.script;
    } catch (error) {
      problems.push({ path, message: errorMessage(error) });
      return new Uint8Array();
    }
  };

  let rest = 100 * PARTS_PER_PERCENT;
  const fees = config.payout.fees.map(({ address, percent }, i): PayoutOutput => {
    const parts = new BigNumber(percent).times(PARTS_PER_PERCENT);
    if (!parts.isInteger()) {
      problems.push({ path: `payout.fees[${i}].percent`, message: `has more than four decimals (found ${percent})` });
    }
    rest -= parts.toNumber();
    return { script: script(`payout.fees[${i}].address`, address), parts: parts.toNumber() };
  });
  if (rest < 0) problems.push({ path: 'payout.fees', message: 'are more than 100 percent together' });
  const main = script('payout.address', config.payout.address);

  const lowest = lowestDifficulty(coin.difficultyFactor);
  for (const [i, { difficulty }] of config.listeners.entries()) {
    const values = typeof difficulty === 'number' ? { '': difficulty } : difficulty;
    for (const key of ['', 'start', 'min', 'max'] as const) {
      const value = (values as Record<string, number | undefined>)[key];
      if (value === undefined || value >= lowest.value) continue;
      problems.push({
        path: `listeners[${i}].difficulty${key === '' ? '' : `.${key}`}`,
        message: `is below ${lowest.text}, the lowest difficulty of ${coin.algorithm} (found ${value})`,
      });
    }
    if (typeof difficulty === 'object') {
      const { start, min = 0, max = Number.POSITIVE_INFINITY } = difficulty;
      if (min > max)
        problems.push({ path: `listeners[${i}].difficulty.min`, message: `is above max (found ${min} and ${max})` });
      else if (start < min || start > max) {
        problems.push({
          path: `listeners[${i}].difficulty.start`,
          message: `is not between min and max (found ${start})`,
        });
      }
    }
  }

  const isCredited = creditsAccounts(config.payout);
  if (isCredited && config.storage.url === 'log:') {
    const what = config.payout.payments === undefined ? `the scheme ${config.payout.scheme}` : 'payments';
    const message = `is log:, in which nobody has an account; ${what} needs sqlite: or postgres:`;
    problems.push({ path: 'storage.url', message });
  }

  const versionMask = config.versionMask === undefined ? coin.versionMask : hexToU32(config.versionMask);
  if (problems.length > 0) throw configError(problems);
  const direct = rest > 0 ? [{ script: main, parts: rest }, ...fees] : fees;
  const recipients = config.payout.fees.map(({ address, percent }) => ({
    account: canonicalAddress(coin, address),
    ppm: new BigNumber(percent).times(PARTS_PER_PERCENT).toNumber(),
  }));
  const minimum = config.payout.payments?.minimum;
  const poolAddress = canonicalAddress(coin, config.payout.address);
  return {
    coin,
    outputs: isCredited ? [{ script: main, parts: 1 }] : direct,
    versionMask,
    creditsAccounts: isCredited,
    fees: isCredited ? recipients : [],
    poolAccount: config.payout.scheme === 'coinbase-split' ? poolAddress : POOL_ACCOUNT,
    poolAddress,
    poolScript: main,
    minimumPayout: minimum === undefined ? undefined : BigInt(new BigNumber(minimum).times(UNITS_PER_COIN).toFixed(0)),
  };
}
