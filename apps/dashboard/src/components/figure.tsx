import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { absolute } from '../format/time.js';
import { LineChart } from './line-chart.js';

/** A line chart with its words: what it says, the value under the pointer, and all values as a table. */
export function ChartFigure(props: {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
  readonly valueName: string;
  readonly summary: string;
  readonly footer?: ComponentChildren;
}): JSX.Element {
  const { times, values, format } = props;
  const [point, setPoint] = useState<number | undefined>(undefined);
  const [isOpen, setOpen] = useState(false);
  const time = point === undefined ? undefined : times[point];
  const value = point === undefined ? undefined : values[point];
  return (
    <figure>
      <LineChart times={times} values={values} format={format} summary={props.summary} onPoint={setPoint} />
      <figcaption class="chart-readout">
        {time !== undefined && value !== undefined ? `${absolute(time * 1000)}: ${format(value)}` : props.summary}
      </figcaption>
      <details class="small" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary class="muted">Values as a table</summary>
        {isOpen && (
          <section class="chart-data" aria-label="Values of the chart" tabindex={0}>
            <table>
              <caption class="sr-only">{props.summary}</caption>
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col" class="number">
                    {props.valueName}
                  </th>
                </tr>
              </thead>
              <tbody>
                {times.map((second, index) => (
                  <tr key={second}>
                    <td>{absolute(second * 1000)}</td>
                    <td class="number">{format(values[index] ?? 0)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </details>
    </figure>
  );
}
