/** A stretch of time that a chart can show. */
export interface Range {
  readonly label: string;
  /** For screen readers and summaries. */
  readonly words: string;
  readonly spanMs: number;
  /** What is asked for. */
  readonly resolution: 'minute' | 'hour';
  /** What is drawn: minutes are gathered so that a line has 10 to 170 points. */
  readonly stepMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export type RangeName = '10m' | '1h' | '24h' | '7d';

export const RANGES: Readonly<Record<RangeName, Range>> = {
  '10m': { label: '10 min', words: 'the last 10 minutes', spanMs: 10 * MINUTE, resolution: 'minute', stepMs: MINUTE },
  '1h': { label: '1 h', words: 'the last hour', spanMs: HOUR, resolution: 'minute', stepMs: MINUTE },
  '24h': { label: '24 h', words: 'the last 24 hours', spanMs: 24 * HOUR, resolution: 'minute', stepMs: 10 * MINUTE },
  '7d': { label: '7 d', words: 'the last 7 days', spanMs: 168 * HOUR, resolution: 'hour', stepMs: HOUR },
};

export const RANGE_NAMES: readonly RangeName[] = ['10m', '1h', '24h', '7d'];
