import type { SqlDatabase } from '../sql/types.js';
import type { PageRequest } from '../types.js';
import {
  changeSettings,
  findBalance,
  findSettings,
  listBalances,
  listDue,
  listOpenBalances,
  listSettings,
  sumBalances,
} from './accounts.js';
import { cursorPosition, findBooking, listBookings, listCarries } from './booking-queries.js';
import { book, finishBookings, setBookingState } from './bookings.js';
import { listHeights, recordHeight } from './heights.js';
import { findPayment, listPayments } from './payment-queries.js';
import { planPayment, stepPayment } from './payments.js';
import { listStatement } from './statement.js';
import type {
  Accounting,
  AccountSettingsChange,
  Booking,
  BookingState,
  HeightRecord,
  PaymentFilter,
  PaymentPlan,
  PaymentStatus,
  PaymentStep,
} from './types.js';
import { countBooks, type VerifiedPart, type VerifyPart, verifyPart } from './verify.js';

/** What a database thread answers about the books. Arguments and results are plain data. */
export interface AccountingCalls extends Omit<Required<Accounting>, 'verify'> {
  /** Does what a crash left of large bookings. */
  finishBookings(): Promise<void>;
  countBooks(): Promise<Readonly<Record<VerifyPart, number>>>;
  verifyPart(part: VerifyPart, after: string | undefined): Promise<VerifiedPart>;
}

/** The books of one database, without threads. */
export class AccountingCore implements AccountingCalls {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  settings = (account: string) => findSettings(this.#database, account);
  changeSettings = (account: string, change: AccountSettingsChange) => changeSettings(this.#database, account, change);
  settingsOf = (accounts: readonly string[]) => listSettings(this.#database, accounts);
  book = (booking: Booking) => book(this.#database, booking);
  setBookingState = (key: string, state: BookingState, timeMs: number) =>
    setBookingState(this.#database, key, state, timeMs);
  finishBookings = () => finishBookings(this.#database);
  booking = (key: string) => findBooking(this.#database, key);
  bookings = (page: PageRequest = {}) => listBookings(this.#database, page);
  cursor = (name: string) => cursorPosition(this.#database, name);
  carries = () => listCarries(this.#database);
  balance = (account: string) => findBalance(this.#database, account);
  balances = (page: PageRequest = {}) => listBalances(this.#database, page);
  totals = () => sumBalances(this.#database);
  openBalances = () => listOpenBalances(this.#database);
  statement = (account: string, page: PageRequest = {}) => listStatement(this.#database, account, page);
  due = (minimum: bigint, limit: number) => listDue(this.#database, minimum, limit);
  planPayment = (plan: PaymentPlan) => planPayment(this.#database, plan);
  stepPayment = (id: string, from: readonly PaymentStatus[], step: PaymentStep) =>
    stepPayment(this.#database, id, from, step);
  payment = (id: string) => findPayment(this.#database, id);
  payments = (filter: PaymentFilter = {}, page: PageRequest = {}) => listPayments(this.#database, filter, page);
  recordHeight = (height: HeightRecord) => recordHeight(this.#database, height);
  heights = (from: number, limit: number) => listHeights(this.#database, from, limit);
  countBooks = () => countBooks(this.#database);
  verifyPart = (part: VerifyPart, after: string | undefined) => verifyPart(this.#database, part, after);
}
