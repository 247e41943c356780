import { isPoolError, type PoolError } from '@headframe/primitives';
import { carryOut, paymentsOf, type StepContext } from './payer-steps.js';
import { type DueAccount, type PlanLimits, planPayments, type SkippedAccount } from './plan.js';
import type { PayoutPlan, WalletStatus } from './types.js';

/** How often a run plans anew with less after the wallet refused: each time it asks for a good deal less. */
const MAX_ATTEMPTS = 6;
/** Accounts looked at for the list of those that are held or have no address. */
const MAX_LISTED = 500;

type PlannedEntry = PayoutPlan['payments'][number];
type Limits = PlanLimits & { readonly refused: Map<string, string> };

/** What changes the next attempt of a run. */
interface Squeeze {
  budget: bigint | undefined;
  maxOutputs: number;
  readonly refused: Map<string, string>;
}

/** Plans what is due and carries it out. */
export class PayoutRun {
  readonly #context: StepContext;
  readonly #newId: () => string;
  readonly #isClosed: () => boolean;

  constructor(context: StepContext, newId: () => string, isClosed: () => boolean) {
    this.#context = context;
    this.#newId = newId;
    this.#isClosed = isClosed;
  }

  /** What {@link pay} would do. Changes nothing. */
  async plan(): Promise<PayoutPlan> {
    const wallet = await this.#context.wallet.status();
    const approved = await paymentsOf(this.#context.accounting, ['approved']);
    const waiting = approved.map(({ id, parts, total }) => ({ id, parts, total }));
    const { payments, skipped } = await this.#planNew(wallet, this.#noSqueeze());
    const planned = payments.map((payment) => ({ id: undefined, ...payment }));
    return report([...waiting, ...planned], [...skipped, ...(await this.#held())], wallet);
  }

  /** Signs and sends what is approved, then plans what is due, and without manual approval pays that too. */
  async pay(): Promise<PayoutPlan> {
    const squeeze = this.#noSqueeze();
    const done: PlannedEntry[] = await this.payApproved(squeeze);
    let wallet = await this.#context.wallet.status();
    let skipped: readonly SkippedAccount[] = [];
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && !this.#isClosed(); attempt++) {
      const plan = await this.#planNew(wallet, squeeze);
      skipped = plan.skipped;
      let isRefused = false;
      for (const payment of plan.payments) {
        if (this.#isClosed()) break;
        const id = this.#newId();
        const outcome = await this.#planAndPay(id, payment.parts);
        if (outcome === 'conflict') continue;
        if (outcome === 'ok') {
          done.push({ id, ...payment });
          continue;
        }
        isRefused = true;
        tighten(squeeze, outcome, payment.total, payment.parts.length);
        break;
      }
      if (!isRefused) break;
      wallet = await this.#context.wallet.status();
      if (attempt === MAX_ATTEMPTS) {
        const reason = 'the wallet refused; see the payments that were cancelled';
        const left = (await this.#planNew(wallet, squeeze)).payments.flatMap(({ parts }) => parts);
        skipped = [...skipped, ...left.map(({ account, amount }) => ({ account, amount, reason }))];
      }
    }
    return report(done, [...skipped, ...(await this.#held())], wallet);
  }

  /** Payments that are approved and not signed yet: of an earlier process, or approved by hand. */
  async payApproved(squeeze: Squeeze = this.#noSqueeze()): Promise<PlannedEntry[]> {
    const done: PlannedEntry[] = [];
    for (const payment of await paymentsOf(this.#context.accounting, ['approved'])) {
      if (this.#isClosed()) break;
      const outcome = await carryOut(this.#context, payment);
      if (outcome.kind === 'done') done.push({ id: payment.id, parts: payment.parts, total: payment.total });
      if (outcome.kind !== 'refused') continue;
      if (await this.#giveUp(payment.id, outcome.error)) {
        tighten(squeeze, outcome.error, payment.total, payment.parts.length);
      }
    }
    return done;
  }

  async #planAndPay(id: string, parts: PlannedEntry['parts']): Promise<'ok' | 'conflict' | PoolError> {
    const { accounting, clock, log, options } = this.#context;
    const isApproved = options.approval === 'automatic';
    try {
      await accounting.planPayment({ id, parts, isApproved, timeMs: clock.now() });
    } catch (error) {
      if (!isPoolError(error, 'conflict')) throw error;
      // Another process planned the same, or a block was orphaned meanwhile. The next run sees what is left.
      log.info({ payment: id, reason: error.message }, 'payment not planned: balances changed');
      return 'conflict';
    }
    log.info({ payment: id, accounts: parts.length, isApproved }, 'payment planned');
    if (!isApproved) return 'ok';
    const payment = await accounting.payment(id);
    if (payment === undefined) return 'conflict';
    const outcome = await carryOut(this.#context, payment);
    if (outcome.kind !== 'refused') return 'ok';
    await this.#giveUp(id, outcome.error);
    return outcome.error;
  }

  /** Cancels what the wallet will not sign, so that less can be planned. What a person approved is left to a person. */
  async #giveUp(id: string, error: PoolError): Promise<boolean> {
    const { accounting, clock, options } = this.#context;
    if (options.approval === 'manual') return false;
    const reason = `not signed: ${error.message}`;
    return accounting.stepPayment(id, ['approved'], { to: 'cancelled', reason, timeMs: clock.now() });
  }

  async #planNew(wallet: WalletStatus, squeeze: Squeeze): Promise<ReturnType<typeof planPayments>> {
    const { accounting, options } = this.#context;
    const { coin, dust, maxPayments } = options;
    const due: readonly DueAccount[] = await accounting.due(
      options.minimum,
      maxPayments * options.maxOutputs + MAX_LISTED,
    );
    if (!wallet.isReady) {
      const reason = `the wallet is not ready: ${wallet.reason ?? 'unknown'}`;
      return { payments: [], skipped: due.map(({ account, available }) => ({ account, amount: available, reason })) };
    }
    const limits: Limits = {
      coin,
      dust,
      maxPayments,
      maxOutputs: squeeze.maxOutputs,
      refused: squeeze.refused,
      budget: least(await this.#budget(wallet), squeeze.budget),
    };
    return planPayments(due, limits);
  }

  /** What the wallet has, less what payments that it does not know of will take. */
  async #budget(wallet: WalletStatus): Promise<bigint | undefined> {
    if (wallet.spendable === undefined) return undefined;
    const unseen = await paymentsOf(this.#context.accounting, ['planned', 'approved', 'signed']);
    const left = unseen.reduce((sum, { total, fee }) => sum - total - (fee ?? 0n), wallet.spendable);
    return left > 0n ? left : 0n;
  }

  /** Accounts that have enough but are held, or have no address. */
  async #held(): Promise<SkippedAccount[]> {
    const { accounting, options } = this.#context;
    const { items } = await accounting.balances({ limit: MAX_LISTED });
    const rich = items.filter(({ available }) => available >= options.minimum);
    const settings = new Map(
      (await accounting.settingsOf(rich.map(({ account }) => account))).map((one) => [one.account, one]),
    );
    return rich.flatMap(({ account, available: amount }) => {
      const of = settings.get(account);
      if (of?.isHeld === true) return [{ account, amount, reason: 'the account is held' }];
      if (of !== undefined && of.address === undefined)
        return [{ account, amount, reason: 'the account has no address' }];
      return [];
    });
  }

  #noSqueeze(): Squeeze {
    return { budget: undefined, maxOutputs: this.#context.options.maxOutputs, refused: new Map() };
  }
}

/** After a refusal: less money, fewer outputs, or without the address that the wallet does not take. */
function tighten(squeeze: Squeeze, error: PoolError, total: bigint, outputs: number): void {
  const { address, reason } = error.details;
  if (error.code === 'insufficient_funds') {
    // Usually only the fee was missing; then more and more.
    const cut = squeeze.budget === undefined ? total / 64n : total / 8n;
    squeeze.budget = total - (cut > 0n ? cut : 1n);
  } else if (error.code === 'invalid_address' || error.code === 'wrong_network') {
    // Planning knows these addresses by itself and leaves them out.
    return;
  } else if (typeof address === 'string') squeeze.refused.set(address, error.message);
  else if (reason === 'too_large')
    squeeze.maxOutputs = Math.max(1, Math.floor(Math.min(outputs, squeeze.maxOutputs) / 2));
  else squeeze.budget = 0n;
}

function least(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function report(
  payments: readonly PlannedEntry[],
  skipped: readonly SkippedAccount[],
  wallet: WalletStatus,
): PayoutPlan {
  return { payments, skipped, total: payments.reduce((sum, payment) => sum + payment.total, 0n), wallet };
}
