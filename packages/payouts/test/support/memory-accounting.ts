import type {
  AccountBalance,
  Accounting,
  AccountSettings,
  Booking,
  BookingRecord,
  Page,
  PaymentPlan,
  PaymentRecord,
  PaymentStep,
  StatementLine,
} from '@headframe/ledger';
import { PoolError } from '@headframe/primitives';

interface Account {
  available: bigint;
  reserved: bigint;
  paid: bigint;
  address: string | undefined;
  isHeld: boolean;
  minimum: bigint | undefined;
}

const OPEN = new Set(['planned', 'approved', 'signed', 'sent']);
const onePage = <T>(items: readonly T[]): Page<T> => ({ items, next: undefined });

/** The part of the books that payments touch, in memory; each call is one step. */
export class MemoryAccounting implements Accounting {
  readonly accounts = new Map<string, Account>();
  readonly records = new Map<string, PaymentRecord>();
  readonly #keys = new Set<string>();

  #account(name: string): Account {
    let account = this.accounts.get(name);
    if (account === undefined) {
      account = { available: 0n, reserved: 0n, paid: 0n, address: undefined, isHeld: false, minimum: undefined };
      this.accounts.set(name, account);
    }
    return account;
  }

  async settings(name: string): Promise<AccountSettings> {
    const { address, isHeld, minimum } = this.#account(name);
    return { account: name, address, minimumPayout: minimum, donationPpm: 0, isHeld };
  }
  async changeSettings(name: string, change: Parameters<Accounting['changeSettings']>[1]): Promise<AccountSettings> {
    const account = this.#account(name);
    if (change.isHeld !== undefined) account.isHeld = change.isHeld;
    if (change.address !== undefined) account.address = change.address ?? undefined;
    if (change.minimumPayout !== undefined) account.minimum = change.minimumPayout ?? undefined;
    return this.settings(name);
  }
  settingsOf(names: readonly string[]): Promise<AccountSettings[]> {
    return Promise.all(names.map((name) => this.settings(name)));
  }

  async book({ key, state, entries }: Booking): Promise<boolean> {
    if (this.#keys.has(key)) return false;
    if (state !== 'final') throw new Error('only final bookings are known here');
    this.#keys.add(key);
    for (const { account, amount } of entries) this.#account(account).available += amount;
    return true;
  }
  setBookingState(): Promise<boolean> {
    return Promise.resolve(false);
  }
  booking(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  bookings(): Promise<Page<BookingRecord>> {
    return Promise.resolve(onePage<BookingRecord>([]));
  }
  cursor(): Promise<number> {
    return Promise.resolve(0);
  }
  carries(): Promise<[]> {
    return Promise.resolve([]);
  }

  async balance(name: string): Promise<AccountBalance> {
    const { available, reserved, paid } = this.#account(name);
    return { account: name, immature: 0n, available, reserved, paid };
  }
  async balances(): Promise<Page<AccountBalance>> {
    const all = await Promise.all([...this.accounts.keys()].map((name) => this.balance(name)));
    return onePage(all.sort((a, b) => Number(b.available - a.available)));
  }
  async totals(): Promise<Omit<AccountBalance, 'account'>> {
    const sum = { immature: 0n, available: 0n, reserved: 0n, paid: 0n };
    for (const { available, reserved, paid } of this.accounts.values()) {
      sum.available += available;
      sum.reserved += reserved;
      sum.paid += paid;
    }
    return sum;
  }
  openBalances(): Promise<ReadonlyMap<string, bigint>> {
    return Promise.resolve(new Map([...this.accounts].map(([name, { available }]) => [name, available])));
  }
  statement(): Promise<Page<StatementLine>> {
    return Promise.resolve(onePage<StatementLine>([]));
  }

  async due(minimum: bigint, limit: number): Promise<(AccountBalance & { address: string })[]> {
    const due: (AccountBalance & { address: string })[] = [];
    for (const [name, { address, isHeld, minimum: own, available }] of this.accounts) {
      if (address === undefined || isHeld || available < (own ?? minimum) || available <= 0n) continue;
      due.push({ ...(await this.balance(name)), address });
    }
    return due.sort((a, b) => Number(b.available - a.available)).slice(0, limit);
  }

  async planPayment({ id, parts, isApproved, timeMs }: PaymentPlan): Promise<boolean> {
    if (this.records.has(id)) return false;
    for (const { account, amount } of parts) {
      if (this.#account(account).available < amount)
        throw new PoolError('conflict', `${account} has less than ${amount}`);
    }
    for (const { account, amount } of parts) this.#move(account, amount, 'available', 'reserved');
    this.records.set(id, {
      id,
      status: isApproved ? 'approved' : 'planned',
      parts,
      total: parts.reduce((sum, { amount }) => sum + amount, 0n),
      txid: undefined,
      transaction: undefined,
      fee: undefined,
      confirmations: 0,
      reason: undefined,
      createdMs: timeMs,
      updatedMs: timeMs,
    });
    return true;
  }

  async stepPayment(id: string, from: readonly PaymentRecord['status'][], step: PaymentStep): Promise<boolean> {
    const record = this.records.get(id);
    if (record === undefined || !from.includes(record.status)) return false;
    const [before, after] = [placeOf(record.status), placeOf(step.to)];
    if (before !== after) for (const { account, amount } of record.parts) this.#move(account, amount, before, after);
    this.records.set(id, {
      ...record,
      status: step.to,
      txid: step.txid ?? record.txid,
      transaction: step.transaction ?? record.transaction,
      fee: step.fee ?? record.fee,
      confirmations: step.confirmations ?? record.confirmations,
      reason: step.reason ?? record.reason,
      ...(step.byHand === true ? { isSettledByHand: true } : {}),
      updatedMs: step.timeMs,
    });
    return true;
  }

  #move(name: string, amount: bigint, from: Place, to: Place): void {
    const account = this.#account(name);
    account[from] -= amount;
    account[to] += amount;
  }

  payment(id: string): Promise<PaymentRecord | undefined> {
    return Promise.resolve(this.records.get(id));
  }
  async payments(filter: Parameters<Accounting['payments']>[0] = {}): Promise<Page<PaymentRecord>> {
    const found = [...this.records.values()].filter(
      ({ status, parts, confirmations, updatedMs }) =>
        (filter.statuses === undefined || filter.statuses.includes(status)) &&
        (filter.account === undefined || parts.some(({ account }) => account === filter.account)) &&
        confirmations < (filter.confirmationsBelow ?? Number.POSITIVE_INFINITY) &&
        updatedMs >= (filter.updatedSinceMs ?? 0),
    );
    return onePage(found.reverse());
  }

  recordHeight(): Promise<void> {
    return Promise.resolve();
  }
  heights(): Promise<[]> {
    return Promise.resolve([]);
  }
  verify(): Promise<[]> {
    return Promise.resolve([]);
  }
}

type Place = 'available' | 'reserved' | 'paid';
function placeOf(status: PaymentRecord['status']): Place {
  return status === 'confirmed' ? 'paid' : OPEN.has(status) ? 'reserved' : 'available';
}
