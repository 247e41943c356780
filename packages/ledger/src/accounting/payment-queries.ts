import { pageLimit } from '../core/paging.js';
import { bigintIn, numberIn, optionalTextIn, textIn } from '../sql/row.js';
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from '../sql/types.js';
import type { Page, PageRequest } from '../types.js';
import { numberCursor } from './booking-queries.js';
import { storedKey } from './bookings.js';
import { checkCount, oneOf, PAYMENT_STATUSES, storedAccount } from './checks.js';
import { moneyColumns } from './money.js';
import { statusIn } from './payments.js';
import type { PaymentFilter, PaymentPart, PaymentRecord } from './types.js';

const RECORD = `number, id, status, ${moneyColumns('total', 'fee')}, txid, transaction_hex, confirmations, reason, by_hand, created_ms, updated_ms`;

/** Payments with their parts, in the order of the rows. */
async function recordsIn(session: SqlSession, rows: readonly SqlRow[]): Promise<PaymentRecord[]> {
  if (rows.length === 0) return [];
  const numbers = rows.map((row) => numberIn(row, 'number'));
  const parts = new Map<number, PaymentPart[]>(numbers.map((number) => [number, []]));
  const found = await session.query(
    `SELECT payment, account, address, CAST(amount AS TEXT) AS amount FROM payment_parts
     WHERE payment IN (${numbers.map((_, i) => `$${i + 1}`).join(', ')}) ORDER BY payment, ordinal`,
    numbers,
  );
  for (const row of found) {
    const part = { account: textIn(row, 'account'), address: textIn(row, 'address'), amount: bigintIn(row, 'amount') };
    parts.get(numberIn(row, 'payment'))?.push(part);
  }
  return rows.map((row) => {
    const fee = optionalTextIn(row, 'fee');
    return {
      id: textIn(row, 'id'),
      status: statusIn(row),
      parts: parts.get(numberIn(row, 'number')) ?? [],
      total: bigintIn(row, 'total'),
      txid: optionalTextIn(row, 'txid'),
      transaction: optionalTextIn(row, 'transaction_hex'),
      fee: fee === undefined ? undefined : BigInt(fee),
      confirmations: numberIn(row, 'confirmations'),
      reason: optionalTextIn(row, 'reason'),
      ...(numberIn(row, 'by_hand') === 1 ? { isSettledByHand: true } : {}),
      createdMs: numberIn(row, 'created_ms'),
      updatedMs: numberIn(row, 'updated_ms'),
    };
  });
}

export function findPayment(database: SqlDatabase, id: string): Promise<PaymentRecord | undefined> {
  return database.read(async (session) => {
    const rows = await session.query(`SELECT ${RECORD} FROM payments WHERE id = $1`, [storedKey(id)]);
    return (await recordsIn(session, rows))[0];
  });
}

/** Payments, latest first. */
export function listPayments(
  database: SqlDatabase,
  { account, statuses, confirmationsBelow, updatedSinceMs }: PaymentFilter,
  page: PageRequest,
): Promise<Page<PaymentRecord>> {
  const limit = pageLimit(page.limit);
  const values: SqlValue[] = [numberCursor(page.after)];
  const conditions = ['number < $1'];
  if (account !== undefined) {
    values.push(storedAccount(account));
    conditions.push(`number IN (SELECT payment FROM payment_parts WHERE account = $${values.length})`);
  }
  if (statuses !== undefined) {
    if (statuses.length === 0) return Promise.resolve({ items: [], next: undefined });
    const places = statuses.map((status) => `$${values.push(oneOf(PAYMENT_STATUSES, status, 'invalid_argument'))}`);
    conditions.push(`status IN (${places.join(', ')})`);
  }
  if (confirmationsBelow !== undefined) {
    conditions.push(`confirmations < $${values.push(checkCount(confirmationsBelow, 'a number of confirmations'))}`);
  }
  if (updatedSinceMs !== undefined)
    conditions.push(`updated_ms >= $${values.push(checkCount(updatedSinceMs, 'a time'))}`);
  return database.read(async (session) => {
    const rows = await session.query(
      `SELECT ${RECORD} FROM payments WHERE ${conditions.join(' AND ')} ORDER BY number DESC LIMIT ${limit + 1}`,
      values,
    );
    const shown = rows.slice(0, limit);
    return {
      items: await recordsIn(session, shown),
      next: rows.length > limit ? String(numberIn(shown.at(-1), 'number')) : undefined,
    };
  });
}
