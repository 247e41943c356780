import { BoundedMap, type Clock, Histogram, type HistogramSnapshot, type RejectCode } from '@headframe/primitives';

/** What upstreams said to the shares of one worker. */
export interface WorkerRow {
  readonly worker: string;
  readonly accepted: number;
  /** Sum of the upstream difficulties of accepted shares. */
  readonly work: number;
  readonly rejected: Readonly<Partial<Record<RejectCode, number>>>;
  /** Sent, never answered. */
  readonly lost: number;
  /** Met the target, but not worth sending, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly blocks: number;
  /** Unix milliseconds of the last answer. */
  readonly lastMs: number;
}

interface Row {
  accepted: number;
  work: number;
  rejected: Map<RejectCode, number>;
  lost: number;
  dropped: Map<string, number>;
  blocks: number;
  lastMs: number;
}

/** Workers remembered; the one heard of longest ago is forgotten. */
const MAX_WORKERS = 10_000;

function newRow(): Row {
  return { accepted: 0, work: 0, rejected: new Map(), lost: 0, dropped: new Map(), blocks: 0, lastMs: 0 };
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** What upstreams said, by worker and in all. */
export class WorkerBook {
  readonly #clock: Clock;
  readonly #rows = new BoundedMap<string, Row>(MAX_WORKERS);
  readonly #all = newRow();
  readonly #seconds = new Histogram();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  accepted(worker: string, difficulty: number, isBlock: boolean): void {
    for (const row of this.#both(worker)) {
      row.accepted++;
      row.work += difficulty;
      if (isBlock) row.blocks++;
    }
  }

  rejected(worker: string, code: RejectCode): void {
    for (const row of this.#both(worker)) count(row.rejected, code);
  }

  lost(worker: string): void {
    for (const row of this.#both(worker)) row.lost++;
  }

  dropped(worker: string, reason: string): void {
    for (const row of this.#both(worker)) count(row.dropped, reason);
  }

  /** Seconds that an answer took. */
  answered(seconds: number): void {
    this.#seconds.record(seconds);
  }

  /** All workers together. */
  get total(): WorkerRow {
    return rowOf('', this.#all);
  }
  get seconds(): HistogramSnapshot {
    return this.#seconds.snapshot();
  }

  /** The workers heard of last, at most `limit`. */
  rows(limit: number): readonly WorkerRow[] {
    const rows = [...this.#rows.entries()].map(([worker, row]) => rowOf(worker, row));
    return rows.sort((a, b) => b.lastMs - a.lastMs).slice(0, limit);
  }

  #both(worker: string): readonly Row[] {
    let row = this.#rows.get(worker);
    row ??= newRow();
    // Set again: it is the last to be forgotten now.
    this.#rows.set(worker, row);
    row.lastMs = this.#clock.now();
    this.#all.lastMs = row.lastMs;
    return [row, this.#all];
  }
}

function rowOf(worker: string, row: Row): WorkerRow {
  return {
    worker,
    accepted: row.accepted,
    work: row.work,
    rejected: Object.fromEntries(row.rejected),
    lost: row.lost,
    dropped: Object.fromEntries(row.dropped),
    blocks: row.blocks,
    lastMs: row.lastMs,
  };
}
