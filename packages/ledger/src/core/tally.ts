import type { ShareRecord } from '@headframe/mining';
import { bigintIn, numberIn } from '../sql/row.js';
import type { SqlRow, SqlValue } from '../sql/types.js';
import type { ShareTally } from '../types.js';
import { WORK_UNITS } from '../work.js';

/** Splits work for its two columns. */
export function workColumns(work: bigint): [whole: string, parts: string] {
  return [`${work / WORK_UNITS}`, `${work % WORK_UNITS}`];
}

/** Counts while they grow. */
export class Tally {
  accepted = 0;
  stale = 0;
  duplicate = 0;
  low = 0;
  invalid = 0;
  work = 0n;
  best = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = 0;

  add(share: ShareRecord, work: bigint): void {
    switch (share.result) {
      case 'accepted':
        this.accepted++;
        this.work += work;
        if (share.achieved > this.best) this.best = share.achieved;
        break;
      case 'stale':
      case 'job-not-found':
        this.stale++;
        break;
      case 'duplicate':
        this.duplicate++;
        break;
      case 'low-difficulty':
        this.low++;
        break;
      default:
        this.invalid++;
    }
    if (share.timeMs < this.firstMs) this.firstMs = share.timeMs;
    if (share.timeMs > this.lastMs) this.lastMs = share.timeMs;
  }

  merge(other: Tally): void {
    this.accepted += other.accepted;
    this.stale += other.stale;
    this.duplicate += other.duplicate;
    this.low += other.low;
    this.invalid += other.invalid;
    this.work += other.work;
    if (other.best > this.best) this.best = other.best;
    if (other.firstMs < this.firstMs) this.firstMs = other.firstMs;
    if (other.lastMs > this.lastMs) this.lastMs = other.lastMs;
  }

  /** Values of {@link TALLY_COLUMNS}. */
  columns(): SqlValue[] {
    return [this.accepted, this.stale, this.duplicate, this.low, this.invalid, ...workColumns(this.work), this.best];
  }
}

export const TALLY_COLUMNS = [
  'accepted',
  'stale',
  'duplicate',
  'low',
  'invalid',
  'work',
  'work_parts',
  'best',
] as const;

/** Assignments that add the excluded work of an upsert into `table`; the parts carry into the whole. */
export const addWork = (table: string): string =>
  `work = ${table}.work + excluded.work + (${table}.work_parts + excluded.work_parts) / ${WORK_UNITS},
   work_parts = (${table}.work_parts + excluded.work_parts) % ${WORK_UNITS}`;

/** Assignments that add the excluded row of an upsert into `table`. */
export const addTally = (table: string): string =>
  `${['accepted', 'stale', 'duplicate', 'low', 'invalid'].map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(', ')},
   ${addWork(table)},
   best = CASE WHEN excluded.best > ${table}.best THEN excluded.best ELSE ${table}.best END`;

/** Half of the 15 decimals: sums of halves stay far below 2^63 for any number of rows, sums of wholes would not. */
const HALF = 10n ** 8n;

/** Select list of summed work, read by {@link workIn}. The engines' sums are 64 bits wide (SQLite) or decimal. */
export const sumWork = (prefix = ''): string =>
  `CAST(coalesce(sum(${prefix}work), 0) AS TEXT) AS work_sum,
   CAST(coalesce(sum(${prefix}work_parts / ${HALF}), 0) AS TEXT) AS parts_high,
   CAST(coalesce(sum(${prefix}work_parts % ${HALF}), 0) AS TEXT) AS parts_low`;

/** Select list of a summed tally, read by {@link tallyIn}. */
export const sumTally = (prefix = ''): string =>
  `${['accepted', 'stale', 'duplicate', 'low', 'invalid'].map((name) => `CAST(coalesce(sum(${prefix}${name}), 0) AS BIGINT) AS ${name}`).join(', ')},
   ${sumWork(prefix)}, coalesce(max(${prefix}best), 0.0) AS best`;

/** Work units out of {@link sumWork}. */
export function workIn(row: SqlRow | undefined): bigint {
  return bigintIn(row, 'work_sum') * WORK_UNITS + bigintIn(row, 'parts_high') * HALF + bigintIn(row, 'parts_low');
}

/** Counts out of {@link sumTally}. */
export function tallyIn(row: SqlRow | undefined): ShareTally {
  return {
    accepted: numberIn(row, 'accepted'),
    stale: numberIn(row, 'stale'),
    duplicate: numberIn(row, 'duplicate'),
    low: numberIn(row, 'low'),
    invalid: numberIn(row, 'invalid'),
    work: workIn(row),
    best: numberIn(row, 'best'),
  };
}
