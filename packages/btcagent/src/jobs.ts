import { encodeNotify, type NotifyFields } from '@headframe/stratum-v1';
import { checkInteger } from './check.js';

/** Jobs an agent can name: one byte. */
export const AGENT_JOBS = 256;

/**
 * `mining.notify` as agents must get it: the job id is the decimal text of the index (a leading "f" would be taken for
 * one of the agent's own jobs), and the members stand in the order id, method, params, because one agent finds the end
 * of coinbase 1 by counting quotes.
 * @param jobIndex 0 to 255
 * @throws PoolError `invalid_argument` for an index out of range
 */
export function encodeAgentNotify(jobIndex: number, fields: Omit<NotifyFields, 'jobId'>): Uint8Array {
  checkInteger('job index', jobIndex, AGENT_JOBS - 1);
  return encodeNotify({ ...fields, jobId: String(jobIndex) });
}

/**
 * The jobs of one agent connection by their one-byte index: the last 256, of which a clean job leaves the last few. The
 * index counts up and wraps, so an old job is forgotten when its index is given again.
 */
export class AgentJobs<Job> {
  readonly #jobs: (Job | undefined)[] = [];
  #next = 0;
  #kept = 0;

  /** Jobs that can be found. */
  get size(): number {
    return this.#kept;
  }

  /** Keeps a job and returns its index, 0 to 255. */
  add(job: Job): number {
    const index = this.#next;
    this.#jobs[index] = job;
    this.#next = (index + 1) % AGENT_JOBS;
    this.#kept = Math.min(AGENT_JOBS, this.#kept + 1);
    return index;
  }

  /** The newest job of this index; undefined when it was never given or is forgotten. */
  get(jobIndex: number): Job | undefined {
    return this.#jobs[jobIndex];
  }

  /**
   * Forgets all but the newest `count` jobs, when a new block made the others worthless. Those kept let a late share be
   * called stale and not unknown.
   */
  keepNewest(count: number): void {
    for (; this.#kept > Math.max(0, count); this.#kept--) {
      this.#jobs[(this.#next - this.#kept + AGENT_JOBS) % AGENT_JOBS] = undefined;
    }
  }
}
