import { canonicalDifficulty, type Difficulty } from '@headframe/mining';
import type { SessionCore } from '@headframe/sessions';
import type { WorkUpdate } from '@headframe/transport';
import type { ChannelJob } from './channel-job.js';
import type { DifficultyPolicy } from './difficulty-policy.js';
import type { MiningLimits } from './limits.js';
import { Vardiff, type VardiffState } from './vardiff.js';
import { WorkerTable } from './workers.js';

/** Of jobs with one set of outputs, and for servers that tell no firmware apart. */
const DEFAULT_OUTPUT_SETS: readonly string[] = ['main'];

/** What a channel leaves behind for a session that resumes it. */
export interface KeptChannel {
  readonly prefix: Uint8Array;
  readonly jobs: readonly ChannelJob[];
  readonly newestTip: number;
  readonly stale: number;
  readonly difficulty: Difficulty;
  readonly vardiff: VardiffState | undefined;
  /** Of the listener the session came by. */
  readonly policy: DifficultyPolicy;
}

/** How a channel's messages reach the miner, whatever protocol it speaks. */
export interface ChannelPort {
  /** A job, with the settings that take effect with it, in one piece. */
  sendWork(update: WorkUpdate): void;
  /** One ready-made line. */
  sendLine(line: Uint8Array): void;
  notify(method: string, params: readonly unknown[]): void;
  request(
    method: string,
    params: readonly unknown[],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<unknown>;
}

/** What all channels of a listener share. */
export interface ChannelTerms {
  readonly policy: DifficultyPolicy;
  /** Difficulty factor of the coin. */
  readonly factor: number;
  /** Bytes of extranonce2 that miners roll. */
  readonly extranonce2Size: number;
  readonly limits: MiningLimits;
}

/**
 * One stream of work: extranonce prefix, difficulty, jobs, duplicates, workers. A V1 session has one. It holds state
 * and decides nothing: `WorkDesk` gives it jobs, `SharePath` judges its shares.
 */
export class Channel<Account = unknown> {
  readonly session: SessionCore;
  terms: ChannelTerms;
  readonly #port: ChannelPort;
  /** Extranonce1; undefined until subscribed. */
  prefix: Uint8Array | undefined = undefined;
  /** Session id that resumes this channel; undefined until subscribed. */
  token: string | undefined = undefined;
  /** What the next job is given with. */
  difficulty: Difficulty;
  /** What the miner was told last. */
  sentDifficulty: Difficulty | undefined = undefined;
  vardiff: Vardiff | undefined;
  /** Output sets that its firmware may get, best first; the same list for all of its kind. */
  outputSets: readonly string[] = DEFAULT_OUTPUT_SETS;
  /** Negotiated version bits; 0: none. */
  versionMask = 0;
  /** The miner understands `mining.set_extranonce`. */
  takesExtranonce = false;
  /** Subscribed, authorized and told its difficulty: gets every job from now on. */
  working = false;
  /** Gets fresh work at the end of this batch of verdicts. */
  needsWork = false;
  /** The record the newest job came from; derived jobs count as theirs. */
  baseJobId = -1;
  /** The highest of those. */
  newestBaseId = -1;
  /** Monotonic time of the last work sent. */
  workSentMs = 0;
  /** Oldest first. */
  #jobs: ChannelJob[] = [];
  #stale = 0;
  #newestTip = -1;
  readonly workers: WorkerTable<Account>;

  constructor(session: SessionCore, port: ChannelPort, terms: ChannelTerms, nowMs: number) {
    this.session = session;
    this.#port = port;
    this.terms = terms;
    const { policy, factor } = terms;
    this.vardiff = policy.kind === 'vardiff' ? new Vardiff(policy.vardiff, nowMs) : undefined;
    this.difficulty = policy.kind === 'fixed' ? policy.difficulty : canonicalDifficulty(policy.vardiff.start, factor);
    this.workers = new WorkerTable(terms.limits.workersPerChannel);
  }

  /** Extranonce bytes in all: the variant of a job that this channel gets. */
  get extranonceLength(): number {
    return (this.prefix?.length ?? 0) + this.terms.extranonce2Size;
  }

  sendWork(update: WorkUpdate): void {
    this.#port.sendWork(update);
  }
  sendLine(line: Uint8Array): void {
    this.#port.sendLine(line);
  }
  /** Sends a notification, when the miner can take it. */
  notify(method: string, params: readonly unknown[]): void {
    this.#port.notify(method, params);
  }
  /** Asks the miner; settles like `Session.request`. */
  request(
    method: string,
    params: readonly unknown[],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<unknown> {
    return this.#port.request(method, params, options);
  }

  // --- jobs

  /** The job of that id, if this channel was given it and it is not forgotten. Newest first: that is where shares hit. */
  findJob(id: number): ChannelJob | undefined {
    const jobs = this.#jobs;
    for (let i = jobs.length - 1; i >= 0; i--) {
      const job = jobs[i];
      if (job !== undefined && job.id === id) return job;
    }
    return undefined;
  }

  get newestJob(): ChannelJob | undefined {
    return this.#jobs[this.#jobs.length - 1];
  }

  /** Jobs known, live and stale. */
  get jobCount(): number {
    return this.#jobs.length;
  }

  addJob(job: ChannelJob): void {
    const jobs = this.#jobs;
    // Work that may have come before under another id: what was paid on it stays paid.
    if ((job.record.stampLength ?? 4) < 4) job.shareDuplicates(jobs, this.terms.limits.duplicatesPerJob);
    const { jobsPerChannel, staleJobsPerChannel } = this.terms.limits;
    if (job.tip !== this.#newestTip) {
      this.#newestTip = job.tip;
      // Stale shares are refused whatever they are: the sets have served.
      for (let i = this.#stale; i < jobs.length; i++) {
        const old = jobs[i];
        if (old !== undefined) old.duplicates = undefined;
      }
      if (jobs.length > staleJobsPerChannel) jobs.splice(0, jobs.length - staleJobsPerChannel);
      this.#stale = jobs.length;
    }
    jobs.push(job);
    // A job goes together with what was accepted for it: its later shares are not found any more, never unchecked.
    const { duplicatesPerJob } = this.terms.limits;
    while (
      jobs.length - this.#stale > 1 &&
      (jobs.length - this.#stale > jobsPerChannel || this.#remembered() > duplicatesPerJob)
    ) {
      jobs.splice(this.#stale, 1);
    }
  }

  /** Shares remembered for all live jobs. */
  #remembered(): number {
    let sum = 0;
    for (let i = this.#stale; i < this.#jobs.length; i++) {
      const job = this.#jobs[i];
      if (job?.sharesDuplicates === false) sum += job.duplicates?.size ?? 0;
    }
    return sum;
  }

  /** Jobs already sent may be rolled by a mask that was agreed later, beside their own. */
  widenMask(mask: number): void {
    for (const job of this.#jobs) job.versionMask = (job.versionMask | (mask & job.record.versionMask)) >>> 0;
  }

  // --- leases

  /** Other terms of the listener. Answers the difficulty within them. */
  changeTerms(terms: ChannelTerms, nowMs: number): number {
    const { policy } = terms;
    this.terms = terms;
    this.vardiff = policy.kind === 'vardiff' ? new Vardiff(policy.vardiff, nowMs, this.vardiff?.save()) : undefined;
    return policy.kind === 'fixed' ? policy.difficulty.value : (this.vardiff?.difficulty ?? this.difficulty.value);
  }

  /** What a later session needs to go on; undefined when there is nothing worth keeping. */
  keep(): KeptChannel | undefined {
    if (this.prefix === undefined || this.#newestTip < 0) return undefined;
    return {
      prefix: this.prefix,
      jobs: this.#jobs,
      newestTip: this.#newestTip,
      stale: this.#stale,
      difficulty: this.difficulty,
      vardiff: this.vardiff?.save(),
      policy: this.terms.policy,
    };
  }

  /** Takes over what an earlier session left. */
  adopt(kept: KeptChannel, nowMs: number): void {
    const { policy, factor } = this.terms;
    this.prefix = kept.prefix;
    this.#jobs = [...kept.jobs];
    this.#newestTip = kept.newestTip;
    this.#stale = kept.stale;
    if (policy.kind === 'vardiff' && kept.vardiff !== undefined) {
      this.vardiff = new Vardiff(policy.vardiff, nowMs, kept.vardiff);
      this.difficulty = canonicalDifficulty(this.vardiff.difficulty, factor);
    }
    // Fixed, but an operator may have set another one for this miner.
    if (policy.kind === 'fixed' && policy === kept.policy) this.difficulty = kept.difficulty;
  }
}
