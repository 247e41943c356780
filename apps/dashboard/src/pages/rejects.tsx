import type { RejectsInfo, SeriesJson } from '@headframe/http';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { endpoints } from '../api/endpoints.js';
import { Card, PageHead, Tile, Tiles } from '../components/card.js';
import { ChartFigure } from '../components/figure.js';
import { RangePicker } from '../components/hashrate-card.js';
import { Empty, Loaded } from '../components/states.js';
import { type Column, Table } from '../components/table.js';
import { Time } from '../components/text.js';
import { count, percent } from '../format/number.js';
import { useApi } from '../services.js';
import { RANGES, type RangeName } from '../state/range.js';
import { rejectLineOf } from '../state/series.js';
import { reasonWords } from '../state/words.js';

type Reason = RejectsInfo['reasons'][number];

export function Rejects(): JSX.Element {
  const answer = useApi(endpoints.rejects);
  return (
    <>
      <PageHead
        title="Rejected shares"
        lead="Shares that were refused, by reason. Below one percent is normal; what each reason means tells what to look at."
      />
      <Loaded answer={answer} lines={10}>
        {(info) => <Reasons info={info} />}
      </Loaded>
      <RatioCard />
    </>
  );
}

function Reasons({ info }: { readonly info: RejectsInfo }): JSX.Element {
  const all = info.accepted + info.rejected;
  const columns: readonly Column<Reason>[] = [
    { name: 'reason', label: 'Reason', cell: (item) => <strong>{reasonWords(item.code)}</strong> },
    {
      name: 'part',
      label: 'Part of the rejected',
      cell: (item) => (
        <div class="table-meter">
          <div class="bar" aria-hidden="true">
            <span style={{ width: `${((item.count / Math.max(1, info.rejected)) * 100).toFixed(1)}%` }} />
          </div>
        </div>
      ),
    },
    { name: 'count', label: 'Shares', isNumber: true, cell: (item) => count(item.count) },
    { name: 'ratio', label: 'Of all', isNumber: true, cell: (item) => percent(item.count / Math.max(1, all)) },
    {
      name: 'meaning',
      label: 'What it means',
      isWide: true,
      cell: (item) => <span class="muted">{item.meaning}</span>,
    },
  ];
  return (
    <>
      <Tiles label="Shares since the pool was started">
        <Tile label="Accepted" value={count(info.accepted)} more={<Since ms={info.sinceMs} />} />
        <Tile label="Rejected" value={count(info.rejected)} />
        <Tile label="Rejected, of all" value={percent(all === 0 ? 0 : info.rejected / all)} />
      </Tiles>
      <Card title="Reasons" flush>
        {info.reasons.length === 0 ? (
          <Empty title={all === 0 ? 'No shares yet' : 'Not one share was rejected'}>
            {all === 0 ? 'Reasons appear with the first rejected share.' : 'Nothing to look after.'}
          </Empty>
        ) : (
          <Table
            caption="Rejected shares by reason"
            columns={columns}
            items={info.reasons}
            keyOf={(item) => item.code}
          />
        )}
      </Card>
    </>
  );
}

function Since({ ms }: { readonly ms: number }): JSX.Element {
  return (
    <>
      counted since <Time ms={ms} />
    </>
  );
}

function RatioCard(): JSX.Element {
  const [range, setRange] = useState<RangeName>('24h');
  const answer = useApi(endpoints.series({}, range));
  return (
    <Card title="Rejected over time" tools={<RangePicker range={range} onRange={setRange} />}>
      <div class="chart-space">
        <Loaded answer={answer} skeleton={<span class="skeleton chart" aria-hidden="true" />}>
          {(series) => <RatioLine key={range} series={series} range={range} />}
        </Loaded>
      </div>
    </Card>
  );
}

function RatioLine({ series, range }: { readonly series: SeriesJson; readonly range: RangeName }): JSX.Element {
  const line = useMemo(() => rejectLineOf(series, range), [series, range]);
  const { words } = RANGES[range];
  if (line.times.length < 2) return <Empty title={`No shares counted in ${words} yet`} />;
  const text = `In ${words}: ${percent(line.mean)} of the shares were rejected, at most ${percent(Math.max(...line.ratios))} at a time.`;
  return <ChartFigure times={line.times} values={line.ratios} format={percent} valueName="Rejected" summary={text} />;
}
