import { isPoolError } from '@headframe/primitives';
import { expect } from 'vitest';
import type { Accounting, BookingEntry, BookingState, EntryKind, PaymentStatus } from '../accounting/types.js';
import { booking, expectRight, plan, signedFor, sumOf } from './book-samples.js';
import type { LedgerCase } from './ledger.js';
import { START_MS } from './samples.js';

const RUNS = 3;
const OPERATIONS = 120;
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const STATES: readonly BookingState[] = ['immature', 'final', 'reversed'];
const KINDS: readonly EntryKind[] = ['reward', 'fee', 'donation', 'coinbase', 'adjustment'];
const STATUSES: readonly PaymentStatus[] = [
  'planned',
  'approved',
  'signed',
  'sent',
  'confirmed',
  'cancelled',
  'failed',
];

/** Numbers that look random and are the same for a seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** The books in memory, added up from the beginning whenever asked. */
class Model {
  readonly bookings = new Map<string, { state: BookingState; readonly entries: readonly BookingEntry[] }>();
  readonly payments = new Map<string, { status: PaymentStatus; readonly parts: Readonly<Record<string, bigint>> }>();

  balance(account: string): { immature: bigint; available: bigint; reserved: bigint; paid: bigint } {
    const balance = { immature: 0n, available: 0n, reserved: 0n, paid: 0n };
    for (const { state, entries } of this.bookings.values()) {
      for (const entry of entries) {
        if (entry.account !== account || state === 'reversed') continue;
        if (state === 'immature') balance.immature += entry.amount;
        else {
          balance.available += entry.amount;
          if (entry.kind === 'coinbase') balance.paid -= entry.amount;
        }
      }
    }
    for (const { status, parts } of this.payments.values()) {
      const amount = parts[account] ?? 0n;
      if (status === 'cancelled' || status === 'failed') continue;
      balance.available -= amount;
      if (status === 'confirmed') balance.paid += amount;
      else balance.reserved += amount;
    }
    return balance;
  }

  /** What all accounts have together: every entry that counts; a mature coinbase has only moved. */
  sum(): bigint {
    let sum = 0n;
    for (const { state, entries } of this.bookings.values()) {
      for (const { kind, amount } of entries) {
        if (state === 'immature' || (state === 'final' && kind !== 'coinbase')) sum += amount;
      }
    }
    return sum;
  }
}

function pick<Item>(items: readonly Item[], random: (below: number) => number): Item {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

async function operate(accounting: Accounting, model: Model, random: (below: number) => number): Promise<string> {
  const number = random(30);
  switch (random(5)) {
    case 0: {
      const key = `block:${number}`;
      const one = new Map<string, BookingEntry>();
      for (let i = random(6); i > 0; i--) {
        const kind = pick(KINDS, random);
        const amount = BigInt(1 + random(1_000)) * (kind === 'coinbase' || random(9) === 0 ? -1n : 1n);
        const account = pick(NAMES, random);
        one.set(`${account} ${kind}`, { account, kind, amount });
      }
      const state = pick(STATES, random);
      const isNew = await accounting.book(booking(key, [...one.values()], { state }));
      expect(isNew).toBe(!model.bookings.has(key));
      if (isNew) model.bookings.set(key, { state, entries: [...one.values()] });
      return `book ${key} ${state}`;
    }
    case 1: {
      const key = `block:${number}`;
      const state = pick(STATES, random);
      const known = model.bookings.get(key);
      const isMoved = await accounting.setBookingState(key, state, START_MS);
      expect(isMoved).toBe(known !== undefined && known.state !== state);
      if (known !== undefined) known.state = state;
      return `${key} to ${state}`;
    }
    case 2: {
      const id = `p${number}`;
      const parts = Object.fromEntries(
        NAMES.filter(() => random(2) === 0).map((name) => [name, BigInt(1 + random(400))]),
      );
      if (Object.keys(parts).length === 0) return 'nothing';
      const isApproved = random(2) === 0;
      const isEnough = Object.entries(parts).every(([name, amount]) => model.balance(name).available >= amount);
      const planned = accounting.planPayment(plan(id, parts, { isApproved }));
      if (model.payments.has(id)) expect(await planned).toBe(false);
      else if (!isEnough) await expect(planned).rejects.toMatchObject({ code: 'conflict' });
      else {
        expect(await planned).toBe(true);
        model.payments.set(id, { status: isApproved ? 'approved' : 'planned', parts });
      }
      return `plan ${id}`;
    }
    default: {
      const id = `p${number}`;
      const [from, to] = [pick(STATUSES, random), pick(STATUSES, random)];
      const known = model.payments.get(id);
      const taken = await accounting
        .stepPayment(id, [from], to === 'signed' ? signedFor(id) : { to, timeMs: START_MS })
        .catch((error: unknown) => {
          if (!isPoolError(error, 'invalid_argument')) throw error;
          return undefined;
        });
      // A step that does not exist is refused whatever the payment is; the suite of payments knows which.
      if (taken !== undefined) expect(taken).toBe(known?.status === from);
      if (taken === true && known !== undefined) known.status = to;
      return `${id} from ${from} to ${to}: ${taken}`;
    }
  }
}

export const bookModelCases: readonly LedgerCase[] = Array.from({ length: RUNS }, (_, run) => [
  `keeps balances like a model of the books does, whatever happens (${run + 1})`,
  async ({ ledger: { accounting } }) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = randomOf(seed);
    const model = new Model();
    const done = [`seed ${seed}`];
    for (let i = 0; i < OPERATIONS; i++) {
      done.push(await operate(accounting, model, random));
      const story = (): string => done.slice(-20).join('\n');
      expect(sumOf(await accounting.totals()), story()).toBe(model.sum());
      if (i % 10 !== 9) continue;
      for (const account of NAMES) {
        expect(await accounting.balance(account), story()).toEqual({ account, ...model.balance(account) });
      }
    }
    await expectRight(accounting);
  },
]);
