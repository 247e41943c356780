import type { PowAlgorithmId } from '@headframe/hashing';
import {
  type Clock,
  equalBytes,
  errorMessage,
  isPoolError,
  systemClock,
  TokenBucket,
  TypedEmitter,
} from '@headframe/primitives';
import type { StratumError } from '@headframe/stratum-v1';
import { type MinerJob, shareTarget } from './job.js';
import type { MiningClient } from './mining-client.js';
import { defaultDifficultyFactor, type FoundShare } from './search.js';
import { createInlineSearcher, type Searcher, ThreadSearcher } from './searcher.js';
import { waitFor } from './wait.js';
import { makeWorkUnit, unitShare } from './work.js';

export interface CpuMinerOptions {
  /** Threads to search with; 0 (the default) searches in this thread, in slices. */
  readonly threads?: number;
  /** Default `sha256d`. */
  readonly algorithm?: PowAlgorithmId;
  /** The coin's difficulty factor. Default 1, with scrypt 65,536. */
  readonly difficultyFactor?: number;
  /** Uses the version bits the pool granted. Default true. */
  readonly rollVersion?: boolean;
  /** Lets ntime follow the clock while a job lasts. Default true. */
  readonly rollNtime?: boolean;
  /** Length of one search before looking for a new job. Default 20 inline, 100 in threads. */
  readonly sliceMs?: number;
  /** Shares to submit per second at most: on a regtest chain every second hash is one. Default: no limit. */
  readonly maxSharesPerSecond?: number;
  /** Worker to submit as. Default: the client's first. */
  readonly worker?: string;
  readonly clock?: Clock;
}

export interface CpuMinerStats {
  readonly hashes: number;
  /** Since the start. */
  readonly hashesPerSecond: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Found, but the connection went away or the block changed before an answer came. */
  readonly lost: number;
}

export interface CpuMinerEvents {
  found: { readonly share: FoundShare; readonly difficulty: number };
  accepted: { readonly share: FoundShare; readonly difficulty: number; readonly latencyMs: number };
  rejected: { readonly share: FoundShare; readonly difficulty: number; readonly error: StratumError };
  /** A share got no answer, or a search thread died; mining goes on. */
  problem: { readonly error: Error };
}

/** Submits without an answer beyond which no new share is looked for. */
const MAX_IN_FLIGHT = 64;
/** A header older than this gets a newer ntime. */
const MAX_UNIT_AGE_MS = 30_000;
const NONCES = 2 ** 32;

/**
 * Mines on the CPU with what a {@link MiningClient} brings in: for demos, tests and chains with easy targets. Follows
 * the client over reconnects.
 *
 * @example
 * const miner = new CpuMiner(client, { threads: 2 });
 * miner.on('accepted', ({ difficulty }) => console.log('share of', difficulty));
 * miner.start();
 */
export class CpuMiner {
  readonly #client: MiningClient;
  readonly #options: CpuMinerOptions;
  readonly #algorithm: PowAlgorithmId;
  readonly #factor: number;
  readonly #clock: Clock;
  readonly #events = new TypedEmitter<CpuMinerEvents>();
  readonly #bucket: TokenBucket | undefined;
  #searchers: Searcher[] = [];
  #lanes: Promise<void>[] = [];
  #stop = new AbortController();
  #counter = 0;
  #inFlight = new Set<Promise<void>>();
  #startedMs = 0;
  #hashes = 0;
  #accepted = 0;
  #rejected = 0;
  #lost = 0;

  constructor(client: MiningClient, options: CpuMinerOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#algorithm = options.algorithm ?? 'sha256d';
    this.#factor = options.difficultyFactor ?? defaultDifficultyFactor(this.#algorithm);
    this.#clock = options.clock ?? systemClock;
    const rate = options.maxSharesPerSecond;
    if (rate !== undefined) this.#bucket = new TokenBucket(rate, Math.max(1, rate), this.#clock.monotonic());
  }

  /** Adds a listener; returns the function that removes it. Listeners must not be async. */
  on<Name extends keyof CpuMinerEvents>(event: Name, listener: (payload: CpuMinerEvents[Name]) => void): () => void {
    return this.#events.on(event, listener);
  }

  get stats(): CpuMinerStats {
    const seconds = (this.#clock.monotonic() - this.#startedMs) / 1000;
    return {
      hashes: this.#hashes,
      hashesPerSecond: seconds > 0 ? this.#hashes / seconds : 0,
      accepted: this.#accepted,
      rejected: this.#rejected,
      lost: this.#lost,
    };
  }

  /** Begins; the client may be started before or after. Does nothing while running. */
  start(): void {
    if (this.#lanes.length > 0) return;
    this.#stop = new AbortController();
    this.#startedMs = this.#clock.monotonic();
    const threads = this.#options.threads ?? 0;
    this.#searchers =
      threads === 0 ? [createInlineSearcher()] : Array.from({ length: threads }, () => new ThreadSearcher());
    this.#lanes = this.#searchers.map((searcher) => this.#mine(searcher));
  }

  /** Stops searching and waits for the answers under way. The client stays as it is. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#searchers.map((searcher) => searcher.close()));
    await Promise.all(this.#lanes);
    await Promise.all(this.#inFlight);
    this.#lanes = [];
    this.#searchers = [];
  }

  async #mine(searcher: Searcher): Promise<void> {
    const { signal } = this.#stop;
    const sliceMs = this.#options.sliceMs ?? (searcher instanceof ThreadSearcher ? 100 : 20);
    let slice = this.#algorithm === 'scrypt' ? 16 : 10_000;
    while (!signal.aborted) {
      const job = this.#client.job;
      if (job === undefined) {
        await this.#nextJob(signal);
        continue;
      }
      const target = shareTarget(job.difficulty, this.#factor);
      const sinceMs = this.#clock.now();
      const unit = makeWorkUnit(job, {
        counter: this.#counter++,
        ntime: this.#ntime(job),
        rollVersion: this.#options.rollVersion ?? true,
      });
      let nonce = 0;
      while (nonce < NONCES && !signal.aborted && this.#client.job === job) {
        if (this.#clock.now() - sinceMs > MAX_UNIT_AGE_MS) break;
        const count = Math.min(slice, NONCES - nonce);
        const startMs = performance.now();
        try {
          const result = await searcher.search({
            header: unit.header,
            target,
            algorithm: this.#algorithm,
            startNonce: nonce,
            maxNonces: count,
          });
          this.#hashes += result.hashes;
          nonce += result.hashes;
          if (result.nonce < 0) slice = nextSlice(count, performance.now() - startMs, sliceMs);
          else await this.#found(job, unitShare(unit, result.nonce, result.hash), signal);
        } catch (error) {
          if (isPoolError(error, 'closed')) return;
          this.#problem(error);
          await waitFor(this.#clock, 1000, signal);
        }
      }
    }
  }

  #ntime(job: MinerJob): number {
    if (this.#options.rollNtime === false) return job.notify.ntime;
    return job.notify.ntime + Math.max(0, Math.floor((this.#clock.now() - job.receivedAtMs) / 1000));
  }

  async #found(job: MinerJob, share: FoundShare, signal: AbortSignal): Promise<void> {
    const { difficulty } = job;
    while (this.#bucket?.take(this.#clock.monotonic()) === false) {
      await waitFor(this.#clock, 1000 / (this.#options.maxSharesPerSecond ?? 1), signal);
      if (signal.aborted) return;
    }
    while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight);
    const current = this.#client.job;
    if (current === undefined || !equalBytes(current.notify.previousHash, job.notify.previousHash)) {
      this.#lost++;
      return;
    }
    this.#events.safeEmit('found', { share, difficulty });
    const submitted = this.#submit(share, difficulty);
    this.#inFlight.add(submitted);
    void submitted.finally(() => this.#inFlight.delete(submitted));
  }

  /** Never rejects. */
  async #submit(share: FoundShare, difficulty: number): Promise<void> {
    const startMs = this.#clock.monotonic();
    try {
      const outcome = await this.#client.submit(share, this.#options.worker);
      if (outcome.accepted) {
        this.#accepted++;
        this.#events.safeEmit('accepted', { share, difficulty, latencyMs: this.#clock.monotonic() - startMs });
      } else {
        this.#rejected++;
        this.#events.safeEmit('rejected', { share, difficulty, error: outcome.error });
      }
    } catch (error) {
      this.#lost++;
      this.#problem(error);
    }
  }

  #problem(error: unknown): void {
    this.#events.safeEmit('problem', { error: error instanceof Error ? error : new Error(errorMessage(error)) });
  }

  #nextJob(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        off();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const off = this.#client.on('job', done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** Aims at the wanted length, changing by a factor of 4 at most: the first slices are measured before the JIT is warm. */
function nextSlice(count: number, tookMs: number, wantedMs: number): number {
  const ideal = (count * wantedMs) / Math.max(tookMs, 0.01);
  return Math.max(1, Math.min(Math.round(ideal), count * 4, 0x7fffffff));
}
