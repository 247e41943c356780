import { isTransient } from '@headframe/daemon';
import type { PaymentRecord, PaymentStatus } from '@headframe/ledger';
import { bytesToHex, errorMessage, isPoolError, PoolError } from '@headframe/primitives';
import { noteReason, paymentsOf, releaseCoins, type StepContext, send, storedTransaction } from './payer-steps.js';
import { outputsOf } from './plan.js';
import type { ReconcileReport, TransactionState } from './types.js';

type Change = ReconcileReport['changed'][number];
type Conflict = Extract<TransactionState, { state: 'conflicted' }>;

/** A confirmed payment is looked after until it is as deep as a coinbase has to be: below that, reorganisations happen. */
const WATCHED_DEPTH = 100;
/** For how long a failed payment is looked for in the chain: a reorganisation may have brought it back. */
const FAILED_WATCH_MS = 7 * 86_400_000;
/** Confirmed payments that are looked at, latest first; at one a minute that is more than the depth above lasts. */
const MAX_WATCHED = 2_000;
/** Pause after a refused broadcast, doubled each time. */
const RETRY_MIN_MS = 60_000;
const RETRY_MAX_MS = 3_600_000;

interface Retry {
  readonly attempts: number;
  /** Monotonic. */
  readonly nextMs: number;
}

/** Why a payment in this state cannot be settled by hand. */
function obstacleTo(found: TransactionState, confirmations: number): string | undefined {
  switch (found.state) {
    case 'chain':
      return 'its transaction is in the chain, and confirms by itself';
    case 'mempool':
      return 'its transaction waits for a block';
    case 'unknown':
      return 'its coins are unspent as far as the node tells, so that its transaction may still confirm';
    case 'conflicted':
      if (found.confirmations >= confirmations) return undefined;
      return `${found.txid}, which spent its coins, is ${found.confirmations} of ${confirmations} confirmations deep`;
  }
}

/** True for an answer that concerns one transaction (a pruned block, say), and need not keep the others waiting. */
function isAboutOne(error: unknown): boolean {
  return isPoolError(error, 'invalid_data') || (isPoolError(error, 'rpc_error') && !isTransient(error));
}

/**
 * Looks at the chain for every transaction that was stored: sends again what the node does not know, counts
 * confirmations, takes a payment back to `sent` when its block left the chain, and lets it fail once another
 * transaction with its coins is buried. Never signs.
 */
export class Reconciler {
  readonly #context: StepContext;
  /** Refused broadcasts, by payment; pruned to those under way. */
  readonly #retries = new Map<string, Retry>();

  constructor(context: StepContext) {
    this.#context = context;
  }

  /**
   * `patient`: leaves out payments whose broadcast was refused a short time ago.
   * @throws PoolError of the wallet or the ledger; what was done so far stays.
   */
  async run({ patient }: { readonly patient: boolean }): Promise<ReconcileReport> {
    const { accounting, clock, options } = this.#context;
    const underWay = await paymentsOf(accounting, ['signed', 'sent']);
    // Those that are over for good are not even read: after a year they are thousands, with hundreds of parts each.
    const confirmed = await paymentsOf(accounting, ['confirmed'], {
      max: MAX_WATCHED,
      confirmationsBelow: Math.max(WATCHED_DEPTH, options.confirmations),
    });
    const failed = await paymentsOf(accounting, ['failed'], {
      max: MAX_WATCHED,
      updatedSinceMs: Math.max(0, clock.now() - FAILED_WATCH_MS),
    });
    // What a person settled as paid stays so: the chain has nothing more to say of it.
    const watched = [...underWay, ...confirmed.filter(({ isSettledByHand }) => isSettledByHand !== true), ...failed];
    const ids = new Set(watched.map(({ id }) => id));
    for (const id of this.#retries.keys()) if (!ids.has(id)) this.#retries.delete(id);
    const changed: Change[] = [];
    for (const payment of watched) {
      const retry = this.#retries.get(payment.id);
      const mayBroadcast = !patient || retry === undefined || clock.monotonic() >= retry.nextMs;
      try {
        const change = await this.#look(payment, mayBroadcast);
        if (change !== undefined) changed.push(change);
      } catch (error) {
        if (!isAboutOne(error)) throw error;
        await noteReason(this.#context, payment, `the node does not tell: ${errorMessage(error)}`);
      }
    }
    return { checked: watched.length, changed };
  }

  /**
   * Settles a payment under way by a person's word; false when it is not under way. Only once another transaction with
   * its coins is buried: before, its own may confirm, and what was called failed would be paid twice.
   * @throws PoolError `conflict`, `rpc_*`
   */
  async settle(id: string, to: 'confirmed' | 'failed', reason: string): Promise<boolean> {
    const { accounting, wallet, clock, log, options } = this.#context;
    const payment = await accounting.payment(id);
    const transaction = payment && storedTransaction(payment);
    if (payment === undefined || transaction === undefined) return false;
    if (payment.status !== 'signed' && payment.status !== 'sent') return false;
    const found = await wallet.find(transaction, { signedMs: payment.createdMs });
    const obstacle = obstacleTo(found, options.confirmations);
    if (obstacle !== undefined) throw new PoolError('conflict', `payment ${id} is not settled by hand: ${obstacle}`);
    const step = { to, reason: `by hand: ${reason}`, byHand: true, timeMs: clock.now() } as const;
    if (!(await accounting.stepPayment(id, [payment.status], step))) return false;
    log.warn({ payment: id, from: payment.status, to, reason }, 'payment settled by hand');
    await releaseCoins(this.#context, payment);
    return true;
  }

  async #look(payment: PaymentRecord, mayBroadcast: boolean): Promise<Change | undefined> {
    const { wallet } = this.#context;
    const transaction = storedTransaction(payment);
    if (transaction === undefined) return undefined;
    const found = await wallet.find(transaction, { signedMs: payment.createdMs });
    if (payment.status === 'failed') return this.#afterAll(payment, found);
    switch (found.state) {
      case 'chain':
        return this.#inChain(payment, found);
      case 'mempool':
        return this.#move(payment, 'sent', { confirmations: 0, reason: undefined });
      case 'conflicted':
        return this.#conflicted(payment, found);
      case 'unknown': {
        if (payment.status === 'confirmed' || payment.confirmations > 0) {
          const reason = 'its block left the chain';
          const back = await this.#move(payment, 'sent', { confirmations: 0, reason });
          if (mayBroadcast) await this.#send({ ...payment, status: 'sent', confirmations: 0, reason });
          return back;
        }
        if (!mayBroadcast) return undefined;
        const sent = await this.#send(payment);
        const moved = sent && payment.status === 'signed';
        return moved ? { id: payment.id, from: 'signed', to: 'sent', reason: undefined } : undefined;
      }
    }
  }

  /** A failed payment is never sent again, but the chain has the last word. */
  async #afterAll(payment: PaymentRecord, found: TransactionState): Promise<Change | undefined> {
    if (found.state !== 'chain' || found.confirmations < this.#context.options.confirmations) return undefined;
    const reason = 'it was given up, and is in the chain after all';
    return this.#move(payment, 'confirmed', { confirmations: found.confirmations, reason });
  }

  async #send(payment: PaymentRecord): Promise<boolean> {
    const sent = await send(this.#context, payment);
    if (sent) this.#retries.delete(payment.id);
    else {
      const attempts = (this.#retries.get(payment.id)?.attempts ?? 0) + 1;
      const pauseMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (attempts - 1));
      this.#retries.set(payment.id, { attempts, nextMs: this.#context.clock.monotonic() + pauseMs });
    }
    return sent;
  }

  #inChain(payment: PaymentRecord, found: { confirmations: number; txid?: string }): Promise<Change | undefined> {
    const { confirmations } = found;
    const reason = found.txid === undefined ? undefined : `it is in the chain as ${found.txid}`;
    // Once confirmed it stays so while it is in the chain, also when the pool asks for more confirmations now.
    const isFinal = confirmations >= this.#context.options.confirmations || payment.status === 'confirmed';
    return this.#move(payment, isFinal ? 'confirmed' : 'sent', { confirmations, reason });
  }

  async #conflicted(payment: PaymentRecord, found: Conflict): Promise<Change | undefined> {
    const { options } = this.#context;
    const { confirmations, txid } = found;
    if (confirmations < options.confirmations) {
      const reason = `${txid} spent its coins, ${confirmations} of ${options.confirmations} confirmations deep`;
      return this.#move(payment, payment.status === 'confirmed' ? 'sent' : payment.status, {
        confirmations: 0,
        reason,
      });
    }
    switch (await this.#judge(payment, found)) {
      case 'paid':
        return this.#inChain(payment, found);
      case 'failed':
        return this.#move(payment, 'failed', { confirmations: 0, reason: `${txid} spent its coins` });
      case 'unclear':
        return this.#move(payment, payment.status === 'confirmed' ? 'sent' : payment.status, {
          confirmations: 0,
          reason: `${txid} spent its coins and pays some of the same addresses: to be settled by hand (payouts settle)`,
        });
    }
  }

  /** Whether the transaction that took the coins paid the same people instead (somebody replaced it by hand). */
  async #judge(payment: PaymentRecord, { txid, outputs }: Conflict): Promise<'paid' | 'failed' | 'unclear'> {
    const { accounting, options } = this.#context;
    const others = await paymentsOf(accounting, ['signed', 'sent', 'confirmed'], { max: MAX_WATCHED });
    // Another payment of the pool's own pays what itself is for.
    if (others.some((other) => other.id !== payment.id && other.txid === txid)) return 'failed';
    const left = outputs.map(({ script, amount }) => ({ script: bytesToHex(script), amount }));
    const asked = outputsOf(options.coin, payment.parts).map(({ script, amount }) => ({
      script: bytesToHex(script),
      amount,
    }));
    const isPaid = asked.every(({ script, amount }) => {
      const at = left.findIndex((output) => output.script === script && output.amount === amount);
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    });
    if (isPaid) return 'paid';
    const touched = outputs.some((output) => asked.some(({ script }) => script === bytesToHex(output.script)));
    return touched ? 'unclear' : 'failed';
  }

  async #move(
    payment: PaymentRecord,
    to: PaymentStatus,
    { confirmations, reason }: { readonly confirmations: number; readonly reason: string | undefined },
  ): Promise<Change | undefined> {
    const { accounting, clock, log } = this.#context;
    const known = payment.status === to && payment.confirmations === confirmations;
    if (known && (payment.reason ?? '') === (reason ?? '')) return undefined;
    const step = { to, confirmations, reason: reason ?? '', timeMs: clock.now() };
    const stepped = await accounting.stepPayment(payment.id, [payment.status], step);
    if (!stepped || payment.status === to) return undefined;
    const { id, status: from, txid } = payment;
    if (to === 'failed') log.error({ payment: id, txid, reason }, 'payment failed; its amounts are due again');
    else log.info({ payment: id, txid, from, to, confirmations }, 'payment moved');
    if (to === 'confirmed' || to === 'failed') await releaseCoins(this.#context, payment);
    return { id, from, to, reason };
  }
}
