import type { PayoutPlan } from '@headframe/payouts';
import { amountJson, coinText } from '../money.js';
import { heading } from '../output.js';
import { type TableStream, tableText } from '../table.js';

/** A plan for JSON. */
export function planJson({ payments, skipped, total, wallet }: PayoutPlan): object {
  return {
    total: amountJson(total),
    payments: payments.map((payment) => ({
      id: payment.id ?? null,
      total: amountJson(payment.total),
      parts: payment.parts.map(({ account, address, amount }) => ({ account, address, amount: amountJson(amount) })),
    })),
    skipped: skipped.map(({ account, amount, reason }) => ({ account, amount: amountJson(amount), reason })),
    wallet: {
      isReady: wallet.isReady,
      reason: wallet.reason ?? null,
      spendable: wallet.spendable === undefined ? null : amountJson(wallet.spendable),
    },
  };
}

const PARTS = [
  { head: 'account', least: 14 },
  { head: 'amount', align: 'right' },
  { head: 'address', least: 20 },
] as const;

const SKIPPED = [
  { head: 'account', least: 14 },
  { head: 'amount', align: 'right' },
  { head: 'not paid because', least: 16 },
] as const;

/** A plan for people. `would`: nothing happened yet. */
export function planText(plan: PayoutPlan, mood: 'would' | 'did', stream: TableStream): string {
  const { payments, skipped, total, wallet } = plan;
  const parts = payments.reduce((sum, payment) => sum + payment.parts.length, 0);
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const what = `${count(parts, 'account')} in ${count(payments.length, 'transaction')}, ${coinText(total)} in all`;
  let text =
    payments.length === 0
      ? 'Nobody is due.\n'
      : heading(mood === 'would' ? `Would pay ${what}` : `Payments made or planned: ${what}`, stream);
  for (const payment of payments) {
    if (payment.id !== undefined) text += `\nPayment ${payment.id}, ${coinText(payment.total)}\n`;
    else if (payments.length > 1) text += `\nTransaction of ${coinText(payment.total)}\n`;
    const rows = payment.parts.map(({ account, address, amount }) => [account, coinText(amount), address]);
    text += tableText(PARTS, rows, stream);
  }
  if (skipped.length > 0) {
    const rows = skipped.map(({ account, amount, reason }) => [account, coinText(amount), reason]);
    text += `\n${heading('Due, and not paid', stream)}${tableText(SKIPPED, rows, stream)}`;
  }
  const { spendable } = wallet;
  const funds = spendable === undefined ? '' : `, ${coinText(spendable)} spendable`;
  const reason = wallet.reason === undefined ? '' : `: ${wallet.reason}`;
  text += `\nWallet ${wallet.isReady ? 'ready' : `not ready${reason}`}${funds}.\n`;
  if (spendable !== undefined && spendable < total) text += 'The wallet has too little for all of this.\n';
  return text;
}
