import { expect } from 'vitest';
import type { Accounting, PaymentStatus } from '../accounting/types.js';
import type { Ledger } from '../types.js';
import { allPages, booking, expectRight, plan, pots, reward, signed, signedFor } from './book-samples.js';
import type { LedgerCase } from './ledger.js';
import { hashOf, START_MS } from './samples.js';

const STATUSES: readonly PaymentStatus[] = [
  'planned',
  'approved',
  'signed',
  'sent',
  'confirmed',
  'cancelled',
  'failed',
];
/** Steps from the plan to each status. */
const WAYS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  planned: [],
  approved: ['approved'],
  signed: ['approved', 'signed'],
  sent: ['approved', 'signed', 'sent'],
  confirmed: ['approved', 'signed', 'sent', 'confirmed'],
  cancelled: ['cancelled'],
  failed: ['approved', 'signed', 'failed'],
};
const STEPS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  planned: ['planned', 'approved', 'cancelled', 'failed'],
  approved: ['approved', 'signed', 'cancelled', 'failed'],
  signed: ['signed', 'sent', 'confirmed', 'failed'],
  sent: ['sent', 'confirmed', 'failed'],
  confirmed: ['confirmed', 'sent', 'failed'],
  cancelled: ['cancelled'],
  failed: ['failed', 'sent', 'confirmed'],
};

/** Where 40 of 100 are: immature, available, reserved, paid. */
function expected(status: PaymentStatus): bigint[] {
  if (status === 'confirmed') return [0n, 60n, 0n, 40n];
  return status === 'cancelled' || status === 'failed' ? [0n, 100n, 0n, 0n] : [0n, 60n, 40n, 0n];
}

function step(accounting: Accounting, id: string, from: PaymentStatus, to: PaymentStatus): Promise<boolean> {
  return accounting.stepPayment(id, [from], to === 'signed' ? signedFor(id) : { to, timeMs: START_MS + 2 });
}

/** A payment of 40 of alice's 100 that has come to a status. */
async function paymentAt(accounting: Accounting, id: string, status: PaymentStatus): Promise<void> {
  await accounting.planPayment(plan(id, { alice: 40n }, { isApproved: false }));
  let from: PaymentStatus = 'planned';
  for (const to of WAYS[status]) {
    expect(await step(accounting, id, from, to)).toBe(true);
    from = to;
  }
}

export const paymentCases: readonly LedgerCase[] = [
  [
    'takes a payment from its plan to its confirmation, and tells all of it',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n), reward('bob', 50n)]));
      const parts = [
        { account: 'alice', address: 'one', amount: 30n },
        { account: 'bob', address: 'two', amount: 50n },
        { account: 'alice', address: 'two', amount: 10n },
      ];
      expect(await accounting.planPayment({ id: 'p1', parts, isApproved: false, timeMs: START_MS })).toBe(true);
      expect(await accounting.planPayment({ id: 'p1', parts: parts.slice(1), isApproved: true, timeMs: 1 })).toBe(
        false,
      );
      expect(await pots(accounting, 'alice')).toEqual([0n, 60n, 40n, 0n]);
      expect(await accounting.payment('p1')).toEqual({
        id: 'p1',
        status: 'planned',
        parts,
        total: 90n,
        txid: undefined,
        transaction: undefined,
        fee: undefined,
        confirmations: 0,
        reason: undefined,
        createdMs: START_MS,
        updatedMs: START_MS,
      });
      expect(await step(accounting, 'p1', 'planned', 'approved')).toBe(true);
      expect(await step(accounting, 'p1', 'approved', 'signed')).toBe(true);
      expect(await step(accounting, 'p1', 'signed', 'sent')).toBe(true);
      // What was signed is not replaced.
      const news = {
        to: 'confirmed',
        confirmations: 6,
        reason: 'in block',
        txid: hashOf(9),
        fee: 1n,
        timeMs: START_MS + 9,
      } as const;
      expect(await accounting.stepPayment('p1', ['signed', 'sent'], news)).toBe(true);
      expect(await accounting.payment('p1')).toMatchObject({
        status: 'confirmed',
        txid: signedFor('p1').txid,
        transaction: '0200',
        fee: 141n,
        confirmations: 6,
        reason: 'in block',
        updatedMs: START_MS + 9,
      });
      expect(await pots(accounting, 'alice')).toEqual([0n, 60n, 0n, 40n]);
      expect(await pots(accounting, 'bob')).toEqual([0n, 0n, 0n, 50n]);
      await expectRight(accounting);
    },
  ],
  [
    'takes every step that exists with its money, and refuses every other',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n)]));
      for (const from of STATUSES) {
        for (const to of STATUSES) {
          const id = `${from}-${to}`;
          await paymentAt(accounting, id, from);
          expect(await pots(accounting, 'alice'), id).toEqual(expected(from));
          if (STEPS[from].includes(to)) {
            expect(await step(accounting, id, from, to), id).toBe(true);
            expect(await pots(accounting, 'alice'), id).toEqual(expected(to));
          } else {
            await expect(step(accounting, id, from, to), id).rejects.toMatchObject({ code: 'invalid_argument' });
            expect(await pots(accounting, 'alice'), id).toEqual(expected(from));
          }
          await giveBack(accounting, id);
        }
      }
      await expectRight(accounting);
    },
  ],
  [
    'takes a step once, of two that are tried at the same time one',
    async ({ ledger, clock, harness }) => {
      const other = await harness.open({ clock });
      try {
        await ledger.accounting.book(booking('block:1', [reward('alice', 100n)]));
        await paymentAt(ledger.accounting, 'p1', 'approved');
        const raced = await Promise.all([
          ledger.accounting.stepPayment('p1', ['approved'], signed),
          other.accounting.stepPayment('p1', ['planned', 'approved'], { to: 'cancelled', timeMs: START_MS }),
          ledger.accounting.stepPayment('p1', ['approved'], { ...signed, txid: hashOf(8) }),
          other.accounting.stepPayment('p1', ['approved'], { ...signed, txid: hashOf(9) }),
        ]);
        expect(raced.filter((isTaken) => isTaken)).toHaveLength(1);
        expect(await ledger.accounting.stepPayment('unknown', ['approved'], signed)).toBe(false);
        await expectRight(ledger.accounting);
      } finally {
        await other.close();
      }
    },
  ],
  [
    'gives the last coins to one of several planners, and changes nothing for the others',
    async ({ ledger, clock, harness }) => {
      const other = await harness.open({ clock });
      try {
        const amounts = { alice: 100n, bob: 100n, carol: 100n };
        const entries = Object.entries(amounts).map(([name, amount]) => reward(name, amount));
        await ledger.accounting.book(booking('block:1', entries));
        const plans = Array.from({ length: 8 }, (_, i) => {
          // In both orders of the accounts: on PostgreSQL they lock each other's rows.
          const order = i % 2 === 0 ? Object.entries(amounts) : Object.entries(amounts).reverse();
          return plan(`p${i}`, Object.fromEntries(order));
        });
        const raced = await Promise.allSettled(
          plans.map((one, i) => (i % 3 === 0 ? ledger : other).accounting.planPayment(one)),
        );
        expect(raced.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const one of raced) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
        expect(await ledger.accounting.totals()).toEqual({ immature: 0n, available: 0n, reserved: 300n, paid: 0n });
        expect((await ledger.accounting.payments()).items).toHaveLength(1);
        await expectRight(ledger.accounting);
      } finally {
        await other.close();
      }
    },
  ],
  [
    'refuses a plan of more than there is, of a held account, and one that says nothing',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n), reward('bob', 100n)]));
      await accounting.book(booking('block:2', [reward('alice', 100n)], { state: 'immature' }));
      await accounting.changeSettings('held', { isHeld: true });
      await accounting.book(booking('block:3', [reward('held', 100n)]));
      for (const amounts of [{ alice: 101n }, { bob: 100n, alice: 101n }, { nobody: 1n }, { bob: 1n, held: 1n }]) {
        await expect(accounting.planPayment(plan('p1', amounts))).rejects.toMatchObject({ code: 'conflict' });
      }
      const parts = [60n, 41n].map((amount) => ({ account: 'alice', address: 'a', amount }));
      await expect(accounting.planPayment(plan('p1', {}, { parts }))).rejects.toMatchObject({
        code: 'conflict',
        details: { account: 'alice' },
      });
      const [one] = parts;
      if (one === undefined) throw new Error('no part');
      for (const wrong of [[], [{ ...one, amount: 0n }], [{ ...one, amount: -1n }], [{ ...one, address: '' }]]) {
        await expect(accounting.planPayment(plan('p1', {}, { parts: wrong }))).rejects.toMatchObject({
          code: 'invalid_argument',
        });
      }
      expect(await accounting.payment('p1')).toBeUndefined();
      expect(await accounting.totals()).toMatchObject({ available: 300n, reserved: 0n });
      await accounting.planPayment(plan('p1', { alice: 1n }));
      const without = [
        { ...signed, txid: 'x' },
        { ...signed, transaction: 'zz' },
        { to: 'signed', timeMs: 1 } as const,
      ];
      for (const wrong of without) {
        await expect(accounting.stepPayment('p1', ['approved'], wrong)).rejects.toMatchObject({
          code: 'invalid_argument',
        });
      }
    },
  ],
  [
    'lists payments, latest first, of an account and of some statuses',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n), reward('bob', 100n)]));
      for (let i = 0; i < 9; i++) {
        await accounting.planPayment(plan(`p${i}`, i % 3 === 0 ? { alice: 1n, bob: 2n } : { bob: 1n }));
        if (i % 2 === 0) await step(accounting, `p${i}`, 'approved', 'cancelled');
      }
      const ids = (filter: Parameters<Accounting['payments']>[0]) =>
        allPages((after) => accounting.payments(filter, { limit: 2, ...(after === undefined ? {} : { after }) })).then(
          (all) => all.map(({ id }) => id),
        );
      expect(await ids({})).toEqual(Array.from({ length: 9 }, (_, i) => `p${8 - i}`));
      expect(await ids({ account: 'alice' })).toEqual(['p6', 'p3', 'p0']);
      expect(await ids({ statuses: ['approved'] })).toEqual(['p7', 'p5', 'p3', 'p1']);
      expect(await ids({ account: 'alice', statuses: ['approved', 'sent'] })).toEqual(['p3']);
      expect(await ids({ statuses: [] })).toEqual([]);
      expect((await accounting.payments({ account: 'alice' })).items[0]?.parts).toHaveLength(2);
    },
  ],
  [
    'keeps one transaction to one payment',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n)]));
      for (const id of ['p1', 'p2']) await accounting.planPayment(plan(id, { alice: 10n }));
      expect(await accounting.stepPayment('p1', ['approved'], signed)).toBe(true);
      await expect(accounting.stepPayment('p2', ['approved'], signed)).rejects.toMatchObject({ code: 'conflict' });
      // A repeated word of its own transaction is none of another.
      expect(await accounting.stepPayment('p1', ['signed'], signed)).toBe(true);
      expect((await accounting.payment('p2'))?.status).toBe('approved');
    },
  ],
  [
    'remembers that a person settled a payment, and lists by depth and time',
    async ({ ledger: { accounting } }) => {
      await accounting.book(booking('block:1', [reward('alice', 100n)]));
      for (const [i, id] of ['p1', 'p2', 'p3'].entries()) {
        await accounting.planPayment(plan(id, { alice: 10n }));
        const txid = `${i}`.repeat(64);
        await accounting.stepPayment(id, ['approved'], { ...signed, txid });
        await accounting.stepPayment(id, ['signed'], {
          to: 'confirmed',
          confirmations: 50 * i,
          timeMs: START_MS + i,
          ...(i === 1 ? { byHand: true } : {}),
        });
      }
      const ids = async (filter: Parameters<Accounting['payments']>[0]) =>
        (await accounting.payments(filter)).items.map(({ id }) => id);
      expect(await ids({ statuses: ['confirmed'], confirmationsBelow: 100 })).toEqual(['p2', 'p1']);
      expect(await ids({ updatedSinceMs: START_MS + 1 })).toEqual(['p3', 'p2']);
      expect((await accounting.payment('p2'))?.isSettledByHand).toBe(true);
      expect((await accounting.payment('p1'))?.isSettledByHand).toBeUndefined();
      // What is said of it later takes nothing of that back.
      await accounting.stepPayment('p2', ['confirmed'], { to: 'confirmed', confirmations: 60, timeMs: START_MS });
      expect((await accounting.payment('p2'))?.isSettledByHand).toBe(true);
    },
  ],
  ['states what made up a balance, page by page, latest first', async ({ ledger }) => statement(ledger)],
];

/** Takes back what a payment left of alice's 100. */
async function giveBack(accounting: Accounting, id: string): Promise<void> {
  const status = (await accounting.payment(id))?.status;
  if (status === 'planned' || status === 'approved') await step(accounting, id, status, 'cancelled');
  else if (status === 'signed' || status === 'sent' || status === 'confirmed')
    await step(accounting, id, status, 'failed');
}

async function statement({ accounting }: Ledger): Promise<void> {
  for (let i = 0; i < 6; i++) {
    const entries = [reward('alice', 10n), { account: 'alice', kind: 'fee', amount: 1n } as const, reward('bob', 1n)];
    await accounting.book(booking(`block:${i}`, entries, { timeMs: START_MS + Math.floor(i / 3) }));
    await accounting.planPayment(plan(`p${i}`, { alice: 2n }, { timeMs: START_MS + Math.floor(i / 2) }));
  }
  await accounting.setBookingState('block:1', 'immature', START_MS);
  await accounting.setBookingState('block:2', 'reversed', START_MS);
  await step(accounting, 'p0', 'approved', 'cancelled');
  for (const to of ['signed', 'sent', 'confirmed'] as const) {
    await step(accounting, 'p1', to === 'signed' ? 'approved' : to === 'sent' ? 'signed' : 'sent', to);
  }
  const whole = (await accounting.statement('alice')).items;
  expect(whole).toHaveLength(18);
  expect(whole.map(({ timeMs }) => timeMs)).toEqual(
    [2, 2, ...Array(8).fill(1), ...Array(8).fill(0)].map((ms) => START_MS + ms),
  );
  expect(whole[0]).toEqual({ timeMs: START_MS + 2, key: 'payment:p5', kind: 'payment', state: 'open', amount: -2n });
  const states = new Map(whole.map(({ key, state }) => [key, state]));
  expect(['block:0', 'block:1', 'block:2', 'payment:p0', 'payment:p1'].map((key) => states.get(key))).toEqual([
    'final',
    'immature',
    'reversed',
    'reversed',
    'final',
  ]);
  for (const limit of [1, 2, 5, 17]) {
    const paged = await allPages((after) =>
      accounting.statement('alice', { limit, ...(after === undefined ? {} : { after }) }),
    );
    expect(paged, `pages of ${limit}`).toEqual(whole);
  }
  expect((await accounting.statement('nobody')).items).toEqual([]);
  await expect(accounting.statement('alice', { after: '1-2' })).rejects.toMatchObject({ code: 'invalid_argument' });
}
