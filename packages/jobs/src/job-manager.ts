import type { Coin } from '@headframe/coins';
import {
  type BlockCandidate,
  type BlockSink,
  type BlockTemplate,
  type Bus,
  buildJob,
  type CoinbaseStyle,
  type JobRecord,
  type JobVariantOptions,
  jobIdToHex,
  type NodeStatus,
  type TemplateSource,
  type TemplateSourceStats,
} from '@headframe/mining';
import {
  type Clock,
  equalBytes,
  errorMessage,
  Histogram,
  type HistogramSnapshot,
  isPoolError,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
  TypedEmitter,
  toDisplayHex,
} from '@headframe/primitives';
import { assembleCandidate } from './candidate.js';
import { createInstanceAllocator } from './instances.js';
import { JobIds } from './job-ids.js';
import { JobWindow, type StoredJob } from './job-window.js';
import { proposalBlock } from './proposal.js';
import { refreshReason } from './refresh-policy.js';
import { VariantSource } from './variant-source.js';

/** Whatever knows the state of the nodes; the node pool fits. */
export interface NodeStatusSource {
  readonly status: NodeStatus;
  on(event: 'status', listener: (status: NodeStatus) => void): () => void;
}

/**
 * Makes the variants of a job.
 * @param reward what the block leaves to the pool: the template's value less prescribed outputs, base units
 */
export type JobVariantsFunction = (reward: bigint, template: BlockTemplate) => readonly JobVariantOptions[];

export interface JobManagerOptions {
  readonly coin: Coin;
  /**
   * One per extranonce length and set of outputs, with the key `<length>/<set>`; at least one. Or a function that makes
   * them for a template, which must be quick: a new block waits for it. When it throws, the last sets are used.
   */
  readonly variants: readonly JobVariantOptions[] | JobVariantsFunction;
  /** Bytes at the end of the coinbase's scriptSig. Default none. */
  readonly poolTag?: Uint8Array;
  /** Version bits miners may roll. Default: the coin's. */
  readonly versionMask?: number;
  readonly coinbase?: CoinbaseStyle;
  /** A job at least this often: miners take a silent pool for dead. Default 30,000. */
  readonly keepAliveMs?: number;
  /** Between two jobs of the same tip, unless a block from the older one would be invalid. Default 5,000. */
  readonly minRefreshMs?: number;
  /** Share by which a template of the same tip must be worth more to be sent before the keep-alive. Default 0.01. */
  readonly refreshValueRatio?: number;
  /** How long after a block change a template of a lower height is taken for a late one. Default 10,000. */
  readonly regressionMs?: number;
  /** Newest jobs of the tip that count as live. Default 8. */
  readonly liveJobs?: number;
  /** Jobs kept per tip to assemble blocks. Default 64. */
  readonly jobsPerTip?: number;
  /** Former tips whose jobs are kept. Default 3. */
  readonly staleTips?: number;
  /** How long they are. Default 600,000. */
  readonly staleMs?: number;
  /** Instance byte of an edge's extranonce prefixes. Default: counted up in the order of joining. */
  readonly instanceOf?: (edge: string) => number;
}

export interface JobManagerModules {
  readonly bus: Bus;
  readonly templates: TemplateSource;
  readonly sink: BlockSink;
  readonly nodes?: NodeStatusSource;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Why a template gave no job. */
export interface RefusedTemplate {
  readonly height: number;
  readonly error: PoolError;
}

export interface JobManagerEvents {
  job: JobRecord;
  /** Miners keep the job they have. */
  refused: RefusedTemplate;
}

/** Counters for metrics. */
export interface JobManagerStats {
  readonly jobs: number;
  readonly blockChanges: number;
  readonly refused: number;
  /** Templates that were too old to be used. */
  readonly outdated: number;
  readonly candidates: number;
  /** Candidates that could not be made into a block. */
  readonly unassembled: number;
  readonly storedJobs: number;
  /** Seconds from a template's arrival until its job was with the edges. */
  readonly publish: HistogramSnapshot;
  /** Undefined where the source counts nothing. */
  readonly templates: TemplateSourceStats | undefined;
}

/** Turns templates into jobs for the edges, and candidates into blocks for the nodes. */
export interface JobManager {
  /** The newest job. */
  readonly current: JobRecord | undefined;
  /** The last template that was refused, while it is the newest one. */
  readonly refused: RefusedTemplate | undefined;
  readonly stats: JobManagerStats;
  /** Begins; resolves when the first template was there (and gave a job, or was refused) or `signal` aborts. */
  start(signal?: AbortSignal): Promise<void>;
  /** A remembered job: live, past or stale. */
  find(jobId: number): StoredJob | undefined;
  /** The current job as a block without proof of work, in hex, for a node to judge (BIP 23). */
  proposal(): string | undefined;
  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof JobManagerEvents>(event: Name, listener: (payload: JobManagerEvents[Name]) => void): () => void;
  /** Asks the template source for a fresh template. */
  refresh(): void;
  /** Stops listening and answering. The template source is closed too. Idempotent. */
  close(): Promise<void>;
}

/** Makes a job manager. @throws PoolError `invalid_argument` without variants. */
export function createJobManager(options: JobManagerOptions, modules: JobManagerModules): JobManager {
  return new TemplateJobManager(options, modules);
}

interface Received {
  readonly template: BlockTemplate;
  /** Monotonic ms. */
  readonly atMs: number;
}

class TemplateJobManager implements JobManager {
  readonly #options: JobManagerOptions;
  readonly #modules: JobManagerModules;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ids = new JobIds();
  readonly #variants: VariantSource;
  readonly #window: JobWindow;
  readonly #events: TypedEmitter<JobManagerEvents>;
  readonly #instanceOf: (edge: string) => number;
  readonly #keepAliveMs: number;
  readonly #abort = new AbortController();
  #leave: (() => void)[] = [];
  #latest: Received | undefined;
  #refused: RefusedTemplate | undefined;
  readonly #publishSeconds = new Histogram();
  #lastJobMs = Number.NEGATIVE_INFINITY;
  #tipSinceMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #counts = { jobs: 0, blockChanges: 0, refused: 0, outdated: 0, candidates: 0, unassembled: 0 };

  constructor(options: JobManagerOptions, modules: JobManagerModules) {
    this.#options = options;
    this.#modules = modules;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    this.#variants = new VariantSource(options.variants, this.#log);
    this.#keepAliveMs = options.keepAliveMs ?? 30_000;
    this.#instanceOf = options.instanceOf ?? createInstanceAllocator();
    this.#events = new TypedEmitter((error, event) =>
      this.#log.error({ event, error: errorMessage(error) }, 'listener failed'),
    );
    this.#window = new JobWindow({
      liveJobs: options.liveJobs ?? 8,
      jobsPerTip: options.jobsPerTip ?? 64,
      staleTips: options.staleTips ?? 3,
      staleMs: options.staleMs ?? 600_000,
    });
  }

  get current(): JobRecord | undefined {
    return this.#window.newest?.record;
  }
  get refused(): RefusedTemplate | undefined {
    return this.#refused;
  }
  get stats(): JobManagerStats {
    return {
      ...this.#counts,
      storedJobs: this.#window.size,
      publish: this.#publishSeconds.snapshot(),
      templates: this.#modules.templates.stats,
    };
  }

  async start(signal?: AbortSignal): Promise<void> {
    const { bus, nodes, templates } = this.#modules;
    this.#leave = [
      bus.subscribe('candidate', (candidate) => this.#takeCandidate(candidate)),
      bus.answer('join', ({ edge }) => ({ instance: this.#instanceOf(edge), job: this.current ?? null })),
      bus.answer('transactions', ({ jobId }) => this.#transactionsOf(jobId)),
    ];
    if (nodes !== undefined) {
      this.#leave.push(nodes.on('status', (status) => this.#publishStatus(status)));
      this.#publishStatus(nodes.status);
    }
    signal?.addEventListener('abort', () => this.#abort.abort(), { once: true });
    if (signal?.aborted) this.#abort.abort();
    await templates.start((template) => this.#receive(template), this.#abort.signal);
  }

  find(jobId: number): StoredJob | undefined {
    return this.#window.find(jobId);
  }

  proposal(): string | undefined {
    const newest = this.#window.newest;
    return newest === undefined ? undefined : proposalBlock(newest.record, newest.template);
  }

  on<Name extends keyof JobManagerEvents>(
    event: Name,
    listener: (payload: JobManagerEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  refresh(): void {
    this.#modules.templates.refresh();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#timer?.cancel();
    for (const leave of this.#leave.splice(0)) leave();
    this.#events.removeAllListeners();
    await this.#modules.templates.close();
  }

  #receive(template: BlockTemplate): void {
    if (this.#abort.signal.aborted) return;
    const nowMs = this.#clock.monotonic();
    const used = this.#window.newest?.template;
    const newTip = used === undefined || !equalBytes(used.previousHash, template.previousHash);
    if (newTip && used !== undefined && this.#isOutdated(template, used, nowMs)) {
      this.#counts.outdated++;
      this.#log.warn({ height: template.height, current: used.height }, 'ignored a template of an older tip');
      return;
    }
    this.#latest = { template, atMs: nowMs };
    if (newTip) {
      if (this.#publishJob(template, nowMs, true)) {
        this.#tipSinceMs = nowMs;
        this.#counts.blockChanges++;
      }
      return;
    }
    const reason = refreshReason(used, template, this.#options.refreshValueRatio ?? 0.01);
    const sinceJobMs = nowMs - this.#lastJobMs;
    const isDue = reason === 'value' && sinceJobMs >= (this.#options.minRefreshMs ?? 5000);
    if (reason === 'rules' || isDue || sinceJobMs >= this.#keepAliveMs) this.#publishJob(template, nowMs, false);
  }

  /** A late answer of a slow node, just after the block changed. Later on a lower height is a reorganisation. */
  #isOutdated(template: BlockTemplate, used: BlockTemplate, nowMs: number): boolean {
    if (nowMs - this.#tipSinceMs >= (this.#options.regressionMs ?? 10_000)) return false;
    return template.height < used.height;
  }

  /** Builds, remembers and publishes. False when the template cannot be used. */
  #publishJob(template: BlockTemplate, nowMs: number, clean: boolean): boolean {
    let record: JobRecord;
    try {
      record = this.#build(template, clean);
    } catch (error) {
      this.#refuse(template, error);
      return false;
    }
    if (template === this.#latest?.template) this.#refused = undefined;
    this.#window.add(record, template, nowMs);
    this.#lastJobMs = nowMs;
    this.#counts.jobs++;
    this.#scheduleKeepAlive();
    try {
      this.#modules.bus.publish('job', record);
      this.#publishSeconds.record((this.#clock.monotonic() - nowMs) / 1000);
    } catch (error) {
      this.#log.error({ error: errorMessage(error) }, 'cannot publish the job');
    }
    const about = {
      job: jobIdToHex(record.id),
      height: record.height,
      previousHash: toDisplayHex(record.previousHash),
      transactions: template.transactions.length,
      reward: String(record.reward),
    };
    this.#log[clean ? 'info' : 'debug'](about, clean ? 'job on a new block' : 'job refreshed');
    this.#events.safeEmit('job', record);
    return true;
  }

  #build(template: BlockTemplate, clean: boolean): JobRecord {
    const { coin, poolTag, versionMask, coinbase } = this.#options;
    const build = (variants: readonly JobVariantOptions[]): JobRecord =>
      buildJob(template, {
        id: this.#ids.next(this.#clock.now()),
        coin,
        variants,
        poolTag: poolTag ?? new Uint8Array(0),
        nowMs: this.#clock.now(),
        clean,
        ...(versionMask === undefined ? {} : { versionMask }),
        ...(coinbase === undefined ? {} : { coinbase }),
      });
    return this.#variants.build(template, build);
  }

  #refuse(template: BlockTemplate, error: unknown): void {
    const reason = isPoolError(error)
      ? error
      : new PoolError('invalid_template', errorMessage(error), { cause: error });
    this.#counts.refused++;
    // The same fault comes back with every refresh: once is enough for the log.
    const isNews = this.#refused?.error.message !== reason.message || this.#refused.height !== template.height;
    this.#refused = { height: template.height, error: reason };
    this.#log[isNews ? 'error' : 'debug'](
      { height: template.height, code: reason.code, error: reason.message, keeps: this.current?.height },
      'no job can be built from the template; miners keep the last one',
    );
    this.#events.safeEmit('refused', this.#refused);
  }

  #scheduleKeepAlive(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimeout(() => this.#keepAlive(), this.#keepAliveMs);
  }

  /** Also while the node is away: the same work with a later time, so that miners stay. */
  #keepAlive(): void {
    const nowMs = this.#clock.monotonic();
    this.#window.prune(nowMs);
    const newest = this.#window.newest;
    if (newest === undefined || this.#abort.signal.aborted) return;
    const latest = this.#latest;
    const isUsable = latest !== undefined && equalBytes(latest.template.previousHash, newest.template.previousHash);
    const base = isUsable ? latest : { template: newest.template, atMs: this.#lastJobMs };
    const elapsedSeconds = Math.floor((nowMs - base.atMs) / 1000);
    const currentTime = Math.max(base.template.currentTime, base.template.minTime) + elapsedSeconds;
    // The latest template may be the one that was refused: fall back on what worked.
    if (this.#publishJob({ ...base.template, currentTime }, nowMs, false)) {
      if (isUsable) this.#refused = undefined;
      return;
    }
    if (!this.#publishJob({ ...newest.template, currentTime }, nowMs, false)) this.#scheduleKeepAlive();
  }

  #takeCandidate(candidate: BlockCandidate): void {
    this.#counts.candidates++;
    const assembly = assembleCandidate(candidate, this.#window, this.#log);
    const { sink } = this.#modules;
    if (assembly.ok) {
      sink.submit(assembly.block);
      return;
    }
    this.#counts.unassembled++;
    this.#log.error(
      { hash: toDisplayHex(candidate.hash), height: candidate.height, reason: assembly.reason },
      'a block was found, but it cannot be assembled',
    );
    sink.keep(candidate, assembly.reason);
  }

  #transactionsOf(jobId: number): readonly Uint8Array[] | null {
    const found = this.#window.find(jobId);
    return found === undefined ? null : found.template.transactions.map(({ data }) => data);
  }

  #publishStatus(status: NodeStatus): void {
    try {
      this.#modules.bus.publish('node', status);
    } catch (error) {
      this.#log.error({ error: errorMessage(error) }, 'cannot publish the state of the nodes');
    }
  }
}
