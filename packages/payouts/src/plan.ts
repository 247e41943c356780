import { type Coin, decodeAddress } from '@headframe/coins';
import { MAX_PAYMENT_PARTS, type PaymentPart } from '@headframe/ledger';
import { bytesToHex, errorMessage, isPoolError } from '@headframe/primitives';
import type { WalletOutput } from './types.js';

/** An account with something due. */
export interface DueAccount {
  readonly account: string;
  readonly address: string;
  /** Base units. */
  readonly available: bigint;
}

export interface PlanLimits {
  readonly coin: Coin;
  readonly maxOutputs: number;
  readonly maxPayments: number;
  /** Base units: outputs below are left out. */
  readonly dust: bigint;
  /** What may be spent, base units; undefined: no bound. */
  readonly budget: bigint | undefined;
  /** Addresses that the wallet has refused. */
  readonly refused?: ReadonlyMap<string, string>;
}

export interface SkippedAccount {
  readonly account: string;
  readonly amount: bigint;
  readonly reason: string;
}

export interface PlannedPayment {
  readonly parts: readonly PaymentPart[];
  readonly total: bigint;
}

export interface Plan {
  readonly payments: readonly PlannedPayment[];
  readonly skipped: readonly SkippedAccount[];
}

interface Destination {
  readonly parts: PaymentPart[];
  amount: bigint;
}

/**
 * Divides what is due into transactions. Accounts whose addresses stand for one script share an output. In the order
 * given (most due first) each destination is paid whole or not at all, and one that does not fit the budget does not
 * stop smaller ones after it. Pure.
 */
export function planPayments(due: readonly DueAccount[], limits: PlanLimits): Plan {
  const skipped: SkippedAccount[] = [];
  const destinations = new Map<string, Destination>();
  for (const { account, address, available: amount } of due) {
    if (amount <= 0n) continue;
    const script = scriptOf(limits, address);
    if (!script.ok) {
      skipped.push({ account, amount, reason: script.reason });
      continue;
    }
    const destination = destinations.get(script.hex) ?? { parts: [], amount: 0n };
    if (destination.parts.length >= MAX_PAYMENT_PARTS) {
      skipped.push({
        account,
        amount,
        reason: `more than ${MAX_PAYMENT_PARTS} accounts have this address; this waits`,
      });
      continue;
    }
    destination.parts.push({ account, address, amount });
    destination.amount += amount;
    destinations.set(script.hex, destination);
  }

  const payments: { parts: PaymentPart[]; total: bigint; outputs: number }[] = [];
  let left = limits.budget;
  for (const { parts, amount } of destinations.values()) {
    const skip = (reason: string): void => {
      for (const part of parts) skipped.push({ account: part.account, amount: part.amount, reason });
    };
    if (amount < limits.dust) {
      skip(`below ${limits.dust} base units, which nodes do not relay`);
      continue;
    }
    if (left !== undefined && amount > left) {
      skip('the wallet has not enough left');
      continue;
    }
    let payment = payments.at(-1);
    const isFull =
      payment === undefined ||
      payment.outputs >= limits.maxOutputs ||
      payment.parts.length + parts.length > MAX_PAYMENT_PARTS;
    if (payment === undefined || isFull) {
      if (payments.length >= limits.maxPayments) {
        skip(`a run makes at most ${limits.maxPayments} transactions; this waits for the next`);
        continue;
      }
      payment = { parts: [], total: 0n, outputs: 0 };
      payments.push(payment);
    }
    payment.parts.push(...parts);
    payment.total += amount;
    payment.outputs++;
    if (left !== undefined) left -= amount;
  }
  return { payments: payments.map(({ parts, total }) => ({ parts, total })), skipped };
}

/**
 * Outputs of a payment: one per script, in the order of the parts.
 * @throws PoolError `invalid_address` or `wrong_network` when an address is not the coin's.
 */
export function outputsOf(coin: Coin, parts: readonly PaymentPart[]): WalletOutput[] {
  const outputs = new Map<string, WalletOutput>();
  for (const { address, amount } of parts) {
    const { script } = decodeAddress(coin, address);
    const key = bytesToHex(script);
    const known = outputs.get(key);
    outputs.set(key, known === undefined ? { address, script, amount } : { ...known, amount: known.amount + amount });
  }
  return [...outputs.values()];
}

type ScriptResult = { readonly ok: true; readonly hex: string } | { readonly ok: false; readonly reason: string };

function scriptOf({ coin, refused }: PlanLimits, address: string): ScriptResult {
  const why = refused?.get(address);
  if (why !== undefined) return { ok: false, reason: `the wallet refuses the address: ${why}` };
  try {
    const { script, type } = decodeAddress(coin, address);
    if (type === 'witness') {
      return {
        ok: false,
        reason: 'the address has a witness version without rules: nobody could keep what it receives',
      };
    }
    return { ok: true, hex: bytesToHex(script) };
  } catch (error) {
    if (isPoolError(error)) return { ok: false, reason: errorMessage(error) };
    throw error;
  }
}
