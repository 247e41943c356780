import type { SeriesJson } from '@headframe/http';
import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { endpoints, type Subject } from '../api/endpoints.js';
import { hashrateText } from '../format/number.js';
import { useApi } from '../services.js';
import { RANGE_NAMES, RANGES, type RangeName } from '../state/range.js';
import { lineOf, summaryOf } from '../state/series.js';
import { Card } from './card.js';
import { ChartFigure } from './figure.js';
import { Empty, Loaded } from './states.js';

/** Buttons that choose how far back a chart looks. */
export function RangePicker(props: {
  readonly range: RangeName;
  readonly onRange: (range: RangeName) => void;
}): JSX.Element {
  return (
    <fieldset class="segments">
      <legend class="sr-only">Range</legend>
      {RANGE_NAMES.map((name) => (
        <button key={name} type="button" aria-pressed={props.range === name} onClick={() => props.onRange(name)}>
          {RANGES[name].label}
        </button>
      ))}
    </fieldset>
  );
}

/** Hashrate over time, of the pool, an account or a worker. */
export function HashrateCard(props: { readonly subject: Subject; readonly empty: ComponentChildren }): JSX.Element {
  const [range, setRange] = useState<RangeName>('24h');
  const answer = useApi(endpoints.series(props.subject, range));
  return (
    <Card title="Hashrate" tools={<RangePicker range={range} onRange={setRange} />}>
      <div class="chart-space">
        <Loaded answer={answer} skeleton={<span class="skeleton chart" aria-hidden="true" />}>
          {(series) => <HashrateLine key={range} series={series} range={range} empty={props.empty} />}
        </Loaded>
      </div>
    </Card>
  );
}

function HashrateLine(props: {
  readonly series: SeriesJson;
  readonly range: RangeName;
  readonly empty: ComponentChildren;
}): JSX.Element {
  const line = useMemo(() => lineOf(props.series, props.range), [props.series, props.range]);
  const summary = summaryOf(line);
  const { words, resolution } = RANGES[props.range];
  if (summary === undefined || line.times.length < 2) {
    if (props.series.points.length > 0) {
      return <Empty title="Shares are coming in">The line begins after the first whole {resolution}.</Empty>;
    }
    return <Empty title={`No shares counted in ${words} yet`}>{props.empty}</Empty>;
  }
  const text = `In ${words}: ${hashrateText(summary.mean)} on average, between ${hashrateText(summary.lowest)} and ${hashrateText(summary.highest)}.`;
  return (
    <ChartFigure times={line.times} values={line.hashrates} format={hashrateText} valueName="Hashrate" summary={text} />
  );
}
