import { readFileSync } from 'node:fs';
import { METRICS, type MetricFamily } from '@headframe/http';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const read = (path: string) => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const listOf = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** Names that a query may use: those of the list, and the parts of histograms. */
const SAMPLES = new Map<string, MetricFamily>(
  Object.entries(METRICS).flatMap(([name, family]: [string, MetricFamily]) =>
    family.type === 'histogram'
      ? ['bucket', 'sum', 'count'].map((part) => [`${name}_${part}`, family] as const)
      : [[name, family] as const],
  ),
);
/** Labels that Prometheus adds. */
const ADDED = new Set(['instance', 'job', 'le']);

/** What is wrong with the names in a query. */
function problemsOf(query: string): string[] {
  const problems: string[] = [];
  const outside = query.replaceAll(/"[^"]*"/g, '""');
  for (const [, name = '', selector = ''] of outside.matchAll(
    /\b((?:headframe|process|nodejs)_\w+)(?:\{([^}]*)\})?/g,
  )) {
    const family = SAMPLES.get(name);
    if (family === undefined) problems.push(`${name} does not exist`);
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (!ADDED.has(label) && !family?.labels.includes(label)) problems.push(`${name} has no label ${label}`);
    }
  }
  const used = [...outside.matchAll(/\b(?:headframe|process|nodejs)_\w+/g)].map(([name]) => SAMPLES.get(name));
  const labels = new Set(used.flatMap((family) => family?.labels ?? []));
  for (const [, list = ''] of outside.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)) {
    for (const label of list.split(',').map((part) => part.trim())) {
      if (label !== '' && !ADDED.has(label) && !labels.has(label)) problems.push(`no metric has the label ${label}`);
    }
  }
  let depth = 0;
  for (const char of outside) {
    if ('({['.includes(char)) depth++;
    else if (')}]'.includes(char)) depth--;
    if (depth < 0) problems.push('brackets do not match');
  }
  if (depth !== 0) problems.push('brackets do not match');
  return problems;
}

describe('problemsOf', () => {
  it.each([
    ['rate(headframe_jobs_totall[5m])', 'headframe_jobs_totall does not exist'],
    ['headframe_share_latency_seconds', 'headframe_share_latency_seconds does not exist'],
    ['headframe_jobs_total{node="x"}', 'headframe_jobs_total has no label node'],
    ['sum by (nod) (headframe_node_up)', 'no metric has the label nod'],
    ['sum(headframe_node_up', 'brackets do not match'],
  ])('finds what is wrong with %s', (query, problem) => {
    expect(problemsOf(query)).toContain(problem);
  });
});

describe('alert rules', () => {
  const file: unknown = parse(read('operations/alerts.yml'));
  const rules = listOf(isRecord(file) ? file.groups : undefined).flatMap(({ rules: inGroup }) => listOf(inGroup));

  it('are rules as Prometheus takes them', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, labels, annotations, ...rest } of rules) {
      expect(alert).toMatch(/^Headframe[A-Z]\w+$/);
      expect(typeof expr, String(alert)).toBe('string');
      expect(labels, String(alert)).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
      expect(annotations, String(alert)).toEqual({ summary: expect.any(String) });
      expect(Object.keys(rest), String(alert)).toEqual(rest.for === undefined ? [] : ['for']);
      if (rest.for !== undefined) expect(rest.for).toMatch(/^\d+[smh]$/);
    }
  });

  it('ask for metrics and labels that exist', () => {
    for (const { alert, expr } of rules) expect(problemsOf(String(expr)), String(alert)).toEqual([]);
  });

  it('are all explained, and nothing else is', () => {
    const headings = [...read('operations/monitoring.md').matchAll(/^### (Headframe\w+)$/gm)].map(([, name]) => name);
    expect(headings).toEqual(rules.map(({ alert }) => alert));
  });
});

describe('Grafana dashboard', () => {
  const board: unknown = JSON.parse(read('operations/grafana-dashboard.json'));
  const panels = listOf(isRecord(board) ? board.panels : undefined);

  it('has panels with ids of their own that do not overlap', () => {
    expect(board).toMatchObject({ title: 'Headframe', uid: 'headframe', schemaVersion: expect.any(Number) });
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      if (!isRecord(gridPos)) throw new Error(`${String(title)} has no place`);
      const { x, y, w, h } = gridPos as Record<'x' | 'y' | 'w' | 'h', number>;
      expect(x + w, String(title)).toBeLessThanOrEqual(24);
      for (let i = x; i < x + w; i++) {
        for (let j = y; j < y + h; j++) {
          expect(taken.has(`${i} ${j}`), String(title)).toBe(false);
          taken.add(`${i} ${j}`);
        }
      }
    }
  });

  it('asks for metrics and labels that exist', () => {
    const targets = panels.flatMap(({ title, targets: queries }) =>
      listOf(queries).map(({ expr, refId }) => ({ title, expr, refId })),
    );
    expect(targets.length).toBeGreaterThan(30);
    for (const { title, expr } of targets) expect(problemsOf(String(expr)), String(title)).toEqual([]);
    for (const [, definition = ''] of read('operations/grafana-dashboard.json').matchAll(/label_values\((\w+),/g)) {
      expect(SAMPLES.has(definition)).toBe(true);
    }
  });
});

describe('reference page', () => {
  it('has every metric with its type and labels, and no other', () => {
    const rows = [
      ...read('reference/metrics.md').matchAll(/^\| `((?:headframe|process|nodejs)_\w+)` \| (\w+) \| ([^|]*) \|/gm),
    ];
    const onPage = rows.map(([, name, type, labels = '']) => [name, type, [...labels.matchAll(/\w+/g)].map(String)]);
    const inCode = Object.entries(METRICS).map(([name, { type, labels }]) => [name, type, [...labels]]);
    expect(onPage).toEqual(inCode);
  });
});
