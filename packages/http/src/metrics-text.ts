import type { HistogramSnapshot } from '@headframe/primitives';
import { METRICS, type MetricFamily, type MetricName } from './metrics-list.js';

/** Version 0.0.4 of the text format, which every Prometheus reads. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Values of labels, by name. */
export type Labels = Readonly<Record<string, string>>;

/** Gathers samples by family and writes them in the text format of Prometheus. */
export class MetricsText {
  readonly #samples = new Map<MetricName, string[]>();

  /** Sets a counter or gauge. A text is a decimal number that must not be rounded. Undefined: no sample. */
  set(name: MetricName, value: number | string | undefined, labels: Labels = {}): void {
    if (value === undefined) return;
    this.#add(name, `${name}${labelText(labels)} ${typeof value === 'number' ? numberText(value) : value}`);
  }

  /** Sets one sample per key, the key being the only label. */
  setEach(name: MetricName, values: Readonly<Record<string, number | undefined>>): void {
    const [label = ''] = METRICS[name].labels;
    for (const [key, value] of Object.entries(values)) this.set(name, value, { [label]: key });
  }

  histogram(name: MetricName, found: HistogramSnapshot | undefined, labels: Labels = {}): void {
    if (found === undefined) return;
    for (let i = 0; i < found.bounds.length; i++) {
      const le = numberText(found.bounds[i] ?? 0);
      this.#add(name, `${name}_bucket${labelText({ ...labels, le })} ${found.cumulative[i] ?? 0}`);
    }
    this.#add(name, `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${found.count}`);
    this.#add(name, `${name}_sum${labelText(labels)} ${numberText(found.sum)}`);
    this.#add(name, `${name}_count${labelText(labels)} ${found.count}`);
  }

  #add(name: MetricName, line: string): void {
    const lines = this.#samples.get(name);
    if (lines === undefined) this.#samples.set(name, [line]);
    else lines.push(line);
  }

  /** The page. Families without samples are left out. */
  toString(): string {
    const parts: string[] = [];
    for (const [name, lines] of this.#samples) {
      const { type, help }: MetricFamily = METRICS[name];
      parts.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines);
    }
    return `${parts.join('\n')}\n`;
  }
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
