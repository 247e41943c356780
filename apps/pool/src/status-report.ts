import type { Pool } from '@headframe/pool';
import type { Clock, Logger } from '@headframe/primitives';
import { hashrateText } from './format.js';

const PERIOD_MS = 60_000;
/** Samples over which the hash rate is averaged: ten minutes. */
const MAX_SAMPLES = 10;
/** Hashes that difficulty 1 takes on average, times the coin's factor. */
const HASHES_PER_DIFFICULTY = 2 ** 32;

interface Sample {
  readonly atMs: number;
  readonly work: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** What the reports need of a pool. */
export type ReportedPool = Pick<Pool<unknown>, 'status' | 'coin'>;

/**
 * Logs one line a minute with how the pool is doing: hash rate of the last ten minutes, sessions, workers, shares of the
 * minute, height and age of the job. Returns the function that ends it.
 */
export function startStatusReports(pool: ReportedPool, log: Logger, clock: Clock): () => void {
  const factor = HASHES_PER_DIFFICULTY / pool.coin.difficultyFactor;
  const sample = (): Sample => {
    const { shares } = pool.status().server;
    const rejected = Object.values(shares.rejected).reduce((sum, count) => sum + count, 0);
    return { atMs: clock.monotonic(), work: shares.work, accepted: shares.accepted, rejected };
  };
  const samples = [sample()];
  const report = (): void => {
    const now = sample();
    const last = samples.at(-1) ?? now;
    const first = samples[0] ?? now;
    samples.push(now);
    if (samples.length > MAX_SAMPLES) samples.shift();
    const seconds = (now.atMs - first.atMs) / 1000;
    const { sessions, server, job, node } = pool.status();
    log.info(
      {
        hashrate: hashrateText(seconds > 0 ? ((now.work - first.work) / seconds) * factor : 0),
        sessions,
        workers: server.workers,
        accepted: now.accepted - last.accepted,
        rejected: now.rejected - last.rejected,
        height: job?.height ?? null,
        jobAgeSeconds: job === undefined ? null : Math.max(0, Math.round((clock.now() - job.createdAtMs) / 1000)),
        ...(!node.ready && { node: node.reason ?? 'not ready' }),
      },
      'status',
    );
  };
  const timer = clock.setInterval(report, PERIOD_MS);
  return () => timer.cancel();
}
