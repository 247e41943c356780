import { PoolError } from '@headframe/primitives';
import { contendedTransaction, forUpdate } from '../sql/contended.js';
import { type InsertShape, insertRows } from '../sql/insert.js';
import { bigintIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession } from '../sql/types.js';
import { BalanceChanges, changeBalances, potOf, reserve } from './balances.js';
import { storedKey } from './bookings.js';
import { checkCount, checkPlan, oneOf, PAYMENT_STATUSES, storedText } from './checks.js';
import { checkMoney } from './money.js';
import type { PaymentPlan, PaymentStatus, PaymentStep } from './types.js';

const PARTS: InsertShape = {
  table: 'payment_parts',
  columns: ['payment', 'ordinal', 'account', 'address', 'amount', 'time_ms'],
  onConflict: '',
};

/**
 * Steps that exist; each may also be repeated, with news. What was signed may confirm at any time, whatever was
 * believed of it: so it is never cancelled, and from `failed` there is a way back. From `confirmed` too: chains
 * reorganise.
 */
const STEPS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  planned: ['approved', 'cancelled', 'failed'],
  approved: ['signed', 'cancelled', 'failed'],
  signed: ['sent', 'confirmed', 'failed'],
  sent: ['confirmed', 'failed'],
  confirmed: ['sent', 'failed'],
  cancelled: [],
  failed: ['sent', 'confirmed'],
};

const TXID = /^[0-9a-f]{64}$/;
const HEX = /^(?:[0-9a-f]{2})+$/;

export function statusIn(row: SqlRow | undefined): PaymentStatus {
  return oneOf(PAYMENT_STATUSES, textIn(row, 'status'), 'invalid_data');
}

/** Writes a payment down and reserves its amounts. @returns false when its id is known */
export async function planPayment(database: SqlDatabase, plan: PaymentPlan): Promise<boolean> {
  const { parts, total } = checkPlan(plan);
  return contendedTransaction(database, async (session) => {
    const [row] = await session.query(
      `INSERT INTO payments (id, status, total, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (id) DO NOTHING RETURNING number`,
      [plan.id, plan.isApproved ? 'approved' : 'planned', `${total}`, plan.timeMs, plan.timeMs],
    );
    if (row === undefined) return false;
    const amounts = new Map<string, bigint>();
    for (const { account, amount } of parts) amounts.set(account, (amounts.get(account) ?? 0n) + amount);
    const account = await reserve(session, amounts);
    if (account !== undefined) {
      throw new PoolError('conflict', `${account} has less available than its part, or is held`, {
        details: { account },
      });
    }
    const number = numberIn(row, 'number');
    await insertRows(
      session,
      PARTS,
      parts.map((part, i) => [number, i, part.account, part.address, `${part.amount}`, plan.timeMs]),
    );
    return true;
  });
}

/** @throws PoolError `invalid_argument` on steps that do not exist or lack what they need */
function checkStep(from: readonly PaymentStatus[], step: PaymentStep): void {
  const to = oneOf(PAYMENT_STATUSES, step.to, 'invalid_argument');
  for (const status of from) {
    if (status !== to && !STEPS[oneOf(PAYMENT_STATUSES, status, 'invalid_argument')].includes(to)) {
      throw new PoolError('invalid_argument', `no payment goes from ${status} to ${to}`);
    }
  }
  checkCount(step.timeMs, 'the time of a step');
  if (step.confirmations !== undefined) checkCount(step.confirmations, 'a number of confirmations');
  if (step.fee !== undefined) checkMoney(step.fee, 'a fee');
  if (step.txid !== undefined && !TXID.test(step.txid)) {
    throw new PoolError('invalid_argument', 'a txid is 64 lower-case hex digits');
  }
  if (step.transaction !== undefined && !HEX.test(step.transaction)) {
    throw new PoolError('invalid_argument', 'a transaction is lower-case hex');
  }
  // Without them nobody could find out whether it was sent.
  if (to === 'signed' && !from.includes('signed') && (step.txid === undefined || step.transaction === undefined)) {
    throw new PoolError('invalid_argument', 'a signed payment has its txid and transaction');
  }
}

/**
 * Takes a step of a payment that stands at one of `from`; its amounts move with it. What was signed stays: a txid,
 * transaction or fee that is known is not replaced.
 * @returns false when it stands elsewhere or is unknown
 */
export async function stepPayment(
  database: SqlDatabase,
  id: string,
  from: readonly PaymentStatus[],
  step: PaymentStep,
): Promise<boolean> {
  checkStep(from, step);
  return contendedTransaction(database, async (session) => {
    const [row] = await session.query(`SELECT number, status FROM payments WHERE id = $1 ${forUpdate(session)}`, [
      storedKey(id),
    ]);
    if (row === undefined) return false;
    const status = statusIn(row);
    if (!from.includes(status)) return false;
    const number = numberIn(row, 'number');
    if (step.txid !== undefined) await checkTxid(session, number, step.txid);
    await session.run(
      `UPDATE payments SET status = $1, txid = coalesce(txid, $2), transaction_hex = coalesce(transaction_hex, $3),
       fee = coalesce(fee, $4), confirmations = coalesce($5, confirmations), reason = coalesce($6, reason),
       updated_ms = $7, by_hand = coalesce($8, by_hand) WHERE number = $9`,
      [
        step.to,
        step.txid ?? null,
        step.transaction ?? null,
        step.fee === undefined ? null : `${step.fee}`,
        step.confirmations ?? null,
        storedText(step.reason),
        step.timeMs,
        step.byHand === undefined ? null : Number(step.byHand),
        number,
      ],
    );
    await moveParts(session, number, { from: status, to: step.to });
    return true;
  });
}

/** One transaction for two payments would be one payment of both: the second must never be stored. */
async function checkTxid(session: SqlSession, number: number, txid: string): Promise<void> {
  const [other] = await session.query('SELECT id FROM payments WHERE txid = $1 AND number <> $2', [txid, number]);
  if (other === undefined) return;
  throw new PoolError('conflict', `transaction ${txid} is that of payment ${textIn(other, 'id')}`);
}

async function moveParts(
  session: SqlSession,
  payment: number,
  { from, to }: { readonly from: PaymentStatus; readonly to: PaymentStatus },
): Promise<void> {
  const [out, into] = [potOf(from), potOf(to)];
  if (out === into) return;
  const rows = await session.query(
    'SELECT account, CAST(amount AS TEXT) AS amount FROM payment_parts WHERE payment = $1',
    [payment],
  );
  const changes = new BalanceChanges();
  for (const row of rows) {
    changes.add(textIn(row, 'account'), out, -bigintIn(row, 'amount'));
    changes.add(textIn(row, 'account'), into, bigintIn(row, 'amount'));
  }
  await changeBalances(session, changes);
}
