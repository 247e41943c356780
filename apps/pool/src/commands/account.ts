import type {
  AccountBalance,
  AccountPage,
  AccountSettings,
  Ledger,
  Page,
  PageRequest,
  StatementLine,
  SubjectSummary,
} from '@headframe/ledger';
import { PoolError } from '@headframe/primitives';
import type { Args } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { hashrateText } from '../format.js';
import { amountJson, coinText, percentText } from '../money.js';
import type { LoadedPool } from '../open-ledger.js';
import { heading, printJson, timeText } from '../output.js';
import { type Cell, factsText, tableText } from '../table.js';

/** Workers shown with an account; the API pages through all of them. */
const MAX_WORKERS = 50;

/** A balance for JSON. */
export function balanceJson(balance: Omit<AccountBalance, 'account'>): object {
  return {
    available: amountJson(balance.available),
    immature: amountJson(balance.immature),
    reserved: amountJson(balance.reserved),
    paid: amountJson(balance.paid),
  };
}

/** Settings for JSON. */
export function settingsJson(settings: AccountSettings): object {
  const { address, minimumPayout, donationPpm, isHeld } = settings;
  return {
    address: address ?? null,
    minimumPayout: minimumPayout === undefined ? null : amountJson(minimumPayout),
    donationPercent: donationPpm / 10_000,
    isHeld,
  };
}

/** Settings as lines for people. */
export function settingsFacts(settings: AccountSettings): (readonly [string, string])[] {
  const { address, minimumPayout, donationPpm, isHeld } = settings;
  return [
    ['address', address ?? 'not known yet'],
    ['minimum', minimumPayout === undefined ? 'as the pool has it' : coinText(minimumPayout)],
    ['donation', percentText(donationPpm)],
    ['payments', isHeld ? 'held' : 'as due'],
  ];
}

interface Shown {
  readonly args: Args;
  readonly ledger: Ledger;
  readonly pool: LoadedPool | undefined;
  readonly account: string;
  readonly page: PageRequest;
}

/** Prints one account. @throws PoolError `not_found` */
export async function showAccount({ args, ledger, pool, account, page }: Shown): Promise<number> {
  const [found, settings, balance, statement] = await Promise.all([
    ledger.account(account, { limit: MAX_WORKERS }),
    ledger.accounting.settings(account),
    ledger.accounting.balance(account),
    ledger.accounting.statement(account, page),
  ]);
  if (found === undefined && statement.items.length === 0) {
    throw new PoolError('not_found', `the ledger has no account ${account}`);
  }
  const hasRates = pool !== undefined;
  if (args.flag('json')) printJson(accountJson(account, { found, settings, balance, statement, hasRates }));
  else process.stdout.write(accountText(account, { found, settings, balance, statement, hasRates }));
  return EXIT.ok;
}

interface Facts {
  readonly found: AccountPage | undefined;
  readonly settings: AccountSettings;
  readonly balance: AccountBalance;
  readonly statement: Page<StatementLine>;
  readonly hasRates: boolean;
}

function subjectJson({ firstMs, lastMs, total, hashrate }: SubjectSummary, hasRates: boolean): object {
  const { accepted, stale, duplicate, low, invalid } = total;
  return { firstMs, lastMs, shares: { accepted, stale, duplicate, low, invalid }, ...(hasRates && { hashrate }) };
}

function accountJson(account: string, { found, settings, balance, statement, hasRates }: Facts): object {
  return {
    account,
    settings: settingsJson(settings),
    balance: balanceJson(balance),
    ...(found !== undefined && subjectJson(found, hasRates)),
    workerCount: found?.workerCount ?? 0,
    workers: (found?.workers.items ?? []).map((worker) => ({
      worker: worker.worker,
      ...subjectJson(worker, hasRates),
    })),
    statement: {
      items: statement.items.map(({ timeMs, key, kind, state, amount }) => ({
        timeMs,
        key,
        kind,
        state,
        amount: amountJson(amount),
      })),
      next: statement.next ?? null,
    },
  };
}

const WORKERS = [
  { head: 'worker', least: 12 },
  { head: 'last share' },
  { head: 'accepted', align: 'right' },
  { head: 'refused', align: 'right' },
  { head: 'hashrate 10 min', align: 'right', rank: 2 },
  { head: 'hashrate 1 h', align: 'right', rank: 1 },
  { head: 'hashrate 24 h', align: 'right', rank: 3 },
] as const;

const STATEMENT = [
  { head: 'time' },
  { head: 'kind' },
  { head: 'amount', align: 'right' },
  { head: 'state' },
  { head: 'what', least: 16 },
] as const;

function accountText(account: string, { found, settings, balance, statement, hasRates }: Facts): string {
  let text = factsText([
    ['account', account],
    ...settingsFacts(settings),
    ['available', coinText(balance.available)],
    ['immature', coinText(balance.immature)],
    ['reserved', coinText(balance.reserved)],
    ['paid', coinText(balance.paid)],
  ]);
  if (found !== undefined) {
    text += `\n${heading(`Workers (${found.workerCount})`)}`;
    const columns = WORKERS.filter(({ head }) => hasRates || !head.startsWith('hashrate'));
    const rows = found.workers.items.map((worker) => workerRow(worker, hasRates));
    text += tableText(columns, rows, process.stdout);
    const more = found.workerCount - rows.length;
    if (more > 0) text += `... and ${more} more\n`;
  }
  text += `\n${heading('Statement')}`;
  if (statement.items.length === 0) text += 'Nothing yet.\n';
  else text += tableText(STATEMENT, statement.items.map(statementRow), process.stdout);
  if (statement.next !== undefined) text += `More: --after ${statement.next}\n`;
  return text;
}

function workerRow({ worker, lastMs, total, hashrate }: SubjectSummary, hasRates: boolean): Cell[] {
  const { accepted, stale, duplicate, low, invalid } = total;
  return [
    worker ?? '',
    timeText(lastMs),
    String(accepted),
    String(stale + duplicate + low + invalid),
    ...(hasRates ? [hashrate.tenMinutes, hashrate.hour, hashrate.day].map(hashrateText) : []),
  ];
}

function statementRow({ timeMs, kind, amount, state, key }: StatementLine): Cell[] {
  const isGone = state === 'reversed';
  const colour = isGone ? 'red' : state === 'final' ? 'green' : 'yellow';
  return [timeText(timeMs), kind, coinText(amount), { text: state, colour }, key];
}
