import { type Clock, PoolError, type Timer } from '@headframe/primitives';

/** When a connection counts as dead although nobody closed it. */
export interface WatchLimits {
  /** Nothing heard for so long: the peer is gone. */
  readonly idleTimeoutMs: number;
  /** Nothing heard for so long: ask whether the peer is there. */
  readonly keepaliveMs: number;
  /** Bytes unsent for so long: the peer does not read. */
  readonly drainTimeoutMs: number;
}

/** What is watched. */
export interface Watched {
  /** Clock.monotonic() of the last line of the peer. */
  readonly lastLineMs: number;
  readonly unsentBytes: number;
  ping(): void;
  dead(error: PoolError): void;
}

/** Shortest look: enough for timeouts of seconds, cheap for thousands of connections. */
const MIN_PERIOD_MS = 50;

/**
 * Looks at a connection from time to time: TCP alone tells a client that its peer has vanished after hours, if ever.
 * One timer per connection, four looks per limit.
 */
export class ConnectionWatch {
  readonly #clock: Clock;
  readonly #limits: WatchLimits;
  readonly #watched: Watched;
  readonly #timer: Timer;
  /** Since when bytes have been waiting without a break; undefined while none wait. */
  #stuckSinceMs: number | undefined = undefined;
  #pingedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, limits: WatchLimits, watched: Watched) {
    this.#clock = clock;
    this.#limits = limits;
    this.#watched = watched;
    const shortest = Math.min(limits.idleTimeoutMs, limits.keepaliveMs, limits.drainTimeoutMs);
    this.#timer = clock.setInterval(() => this.#look(), Math.max(MIN_PERIOD_MS, shortest / 4));
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** What waited has gone: the peer reads. */
  drained(): void {
    this.#stuckSinceMs = undefined;
  }

  #look(): void {
    const nowMs = this.#clock.monotonic();
    const { idleTimeoutMs, keepaliveMs, drainTimeoutMs } = this.#limits;
    const { lastLineMs, unsentBytes } = this.#watched;
    const silentMs = nowMs - lastLineMs;
    if (silentMs >= idleTimeoutMs) {
      this.#watched.dead(new PoolError('request_timeout', `the pool was silent for ${idleTimeoutMs} ms`));
      return;
    }
    if (unsentBytes === 0) this.#stuckSinceMs = undefined;
    else this.#stuckSinceMs ??= nowMs;
    if (this.#stuckSinceMs !== undefined && nowMs - this.#stuckSinceMs >= drainTimeoutMs) {
      this.#watched.dead(new PoolError('queue_full', `the pool has not read for ${drainTimeoutMs} ms`));
      return;
    }
    if (silentMs >= keepaliveMs && nowMs - this.#pingedMs >= keepaliveMs) {
      this.#pingedMs = nowMs;
      this.#watched.ping();
    }
  }
}
