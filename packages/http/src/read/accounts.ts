import type { AccountPage, SubjectSummary } from '@headframe/ledger';
import { type ApiContext, creditsAccounts, ledgerOf } from '../context.js';
import { notFound } from '../problem.js';
import { type Recent, recent } from '../recent.js';
import type { AccountInfo, AccountItem, WorkerItem } from '../schemas/accounts.js';
import type { MinerItem, WorkerInfo } from '../schemas/miners.js';
import { amountOf, percentOfPpm, unitsOfCoins } from '../units.js';
import type { WorkerView } from '../view.js';
import type { Connected } from './miner-book.js';
import { hashratesOf, NO_HASHRATE, NO_SHARES, tallyOf } from './tally.js';

const CONNECTED_TTL_MS = 2_000;
const ACTIVE_MS = 600_000;
/** Connections of one worker that its page shows. */
const MAX_MINERS = 100;

/** Connections by worker name, by account. */
type ConnectedIndex = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Reads accounts and workers for answers. */
export class AccountReader {
  readonly #context: ApiContext;
  readonly #connected: Recent<ConnectedIndex>;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#connected = recent(context.clock, CONNECTED_TTL_MS, async () => indexOf(context.miners.all()));
  }

  async top(limit: number): Promise<readonly AccountItem[]> {
    const accounts = await ledgerOf(this.#context.view).topAccounts(limit);
    return accounts.map((summary) => ({
      account: summary.account ?? '',
      firstMs: summary.firstMs,
      lastMs: summary.lastMs,
      hashrate: hashratesOf(summary.hashrate),
      shares: tallyOf(summary.total),
    }));
  }

  /** @throws ApiProblem `not_found` for an account that never sent a share and is not connected */
  async account(account: string, limit: number, after: string | undefined): Promise<AccountInfo> {
    const { view, links } = this.#context;
    const ledger = ledgerOf(view);
    const [page, index] = await Promise.all([
      ledger.account(account, { limit, ...(after === undefined ? {} : { after }) }),
      this.#connected.get(),
    ]);
    const connected = index.get(account);
    if (page === undefined && connected === undefined) throw unknownAccount();
    const [settings, balance] = await Promise.all([
      ledger.accounting.settings(account),
      creditsAccounts(view) ? ledger.accounting.balance(account) : undefined,
    ]);
    return {
      account,
      address: settings.address ?? null,
      firstMs: page?.firstMs ?? null,
      lastMs: page?.lastMs ?? null,
      hashrate: page === undefined ? NO_HASHRATE : hashratesOf(page.hashrate),
      shares: page === undefined ? NO_SHARES : tallyOf(page.total),
      connections: [...(connected?.values() ?? [])].reduce((sum, count) => sum + count, 0),
      balance:
        balance === undefined
          ? null
          : {
              immature: amountOf(balance.immature),
              available: amountOf(balance.available),
              reserved: amountOf(balance.reserved),
              paid: amountOf(balance.paid),
            },
      minimumPayout: this.#minimumPayout(settings.minimumPayout),
      donationPercent: percentOfPpm(settings.donationPpm),
      link: links.address(settings.address),
      workerCount: page?.workerCount ?? connected?.size ?? 0,
      workers: this.#workers(page, connected, limit),
    };
  }

  #minimumPayout(own: bigint | undefined): AccountInfo['minimumPayout'] {
    const { payments } = this.#context.view.config.payout;
    if (payments === undefined) return null;
    return amountOf(own ?? unitsOfCoins(payments.minimum));
  }

  #workers(
    page: AccountPage | undefined,
    connected: ReadonlyMap<string, number> | undefined,
    limit: number,
  ): AccountInfo['workers'] {
    if (page === undefined) {
      // Connected, and no share is counted yet.
      const items = [...(connected ?? [])]
        .slice(0, limit)
        .map(([worker, count]) => this.#worker(worker, undefined, count));
      return { items, next: null };
    }
    return {
      items: page.workers.items.map((summary) => {
        const name = summary.worker ?? '';
        return this.#worker(name, summary, connected?.get(name) ?? 0);
      }),
      next: page.workers.next ?? null,
    };
  }

  #worker(worker: string, summary: SubjectSummary | undefined, connections: number): WorkerItem {
    const isRecent = summary !== undefined && summary.lastMs > this.#context.clock.now() - ACTIVE_MS;
    return {
      worker,
      state: connections === 0 ? 'offline' : isRecent ? 'active' : 'idle',
      connections,
      firstMs: summary?.firstMs ?? null,
      lastMs: summary?.lastMs ?? null,
      hashrate: summary === undefined ? NO_HASHRATE : hashratesOf(summary.hashrate),
      shares: summary === undefined ? NO_SHARES : tallyOf(summary.total),
    };
  }

  /** @throws ApiProblem `not_found` for a worker that never sent a share and is not connected */
  async worker(account: string, worker: string): Promise<WorkerInfo> {
    const { view, miners } = this.#context;
    const [summary, index] = await Promise.all([ledgerOf(view).summary({ account, worker }), this.#connected.get()]);
    const connections = index.get(account)?.get(worker) ?? 0;
    if (summary === undefined && connections === 0) throw notFound('no share of such a worker is counted yet');
    const items: MinerItem[] = [];
    if (connections > 0) {
      for (const connected of miners.all()) {
        if (!hasWorker(connected, account, worker)) continue;
        items.push(miners.item(connected));
        if (items.length === MAX_MINERS) break;
      }
    }
    return { account, worker: this.#worker(worker, summary, connections), miners: items };
  }
}

export function unknownAccount(): Error {
  return notFound('no share of such an account is counted yet');
}

function workersOf({ channel }: Connected): Iterable<WorkerView> {
  return channel?.workers ?? [];
}

function hasWorker(connected: Connected, account: string, worker: string): boolean {
  for (const { key, name } of workersOf(connected)) if (key === account && name === worker) return true;
  return false;
}

function indexOf(all: Iterable<Connected>): ConnectedIndex {
  const index = new Map<string, Map<string, number>>();
  for (const connected of all) {
    for (const { key, name } of workersOf(connected)) {
      const workers = index.get(key) ?? new Map<string, number>();
      workers.set(name, (workers.get(name) ?? 0) + 1);
      index.set(key, workers);
    }
  }
  return index;
}
