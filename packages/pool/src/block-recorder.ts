import type { Ledger } from '@headframe/ledger';
import type { BlockOutcome, Bus, JobRecord } from '@headframe/mining';
import { BoundedMap, type Clock, errorMessage, type Logger, type Timer } from '@headframe/primitives';

/** Heights whose network difficulty is remembered for blocks found on them: a day of a fast chain. */
const HEIGHTS = 2_000;
/** Blocks that wait for the ledger; the journal and the nodes say them again at the next start. */
const MAX_WAITING = 10_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;

export interface BlockRecorderModules {
  readonly bus: Bus;
  readonly ledger: Pick<Ledger, 'recordBlock'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of an outcome once it is in the ledger. */
  readonly onRecorded?: (outcome: BlockOutcome) => void;
}

/** Writes what becomes of each block into the ledger, one block after the other, and tries again until it is there. */
export class BlockRecorder {
  readonly #modules: BlockRecorderModules;
  readonly #difficulties = new BoundedMap<number, number>(HEIGHTS);
  /** Latest word by hash, in the order of arrival. */
  readonly #waiting = new BoundedMap<string, BlockOutcome>(MAX_WAITING);
  readonly #leave: (() => void)[];
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #retryMs = RETRY_FIRST_MS;
  #closed = false;

  constructor(modules: BlockRecorderModules) {
    this.#modules = modules;
    const { bus } = modules;
    this.#leave = [
      bus.subscribe('job', (job: JobRecord) => this.#difficulties.set(job.height, job.networkDifficulty)),
      bus.subscribe('block', (outcome: BlockOutcome) => this.record(outcome)),
    ];
  }

  /** Blocks that are not in the ledger yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Records an outcome; a later one of the same block takes its place in the queue. */
  record(outcome: BlockOutcome): void {
    this.#waiting.delete(outcome.hash);
    this.#waiting.set(outcome.hash, outcome);
    this.#run();
  }

  #run(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#waiting.size > 0) this.#run();
    });
  }

  async #drain(): Promise<void> {
    const { ledger, log, clock, onRecorded } = this.#modules;
    for (const [hash, outcome] of this.#waiting.entries()) {
      const networkDifficulty = this.#difficulties.get(outcome.height);
      try {
        await ledger.recordBlock(outcome, networkDifficulty === undefined ? {} : { networkDifficulty });
      } catch (error) {
        const details = { hash, height: outcome.height, status: outcome.status, error: errorMessage(error) };
        log.error(details, 'a block is not in the ledger yet; will be tried again');
        if (this.#closed) return;
        this.#timer = clock.setTimeout(() => {
          this.#timer = undefined;
          this.#run();
        }, this.#retryMs);
        this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
        return;
      }
      this.#retryMs = RETRY_FIRST_MS;
      // A newer word may have come meanwhile: it stays.
      if (this.#waiting.get(hash) === outcome) this.#waiting.delete(hash);
      onRecorded?.(outcome);
    }
  }

  /** Hears no more; tries once more what waits, and lets it end. */
  async close(): Promise<void> {
    for (const leave of this.#leave.splice(0)) leave();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#run();
    this.#closed = true;
    await this.#running;
  }
}
