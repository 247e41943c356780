import type { PayoutPlan, Payouts, WalletStatus } from '@headframe/payouts';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type ApiContext, ledgerOf } from '../context.js';
import { notConfigured } from '../problem.js';
import { adminPaymentOf, paymentOf } from '../read/payments.js';
import {
  adminPayment,
  cancelRequest,
  type PayoutPlanJson,
  payoutPlan,
  payoutStatus,
  reconcileReport,
  settleRequest,
} from '../schemas/admin.js';
import { amountOf } from '../units.js';
import { defineAdmin } from './define.js';

const OPEN = ['planned', 'approved', 'signed', 'sent'] as const;
const MAX_OPEN = 100;
const paymentParams = z.object({ id: z.string().min(1).max(64) });

/** Routes about payments. */
export function adminPayoutRoutes(app: FastifyInstance, { view, links, memo }: ApiContext): void {
  const payouts = (): Payouts => {
    if (view.payouts === undefined) throw notConfigured('payments', 'payout.payments');
    return view.payouts;
  };
  const changed = <Value>(value: Value): Value => {
    memo.clear();
    return value;
  };
  defineAdmin(app, {
    method: 'GET',
    path: '/payouts',
    summary: 'Wallet, schedule, open payments, and what a run would pay now',
    answer: payoutStatus,
    run: async () => {
      const source = payouts();
      const [status, plan, open] = await Promise.all([
        source.status(),
        source.plan(),
        ledgerOf(view).accounting.payments({ statuses: OPEN }, { limit: MAX_OPEN }),
      ]);
      return {
        wallet: walletOf(status.wallet),
        lastRunMs: status.lastRunMs ?? null,
        nextRunMs: status.nextRunMs ?? null,
        waiting: status.waiting,
        underWay: status.underWay,
        lastError: status.lastError ?? null,
        plan: planOf(plan),
        open: open.items.map((record) => ({ ...paymentOf(record, links), reason: record.reason ?? null })),
      };
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/payouts/run',
    summary: 'Pay what is due now',
    description: 'With manual approval: only plan it. The answer is what was planned or paid.',
    answer: payoutPlan,
    run: async () => changed(planOf(await payouts().run())),
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/payouts/reconcile',
    summary: 'Ask the chain about every payment under way',
    answer: reconcileReport,
    run: async () => {
      const { checked, changed: steps } = await payouts().reconcile();
      return changed({
        checked,
        changed: steps.map(({ id, from, to, reason }) => ({ id, from, to, reason: reason ?? null })),
      });
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/payouts/:id/approve',
    summary: 'Approve a payment that waits for it',
    params: paymentParams,
    answer: adminPayment,
    run: async ({ params }) => changed(adminPaymentOf(await payouts().approve(params.id), links)),
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/payouts/:id/cancel',
    summary: 'Cancel a payment that is not signed',
    params: paymentParams,
    body: cancelRequest.nullish(),
    answer: adminPayment,
    run: async ({ params, body }) => {
      const { reason } = cancelRequest.parse(body ?? {});
      return changed(adminPaymentOf(await payouts().cancel(params.id, reason), links));
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/payouts/:id/settle',
    summary: 'Settle a payment by hand',
    description:
      'Of a payment whose coins another transaction took that pays only some of the same people: the chain cannot say whether they are paid. Refused while its own transaction may still confirm.',
    params: paymentParams,
    body: settleRequest,
    answer: adminPayment,
    run: async ({ params, body }) =>
      changed(adminPaymentOf(await payouts().settle(params.id, body.to, body.reason), links)),
  });
}

function walletOf({ isReady, reason, spendable }: WalletStatus): z.output<typeof payoutStatus>['wallet'] {
  return { isReady, reason: reason ?? null, spendable: spendable === undefined ? null : amountOf(spendable) };
}

function planOf({ payments, skipped, total, wallet }: PayoutPlan): PayoutPlanJson {
  return {
    payments: payments.map(({ id, parts, total: sum }) => ({
      id: id ?? null,
      parts: parts.map(({ account, address, amount }) => ({ account, address, amount: amountOf(amount) })),
      total: amountOf(sum),
    })),
    skipped: skipped.map(({ account, amount, reason }) => ({ account, amount: amountOf(amount), reason })),
    total: amountOf(total),
    wallet: walletOf(wallet),
  };
}
