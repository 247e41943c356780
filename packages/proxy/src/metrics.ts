import type { HistogramSnapshot } from '@headframe/primitives';
import type { AggregatedStats, RelayStats } from './stats.js';

/** Counters of either mode. */
export type AnyProxyStats = AggregatedStats | RelayStats;

type Labels = Readonly<Record<string, string>>;

/** Text for Prometheus, family by family. */
class MetricsText {
  text = '';

  family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.text += `# HELP headframe_proxy_${name} ${help}\n# TYPE headframe_proxy_${name} ${type}\n`;
  }

  value(name: string, value: number, labels: Labels = {}): void {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    this.text += `headframe_proxy_${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
  }

  one(name: string, type: 'counter' | 'gauge', help: string, value: number): void {
    this.family(name, type, help);
    this.value(name, value);
  }

  counts(name: string, help: string, label: string, counts: Readonly<Record<string, number | undefined>>): void {
    this.family(name, 'counter', help);
    for (const [key, count] of Object.entries(counts)) this.value(name, count ?? 0, { [label]: key });
  }

  histogram(name: string, help: string, { bounds, cumulative, sum, count }: HistogramSnapshot): void {
    this.family(name, 'histogram', help);
    for (const [i, bound] of bounds.entries()) this.value(`${name}_bucket`, cumulative[i] ?? 0, { le: String(bound) });
    this.value(`${name}_bucket`, count, { le: '+Inf' });
    this.value(`${name}_sum`, sum);
    this.value(`${name}_count`, count);
  }
}

function escapeLabel(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** The counters of a proxy in the text format of Prometheus. Workers are left out: their number is not bounded by us. */
export function renderMetrics(stats: AnyProxyStats, nowMs: number): string {
  const out = new MetricsText();
  const { upstreams, total, answers } = stats;
  const sessions = stats.mode === 'aggregated' ? stats.server.sessions : stats.sessions;
  out.one('sessions', 'gauge', 'Miners connected.', sessions.sessions);
  out.one('bans', 'gauge', 'Bans in force.', sessions.bans);
  out.counts('closed_total', 'Connections of miners that ended, by reason.', 'reason', sessions.closed);
  out.family('upstream_up', 'gauge', 'Whether an upstream is connected and gives jobs.');
  for (const { name, state } of upstreams) out.value('upstream_up', state === 'ready' ? 1 : 0, { upstream: name });
  out.family('upstream_active', 'gauge', 'Whether miners work for an upstream.');
  for (const { name, active } of upstreams) out.value('upstream_active', active ? 1 : 0, { upstream: name });
  out.family('upstream_losses_total', 'counter', 'Connections that were lost or not made.');
  for (const { name, losses } of upstreams) out.value('upstream_losses_total', losses, { upstream: name });
  out.family('upstream_jobs_total', 'counter', 'Jobs received.');
  for (const { name, jobs } of upstreams) out.value('upstream_jobs_total', jobs, { upstream: name });
  out.family('upstream_job_age_seconds', 'gauge', 'Seconds since the last job.');
  for (const { name, jobAtMs } of upstreams) {
    if (jobAtMs > 0) out.value('upstream_job_age_seconds', Math.max(0, (nowMs - jobAtMs) / 1000), { upstream: name });
  }
  out.one('upstream_accepted_total', 'counter', 'Shares that upstreams accepted.', total.accepted);
  out.one('upstream_work_total', 'counter', 'Sum of their difficulties.', total.work);
  out.one('upstream_lost_total', 'counter', 'Shares that upstreams never answered.', total.lost);
  out.one('blocks_total', 'counter', 'Blocks that upstreams accepted.', total.blocks);
  out.counts('upstream_rejected_total', 'Shares that upstreams refused, by reason.', 'reason', total.rejected);
  out.counts('dropped_total', 'Shares that met the target but were not worth sending.', 'reason', total.dropped);
  out.histogram('upstream_answer_seconds', 'Seconds until an upstream answered a share.', answers);
  if (stats.mode === 'aggregated') {
    const { shares } = stats.server;
    out.one('accepted_total', 'counter', 'Shares of miners that counted here.', shares.accepted);
    out.one('work_total', 'counter', 'Sum of their difficulties.', shares.work);
    out.counts('rejected_total', 'Shares of miners that did not count here, by reason.', 'reason', shares.rejected);
    out.histogram('share_seconds', 'Seconds from a share to the reply.', shares.latency);
    out.one('unsent', 'gauge', 'Shares that wait for a lost upstream.', stats.unsent);
  }
  return out.text;
}
