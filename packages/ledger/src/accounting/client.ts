import { PoolError } from '@headframe/primitives';
import { MAX_PROBLEMS, VERIFY_BUSY_TRIES } from '../limits.js';
import type { CallName, CallOf } from '../thread/messages.js';
import type { PageRequest } from '../types.js';
import type { AccountingCalls } from './core.js';
import type {
  Accounting,
  AccountSettingsChange,
  Booking,
  BookingState,
  BookProblem,
  HeightRecord,
  PaymentFilter,
  PaymentPlan,
  PaymentStatus,
  PaymentStep,
} from './types.js';
import { VERIFY_PARTS, type VerifyPart } from './verify.js';

/** A database thread as far as the books use it. */
export interface AccountingThread {
  call<Name extends CallName>(name: Name, args: Parameters<CallOf<Name>>): ReturnType<CallOf<Name>>;
}

/** The books through the threads of a ledger: what changes them goes to the writer, questions to the reader. */
export class ThreadedAccounting implements Accounting {
  readonly #writer: AccountingThread;
  readonly #reader: AccountingThread;

  constructor(writer: AccountingThread, reader: AccountingThread) {
    this.#writer = writer;
    this.#reader = reader;
  }

  changeSettings = (account: string, change: AccountSettingsChange) =>
    this.#writer.call('accounting.changeSettings', [account, change]);
  book = (booking: Booking) => this.#writer.call('accounting.book', [booking]);
  setBookingState = (key: string, state: BookingState, timeMs: number) =>
    this.#writer.call('accounting.setBookingState', [key, state, timeMs]);
  planPayment = (plan: PaymentPlan) => this.#writer.call('accounting.planPayment', [plan]);
  stepPayment = (id: string, from: readonly PaymentStatus[], step: PaymentStep) =>
    this.#writer.call('accounting.stepPayment', [id, from, step]);
  recordHeight = (height: HeightRecord) => this.#writer.call('accounting.recordHeight', [height]);

  settings = (account: string) => this.#reader.call('accounting.settings', [account]);
  settingsOf = (accounts: readonly string[]) => this.#reader.call('accounting.settingsOf', [accounts]);
  booking = (key: string) => this.#reader.call('accounting.booking', [key]);
  bookings = (page: PageRequest = {}) => this.#reader.call('accounting.bookings', [page]);
  cursor = (name: string) => this.#reader.call('accounting.cursor', [name]);
  carries = () => this.#reader.call('accounting.carries', []);
  balance = (account: string) => this.#reader.call('accounting.balance', [account]);
  balances = (page: PageRequest = {}) => this.#reader.call('accounting.balances', [page]);
  totals = () => this.#reader.call('accounting.totals', []);
  openBalances = () => this.#reader.call('accounting.openBalances', []);
  statement = (account: string, page: PageRequest = {}) => this.#reader.call('accounting.statement', [account, page]);
  due = (minimum: bigint, limit: number) => this.#reader.call('accounting.due', [minimum, limit]);
  payment = (id: string) => this.#reader.call('accounting.payment', [id]);
  payments = (filter: PaymentFilter = {}, page: PageRequest = {}) =>
    this.#reader.call('accounting.payments', [filter, page]);
  heights = (from: number, limit: number) => this.#reader.call('accounting.heights', [from, limit]);

  async verify(onProgress: (part: number) => void = () => {}): Promise<readonly BookProblem[]> {
    return verifyBooks({ writer: this.#writer, reader: this.#reader }, onProgress);
  }
}

/** Looks at the books piece by piece, so that others get their answers meanwhile. */
async function verifyBooks(
  { writer, reader }: { readonly writer: AccountingThread; readonly reader: AccountingThread },
  onProgress: (part: number) => void,
): Promise<BookProblem[]> {
  const counts = await reader.call('accounting.countBooks', []);
  const total = VERIFY_PARTS.reduce((sum, part) => sum + counts[part], 0);
  const problems: BookProblem[] = [];
  let done = 0;
  onProgress(0);
  for (const part of VERIFY_PARTS) {
    const before = done;
    let after: string | undefined;
    do {
      const look = await lookAt({ writer, reader }, part, after);
      for (const problem of look.problems) if (problems.length < MAX_PROBLEMS) problems.push(problem);
      // More rows may come while it runs.
      done = Math.min(done + look.rows, before + counts[part]);
      onProgress(done / total);
      after = look.next;
    } while (after !== undefined);
    done = before + counts[part];
  }
  onProgress(1);
  return problems;
}

async function lookAt(
  { writer, reader }: { readonly writer: AccountingThread; readonly reader: AccountingThread },
  part: VerifyPart,
  after: string | undefined,
): ReturnType<AccountingCalls['verifyPart']> {
  for (let tries = 0; tries < VERIFY_BUSY_TRIES; tries++) {
    const look = await reader.call('accounting.verifyPart', [part, after]);
    if (!look.isBusy) return look;
    await writer.call('accounting.finishBookings', []);
  }
  throw new PoolError('storage_failed', 'other programs book all the time', { details: { reason: 'locked' } });
}
