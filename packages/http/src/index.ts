export { HTTP_LIMITS, type HttpLimits } from './limits.js';
export { createMetrics, type Metrics, type MetricsView } from './metrics.js';
export { METRICS, type MetricFamily, type MetricName } from './metrics-list.js';
export type { MetricsFactory } from './metrics-route.js';
export type { ExplorerLinks, HttpModules, HttpOptions } from './options.js';
export { httpApi } from './plugin.js';
export { PROBLEM_CODES, type ProblemCode } from './problem.js';
export type {
  AccountInfo,
  AccountItem,
  BalanceJson,
  StatementPage,
  TopAccounts,
  WorkerItem,
} from './schemas/accounts.js';
export type {
  AccountSettingsJson,
  AdminPayment,
  AdminSession,
  AdminSessionPage,
  BanListJson,
  PayoutPlanJson,
  PayoutStatusJson,
} from './schemas/admin.js';
export type { BlockDetailsJson, BlockItem, BlockPage } from './schemas/blocks.js';
export type { Amount, HashratesJson, PageJson, PageQuery, Problem, TallyJson } from './schemas/common.js';
export type { ConnectInfo } from './schemas/connect.js';
export {
  type JobEvent,
  type LiveEventName,
  type LiveEvents,
  liveEvents,
  type ShareRateEvent,
} from './schemas/events.js';
export type { MinerItem, MinerPage, WorkerInfo } from './schemas/miners.js';
export type { AccountPayment, AccountPaymentPage, PaymentItem, PaymentPage } from './schemas/payments.js';
export type { CoinInfo, NodesInfo, PoolInfo, RejectsInfo, RoundJson, StorageJson } from './schemas/pool.js';
export type { SeriesJson, SeriesQuery } from './schemas/series.js';
export type { TemplateInfo } from './schemas/template.js';
export { createHttpServer, type HttpServer } from './server.js';
export type {
  AccountingView,
  ChannelView,
  CountersView,
  LedgerView,
  PoolView,
  PoolViewEvents,
  ServerView,
  ShareView,
  StorageView,
  WorkerView,
} from './view.js';
