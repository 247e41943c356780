import type { SeriesJson } from '@headframe/http';
import { RANGES, type RangeName } from './range.js';

/** A line to be drawn. */
export interface Line {
  /** Unix seconds, rising, evenly spaced. */
  readonly times: readonly number[];
  /** Hashes per second. */
  readonly hashrates: readonly number[];
  readonly stepMs: number;
}

/** What a line says in words. */
export interface LineSummary {
  readonly mean: number;
  readonly highest: number;
  readonly lowest: number;
  readonly latest: number;
}

/** Fewer steps than this make no line: younger series are drawn by the minute. */
const FEWEST_STEPS = 12;

/**
 * A series as an even line: gathered into steps, zero where no share came. The minute or hour under way is left out:
 * half of it would look like a fall. Nothing is drawn before the first share of all.
 */
export function lineOf(series: SeriesJson, range: RangeName): Line {
  const { resolution } = RANGES[range];
  const pointMs = resolution === 'minute' ? 60_000 : 3_600_000;
  const youngest = series.toMs - FEWEST_STEPS * RANGES[range].stepMs;
  const isYoung = (series.points[0]?.startMs ?? 0) > youngest;
  const stepMs = isYoung ? pointMs : RANGES[range].stepMs;
  const sums = new Map<number, number>();
  for (const { startMs, hashrate } of series.points) {
    const step = startMs - (startMs % stepMs);
    sums.set(step, (sums.get(step) ?? 0) + hashrate);
  }
  const first = series.fromMs + stepMs - 1;
  const times: number[] = [];
  const hashrates: number[] = [];
  for (let step = first - (first % stepMs); step + stepMs <= series.toMs; step += stepMs) {
    times.push(step / 1000);
    hashrates.push(((sums.get(step) ?? 0) * pointMs) / stepMs);
  }
  const start = hashrates.findIndex((value) => value > 0);
  if (start === -1) return { times: [], hashrates: [], stepMs };
  // One zero before the first share, so that the beginning shows as a rise.
  const from = Math.max(0, start - 1);
  return { times: times.slice(from), hashrates: hashrates.slice(from), stepMs };
}

/** Undefined for an empty line. */
export function summaryOf({ hashrates }: Line): LineSummary | undefined {
  const latest = hashrates.at(-1);
  if (latest === undefined) return undefined;
  let sum = 0;
  let highest = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (const value of hashrates) {
    sum += value;
    highest = Math.max(highest, value);
    lowest = Math.min(lowest, value);
  }
  return { mean: sum / hashrates.length, highest, lowest, latest };
}

/** The part of the shares that was rejected, over time. */
export interface RejectLine {
  readonly times: readonly number[];
  /** 0 to 1; 0 where no share came. */
  readonly ratios: readonly number[];
  readonly mean: number;
}

/** As {@link lineOf}, of rejected shares over all. */
export function rejectLineOf(series: SeriesJson, range: RangeName): RejectLine {
  const { times, stepMs } = lineOf(series, range);
  const counts = new Map<number, { all: number; rejected: number }>();
  const total = { all: 0, rejected: 0 };
  for (const point of series.points) {
    const step = (point.startMs - (point.startMs % stepMs)) / 1000;
    const rejected = point.stale + point.duplicate + point.low + point.invalid;
    const all = rejected + point.accepted;
    const sum = counts.get(step) ?? { all: 0, rejected: 0 };
    counts.set(step, { all: sum.all + all, rejected: sum.rejected + rejected });
    total.all += all;
    total.rejected += rejected;
  }
  const ratios = times.map((time) => {
    const sum = counts.get(time);
    return sum === undefined || sum.all === 0 ? 0 : sum.rejected / sum.all;
  });
  return { times, ratios, mean: total.all === 0 ? 0 : total.rejected / total.all };
}
