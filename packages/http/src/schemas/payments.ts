import { z } from 'zod';
import { amount, pageOf, unixMs } from './common.js';

/** Life of a payment. */
export const paymentStatus = z.enum(['planned', 'approved', 'signed', 'sent', 'confirmed', 'cancelled', 'failed']);

const fields = {
  id: z.string(),
  status: paymentStatus,
  txid: z.string().nullable(),
  link: z.string().nullable().describe('Page of the transaction in a block explorer.'),
  confirmations: z.int(),
  createdMs: unixMs,
  updatedMs: unixMs,
};

/** A payment of the pool: one transaction. */
export const paymentItem = z
  .object({ ...fields, outputs: z.int().describe('Addresses paid.'), total: amount, fee: amount.nullable() })
  .meta({ id: 'Payment', description: 'One transaction that pays accounts.' });
export type PaymentItem = z.infer<typeof paymentItem>;

export const paymentPage = pageOf(paymentItem).meta({ id: 'PaymentPage' });
export type PaymentPage = z.infer<typeof paymentPage>;

/** An account's part of a payment. */
export const accountPayment = z
  .object({ ...fields, address: z.string(), amount })
  .meta({ id: 'AccountPayment', description: "An account's part of a payment." });
export type AccountPayment = z.infer<typeof accountPayment>;

export const accountPaymentPage = pageOf(accountPayment).meta({ id: 'AccountPaymentPage' });
export type AccountPaymentPage = z.infer<typeof accountPaymentPage>;
