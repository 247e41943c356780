import type { AnyProxyStats } from './metrics.js';

/** Workers on the page; all of the thousand are in the JSON. */
const MAX_ROWS = 200;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function cells(values: readonly (string | number)[], tag = 'td'): string {
  return `<tr>${values.map((value) => `<${tag}>${escapeHtml(String(value))}</${tag}>`).join('')}</tr>`;
}

function ago(ms: number, nowMs: number): string {
  return ms === 0 ? 'never' : `${Math.max(0, Math.round((nowMs - ms) / 1000))} s ago`;
}

function sum(counts: Readonly<Record<string, number | undefined>>): number {
  return Object.values(counts).reduce<number>((all, count) => all + (count ?? 0), 0);
}

/** The counters of a proxy as a page for people. No script, nothing from elsewhere. */
export function renderStatusPage(stats: AnyProxyStats, nowMs: number): string {
  const { total } = stats;
  const sessions = stats.mode === 'aggregated' ? stats.server.sessions : stats.sessions;
  const upstreams = stats.upstreams.map((row) =>
    cells([
      row.active ? `${row.name} (in use)` : row.name,
      row.detail === '' ? row.state : `${row.state}: ${row.detail}`,
      row.difficulty ?? '',
      ago(row.jobAtMs, nowMs),
      row.losses,
    ]),
  );
  const workers = stats.workers
    .slice(0, MAX_ROWS)
    .map((row) => cells([row.worker, row.accepted, sum(row.rejected), row.lost, row.blocks, ago(row.lastMs, nowMs)]));
  const facts: (readonly [string, string | number])[] = [
    ['Mode', stats.mode],
    ['Miners', sessions.sessions],
    ['Shares accepted upstream', total.accepted],
    ['Refused upstream', sum(total.rejected)],
    ['Lost with an upstream', total.lost],
    ['Blocks', total.blocks],
  ];
  if (stats.mode === 'aggregated') {
    const { accepted, rejected } = stats.server.shares;
    facts.push(['Shares accepted here', accepted], ['Refused here', sum(rejected)]);
  }
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10">
<meta name="viewport" content="width=device-width"><title>Headframe proxy</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{text-align:left;padding:.3rem .8rem;border-bottom:1px solid #8884}</style>
</head><body><h1>Headframe proxy</h1>
<table>${facts.map((fact) => cells(fact)).join('')}</table>
<h2>Upstreams</h2><table>${cells(['Name', 'State', 'Difficulty', 'Last job', 'Losses'], 'th')}${upstreams.join('')}</table>
<h2>Workers</h2><table>${cells(['Name', 'Accepted', 'Refused', 'Lost', 'Blocks', 'Last'], 'th')}${workers.join('')}</table>
</body></html>
`;
}
