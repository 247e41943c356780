import { resolveCoin } from '@headframe/coins';
import { createPool, type PoolStatus } from '@headframe/pool';
import { Histogram, PoolError, silentLogger } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { createMetrics, METRICS, type MetricName, type MetricsView } from '../src/index.js';
import { METRICS_CONTENT_TYPE, MetricsText } from '../src/metrics-text.js';
import { makeJob } from './fake-pool.js';
import { type ParsedFamily, parseExposition } from './prometheus-parser.js';

const seconds = (...values: number[]) => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.snapshot();
};

/** A pool that was made and not opened, for the counters of its server. */
function serverStats(): PoolStatus['server'] {
  const pool = createPool(
    {
      coin: 'bitcoin',
      network: 'regtest',
      daemons: [{ url: 'http://127.0.0.1:1', user: 'u', password: 'p' }],
      payout: { scheme: 'solo', address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
      listeners: [{ host: '127.0.0.1', port: 0 }],
    },
    { log: silentLogger },
  );
  return pool.server.stats();
}

/** A pool in which everything has happened once. `grown` counts more of it. */
function fullView(grown = 0): MetricsView {
  const server = serverStats();
  const templates = {
    templates: 5 + grown,
    triggers: { zmq: 3, longpoll: 2 + grown },
    blockChanges: 2,
    failures: 1,
    regressions: 0,
    zmqMissed: 0,
    lastLatencyMs: 3,
    latency: seconds(0.003),
    lastTemplateAtMs: 1,
    nodes: [{ node: 'one "quoted" \\ \n node', seconds: seconds(0.1, 20) }],
  };
  return {
    coin: resolveCoin('bitcoin', 'regtest'),
    isPaused: false,
    storage: { isOk: true },
    status: () => ({
      node: { ready: true, reason: undefined, nodes: [{ name: 'one', up: true, detail: 'ready' }] },
      job: makeJob(1),
      server: {
        ...server,
        sessions: {
          ...server.sessions,
          protocols: { 'stratum-v1': 2 },
          accepted: 9,
          refused: { banned: 2 },
          closed: { ...server.sessions.closed, banned: 5, 'client-closed': 1 },
        },
        shares: {
          ...server.shares,
          accepted: 10 + grown,
          work: 20.5 + grown,
          rejected: { stale: 1, 'low-difficulty': 2 },
          latency: seconds(0.001, 0.002, 30),
        },
      },
      jobs: {
        jobs: 4,
        blockChanges: 2,
        refused: 1,
        outdated: 0,
        candidates: 1,
        unassembled: 0,
        storedJobs: 4,
        publish: seconds(0.0005),
        templates,
      },
      blocks: {
        submitted: 1,
        confirmed: 1,
        matured: 0,
        orphaned: 0,
        rejected: 0,
        journalFailures: 0,
        open: 1,
        submissions: [{ node: 'one', result: 'has-block', seconds: seconds(0.02) }],
      },
    }),
    ledger: {
      stats: async () => ({
        engine: 'sqlite',
        schemaVersion: 1,
        unfoldedBatches: 3,
        pendingCommits: 0,
        threadRestarts: 0,
        lastCommitMs: 1,
        commitLatencyMs: 2,
        foldLagMs: 1500,
        databaseBytes: 4096,
      }),
    },
    accountant: {
      status: () => ({
        scheme: 'pps',
        isReady: true,
        lastBlock: undefined,
        pendingBlocks: 1,
        accrual: { cursor: 1, lagBatches: 1, lagMs: 500 },
        lastError: undefined,
        alarms: ['look'],
      }),
    },
    payouts: {
      status: async () => ({
        wallet: { isReady: true, reason: undefined, spendable: 9_007_199_254_740_993n },
        lastRunMs: 1_700_000_000_000,
        nextRunMs: undefined,
        waiting: 1,
        underWay: 2,
        lastError: undefined,
      }),
    },
  };
}

const read = async (view: MetricsView, clock = new FakeClock()): Promise<Map<string, ParsedFamily>> =>
  parseExposition(await createMetrics(view, { clock }).render());

const sampleOf = (families: Map<string, ParsedFamily>, name: MetricName, labels: Record<string, string> = {}) =>
  families
    .get(name)
    ?.samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value))
    ?.value;

describe('metrics', () => {
  it('tells every metric there is, with the type, help and labels of the list', async () => {
    const metrics = createMetrics(fullView(), { clock: new FakeClock() });
    metrics.observeRequest('/api/v1/pool', 'GET', 200, 0.01);
    const families = parseExposition(await metrics.render());
    expect(metrics.contentType).toBe(METRICS_CONTENT_TYPE);
    expect([...families.keys()].sort()).toEqual(Object.keys(METRICS).sort());
    for (const [name, { type, labels }] of Object.entries(METRICS)) {
      const family = families.get(name);
      expect(family?.type, name).toBe(type);
      for (const sample of family?.samples ?? []) {
        const found = [...sample.labels.keys()].filter((label) => type !== 'histogram' || label !== 'le');
        expect(found, sample.name).toEqual([...labels]);
      }
    }
  });

  it('escapes labels, so that any name of a node reads back as it was', async () => {
    const families = await read(fullView());
    expect(families.get('headframe_template_seconds')?.samples[0]?.labels.get('node')).toBe('one "quoted" \\ \n node');
  });

  it('counts shares by result, and refused connections apart from ends', async () => {
    const families = await read(fullView());
    expect(sampleOf(families, 'headframe_shares_total', { result: 'accepted' })).toBe(10);
    expect(sampleOf(families, 'headframe_shares_total', { result: 'low-difficulty' })).toBe(2);
    expect(sampleOf(families, 'headframe_hashes_total')).toBe(20.5 * 2 ** 32);
    expect(sampleOf(families, 'headframe_connections_refused_total', { reason: 'banned' })).toBe(2);
    expect(sampleOf(families, 'headframe_connections_closed_total', { reason: 'banned' })).toBe(3);
  });

  it('has counters that only grow between two scrapes', async () => {
    const [before, after] = [await read(fullView()), await read(fullView(5))];
    for (const [name, { type, samples }] of before) {
      if (type === 'gauge') continue;
      for (const { name: sampleName, labels, value } of samples) {
        const later = after
          .get(name)
          ?.samples.find((one) => one.name === sampleName && [...labels].every(([k, v]) => one.labels.get(k) === v));
        expect(later?.value, sampleName).toBeGreaterThanOrEqual(value);
      }
    }
    expect(sampleOf(after, 'headframe_shares_total', { result: 'accepted' })).toBe(15);
  });

  it('writes amounts without rounding them', async () => {
    const page = await createMetrics(fullView(), { clock: new FakeClock() }).render();
    expect(page).toContain('headframe_wallet_spendable_coins 90071992.54740993\n');
  });

  it('leaves out what is not there: no ledger, no job, not opened', async () => {
    const view: MetricsView = {
      ...fullView(),
      ledger: undefined,
      payouts: undefined,
      accountant: undefined,
      status: () => ({
        node: { ready: false, reason: 'not started', nodes: [] },
        job: undefined,
        server: serverStats(),
        blocks: undefined,
        jobs: undefined,
      }),
    };
    const families = await read(view);
    expect(sampleOf(families, 'headframe_node_ready')).toBe(0);
    for (const name of ['headframe_job_age_seconds', 'headframe_blocks_total', 'headframe_scrape_source_up']) {
      expect(families.has(name), name).toBe(false);
    }
  });

  it('comes without the numbers of a ledger that fails', async () => {
    const stats = () => Promise.reject(new PoolError('storage_failed', 'disk full'));
    const families = await read({ ...fullView(), storage: { isOk: false }, ledger: { stats } });
    expect(sampleOf(families, 'headframe_storage_ok')).toBe(0);
    expect(sampleOf(families, 'headframe_scrape_source_up', { source: 'ledger' })).toBe(0);
    expect(sampleOf(families, 'headframe_scrape_source_up', { source: 'payouts' })).toBe(1);
    expect(families.has('headframe_ledger_fold_lag_seconds')).toBe(false);
    expect(sampleOf(families, 'headframe_shares_total', { result: 'accepted' })).toBe(10);
  });

  it('waits a second for a ledger that hangs, and asks it no second question', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const stats = () => {
      asked++;
      return new Promise<never>(() => {});
    };
    const metrics = createMetrics({ ...fullView(), ledger: { stats } }, { clock });
    for (let i = 0; i < 3; i++) {
      const page = metrics.render();
      await Promise.resolve();
      clock.advance(1000);
      const families = parseExposition(await page);
      expect(sampleOf(families, 'headframe_scrape_source_up', { source: 'ledger' })).toBe(0);
    }
    expect(asked).toBe(1);
  });

  it('asks the ledger every five seconds at most, and forgets what it said after half a minute', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const good = fullView();
    const stats = () => {
      asked++;
      return asked > 2
        ? Promise.reject(new Error('gone'))
        : (good.ledger?.stats() ?? Promise.reject(new Error('none')));
    };
    const metrics = createMetrics({ ...good, ledger: { stats } }, { clock });
    const lag = async () => sampleOf(parseExposition(await metrics.render()), 'headframe_ledger_fold_lag_seconds');
    expect(await lag()).toBe(1.5);
    expect(await lag()).toBe(1.5);
    expect(asked).toBe(1);
    clock.advance(5000);
    expect(await lag()).toBe(1.5);
    expect(asked).toBe(2);
    clock.advance(5000);
    // It fails now: the last answer is still told for a while.
    expect(await lag()).toBe(1.5);
    clock.advance(30_000);
    expect(await lag()).toBeUndefined();
  });

  it('keeps the number of request series within its bound', async () => {
    const metrics = createMetrics(fullView(), { clock: new FakeClock() });
    for (let i = 0; i < 1500; i++) metrics.observeRequest(`/route/${i}`, i % 2 === 0 ? 'GET' : 'BREW', 200 + i, 0.001);
    const samples = parseExposition(await metrics.render()).get('headframe_http_request_seconds')?.samples ?? [];
    const counts = samples.filter(({ name }) => name.endsWith('_count'));
    // The bound, and one `other` for every method and status.
    expect(counts.length).toBeLessThanOrEqual(1000 + 2 * 401);
    expect(counts.reduce((sum, { value }) => sum + value, 0)).toBe(1500);
    expect(new Set(counts.map(({ labels }) => labels.get('method')))).toEqual(new Set(['GET', 'other']));
  });
});

describe('MetricsText', () => {
  it('writes numbers as the format has them', () => {
    const text = new MetricsText();
    text.setEach('headframe_sessions', { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: 1e21, d: 1e-7, e: undefined });
    const samples = parseExposition(text.toString()).get('headframe_sessions')?.samples;
    expect(samples?.map(({ value }) => value)).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7]);
  });
});
