import type { Coin } from '@headframe/coins';
import { PoolError } from '@headframe/primitives';

export interface PayoutOptions {
  /** Decodes addresses and refuses those of other networks. */
  readonly coin: Coin;
  /** Least payment to an account that set none itself, base units. */
  readonly minimum: bigint;
  /** Time between runs. Default an hour. */
  readonly everyMs?: number;
  /** Time between looks at the chain. Default a minute. */
  readonly checkMs?: number;
  /** `manual`: a run only plans, and payments wait for `approve`. Default `automatic`. */
  readonly approval?: 'automatic' | 'manual';
  /** Outputs of one transaction, its change aside. Default 200; at most 2,000, which a node still relays. */
  readonly maxOutputs?: number;
  /** Transactions planned in one run. Default 10. */
  readonly maxPayments?: number;
  /** Confirmations until a payment is final, and until one that lost its coins has failed. Default 6. */
  readonly confirmations?: number;
  /** Outputs below are not planned, base units. Default: what nodes of the coin relay. */
  readonly dust?: bigint;
}

export type ResolvedPayoutOptions = Required<PayoutOptions>;

/**
 * What nodes do not relay, in base units. Bitcoin Core: 546 for the largest usual output at 3 per byte. Litecoin Core
 * asks ten times that, Dogecoin Core 0.01 DOGE.
 */
const DUST: Readonly<Record<string, bigint>> = { litecoin: 5_460n, dogecoin: 1_000_000n };
const DEFAULT_DUST = 546n;
/** A standard transaction has 400,000 weight units; 2,000 outputs of the longest usual form take 344,000 of them. */
const MAX_OUTPUTS = 2_000;

/** Fills in defaults. @throws PoolError `invalid_argument`. */
export function resolvePayoutOptions(options: PayoutOptions): ResolvedPayoutOptions {
  const resolved = {
    coin: options.coin,
    minimum: options.minimum,
    everyMs: options.everyMs ?? 3_600_000,
    checkMs: options.checkMs ?? 60_000,
    approval: options.approval ?? 'automatic',
    maxOutputs: options.maxOutputs ?? 200,
    maxPayments: options.maxPayments ?? 10,
    confirmations: options.confirmations ?? 6,
    dust:
      options.dust ?? (Object.hasOwn(DUST, options.coin.name) ? DUST[options.coin.name] : undefined) ?? DEFAULT_DUST,
  } as const;
  if (resolved.minimum < 1n) throw invalid('minimum', 'at least 1 base unit');
  if (resolved.dust < 0n) throw invalid('dust', 'not negative');
  checkInteger('maxOutputs', resolved.maxOutputs, MAX_OUTPUTS);
  checkInteger('maxPayments', resolved.maxPayments, 1_000);
  checkInteger('confirmations', resolved.confirmations, 10_000);
  if (!(resolved.everyMs >= 1)) throw invalid('everyMs', 'positive');
  if (!(resolved.checkMs >= 1)) throw invalid('checkMs', 'positive');
  return resolved;
}

function checkInteger(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) throw invalid(name, `an integer from 1 to ${max}`);
}

function invalid(name: string, what: string): PoolError {
  return new PoolError('invalid_argument', `${name} must be ${what}`);
}
