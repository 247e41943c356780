import type { HistogramSnapshot } from '@headframe/primitives';
import type { MiningServerStats } from '@headframe/server';
import type { SessionServerStats } from '@headframe/sessions';
import type { ExtranonceSplit } from './split.js';
import type { Upstream, UpstreamState } from './upstream.js';
import type { WorkerRow } from './worker-book.js';

/** One upstream, for metrics and the status page. */
export interface UpstreamRow {
  readonly name: string;
  readonly active: boolean;
  readonly state: UpstreamState;
  /** Why, in words. */
  readonly detail: string;
  readonly difficulty: number | undefined;
  /** Requests without an answer. */
  readonly pending: number;
  readonly connects: number;
  readonly losses: number;
  readonly jobs: number;
  /** Unix milliseconds of the last job; 0 without one. */
  readonly jobAtMs: number;
}

/** Counters of a proxy, whatever its mode. */
export interface ProxyStats {
  readonly mode: 'aggregated' | 'one-to-one';
  readonly upstreams: readonly UpstreamRow[];
  /** What upstreams said to the shares of all workers. */
  readonly total: WorkerRow;
  /** The thousand workers heard of last. */
  readonly workers: readonly WorkerRow[];
  /** Seconds from a share to the upstream's answer. */
  readonly answers: HistogramSnapshot;
}

/** Counters of an aggregated proxy. */
export interface AggregatedStats extends ProxyStats {
  readonly mode: 'aggregated';
  /** Name of the upstream that miners work for. */
  readonly upstream: string | undefined;
  readonly server: MiningServerStats;
  /** Shares that wait for a lost upstream to come back. */
  readonly unsent: number;
  /** How the room for extranonces is divided; undefined before the first job. */
  readonly split: ExtranonceSplit | undefined;
}

/** Counters of a one-to-one proxy. */
export interface RelayStats extends ProxyStats {
  readonly mode: 'one-to-one';
  readonly sessions: SessionServerStats;
}

/** The row of an upstream. */
export function upstreamRow(upstream: Upstream, active: boolean): UpstreamRow {
  const { name, state, detail, difficulty, pending, connects, losses, jobs, jobAtMs } = upstream;
  return { name, active, state, detail, difficulty, pending, connects, losses, jobs, jobAtMs };
}
