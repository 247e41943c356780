import type { Accounting, PaymentFilter, PaymentRecord, PaymentStatus } from '@headframe/ledger';
import { type Clock, errorMessage, isPoolError, type Logger, PoolError } from '@headframe/primitives';
import type { ResolvedPayoutOptions } from './payer-options.js';
import { outputsOf } from './plan.js';
import type { SignedTransaction, Wallet } from './types.js';

/** What the steps of a payment need. */
export interface StepContext {
  readonly options: ResolvedPayoutOptions;
  readonly accounting: Accounting;
  readonly wallet: Wallet;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Rows asked for at once, and read at most: payments under way are few. */
const PAGE = 200;
const MAX_PAYMENTS = 10_000;

/** Payments of these statuses, oldest word first, so that every process works in one order. */
export async function paymentsOf(
  accounting: Accounting,
  statuses: readonly PaymentStatus[],
  { max = MAX_PAYMENTS, ...filter }: { readonly max?: number } & Omit<PaymentFilter, 'statuses'> = {},
): Promise<PaymentRecord[]> {
  const found: PaymentRecord[] = [];
  let after: string | undefined;
  do {
    const page = await accounting.payments(
      { ...filter, statuses },
      { limit: PAGE, ...(after === undefined ? {} : { after }) },
    );
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined && found.length < max);
  return found.sort((a, b) => a.updatedMs - b.updatedMs || (a.id < b.id ? -1 : 1));
}

/** The transaction that stands in the ledger. Nothing else is ever broadcast. */
export function storedTransaction({ txid, transaction, fee }: PaymentRecord): SignedTransaction | undefined {
  return txid === undefined || transaction === undefined ? undefined : { txid, transaction, fee: fee ?? 0n };
}

/** How an attempt to sign and send ended. `short`: too little money, or too large a transaction, for what was planned. */
export type CarryOutcome =
  | { readonly kind: 'done' }
  /** Somebody else is at it, or it was cancelled. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused'; readonly error: PoolError };

/**
 * Takes an approved payment to `signed` and, as far as the node takes it, to `sent`. What was signed is stored before it
 * leaves; when another process stored its own first, ours is thrown away unseen.
 *
 * @throws PoolError what accounting or wallet threw: the payment stands where the ledger says, and may be carried on.
 */
export async function carryOut(context: StepContext, payment: PaymentRecord): Promise<CarryOutcome> {
  const { accounting, wallet, clock, options } = context;
  const pending = await paymentsOf(accounting, ['signed', 'sent']);
  // Those with a confirmation are in every wallet's view; of the others the wallet may not have heard.
  const avoid = pending.flatMap((one) => (one.confirmations > 0 ? [] : (storedTransaction(one) ?? [])));
  let signed: SignedTransaction;
  try {
    signed = await wallet.sign(outputsOf(options.coin, payment.parts), { avoid });
  } catch (error) {
    if (!isPoolError(error)) throw error;
    await noteReason(context, payment, error.message);
    const isRefusal = REFUSALS.has(error.code);
    if (!isRefusal) throw error;
    return { kind: 'refused', error };
  }
  if (pending.some(({ txid }) => txid === signed.txid)) {
    throw new PoolError('conflict', `the wallet signed transaction ${signed.txid} a second time`);
  }
  const { txid, transaction, fee } = signed;
  const stored = await accounting.stepPayment(payment.id, ['approved'], {
    to: 'signed',
    txid,
    transaction,
    fee,
    timeMs: clock.now(),
  });
  if (!stored) return { kind: 'lost' };
  const record = await accounting.payment(payment.id);
  if (record?.status === 'signed') await send(context, record);
  return { kind: 'done' };
}

/** Errors of `sign` that another choice of outputs may avoid. */
const REFUSALS: ReadonlySet<string> = new Set([
  'insufficient_funds',
  'invalid_argument',
  'invalid_data',
  'invalid_address',
  'wrong_network',
]);

/**
 * Broadcasts the stored transaction. True when the node has it; false when it was refused, which is written down.
 * @throws PoolError `rpc_*` and those of the ledger.
 */
export async function send(context: StepContext, payment: PaymentRecord): Promise<boolean> {
  const { accounting, wallet, clock, log } = context;
  const transaction = storedTransaction(payment);
  if (transaction === undefined) throw new PoolError('invalid_data', `payment ${payment.id} has no transaction`);
  try {
    await wallet.broadcast(transaction);
  } catch (error) {
    if (!isPoolError(error, 'rejected')) throw error;
    await noteReason(context, payment, `the node refuses it: ${error.message}`);
    return false;
  }
  log.info({ payment: payment.id, txid: transaction.txid }, 'payment broadcast');
  if (payment.status === 'signed') {
    await accounting.stepPayment(payment.id, ['signed'], {
      to: 'sent',
      confirmations: 0,
      reason: '',
      timeMs: clock.now(),
    });
  }
  return true;
}

/** Writes down why a payment does not move, where that is news. */
export async function noteReason(context: StepContext, payment: PaymentRecord, reason: string): Promise<void> {
  const { accounting, clock, log } = context;
  if (payment.reason === reason) return;
  log.warn({ payment: payment.id, status: payment.status, reason }, 'payment waits');
  try {
    await accounting.stepPayment(payment.id, [payment.status], { to: payment.status, reason, timeMs: clock.now() });
  } catch (error) {
    log.warn({ payment: payment.id, error: errorMessage(error) }, 'the reason could not be stored');
  }
}

/** Takes back the guard on a settled payment's coins. A failure is logged: the coins are spent, or released at the next start. */
export async function releaseCoins({ wallet, log }: StepContext, payment: PaymentRecord): Promise<void> {
  const transaction = storedTransaction(payment);
  if (transaction === undefined) return;
  try {
    await wallet.release(transaction);
  } catch (error) {
    log.warn({ payment: payment.id, error: errorMessage(error) }, 'coins could not be released');
  }
}
