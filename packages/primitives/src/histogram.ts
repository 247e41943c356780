import { PoolError } from './errors.js';

/** State of a {@link Histogram} at one moment, in the form Prometheus wants. */
export interface HistogramSnapshot {
  /** Upper bounds of the buckets, ascending; the last bucket, without a bound, is not among them. */
  readonly bounds: readonly number[];
  /** For each bound, how many values were at most that. */
  readonly cumulative: readonly number[];
  /** Of all values. */
  readonly sum: number;
  /** How many values in all, those above the last bound too. */
  readonly count: number;
}

/** Seconds, from what a healthy pool does to what somebody should look at. About a factor of two apart. */
export const SECONDS_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** More would be for figures that nobody reads, and every one is a time series per label. */
const MAX_BOUNDS = 64;

/**
 * Counts values in buckets with fixed bounds. `record` allocates nothing and reads no clock.
 *
 * @example
 * const latency = new Histogram();
 * latency.record(0.004);
 * latency.quantile(0.99);
 */
export class Histogram {
  readonly bounds: readonly number[];
  /** One per bound, and one for what lies above the last. Doubles: exact up to 2^53. */
  readonly #counts: Float64Array;
  #sum = 0;
  #count = 0;

  /**
   * @param bounds ascending and finite, 64 at most; seconds from 0.1 ms to 10 s by default
   * @throws PoolError `invalid_argument`
   */
  constructor(bounds: readonly number[] = SECONDS_BOUNDS) {
    const isAscending = bounds.every((bound, i) => Number.isFinite(bound) && bound > (bounds[i - 1] ?? -Infinity));
    if (!isAscending || bounds.length === 0 || bounds.length > MAX_BOUNDS) {
      throw new PoolError('invalid_argument', `a histogram needs 1 to ${MAX_BOUNDS} ascending finite bounds`);
    }
    this.bounds = Object.freeze([...bounds]);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Values recorded. */
  get count(): number {
    return this.#count;
  }
  /** Sum of the values recorded. */
  get sum(): number {
    return this.#sum;
  }

  /**
   * Counts `value`, `times` over. What is no number, or not above zero, counts as zero (a clock may step back); so a
   * measurement can never break what it measures. `times` below one, or no number, counts nothing.
   */
  record(value: number, times = 1): void {
    if (!(times >= 1)) return;
    const counted = value > 0 && value < Number.POSITIVE_INFINITY ? value : 0;
    const { bounds } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (counted <= (bounds[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    const whole = Math.floor(times);
    this.#counts[low] = (this.#counts[low] ?? 0) + whole;
    this.#sum += counted * whole;
    this.#count += whole;
  }

  /** A copy that does not change any more. */
  snapshot(): HistogramSnapshot {
    const cumulative = new Array<number>(this.bounds.length);
    let sum = 0;
    for (let i = 0; i < cumulative.length; i++) {
      sum += this.#counts[i] ?? 0;
      cumulative[i] = sum;
    }
    return { bounds: this.bounds, cumulative, sum: this.#sum, count: this.#count };
  }

  /** See {@link quantileOf}. */
  quantile(q: number): number | undefined {
    return quantileOf(this.snapshot(), q);
  }
}

/**
 * Estimates the value that a part `q` (0 to 1) of all values does not exceed, by a straight line within its bucket; at
 * most the last bound, because nothing is known beyond. Undefined while there are no values.
 */
export function quantileOf({ bounds, cumulative, count }: HistogramSnapshot, q: number): number | undefined {
  if (count === 0) return undefined;
  const rank = Math.min(1, Math.max(0, q)) * count;
  for (let i = 0; i < bounds.length; i++) {
    const upTo = cumulative[i] ?? 0;
    if (upTo < rank || upTo === 0) continue;
    const before = i === 0 ? 0 : (cumulative[i - 1] ?? 0);
    const inBucket = upTo - before;
    const upper = bounds[i] ?? 0;
    // The first bucket begins at zero, unless its bound lies below.
    const lower = i === 0 ? Math.min(0, upper) : (bounds[i - 1] ?? 0);
    if (inBucket === 0) return upper;
    // Rounding may carry it a little over the bound.
    return Math.min(upper, lower + ((upper - lower) * Math.max(0, rank - before)) / inBucket);
  }
  return bounds.at(-1);
}

/** The sum of two snapshots with the same bounds. @throws PoolError `invalid_argument` when the bounds differ */
export function addSnapshots(a: HistogramSnapshot, b: HistogramSnapshot): HistogramSnapshot {
  if (a.bounds.length !== b.bounds.length || a.bounds.some((bound, i) => bound !== b.bounds[i])) {
    throw new PoolError('invalid_argument', 'histograms with different bounds cannot be added');
  }
  const cumulative = a.cumulative.map((value, i) => value + (b.cumulative[i] ?? 0));
  return { bounds: a.bounds, cumulative, sum: a.sum + b.sum, count: a.count + b.count };
}
