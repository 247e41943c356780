import type { Ledger, PaymentRecord, PaymentStatus } from '@headframe/ledger';
import type { PayoutPlan, Payouts } from '@headframe/payouts';
import { createPoolPayouts } from '@headframe/pool';
import { PoolError, silentLogger } from '@headframe/primitives';
import { type Args, type Command, type OptionHelp, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { amountJson, coinText } from '../money.js';
import { CONFIG_OPTIONS, LEDGER_OPTIONS, withLedger } from '../open-ledger.js';
import { heading, printJson, timeText } from '../output.js';
import { type Cell, type Colour, factsText, tableText } from '../table.js';
import { planJson, planText } from './payout-plan.js';

const MAX_LIMIT = 500;
const STATUSES: readonly PaymentStatus[] = [
  'planned',
  'approved',
  'signed',
  'sent',
  'confirmed',
  'cancelled',
  'failed',
];

const STATUS_COLOURS: Readonly<Record<PaymentStatus, Colour>> = {
  planned: 'yellow',
  approved: 'yellow',
  signed: 'yellow',
  sent: 'yellow',
  confirmed: 'green',
  cancelled: 'dim',
  failed: 'red',
};

const LIST_OPTIONS: Readonly<Record<string, OptionHelp>> = {
  ...LEDGER_OPTIONS,
  status: { type: 'string', value: 'STATUS', help: `One of ${STATUSES.join(', ')}; several with commas.` },
  account: { type: 'string', value: 'ACCOUNT', help: 'Payments to this account.' },
  limit: { type: 'string', value: 'N', help: `So many payments, up to ${MAX_LIMIT}.`, default: '20' },
  after: { type: 'string', value: 'CURSOR', help: 'Go on after a page: its `next`.' },
};

const list: Command = {
  name: 'list',
  summary: 'Payments, latest first. What `payouts` alone does, too.',
  options: LIST_OPTIONS,
  run: (args) => withLedger(args, (ledger) => runList(args, ledger)),
};

const show: Command = {
  name: 'show',
  summary: 'One payment with its parts.',
  positionals: { usage: 'ID', max: 1 },
  options: LEDGER_OPTIONS,
  run: (args) =>
    withLedger(args, async (ledger) => {
      const id = idOf(args);
      const payment = await ledger.accounting.payment(id);
      if (payment === undefined) throw new PoolError('not_found', `there is no payment ${id}`);
      return printPayment(args, payment);
    }),
};

const plan: Command = {
  name: 'plan',
  summary: 'What a payment run would pay now. Changes nothing.',
  options: CONFIG_OPTIONS,
  run: (args) => withPayouts(args, async (payouts) => printPlan(args, await payouts.plan(), 'would')),
};

const run: Command = {
  name: 'run',
  summary: 'Pay what is due, now.',
  options: { ...CONFIG_OPTIONS, yes: { type: 'boolean', short: 'y', help: 'Do not ask.' } },
  details: `
Prints the whole plan first. On a terminal it asks before it pays; elsewhere --yes is needed. With \`approval: manual\` payments are
only planned, and \`headframe payouts approve ID\` pays them. A running pool may be paying at the same time: nobody is paid twice.`,
  run: (args) => withPayouts(args, (payouts, ledger) => runPayments(args, payouts, ledger)),
};

const approve: Command = {
  name: 'approve',
  summary: 'Approve a planned payment: a running pool pays it within a minute, `payouts run` at once.',
  positionals: { usage: 'ID', max: 1 },
  options: CONFIG_OPTIONS,
  run: (args) => withPayouts(args, async (payouts) => printPayment(args, await payouts.approve(idOf(args)))),
};

const cancel: Command = {
  name: 'cancel',
  summary: 'Cancel a payment before it is signed; its amounts are due again.',
  positionals: { usage: 'ID', max: 1 },
  options: {
    ...CONFIG_OPTIONS,
    reason: { type: 'string', value: 'TEXT', help: 'Kept with the payment.', default: 'by hand' },
  },
  run: (args) =>
    withPayouts(args, async (payouts) =>
      printPayment(args, await payouts.cancel(idOf(args), args.text('reason') ?? 'by hand')),
    ),
};

const settle: Command = {
  name: 'settle',
  summary: 'Say what became of a payment where the chain cannot: --confirmed or --failed.',
  positionals: { usage: 'ID', max: 1 },
  options: {
    ...CONFIG_OPTIONS,
    confirmed: { type: 'boolean', help: 'Everybody has what they were to get.' },
    failed: { type: 'boolean', help: 'Nobody has it: all amounts are due again.' },
    reason: { type: 'string', value: 'TEXT', help: 'Kept with the payment; needed.' },
  },
  details: `
For a payment whose coins another transaction took that pays only some of the same people. Settle with those who got part of
it by hand first. Refused while the payment's own transaction may still confirm: somebody would be paid twice.`,
  run: (args) => withPayouts(args, (payouts) => runSettle(args, payouts)),
};

const reconcile: Command = {
  name: 'reconcile',
  summary: 'Ask the chain what became of the payments under way.',
  options: CONFIG_OPTIONS,
  run: (args) => withPayouts(args, (payouts) => runReconcile(args, payouts)),
};

/** Payments: those that were, and the next ones. */
export const payouts: Command = {
  name: 'payouts',
  summary: 'Payments: list them, plan and run them, approve and cancel them.',
  subcommands: [list, show, plan, run, approve, cancel, settle, reconcile],
  options: LIST_OPTIONS,
  run: (args) => withLedger(args, (ledger) => runList(args, ledger)),
};

function idOf(args: Args): string {
  const [id] = args.positionals;
  if (id === undefined) throw new UsageError('which payment? `headframe payouts list` shows their ids');
  return id;
}

/** @throws PoolError `not_supported` when the configuration pays nobody from a wallet */
async function withPayouts(args: Args, work: (payouts: Payouts, ledger: Ledger) => Promise<number>): Promise<number> {
  return withLedger(args, async (ledger, pool) => {
    const made = pool && createPoolPayouts(pool.config, pool.setup, ledger, { log: silentLogger });
    if (pool === undefined || made === undefined) {
      throw new PoolError('not_supported', 'this pool pays from no wallet: the configuration has no payout.payments');
    }
    try {
      return await work(made, ledger);
    } finally {
      await made.close();
    }
  });
}

function statusesOf(args: Args): readonly PaymentStatus[] | undefined {
  const text = args.text('status');
  return text?.split(',').map((word) => {
    const found = STATUSES.find((status) => status === word.trim());
    if (found === undefined) throw new UsageError(`--status is one of ${STATUSES.join(', ')}, not "${word}"`);
    return found;
  });
}

async function runList(args: Args, ledger: Ledger): Promise<number> {
  const limit = args.number('limit', 1, MAX_LIMIT) ?? 20;
  const after = args.text('after');
  const account = args.text('account');
  const statuses = statusesOf(args);
  const page = await ledger.accounting.payments(
    { ...(account !== undefined && { account }), ...(statuses !== undefined && { statuses }) },
    after === undefined ? { limit } : { limit, after },
  );
  if (args.flag('json')) {
    printJson({ items: page.items.map(paymentJson), next: page.next ?? null });
    return EXIT.ok;
  }
  if (page.items.length === 0) process.stdout.write('No payment.\n');
  else process.stdout.write(tableText(COLUMNS, page.items.map(row), process.stdout));
  if (page.next !== undefined) process.stdout.write(`More: --after ${page.next}\n`);
  return EXIT.ok;
}

const COLUMNS = [
  { head: 'id' },
  { head: 'status' },
  { head: 'total', align: 'right' },
  { head: 'parts', align: 'right', rank: 2 },
  { head: 'conf', align: 'right', rank: 3 },
  { head: 'created', rank: 1 },
  { head: 'txid', least: 14, rank: 4 },
] as const;

function row({ id, status, total, parts, confirmations, createdMs, txid }: PaymentRecord): Cell[] {
  return [
    id,
    { text: status, colour: STATUS_COLOURS[status] },
    coinText(total),
    String(parts.length),
    String(confirmations),
    timeText(createdMs),
    txid ?? '',
  ];
}

function paymentJson(payment: PaymentRecord): object {
  const { id, status, parts, total, txid, fee, confirmations, reason, createdMs, updatedMs } = payment;
  return {
    id,
    status,
    total: amountJson(total),
    fee: fee === undefined ? null : amountJson(fee),
    txid: txid ?? null,
    confirmations,
    reason: reason ?? null,
    createdMs,
    updatedMs,
    parts: parts.map(({ account, address, amount }) => ({ account, address, amount: amountJson(amount) })),
  };
}

function printPayment(args: Args, payment: PaymentRecord): number {
  if (args.flag('json')) {
    printJson(paymentJson(payment));
    return EXIT.ok;
  }
  const { id, status, total, txid, fee, confirmations, reason, createdMs, parts } = payment;
  process.stdout.write(
    factsText([
      ['id', id],
      ['status', status],
      ['total', coinText(total)],
      ...(fee === undefined ? [] : [['fee', coinText(fee)] as const]),
      ...(txid === undefined ? [] : [['txid', txid] as const, ['confirmations', String(confirmations)] as const]),
      ...(reason === undefined ? [] : [['reason', reason] as const]),
      ['created', `${timeText(createdMs)} UTC`],
    ]),
  );
  const columns = [
    { head: 'account', least: 14 },
    { head: 'amount', align: 'right' },
    { head: 'address', least: 20 },
  ] as const;
  const rows = parts.map(({ account, address, amount }) => [account, coinText(amount), address]);
  process.stdout.write(`\n${tableText(columns, rows, process.stdout)}`);
  return EXIT.ok;
}

function printPlan(args: Args, found: PayoutPlan, mood: 'would' | 'did'): number {
  if (args.flag('json')) printJson(planJson(found));
  else process.stdout.write(planText(found, mood, process.stdout));
  return EXIT.ok;
}

async function runPayments(args: Args, made: Payouts, ledger: Ledger): Promise<number> {
  const isJson = args.flag('json');
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (!args.flag('yes') && (!isTerminal || isJson)) {
    throw new UsageError('nobody can be asked here: --yes pays; `payouts plan` shows what');
  }
  const before = await made.plan();
  const approved = await ledger.accounting.payments({ statuses: ['approved'] }, { limit: MAX_LIMIT });
  const waiting = approved.items.reduce((sum, { total }) => sum + total, 0n);
  if (!isJson) {
    process.stdout.write(planText(before, 'would', process.stdout));
    if (approved.items.length > 0) {
      process.stdout.write(
        `\n${heading('Approved, not paid yet')}${tableText(COLUMNS, approved.items.map(row), process.stdout)}`,
      );
    }
  }
  if (before.payments.length === 0 && approved.items.length === 0) {
    if (isJson) printJson(planJson(before));
    return EXIT.ok;
  }
  if (!args.flag('yes')) {
    const { confirm } = await import('@clack/prompts');
    const isSure = await confirm({ message: `Pay ${coinText(before.total + waiting)}?`, initialValue: false });
    if (isSure !== true) {
      process.stdout.write('Nothing was paid.\n');
      return EXIT.ok;
    }
  }
  // What is due may have changed meanwhile: what was done is printed, too.
  return printPlan(args, await made.run(), 'did');
}

async function runSettle(args: Args, made: Payouts): Promise<number> {
  const id = idOf(args);
  const reason = args.text('reason');
  if (args.flag('confirmed') === args.flag('failed')) throw new UsageError('say --confirmed or --failed');
  if (reason === undefined || reason === '') throw new UsageError('say why with --reason; it is kept with the payment');
  return printPayment(args, await made.settle(id, args.flag('confirmed') ? 'confirmed' : 'failed', reason));
}

async function runReconcile(args: Args, made: Payouts): Promise<number> {
  const { checked, changed } = await made.reconcile();
  if (args.flag('json')) {
    printJson({ checked, changed: changed.map((change) => ({ ...change, reason: change.reason ?? null })) });
    return EXIT.ok;
  }
  process.stdout.write(`${checked} payments looked at, ${changed.length} changed.\n`);
  if (changed.length > 0) {
    const columns = [{ head: 'id' }, { head: 'from' }, { head: 'to' }, { head: 'reason', least: 10 }] as const;
    const rows = changed.map(({ id, from, to, reason }): Cell[] => [
      id,
      from,
      { text: to, colour: STATUS_COLOURS[to] },
      reason ?? '',
    ]);
    process.stdout.write(tableText(columns, rows, process.stdout));
  }
  return EXIT.ok;
}
