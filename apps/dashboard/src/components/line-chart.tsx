import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { axisTime } from '../format/time.js';

/** A line to draw; the words around it are the caller's. */
export interface LineChartProps {
  /** Unix seconds. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
  /** What a screen reader says instead of the picture. */
  readonly summary: string;
  /** Index of the point under the pointer; undefined when there is none. */
  readonly onPoint: (index: number | undefined) => void;
}

const AXIS_FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** Width in CSS pixels that the longest label, as `999.9 EH/s`, takes. */
const Y_AXIS_SIZE = 76;

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsFor(props: () => LineChartProps, width: number, height: number): uPlot.Options {
  const span = (plot: uPlot): number => ((plot.scales.x?.max ?? 0) - (plot.scales.x?.min ?? 0)) * 1000;
  return {
    width,
    height,
    padding: [10, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    series: [
      {},
      {
        stroke: () => token('--accent-fill'),
        fill: () => token('--accent-soft'),
        width: 1.75,
        points: { show: false },
      },
    ],
    axes: [
      {
        stroke: () => token('--muted'),
        font: AXIS_FONT,
        grid: { show: false },
        ticks: { show: false },
        border: { show: true, stroke: () => token('--line'), width: 1 },
        space: 76,
        size: 30,
        values: (plot, splits) => splits.map((second) => axisTime(second * 1000, span(plot))),
      },
      {
        stroke: () => token('--muted'),
        font: AXIS_FONT,
        grid: { stroke: () => token('--line'), width: 1 },
        ticks: { show: false },
        size: Y_AXIS_SIZE,
        space: 44,
        values: (_plot, splits) => splits.map((value) => props().format(value)),
      },
    ],
    hooks: {
      setCursor: [(plot) => props().onPoint(plot.cursor.idx ?? undefined)],
    },
  };
}

/** A line with a soft ground. Follows the colours and the width of the page. */
export function LineChart(props: LineChartProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const { width, height } = element.getBoundingClientRect();
    const chart = new uPlot(
      optionsFor(() => latest.current, Math.max(width, 120), height),
      dataOf(latest.current),
      element,
    );
    plot.current = chart;
    const resized = new ResizeObserver(() => {
      const size = element.getBoundingClientRect();
      if (size.width > 0) chart.setSize({ width: size.width, height: size.height });
    });
    resized.observe(element);
    const redraw = (): void => chart.redraw(false);
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', redraw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      system.removeEventListener('change', redraw);
      plot.current = undefined;
      chart.destroy();
    };
  }, []);

  useEffect(() => plot.current?.setData(dataOf(props)), [props.times, props.values]);

  return <div class="chart" ref={frame} role="img" aria-label={props.summary} />;
}

function dataOf({ times, values }: LineChartProps): uPlot.AlignedData {
  return [[...times], [...values]];
}
