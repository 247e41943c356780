import type { BlockOutcome, Bus, JobRecord } from '@headframe/mining';
import { type Clock, isPoolError, type Logger } from '@headframe/primitives';

/** Wait between two attempts to reach the core. */
const RETRY_MS = 1_000;

export interface CoreListener {
  job(record: JobRecord): void;
  block(outcome: BlockOutcome): void;
  joined(instance: number): void;
}

/** The edge's line to the core: says hello, then hears of jobs and blocks. */
export class CoreLink {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listener: CoreListener;
  readonly #leave: (() => void)[] = [];
  #closed = false;

  constructor(parts: {
    readonly bus: Bus;
    readonly clock: Clock;
    readonly log: Logger;
    readonly listener: CoreListener;
  }) {
    this.#bus = parts.bus;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#listener = parts.listener;
  }

  /** Begins to listen: before the hello, so that no job falls between. */
  start(): void {
    if (this.#leave.length > 0) return;
    this.#leave.push(
      this.#bus.subscribe('job', (record) => this.#listener.job(record)),
      this.#bus.subscribe('block', (outcome) => this.#listener.block(outcome)),
    );
  }

  /**
   * Says hello until the core answers; until then there is no extranonce to give out. With nobody there to answer
   * (a bus that only carries shares) the fallback counts.
   */
  async join(edge: string, fallbackInstance: number): Promise<void> {
    while (!this.#closed) {
      try {
        const { instance, job } = await this.#bus.call('join', { edge });
        if (this.#closed) return;
        this.#listener.joined(instance);
        if (job !== null) this.#listener.job(job);
        return;
      } catch (error) {
        if (isPoolError(error, 'not_supported')) {
          this.#listener.joined(fallbackInstance);
          return;
        }
        if (isPoolError(error, 'closed')) throw error;
        this.#log.warn({ err: error }, 'the core does not answer; trying again');
        await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, RETRY_MS));
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const leave of this.#leave) leave();
    this.#leave.length = 0;
  }
}
