import { randomUUID } from 'node:crypto';
import type { Accounting, PaymentRecord } from '@headframe/ledger';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
} from '@headframe/primitives';
import { type PayoutOptions, resolvePayoutOptions } from './payer-options.js';
import { PayoutRun } from './payer-run.js';
import { paymentsOf, releaseCoins, type StepContext } from './payer-steps.js';
import { Reconciler } from './reconcile.js';
import type { PayoutPlan, PayoutStatus, Payouts, ReconcileReport, Wallet } from './types.js';

export interface PayoutModules {
  readonly accounting: Accounting;
  readonly wallet: Wallet;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Makes ids of payments; random UUIDs by default. */
  readonly newId?: () => string;
}

/** Failed payments whose coins are released at the start: more are not left over from one crash. */
const MAX_LEFTOVERS = 200;

/**
 * Pays what accounts are owed. Every payment is written down as an intent that reserves the amounts, then signed, then
 * its transaction is stored, and only then broadcast; from then on the chain decides. Several processes may do this on
 * one ledger.
 *
 * @throws PoolError `invalid_argument` on options out of range.
 */
export function createPayouts(options: PayoutOptions, modules: PayoutModules): Payouts {
  return new Payer(options, modules);
}

class Payer implements Payouts {
  readonly #context: StepContext;
  readonly #reconciler: Reconciler;
  readonly #run: PayoutRun;
  /** Operations run one after the other; one of a kind at a time, which bounds the queue. */
  readonly #pending = new Map<string, Promise<unknown>>();
  #tail: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #closed = false;
  #lastRunMs: number | undefined;
  #nextRunMs: number | undefined;
  #lastError: string | undefined;

  constructor(options: PayoutOptions, modules: PayoutModules) {
    this.#context = {
      options: resolvePayoutOptions(options),
      accounting: modules.accounting,
      wallet: modules.wallet,
      clock: modules.clock ?? systemClock,
      log: modules.log ?? silentLogger,
    };
    this.#reconciler = new Reconciler(this.#context);
    this.#run = new PayoutRun(this.#context, modules.newId ?? randomUUID, () => this.#closed);
  }

  start(): void {
    if (this.#timer !== undefined || this.#closed) return;
    const { clock, options } = this.#context;
    this.#timer = clock.setInterval(() => this.#tick(), options.checkMs);
    void this.#once('start', () => this.#begin()).catch((error: unknown) => this.#failed(error));
    this.#tick();
  }

  plan(): Promise<PayoutPlan> {
    return this.#once('plan', () => this.#run.plan());
  }

  run(): Promise<PayoutPlan> {
    return this.#once('run', async () => {
      const { clock, options } = this.#context;
      this.#lastRunMs = clock.now();
      this.#nextRunMs = this.#lastRunMs + options.everyMs;
      await this.#reconciler.run({ patient: true });
      return this.#run.pay();
    });
  }

  async approve(id: string): Promise<PaymentRecord> {
    this.#checkOpen();
    const { accounting, clock } = this.#context;
    const step = { to: 'approved', timeMs: clock.now() } as const;
    const approved = await this.#decide(id, await accounting.stepPayment(id, ['planned'], step), 'approved');
    if (this.#timer !== undefined) this.#tick();
    return approved;
  }

  async cancel(id: string, reason: string): Promise<PaymentRecord> {
    this.#checkOpen();
    const { accounting, clock } = this.#context;
    const step = { to: 'cancelled', reason, timeMs: clock.now() } as const;
    return this.#decide(id, await accounting.stepPayment(id, ['planned', 'approved'], step), 'cancelled');
  }

  async settle(id: string, to: 'confirmed' | 'failed', reason: string): Promise<PaymentRecord> {
    this.#checkOpen();
    const known = await this.#context.accounting.payment(id);
    if (known === undefined) throw new PoolError('not_found', `no payment ${id}`);
    return this.#once(`settle ${id} ${to}`, async () =>
      this.#decide(id, await this.#reconciler.settle(id, to, reason), to),
    );
  }

  reconcile(): Promise<ReconcileReport> {
    return this.#once('reconcile', () => this.#reconciler.run({ patient: false }));
  }

  async status(): Promise<PayoutStatus> {
    const { accounting, wallet } = this.#context;
    const waiting = await paymentsOf(accounting, ['planned']);
    const underWay = await paymentsOf(accounting, ['approved', 'signed', 'sent']);
    return {
      wallet: await wallet.status(),
      lastRunMs: this.#lastRunMs,
      nextRunMs: this.#timer === undefined ? undefined : this.#nextRunMs,
      waiting: waiting.length,
      underWay: underWay.length,
      lastError: this.#lastError,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#tail;
    this.#context.wallet.close();
  }

  /** What the last process left: when it last paid, and guards on coins of payments that failed. */
  async #begin(): Promise<void> {
    const { accounting, clock, options } = this.#context;
    const { items } = await accounting.payments({}, { limit: 1 });
    const [latest] = items;
    this.#nextRunMs ??= latest === undefined ? clock.now() : latest.createdMs + options.everyMs;
    const failed = await paymentsOf(accounting, ['failed'], { max: MAX_LEFTOVERS });
    for (const payment of failed) await releaseCoins(this.#context, payment);
  }

  #tick(): void {
    const work = async (): Promise<void> => {
      // The ledger was away at the start.
      if (this.#nextRunMs === undefined) await this.#begin();
      if (this.#isRunDue()) {
        void this.run().catch((error: unknown) => this.#failed(error));
        return;
      }
      await this.#reconciler.run({ patient: true });
      await this.#run.payApproved();
      this.#lastError = undefined;
    };
    this.#once('tick', work).catch((error: unknown) => this.#failed(error));
  }

  /** A run that is further off than the time between runs was set by a clock that was ahead. */
  #isRunDue(): boolean {
    const { clock, options } = this.#context;
    const leftMs = (this.#nextRunMs ?? Number.POSITIVE_INFINITY) - clock.now();
    return leftMs <= 0 || (this.#nextRunMs !== undefined && leftMs > options.everyMs);
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    this.#lastError = errorMessage(error);
    this.#context.log.warn({ error: this.#lastError }, 'payments did not go on; tried again later');
  }

  /** Runs after everything before it. While one of a kind waits or runs, asking again joins it. */
  #once<T>(kind: string, work: () => Promise<T>): Promise<T> {
    const known = this.#pending.get(kind);
    // Each kind always has the same type of result.
    if (known !== undefined) return known as Promise<T>;
    const result = this.#tail.then(() => {
      this.#checkOpen();
      return work();
    });
    const done = result.then(
      () => this.#pending.delete(kind),
      () => this.#pending.delete(kind),
    );
    this.#pending.set(kind, result);
    this.#tail = done;
    return result;
  }

  #checkOpen(): void {
    if (this.#closed) throw new PoolError('closed', 'payouts are closed');
  }

  async #decide(id: string, stepped: boolean, what: string): Promise<PaymentRecord> {
    const payment = await this.#context.accounting.payment(id);
    if (payment === undefined) throw new PoolError('not_found', `no payment ${id}`);
    if (!stepped) throw new PoolError('conflict', `payment ${id} is ${payment.status}: it cannot be ${what} any more`);
    this.#context.log.info({ payment: id }, `payment ${what}`);
    return payment;
  }
}
