import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Coin } from '@headframe/coins';
import type { Ledger, LedgerStats } from '@headframe/ledger';
import type { Accountant, PayoutStatus, Payouts } from '@headframe/payouts';
import type { PoolStatus, StorageState } from '@headframe/pool';
import { type Clock, Histogram, systemClock } from '@headframe/primitives';
import { MetricsSource } from './metrics-source.js';
import { METRICS_CONTENT_TYPE, MetricsText } from './metrics-text.js';
import { amountOf } from './units.js';

/** What metrics are made of. A `Pool` is one. */
export interface MetricsView {
  readonly coin: Pick<Coin, 'name' | 'network' | 'difficultyFactor' | 'blockSpacingSeconds'>;
  readonly ledger: Pick<Ledger, 'stats'> | undefined;
  readonly payouts: Pick<Payouts, 'status'> | undefined;
  readonly accountant: Pick<Accountant, 'status'> | undefined;
  readonly storage: Pick<StorageState, 'isOk'>;
  readonly isPaused: boolean;
  status(): Pick<PoolStatus, 'node' | 'job' | 'server' | 'blocks' | 'jobs'>;
}

type MetricsStatus = ReturnType<MetricsView['status']>;

/** Metrics of a pool in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  /** The page. Never rejects, and waits a second at most: a source that fails or is slow is left out. */
  render(): Promise<string>;
  /** Counts an HTTP request. `route` is the pattern and not the path, so that the number of series is bounded. */
  observeRequest(route: string, method: string, status: number, seconds: number): void;
}

/** Hashes that difficulty 1 takes on average where the coin's factor is 1. */
const HASHES_PER_DIFFICULTY = 2 ** 32;
/** Time for the database and the wallet; a scrape is given up after 10 s by default. */
const SOURCE_WAIT_MS = 1000;
/** The database is asked this often at most, however many scrape. */
const LEDGER_EVERY_MS = 5000;
/** The wallet is the node's, and its balance changes slowly. */
const WALLET_EVERY_MS = 30_000;
/** Routes are some dozens, answers a few of each. */
const MAX_REQUEST_SERIES = 1000;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Makes the metrics of a pool. Nothing is gathered but when the page is asked for.
 *
 * @example
 * const metrics = createMetrics(pool);
 * http.createServer(async (_request, response) => response.end(await metrics.render()));
 */
export function createMetrics(view: MetricsView, modules: { readonly clock?: Clock } = {}): Metrics {
  const clock = modules.clock ?? systemClock;
  const requests = new RequestTimes();
  const build = { version: ownVersion(), node: process.version, coin: view.coin.name, network: view.coin.network };
  const ledger = new MetricsSource(clock, { everyMs: LEDGER_EVERY_MS, waitMs: SOURCE_WAIT_MS }, () =>
    view.ledger?.stats(),
  );
  const payouts = new MetricsSource(clock, { everyMs: WALLET_EVERY_MS, waitMs: SOURCE_WAIT_MS }, () =>
    view.payouts?.status(),
  );
  return {
    contentType: METRICS_CONTENT_TYPE,
    async render() {
      const [books, paying] = await Promise.all([ledger.read(), payouts.read()]);
      const text = new MetricsText();
      const status = view.status();
      text.set('headframe_build_info', 1, build);
      addServer(text, view, status);
      addJobs(text, view.coin, status, clock.now());
      addBlocks(text, status);
      addBooks(text, view, books.value);
      addPayouts(text, paying.value);
      requests.addTo(text);
      if (view.ledger !== undefined) {
        text.set('headframe_scrape_source_up', Number(books.isUp), { source: 'ledger' });
      }
      if (view.payouts !== undefined) {
        text.set('headframe_scrape_source_up', Number(paying.isUp), { source: 'payouts' });
      }
      addProcess(text);
      return text.toString();
    },
    observeRequest: (route, method, status, seconds) => requests.record(route, method, status, seconds),
  };
}

function addServer(text: MetricsText, view: MetricsView, { server }: MetricsStatus): void {
  const { sessions, shares, validator } = server;
  text.setEach('headframe_shares_total', { accepted: shares.accepted, ...shares.rejected });
  text.set('headframe_share_difficulty_total', shares.work);
  text.set('headframe_hashes_total', (shares.work * HASHES_PER_DIFFICULTY) / view.coin.difficultyFactor);
  text.set('headframe_shares_pending', shares.pending);
  text.set('headframe_shares_uncommitted', shares.uncommitted);
  text.set('headframe_commit_failures', shares.commitFailures);
  text.histogram('headframe_share_latency_seconds', shares.latency);
  text.histogram('headframe_commit_seconds', shares.commit);
  text.set('headframe_validator_queue', validator.pending);
  text.histogram('headframe_validator_wait_seconds', validator.wait);
  text.histogram('headframe_validator_batch_seconds', validator.evaluation);
  text.set('headframe_validator_failed_total', validator.failed);
  text.set('headframe_validator_restarts_total', validator.workerRestarts);

  const refused: Readonly<Record<string, number | undefined>> = sessions.refused;
  const closed = Object.entries(sessions.closed).map(([reason, count]) => [reason, count - (refused[reason] ?? 0)]);
  text.set('headframe_connections', sessions.opening);
  text.set('headframe_connections_accepted_total', sessions.accepted);
  text.setEach('headframe_connections_refused_total', refused);
  text.setEach('headframe_connections_closed_total', Object.fromEntries(closed));
  text.setEach('headframe_sessions', sessions.protocols);
  text.set('headframe_sessions_total', sessions.connected);
  text.set('headframe_addresses', sessions.addresses);
  text.set('headframe_bans', sessions.bans);
  text.set('headframe_channels', server.channels);
  text.set('headframe_workers', server.workers);
  text.set('headframe_leases', server.leases);
  text.set('headframe_extranonces', server.extranonces);
  text.set('headframe_overloaded', Number(sessions.busy));
  text.set('headframe_paused', Number(view.isPaused));
  text.histogram('headframe_broadcast_seconds', server.broadcast);
  text.histogram('headframe_event_loop_delay_seconds', sessions.loopDelay);
}

function addJobs(text: MetricsText, coin: MetricsView['coin'], status: MetricsStatus, nowMs: number): void {
  const { job, jobs, node } = status;
  text.set('headframe_block_spacing_seconds', coin.blockSpacingSeconds);
  if (job !== undefined) {
    text.set('headframe_job_age_seconds', Math.max(0, nowMs - job.createdAtMs) / 1000);
    text.set('headframe_job_height', job.height);
    text.set('headframe_network_difficulty', job.networkDifficulty);
  }
  text.set('headframe_node_ready', Number(node.ready));
  for (const { name, up } of node.nodes) text.set('headframe_node_up', Number(up), { node: name });
  if (jobs === undefined) return;
  text.set('headframe_jobs_total', jobs.jobs);
  text.set('headframe_block_changes_total', jobs.blockChanges);
  text.setEach('headframe_templates_refused_total', { unusable: jobs.refused, outdated: jobs.outdated });
  text.histogram('headframe_job_publish_seconds', jobs.publish);
  const { templates } = jobs;
  if (templates === undefined) return;
  text.setEach('headframe_templates_total', templates.triggers);
  text.set('headframe_template_failures_total', templates.failures);
  text.set('headframe_template_regressions_total', templates.regressions);
  text.set('headframe_zmq_missed_total', templates.zmqMissed);
  text.histogram('headframe_block_change_seconds', templates.latency);
  for (const one of templates.nodes) text.histogram('headframe_template_seconds', one.seconds, { node: one.node });
}

function addBlocks(text: MetricsText, { blocks, jobs, server }: MetricsStatus): void {
  text.set('headframe_block_candidates_total', server.candidates);
  text.set('headframe_blocks_unassembled_total', jobs?.unassembled);
  if (blocks === undefined) return;
  const { submitted, confirmed, matured, orphaned, rejected } = blocks;
  text.setEach('headframe_blocks_total', { submitted, confirmed, matured, orphaned, rejected });
  text.set('headframe_blocks_open', blocks.open);
  text.set('headframe_journal_failures_total', blocks.journalFailures);
  for (const { node, result, seconds } of blocks.submissions) {
    text.histogram('headframe_submitblock_seconds', seconds, { node, result });
  }
}

function addBooks(text: MetricsText, view: MetricsView, stats: LedgerStats | undefined): void {
  text.set('headframe_storage_ok', Number(view.storage.isOk));
  if (stats !== undefined) {
    text.set('headframe_ledger_unfolded_batches', stats.unfoldedBatches);
    text.set('headframe_ledger_fold_lag_seconds', stats.foldLagMs / 1000);
    text.set('headframe_ledger_pending_commits', stats.pendingCommits);
    text.set(
      'headframe_ledger_commit_seconds',
      stats.commitLatencyMs === undefined ? undefined : stats.commitLatencyMs / 1000,
    );
    text.set('headframe_ledger_thread_restarts_total', stats.threadRestarts);
    text.set('headframe_ledger_database_bytes', stats.databaseBytes);
  }
  const accountant = view.accountant?.status();
  if (accountant === undefined) return;
  text.set('headframe_accountant_pending_blocks', accountant.pendingBlocks);
  text.set(
    'headframe_accountant_lag_seconds',
    accountant.accrual === undefined ? undefined : accountant.accrual.lagMs / 1000,
  );
  text.set('headframe_accountant_alarms', accountant.alarms.length);
}

function addPayouts(text: MetricsText, status: PayoutStatus | undefined): void {
  if (status === undefined) return;
  const { wallet, lastRunMs } = status;
  text.set('headframe_payments_waiting', status.waiting);
  text.set('headframe_payments_under_way', status.underWay);
  text.set('headframe_payout_failing', Number(status.lastError !== undefined));
  text.set('headframe_payout_last_run_timestamp_seconds', lastRunMs === undefined ? undefined : lastRunMs / 1000);
  text.set('headframe_wallet_ready', Number(wallet.isReady));
  text.set(
    'headframe_wallet_spendable_coins',
    wallet.spendable === undefined ? undefined : amountOf(wallet.spendable).coins,
  );
}

function addProcess(text: MetricsText): void {
  const { active, idle } = performance.eventLoopUtilization();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  text.set('headframe_event_loop_active_seconds_total', active / 1000);
  text.set('headframe_event_loop_idle_seconds_total', idle / 1000);
  text.set('process_cpu_seconds_total', (user + system) / 1e6);
  text.set('process_start_time_seconds', performance.timeOrigin / 1000);
  text.set('process_resident_memory_bytes', rss);
  text.set('nodejs_heap_size_used_bytes', heapUsed);
  text.set('nodejs_external_memory_bytes', external);
}

interface RequestSeries {
  readonly route: string;
  readonly method: string;
  readonly status: string;
  readonly seconds: Histogram;
}

/** Times of HTTP requests by route, method and status; what is too much for the bound is counted as `other`. */
class RequestTimes {
  readonly #series = new Map<string, RequestSeries>();

  record(route: string, method: string, status: number, seconds: number): void {
    const verb = METHODS.has(method) ? method : 'other';
    const code = Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : 'other';
    this.#of(route, verb, code).seconds.record(seconds);
  }

  #of(route: string, method: string, status: string): RequestSeries {
    const key = `${method} ${status} ${route}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= MAX_REQUEST_SERIES && route !== 'other') return this.#of('other', method, status);
    const made: RequestSeries = { route, method, status, seconds: new Histogram() };
    this.#series.set(key, made);
    return made;
  }

  addTo(text: MetricsText): void {
    for (const { route, method, status, seconds } of this.#series.values()) {
      text.histogram('headframe_http_request_seconds', seconds.snapshot(), { route, method, status });
    }
  }
}

/** Of this package; all packages share one. */
function ownVersion(): string {
  const found: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const version = typeof found === 'object' && found !== null && 'version' in found ? found.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
