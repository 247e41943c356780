import type { ShareBatch, ShareSink } from '@headframe/mining';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
} from '@headframe/primitives';

export interface RelaxedSinkOptions {
  /** Where the shares go. It is closed with this one. */
  readonly sink: ShareSink;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** How long shares are gathered before they are sent on. Default 100 ms. */
  readonly withinMs?: number;
  /** Shares held at most; from there on `commit` waits for room, so that the sockets pause. Default 50,000. */
  readonly capacity?: number;
}

/** Batches sent on at once; the ledger takes as many in one transaction. */
const SENT_AT_ONCE = 64;
/** Commits that may wait for room. An edge has one. */
const MAX_WAITING = 1024;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;

/**
 * A sink that answers at once and commits within 100 ms: fewer syncs of the disk, at the price that the shares of the
 * last moments are lost with the machine or the process. What the ledger refuses is tried again under its number until
 * it is taken. Batches keep their (epoch, sequence), so a batch that comes twice still counts once.
 */
export function relaxedSink(options: RelaxedSinkOptions): ShareSink {
  return new RelaxedSink(options);
}

class RelaxedSink implements ShareSink {
  readonly #sink: ShareSink;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #withinMs: number;
  readonly #capacity: number;
  #held: ShareBatch[] = [];
  #shares = 0;
  readonly #waiting: (() => void)[] = [];
  #timer: Timer | undefined;
  #sending: Promise<boolean> | undefined;
  #retryMs = RETRY_FIRST_MS;
  #closing: Promise<void> | undefined;

  constructor({
    sink,
    clock = systemClock,
    log = silentLogger,
    withinMs = 100,
    capacity = 50_000,
  }: RelaxedSinkOptions) {
    this.#sink = sink;
    this.#clock = clock;
    this.#log = log;
    this.#withinMs = withinMs;
    this.#capacity = capacity;
  }

  async commit(batch: ShareBatch): Promise<void> {
    // A batch larger than all the room is taken when nothing else is held.
    while (this.#shares > 0 && this.#shares + batch.shares.length > this.#capacity && this.#closing === undefined) {
      if (this.#waiting.length >= MAX_WAITING) throw new PoolError('queue_full', 'too many commits wait for room');
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    if (this.#closing !== undefined) throw new PoolError('closed', 'the ledger is closed');
    this.#held.push(batch);
    this.#shares += batch.shares.length;
    if (this.#sending === undefined) this.#sendIn(this.#withinMs);
  }

  #sendIn(delayMs: number): void {
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, delayMs);
  }

  /** Sends what is held, once; true when all of it was taken. */
  #send(): Promise<boolean> {
    this.#sending ??= this.#sendHeld().finally(() => {
      this.#sending = undefined;
      // What came at the very end of it.
      if (this.#held.length > 0 && this.#closing === undefined) this.#sendIn(this.#withinMs);
    });
    return this.#sending;
  }

  async #sendHeld(): Promise<boolean> {
    while (this.#held.length > 0) {
      const batches = this.#held.slice(0, SENT_AT_ONCE);
      const results = await Promise.allSettled(batches.map((batch) => this.#sink.commit(batch)));
      const refused = batches.filter((_, i) => results[i]?.status === 'rejected');
      this.#held = [...refused, ...this.#held.slice(batches.length)];
      this.#shares = this.#held.reduce((sum, { shares }) => sum + shares.length, 0);
      if (refused.length < batches.length) for (const resolve of this.#waiting.splice(0)) resolve();
      const failure = results.find((result) => result.status === 'rejected');
      if (failure !== undefined) {
        this.#log.error(
          { error: errorMessage(failure.reason), shares: this.#shares },
          'commit failed; shares are held',
        );
        if (this.#closing === undefined) this.#sendIn(this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
        return false;
      }
      this.#retryMs = RETRY_FIRST_MS;
    }
    return true;
  }

  /** Sends what is held, once more. @throws PoolError `storage_failed` when shares had to be given up */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#timer?.cancel();
    for (const resolve of this.#waiting.splice(0)) resolve();
    await this.#sending;
    const isEmpty = await this.#send();
    await this.#sink.close();
    if (!isEmpty) throw new PoolError('storage_failed', `${this.#shares} shares could not be stored before the end`);
  }
}
