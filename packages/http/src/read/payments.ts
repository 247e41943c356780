import type { PaymentRecord } from '@headframe/ledger';
import type { AdminPayment } from '../schemas/admin.js';
import type { AccountPayment, PaymentItem } from '../schemas/payments.js';
import { amountOf } from '../units.js';
import type { Links } from './links.js';

/** A payment for everybody. */
export function paymentOf(record: PaymentRecord, links: Links): PaymentItem {
  const { id, status, txid, confirmations, createdMs, updatedMs } = record;
  return {
    id,
    status,
    // A signed transaction that nobody has seen has an id, but no page anywhere.
    txid: txid ?? null,
    link: status === 'sent' || status === 'confirmed' ? links.transaction(txid) : null,
    confirmations,
    createdMs,
    updatedMs,
    outputs: new Set(record.parts.map(({ address }) => address)).size,
    total: amountOf(record.total),
    fee: record.fee === undefined ? null : amountOf(record.fee),
  };
}

/** An account's part of a payment. */
export function accountPaymentOf(record: PaymentRecord, account: string, links: Links): AccountPayment {
  const { outputs: _outputs, total: _total, fee: _fee, ...fields } = paymentOf(record, links);
  const parts = record.parts.filter((part) => part.account === account);
  return {
    ...fields,
    address: parts[0]?.address ?? '',
    amount: amountOf(parts.reduce((sum, { amount }) => sum + amount, 0n)),
  };
}

/** A payment with all its parts, for the operator. */
export function adminPaymentOf(record: PaymentRecord, links: Links): AdminPayment {
  return {
    ...paymentOf(record, links),
    reason: record.reason ?? null,
    parts: record.parts.map(({ account, address, amount }) => ({ account, address, amount: amountOf(amount) })),
  };
}
