import type {
  AccountInfo,
  AccountPaymentPage,
  BlockDetailsJson,
  BlockPage,
  CoinInfo,
  ConnectInfo,
  LiveEventName,
  MinerPage,
  NodesInfo,
  PaymentPage,
  PoolInfo,
  RejectsInfo,
  SeriesJson,
  StatementPage,
  TemplateInfo,
  TopAccounts,
  WorkerInfo,
} from '@headframe/http';
import { RANGES, type RangeName } from '../state/range.js';

/** A question to the API: where it is asked, what it answers, and which events make the answer old. */
export interface Endpoint<Answer> {
  readonly path: string;
  readonly topics: readonly LiveEventName[];
  /** Never there at run time; carries the type. */
  readonly answer?: Answer;
}

/** Whom a series is about. */
export interface Subject {
  readonly account?: string;
  readonly worker?: string;
}

const name = encodeURIComponent;

function paged(path: string, limit: number, after: string | undefined): string {
  return `${path}?limit=${limit}${after === undefined ? '' : `&after=${name(after)}`}`;
}

function subjectPath({ account, worker }: Subject): string {
  if (account === undefined) return '';
  return `accounts/${name(account)}/${worker === undefined ? '' : `workers/${name(worker)}/`}`;
}

export const endpoints = {
  pool: { path: 'pool', topics: ['block', 'node'] } as Endpoint<PoolInfo>,
  coin: { path: 'coin', topics: [] } as Endpoint<CoinInfo>,
  nodes: { path: 'nodes', topics: [] } as Endpoint<NodesInfo>,
  connect: { path: 'connect', topics: [] } as Endpoint<ConnectInfo>,
  rejects: { path: 'rejects', topics: ['pool'] } as Endpoint<RejectsInfo>,
  template: { path: 'template', topics: ['job'] } as Endpoint<TemplateInfo>,
  topAccounts: { path: 'accounts/top?limit=10', topics: ['pool'] } as Endpoint<TopAccounts>,
  blocks: (limit: number, after?: string): Endpoint<BlockPage> => ({
    path: paged('blocks', limit, after),
    topics: ['block'],
  }),
  block: (hash: string): Endpoint<BlockDetailsJson> => ({ path: `blocks/${name(hash)}`, topics: ['block'] }),
  payments: (limit: number, after?: string): Endpoint<PaymentPage> => ({
    path: paged('payments', limit, after),
    topics: ['payment'],
  }),
  miners: (limit: number, after?: string): Endpoint<MinerPage> => ({
    path: paged('miners', limit, after),
    topics: ['pool'],
  }),
  account: (account: string, after?: string): Endpoint<AccountInfo> => ({
    path: paged(`accounts/${name(account)}`, 50, after),
    topics: ['pool', 'block', 'payment'],
  }),
  worker: (account: string, worker: string): Endpoint<WorkerInfo> => ({
    path: `accounts/${name(account)}/workers/${name(worker)}`,
    topics: ['pool'],
  }),
  accountPayments: (account: string, after?: string): Endpoint<AccountPaymentPage> => ({
    path: paged(`accounts/${name(account)}/payments`, 25, after),
    topics: ['payment'],
  }),
  statement: (account: string, after?: string): Endpoint<StatementPage> => ({
    path: paged(`accounts/${name(account)}/statement`, 25, after),
    topics: ['block', 'payment'],
  }),
  series: (subject: Subject, range: RangeName): Endpoint<SeriesJson> => {
    const { spanMs, resolution } = RANGES[range];
    return { path: `${subjectPath(subject)}series?resolution=${resolution}&from={now-${spanMs}}`, topics: ['pool'] };
  },
} as const;

/**
 * The address of a path at a moment: `{now-N}` stands for N milliseconds ago, at the beginning of a minute. So an
 * answer keeps its name while its window moves.
 */
export function addressOf(path: string, nowMs: number): string {
  return path.replace(/\{now-(\d+)\}/g, (_, span: string) => {
    const from = nowMs - Number(span);
    return String(from - (from % 60_000));
  });
}
