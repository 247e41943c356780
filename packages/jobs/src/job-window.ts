import type { BlockTemplate, JobRecord } from '@headframe/mining';
import { equalBytes } from '@headframe/primitives';

/** Where a job stands. Blocks on any of them can still be assembled. */
export type JobState =
  /** One of the newest on the current tip. */
  | 'live'
  /** Older, but on the current tip. */
  | 'past'
  /** On a tip that is no longer the current one. */
  | 'stale';

export interface StoredJob {
  readonly record: JobRecord;
  readonly template: BlockTemplate;
  readonly state: JobState;
}

export interface JobWindowLimits {
  /** Jobs of the current tip that count as live. */
  readonly liveJobs: number;
  /** Jobs kept per tip; the oldest goes first. */
  readonly jobsPerTip: number;
  /** Former tips whose jobs are kept ... */
  readonly staleTips: number;
  /** ... for so long after the tip changed. */
  readonly staleMs: number;
}

interface Tip {
  readonly previousHash: Uint8Array;
  readonly height: number;
  readonly jobs: { readonly record: JobRecord; readonly template: BlockTemplate }[];
  /** Monotonic ms when it stopped being the current one. */
  leftAtMs: number | undefined;
}

/**
 * The jobs the core remembers, newest tip first. Bounded by number and time. Transactions that several templates
 * share are held once.
 */
export class JobWindow {
  readonly #limits: JobWindowLimits;
  readonly #byId = new Map<number, Tip>();
  #tips: Tip[] = [];

  constructor(limits: JobWindowLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The newest job of the current tip. */
  get newest(): StoredJob | undefined {
    const job = this.#tips[0]?.jobs.at(-1);
    return job === undefined ? undefined : { ...job, state: 'live' };
  }

  /** Adds a job; one on another previous block makes that the current tip. */
  add(record: JobRecord, template: BlockTemplate, nowMs: number): void {
    let tip = this.#tips[0];
    if (tip === undefined || !equalBytes(tip.previousHash, template.previousHash)) {
      if (tip !== undefined) tip.leftAtMs = nowMs;
      tip = { previousHash: template.previousHash, height: template.height, jobs: [], leftAtMs: undefined };
      // The chain may come back to a tip it has left: its jobs are live again then, under one roof with the new ones.
      const former = this.#tips.findIndex(({ previousHash }) => equalBytes(previousHash, template.previousHash));
      if (former >= 0) {
        for (const job of this.#tips.splice(former, 1)[0]?.jobs ?? []) {
          tip.jobs.push(job);
          this.#byId.set(job.record.id, tip);
        }
      }
      this.#tips.unshift(tip);
    }
    tip.jobs.push({ record, template: shareTransactions(template, tip.jobs.at(-1)?.template) });
    this.#byId.set(record.id, tip);
    if (tip.jobs.length > this.#limits.jobsPerTip) this.#forget(tip.jobs.shift());
    this.prune(nowMs);
  }

  /** Forgets what is too old. */
  prune(nowMs: number): void {
    this.#tips = this.#tips.filter((tip, index) => {
      const keep =
        tip.leftAtMs === undefined || (index <= this.#limits.staleTips && nowMs - tip.leftAtMs <= this.#limits.staleMs);
      if (!keep) for (const job of tip.jobs) this.#forget(job);
      return keep;
    });
  }

  find(id: number): StoredJob | undefined {
    const tip = this.#byId.get(id);
    const index = tip?.jobs.findIndex(({ record }) => record.id === id) ?? -1;
    const job = tip?.jobs[index];
    if (tip === undefined || job === undefined) return undefined;
    if (tip !== this.#tips[0]) return { ...job, state: 'stale' };
    return { ...job, state: index >= tip.jobs.length - this.#limits.liveJobs ? 'live' : 'past' };
  }

  /** All jobs, newest tip and newest job first. */
  *newestFirst(): Generator<{ readonly record: JobRecord; readonly template: BlockTemplate }> {
    for (const { jobs } of this.#tips) yield* [...jobs].reverse();
  }

  #forget(job: { readonly record: JobRecord } | undefined): void {
    if (job !== undefined) this.#byId.delete(job.record.id);
  }
}

/**
 * The template with transactions that the previous one has too replaced by that one's objects: a window of many
 * templates then holds little more than one mempool.
 */
function shareTransactions(template: BlockTemplate, previous: BlockTemplate | undefined): BlockTemplate {
  if (previous === undefined || previous.transactions === template.transactions) return template;
  const known = new Map(previous.transactions.map((transaction) => [key(transaction.hash), transaction]));
  return { ...template, transactions: template.transactions.map((each) => known.get(key(each.hash)) ?? each) };
}

/** 16 bytes of a hash, as a map key: enough among the transactions of two templates. */
function key(hash: Uint8Array): string {
  return String.fromCharCode(...hash.subarray(0, 16));
}
