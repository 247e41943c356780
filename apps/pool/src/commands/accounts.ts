import { decodeAddress } from '@headframe/coins';
import type { AccountBalance, AccountSettingsChange, Ledger } from '@headframe/ledger';
import { errorMessage } from '@headframe/primitives';
import { type Args, type Command, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { hashrateText } from '../format.js';
import { coinText, parseCoins, parsePercent } from '../money.js';
import { accountMeant, LEDGER_OPTIONS, type LoadedPool, withLedger } from '../open-ledger.js';
import { printJson, timeText } from '../output.js';
import { type Cell, factsText, tableText } from '../table.js';
import { balanceJson, settingsFacts, settingsJson, showAccount } from './account.js';

const MAX_LIMIT = 500;

const set: Command = {
  name: 'set',
  summary: 'Change the settings of an account.',
  positionals: { usage: 'ACCOUNT', max: 1 },
  options: {
    ...LEDGER_OPTIONS,
    minimum: { type: 'string', value: 'COINS', help: "Least payment in coins; `default`: the pool's." },
    donation: { type: 'string', value: 'PERCENT', help: 'Part of its rewards that it gives away.' },
    address: {
      type: 'string',
      value: 'ADDRESS',
      help: 'Where it is paid; `default`: as its shares say. Needs --config, which names the coin.',
    },
    hold: { type: 'boolean', help: 'Plan no payments to it.' },
    release: { type: 'boolean', help: 'The opposite of --hold.' },
  },
  details: `
Settings are taken back with \`default\`. A running pool goes by them from its next payment run on.`,
  run: (args) => withLedger(args, (ledger, pool) => runSet(args, ledger, pool)),
};

/** Accounts: who they are, what they are owed, what they want. */
export const accounts: Command = {
  name: 'accounts',
  summary: 'Accounts with their balances, or one of them.',
  positionals: { usage: '[ACCOUNT]', max: 1 },
  subcommands: [set],
  options: {
    ...LEDGER_OPTIONS,
    limit: { type: 'string', value: 'N', help: `So many rows, up to ${MAX_LIMIT}.`, default: '20' },
    after: { type: 'string', value: 'CURSOR', help: 'Go on after a page: its `next`.' },
  },
  details: `
Without ACCOUNT: those with a balance, most first; where nobody has one (the coinbase pays), those with the most work in
the last day. With ACCOUNT: its settings, balance, workers and statement; --limit and --after page the statement.
Hash rates need --config, which names the coin.`,
  run: (args) => withLedger(args, (ledger, pool) => runAccounts(args, ledger, pool)),
};

/** @throws UsageError naming the option that is wrong */
function changeOf(args: Args, pool: LoadedPool | undefined): AccountSettingsChange {
  const minimum = args.text('minimum');
  const donation = args.text('donation');
  const address = args.text('address');
  const [hold, release] = [args.flag('hold'), args.flag('release')];
  if (hold && release) throw new UsageError('--hold and --release exclude each other');
  if (address !== undefined && address !== 'default') checkAddress(address, pool);
  const change = {
    ...(minimum !== undefined && { minimumPayout: minimum === 'default' ? null : parseCoins('minimum', minimum) }),
    ...(donation !== undefined && { donationPpm: donation === 'default' ? 0 : parsePercent('donation', donation) }),
    ...(address !== undefined && { address: address === 'default' ? null : address }),
    ...((hold || release) && { isHeld: hold }),
  };
  if (Object.keys(change).length === 0) {
    throw new UsageError('what is to change? --minimum, --donation, --address, --hold or --release');
  }
  return change;
}

function checkAddress(address: string, pool: LoadedPool | undefined): void {
  if (pool === undefined) throw new UsageError('--address needs --config: the coin decides what an address is');
  try {
    decodeAddress(pool.coin, address);
  } catch (error) {
    throw new UsageError(`--address: ${errorMessage(error)}`);
  }
}

async function runSet(args: Args, ledger: Ledger, pool: LoadedPool | undefined): Promise<number> {
  const [name] = args.positionals;
  if (name === undefined) throw new UsageError('which account? headframe accounts set ACCOUNT --minimum 0.05');
  const account = accountMeant(pool, name);
  const settings = await ledger.accounting.changeSettings(account, changeOf(args, pool));
  if (args.flag('json')) printJson({ account, settings: settingsJson(settings) });
  else process.stdout.write(factsText([['account', account], ...settingsFacts(settings)]));
  return EXIT.ok;
}

async function runAccounts(args: Args, ledger: Ledger, pool: LoadedPool | undefined): Promise<number> {
  const [name] = args.positionals;
  const limit = args.number('limit', 1, MAX_LIMIT) ?? 20;
  const after = args.text('after');
  const page = after === undefined ? { limit } : { limit, after };
  if (name !== undefined) return showAccount({ args, ledger, pool, account: accountMeant(pool, name), page });
  const balances = await ledger.accounting.balances(page);
  const isCustodial = balances.items.length > 0 || after !== undefined;
  const rows: Row[] = [];
  if (isCustodial) {
    for (const balance of balances.items) {
      const summary = await ledger.summary({ account: balance.account });
      rows.push({ balance, hashrate: summary?.hashrate.hour, lastMs: summary?.lastMs });
    }
  } else {
    for (const { account: name = '', hashrate, lastMs } of await ledger.topAccounts(limit)) {
      rows.push({ balance: await ledger.accounting.balance(name), hashrate: hashrate.hour, lastMs });
    }
  }
  const totals = await ledger.accounting.totals();
  if (args.flag('json')) {
    printJson({
      items: rows.map(({ balance, hashrate, lastMs }) => ({
        account: balance.account,
        ...balanceJson(balance),
        ...(pool !== undefined && { hashrate: hashrate ?? 0 }),
        lastMs: lastMs ?? null,
      })),
      totals: balanceJson(totals),
      next: balances.next ?? null,
    });
    return EXIT.ok;
  }
  if (rows.length === 0) {
    process.stdout.write('No account yet: nobody has sent a share.\n');
    return EXIT.ok;
  }
  const columns = COLUMNS.filter(({ head }) => head !== 'hashrate 1 h' || pool !== undefined);
  const cells = rows.map((row) => cellsOf(row, pool !== undefined));
  if (isCustodial) cells.push(cellsOf({ balance: { account: 'all accounts', ...totals } }, pool !== undefined, 'bold'));
  process.stdout.write(tableText(columns, cells, process.stdout));
  if (balances.next !== undefined) process.stdout.write(`More: --after ${balances.next}\n`);
  return EXIT.ok;
}

interface Row {
  readonly balance: AccountBalance;
  readonly hashrate?: number | undefined;
  readonly lastMs?: number | undefined;
}

const COLUMNS = [
  { head: 'account', least: 14 },
  { head: 'available', align: 'right' },
  { head: 'immature', align: 'right', rank: 1 },
  { head: 'reserved', align: 'right', rank: 4 },
  { head: 'paid', align: 'right', rank: 2 },
  { head: 'hashrate 1 h', align: 'right', rank: 3 },
  { head: 'last share', rank: 5 },
] as const;

function cellsOf({ balance, hashrate, lastMs }: Row, hasRates: boolean, colour?: 'bold'): Cell[] {
  const paint = (text: string): Cell => (colour === undefined ? text : { text, colour });
  return [
    paint(balance.account),
    balance.available < 0n ? { text: coinText(balance.available), colour: 'red' } : paint(coinText(balance.available)),
    paint(coinText(balance.immature)),
    paint(coinText(balance.reserved)),
    paint(coinText(balance.paid)),
    ...(hasRates ? [hashrate === undefined ? '' : hashrateText(hashrate)] : []),
    lastMs === undefined ? '' : timeText(lastMs),
  ];
}
