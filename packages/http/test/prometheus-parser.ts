/** A sample as a strict reader of the text format sees it. */
export interface ParsedSample {
  /** With the suffix of histograms. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** A family of samples. */
export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^[+-]?(?:Inf|NaN|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram']);

function fail(line: string, reason: string): never {
  throw new Error(`${reason}: ${line}`);
}

function numberOf(text: string, line: string): number {
  if (!NUMBER.test(text)) fail(line, 'not a number');
  return Number(text.replace('Inf', 'Infinity'));
}

function labelsOf(text: string, line: string): { labels: Map<string, string>; rest: string } {
  const labels = new Map<string, string>();
  let at = 1;
  while (text[at] !== '}') {
    const equals = text.indexOf('="', at);
    const name = text.slice(at, equals);
    if (equals < 0 || !LABEL.test(name) || name.startsWith('__')) fail(line, 'bad label name');
    if (labels.has(name)) fail(line, 'label twice');
    let value = '';
    for (at = equals + 2; text[at] !== '"'; at++) {
      const char = text[at];
      if (char === undefined) fail(line, 'label value without end');
      if (char !== '\\') {
        value += char;
        continue;
      }
      at++;
      const escaped = text[at];
      if (escaped === 'n') value += '\n';
      else if (escaped === '\\' || escaped === '"') value += escaped;
      else fail(line, 'bad escape');
    }
    labels.set(name, value);
    at++;
    if (text[at] === ',') at++;
    else if (text[at] !== '}') fail(line, 'no comma between labels');
  }
  return { labels, rest: text.slice(at + 1) };
}

function sampleOf(line: string): ParsedSample {
  const end = /[{ ]/.exec(line)?.index ?? fail(line, 'no value');
  const name = line.slice(0, end);
  if (!NAME.test(name)) fail(line, 'bad metric name');
  const tail = line.slice(end);
  const { labels, rest } = tail.startsWith('{') ? labelsOf(tail, line) : { labels: new Map(), rest: tail };
  if (!/^ \S+$/.test(rest)) fail(line, 'not exactly one value');
  return { name, labels, value: numberOf(rest.slice(1), line) };
}

const keyOf = ({ name, labels }: ParsedSample, without?: string): string =>
  JSON.stringify([name, [...labels].filter(([label]) => label !== without).sort()]);

function checkHistogram(name: string, samples: readonly ParsedSample[]): void {
  const series = new Map<string, ParsedSample[]>();
  const single = new Map<string, number>();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket`) {
      if (sample.name !== `${name}_sum` && sample.name !== `${name}_count`) fail(sample.name, 'foreign sample');
      single.set(keyOf(sample), sample.value);
      continue;
    }
    const key = keyOf(sample, 'le');
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const buckets of series.values()) {
    let [bound, count] = [Number.NEGATIVE_INFINITY, 0];
    for (const { labels, value } of buckets) {
      const next = numberOf(labels.get('le') ?? '', name);
      if (!(next > bound)) fail(name, 'buckets out of order');
      if (value < count) fail(name, 'buckets are not cumulative');
      [bound, count] = [next, value];
    }
    if (bound !== Number.POSITIVE_INFINITY) fail(name, 'no bucket +Inf');
    const [first] = buckets;
    const labels = new Map([...(first?.labels ?? [])].filter(([label]) => label !== 'le'));
    if (single.get(keyOf({ name: `${name}_count`, labels, value: 0 })) !== count)
      fail(name, 'count is not the last bucket');
    if (!single.has(keyOf({ name: `${name}_sum`, labels, value: 0 }))) fail(name, 'no sum');
  }
}

/** Reads a page as strictly as the format is written down. @throws Error that names the line */
export function parseExposition(page: string): Map<string, ParsedFamily> {
  if (!page.endsWith('\n') || page.includes('\r'))
    fail(page.slice(-20), 'lines end with a line feed, the last one too');
  const families = new Map<string, { type: string; help: string; samples: ParsedSample[] }>();
  const seen = new Set<string>();
  let current: { type: string; help: string; samples: ParsedSample[] } | undefined;
  let name = '';
  for (const line of page.slice(0, -1).split('\n')) {
    const header = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (header !== null) {
      const [, kind, family = '', text = ''] = header;
      if (kind === 'HELP') {
        if (families.has(family)) fail(line, 'family twice');
        current = { type: '', help: text, samples: [] };
        name = family;
        families.set(name, current);
      } else {
        if (current === undefined || family !== name || current.type !== '' || current.samples.length > 0) {
          fail(line, 'TYPE in the wrong place');
        }
        if (!TYPES.has(text)) fail(line, 'unknown type');
        current.type = text;
      }
      continue;
    }
    const sample = sampleOf(line);
    if (current === undefined || current.type === '') fail(line, 'sample before its type');
    if (current.type === 'histogram' ? !sample.name.startsWith(`${name}_`) : sample.name !== name) {
      fail(line, 'sample of another family');
    }
    const key = keyOf(sample);
    if (seen.has(key)) fail(line, 'sample twice');
    seen.add(key);
    current.samples.push(sample);
  }
  for (const [family, { type, samples }] of families) {
    if (samples.length === 0) fail(family, 'family without samples');
    if (type === 'histogram') checkHistogram(family, samples);
    if (type === 'counter' && (!family.endsWith('_total') || samples.some(({ value }) => !(value >= 0)))) {
      fail(family, 'a counter ends in _total and is not negative');
    }
  }
  return families;
}
