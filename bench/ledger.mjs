// The ledger: what a share costs to store and to fold, how long a commit takes, and how long questions take on a
// month of 5,000 workers. `HEADFRAME_BENCH_POSTGRES=postgres://...` measures an empty PostgreSQL database too.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openLedger } from '@headframe/ledger';
import { median } from './table.mjs';

const SHARES_PER_BATCH = 200;
const WORKERS = 5000;
const ACCOUNTS = 250;

/** @param {number} n @param {number} timeMs */
function share(n, timeMs) {
  const worker = (n * 7919) % WORKERS;
  return {
    timeMs,
    account: `bc1qaccount${worker % ACCOUNTS}xxxxxxxxxxxxxxxxxxxxxxxxxx`,
    worker: `bc1qaccount${worker % ACCOUNTS}xxxxxxxxxxxxxxxxxxxxxxxxxx.rig${worker}`,
    address: 'bc1qpayout',
    jobId: 1_700_000_000 + (n >> 14),
    height: 840_000,
    result: n % 97 === 0 ? 'stale' : 'accepted',
    difficulty: 2 ** (10 + (worker % 8)),
    achieved: 3.7 * n,
    blockHash: undefined,
  };
}

const makeBatches = (count, firstSequence, timeMs) =>
  Array.from({ length: count }, (_, i) => ({
    epoch: 'bench',
    sequence: firstSequence + i,
    shares: Array.from({ length: SHARES_PER_BATCH }, (_, j) => share(i * SHARES_PER_BATCH + j, timeMs + i * 10)),
  }));

const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

/** Stores `batches`, `inFlight` at a time; how many shares a second, commit times, processor time. */
async function store(ledger, batches, inFlight) {
  const times = [];
  let next = 0;
  const loop = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const run = async () => {
    while (next < batches.length) {
      const batch = batches[next++];
      const began = performance.now();
      await ledger.commit(batch);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, run));
  const ms = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const shares = batches.length * SHARES_PER_BATCH;
  return {
    perSecond: (shares / ms) * 1000,
    p50: median(times),
    p99: quantile(times, 0.99),
    mainUs: (performance.eventLoopUtilization(loop).active * 1000) / shares,
    cpuUs: (used.user + used.system) / shares,
    shares,
  };
}

async function throughput(url, batches) {
  const ledger = await openLedger({ url, foldIntervalMs: Number.POSITIVE_INFINITY });
  // The code warms up on batches of another epoch.
  await store(
    ledger,
    makeBatches(100, 1, 1.7e12).map((batch) => ({ ...batch, epoch: 'warm' })),
    4,
  );
  await ledger.fold();
  const rows = [];
  for (const inFlight of [1, 4]) {
    const own = batches.map((batch) => ({ ...batch, epoch: `bench${inFlight}` }));
    const stored = await store(ledger, own, inFlight);
    const cpu = process.cpuUsage();
    const began = performance.now();
    await ledger.fold();
    const foldMs = performance.now() - began;
    const used = process.cpuUsage(cpu);
    rows.push([
      inFlight,
      Math.round(stored.perSecond),
      Number(stored.p50.toFixed(2)),
      Number(stored.p99.toFixed(2)),
      Number(stored.mainUs.toFixed(2)),
      Number(stored.cpuUs.toFixed(2)),
      Number(((used.user + used.system) / stored.shares).toFixed(2)),
      Math.round((stored.shares / foldMs) * 1000),
    ]);
  }
  await ledger.close();
  return rows;
}

/** Commits at 20,000 shares a second, folding meanwhile: what the folds do to the time of a commit. */
async function paced(url, seconds) {
  const ledger = await openLedger({ url, foldIntervalMs: 1000 });
  const batches = makeBatches(Math.round((seconds * 20_000) / SHARES_PER_BATCH), 1, Date.now());
  const times = [];
  const pending = [];
  const start = performance.now();
  for (const [i, batch] of batches.entries()) {
    const due = start + (i * SHARES_PER_BATCH) / 20;
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
    const began = performance.now();
    pending.push(ledger.commit(batch).then(() => times.push(performance.now() - began)));
  }
  await Promise.all(pending);
  await ledger.close();
  return ['20,000 shares/s, folded every second', median(times), quantile(times, 0.99), Math.max(...times)];
}

/** A month of synthetic statistics: minutes of two days and hours of a month of every worker, as retention leaves them. */
async function fillMonth(path, { minuteDays, hourDays }) {
  const { openSqliteHandle } = await import('../packages/ledger/dist/sql/sqlite-handle.js');
  const url = `sqlite:${path}`;
  const ledger = await openLedger({ url });
  const now = Date.now();
  // One share of every worker makes the subjects.
  const shares = Array.from({ length: WORKERS }, (_, i) => ({ ...share(i, now), result: 'accepted' }));
  await ledger.commit({ epoch: 'month', sequence: 1, shares });
  await ledger.fold();
  await ledger.close();
  const database = await openSqliteHandle(path);
  database.exec('PRAGMA synchronous = OFF');
  const fill = (table, step, days) => {
    const rows = Math.floor((days * 86_400) / step);
    const last = Math.floor(now / 1000 / step) * step - step;
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1})
      INSERT INTO ${table} SELECT s.id, ${last} - (${rows - 1} - i) * ${step}, 6, 0, 0, 0, 0, 6144, 0, 5000.0
      FROM subjects s CROSS JOIN n ORDER BY s.id, i`);
    return rows * (WORKERS + ACCOUNTS + 1);
  };
  const rows = fill('stats_hour', 3600, hourDays) + fill('stats_minute', 60, minuteDays);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return rows;
}

async function questions(path, rounds) {
  const ledger = await openLedger({ url: `sqlite:${path}` });
  const now = Date.now();
  const account = (i) => `bc1qaccount${i % ACCOUNTS}xxxxxxxxxxxxxxxxxxxxxxxxxx`;
  const asked = [
    ['account page: 20 workers, three rates each', (i) => ledger.account(account(i))],
    [
      'its chart: hours of a month',
      (i) => ledger.series({ account: account(i), resolution: 'hour', fromMs: now - 31 * 864e5, toMs: now }),
    ],
    [
      'its chart: minutes of a day',
      (i) => ledger.series({ account: account(i), resolution: 'minute', fromMs: now - 864e5, toMs: now }),
    ],
    ['pool: totals and rates', () => ledger.summary()],
    ['top 20 accounts', () => ledger.topAccounts(20)],
    ['active accounts and workers', () => ledger.active(now - 600_000)],
  ];
  const rows = [];
  for (const [name, ask] of asked) {
    const times = [];
    for (let i = 0; i < rounds; i++) {
      const began = performance.now();
      // Each round asks for another account, so that its rows have to be found first.
      const answer = await ask(i * 13);
      if (answer === undefined) throw new Error(`${name}: no answer`);
      times.push(performance.now() - began);
    }
    rows.push([
      name,
      Number(times[0]?.toFixed(1)),
      Number(median(times).toFixed(1)),
      Number(Math.max(...times).toFixed(1)),
    ]);
  }
  await ledger.close();
  return rows;
}

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-bench-'));
  try {
    const batches = makeBatches(quick ? 500 : 2000, 1, Date.now());
    const sqlite = await throughput(`sqlite:${join(folder, 'throughput.db')}`, batches);
    const tables = [sqlite.map((row) => ['SQLite', ...row])];
    const postgres = process.env.HEADFRAME_BENCH_POSTGRES;
    if (postgres !== undefined) tables.push((await throughput(postgres, batches)).map((row) => ['PostgreSQL', ...row]));
    const bytes = statSync(join(folder, 'throughput.db')).size / (batches.length * 2 * SHARES_PER_BATCH);
    const pace = await paced(`sqlite:${join(folder, 'paced.db')}`, quick ? 5 : 15);
    const path = join(folder, 'month.db');
    const rows = await fillMonth(path, quick ? { minuteDays: 0.25, hourDays: 31 } : { minuteDays: 2, hourDays: 31 });
    const size = (statSync(path).size / 2 ** 20).toFixed(0);
    return [
      {
        title: `Storing ${SHARES_PER_BATCH} shares a batch, ${WORKERS} workers; ${bytes.toFixed(0)} bytes a share on disk`,
        columns: [
          'database',
          'in flight',
          'shares/s',
          'p50 ms',
          'p99 ms',
          'main us/share',
          'CPU us/share',
          'fold CPU us/share',
          'folded/s',
        ],
        rows: tables.flat(),
      },
      {
        title: 'Time of a commit under a steady load (SQLite)',
        columns: ['load', 'p50 ms', 'p99 ms', 'max ms'],
        rows: [pace.map((cell) => (typeof cell === 'number' ? Number(cell.toFixed(2)) : cell))],
      },
      {
        title: `Questions on a month of ${WORKERS} workers, ${ACCOUNTS} accounts: ${rows} rows, ${size} MiB (SQLite)`,
        columns: ['question', 'first ms', 'p50 ms', 'max ms'],
        rows: await questions(path, quick ? 15 : 50),
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
