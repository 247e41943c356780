import type { JobRecord } from '@headframe/mining';
import type { Clock, Timer } from '@headframe/primitives';
import type { Channel } from './channel.js';
import type { WorkDesk } from './work-desk.js';

/** How often a spread refresh goes on. Short against the spread, long against the loop of one step. */
const STEP_MS = 50;
/** How often silent channels are looked for, and in how many steps all of them are seen. */
const SWEEP_MS = 1000;
const SWEEPS_PER_ROUND = 5;

export interface BroadcasterOptions {
  readonly clock: Clock;
  /** Time over which a refresh of the same block is spread. 0: at once. */
  readonly refreshSpreadMs: number;
  /** Without work for so long, a channel gets some anyway: miners take a silent pool for dead after 90 s. */
  readonly keepAliveMs: number;
}

/**
 * Sends jobs to all channels: on a new block to everyone in one go, before anything else happens; a refresh spread
 * over an interval, so that 100,000 miners do not answer at once. Also lets time pass for vardiff and keep-alive.
 */
export class Broadcaster<Account = unknown> {
  readonly #desk: WorkDesk<Account>;
  readonly #options: BroadcasterOptions;
  /** Channels that work. */
  readonly #channels = new Set<Channel<Account>>();
  /** What a refresh under way has still to reach. */
  #waiting: Channel<Account>[] = [];
  #waitingAt = 0;
  #perStep = 0;
  #stepTimer: Timer | undefined = undefined;
  #sweepTimer: Timer | undefined = undefined;
  #sweepCursor: IterableIterator<Channel<Account>> | undefined = undefined;
  readonly #beforeSweep: () => void;
  readonly #keepAlive: (channel: Channel<Account>) => void;

  constructor(
    desk: WorkDesk<Account>,
    options: BroadcasterOptions,
    calls: {
      /** Housekeeping of others, once per sweep. */
      readonly beforeSweep: () => void;
      /** A channel heard nothing for `keepAliveMs`. */
      readonly keepAlive: (channel: Channel<Account>) => void;
    },
  ) {
    this.#desk = desk;
    this.#options = options;
    this.#beforeSweep = calls.beforeSweep;
    this.#keepAlive = calls.keepAlive;
  }

  /** Channels that get jobs. */
  get size(): number {
    return this.#channels.size;
  }

  channels(): IterableIterator<Channel<Account>> {
    return this.#channels.values();
  }

  start(): void {
    this.#sweepTimer ??= this.#options.clock.setInterval(() => this.#sweep(), SWEEP_MS);
  }

  stop(): void {
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
    this.#stopRefresh();
  }

  add(channel: Channel<Account>): void {
    this.#channels.add(channel);
  }

  remove(channel: Channel<Account>): void {
    this.#channels.delete(channel);
  }

  /** A job that the caller gives to the channels, each in its way. */
  replace(record: JobRecord): void {
    this.#stopRefresh();
    this.#desk.publish(record);
  }

  /** Takes the job back; channels keep what they have, which is stale from now on. */
  withdraw(): void {
    this.#stopRefresh();
    this.#desk.withdraw();
  }

  /** Sends a job to every channel. True when it was for a new block. */
  publish(record: JobRecord): boolean {
    const isNewTip = this.#desk.publish(record);
    this.#stopRefresh();
    if (isNewTip) {
      this.#desk.giveAll(this.#channels);
      return true;
    }
    const { refreshSpreadMs } = this.#options;
    this.#waiting = [...this.#channels];
    this.#waitingAt = 0;
    const steps = Math.max(1, Math.floor(refreshSpreadMs / STEP_MS));
    this.#perStep = Math.ceil(this.#waiting.length / steps);
    this.#step();
    return false;
  }

  #step(): void {
    this.#stepTimer = undefined;
    const current = this.#desk.current;
    const end = Math.min(this.#waiting.length, this.#waitingAt + this.#perStep);
    for (; this.#waitingAt < end; this.#waitingAt++) {
      const channel = this.#waiting[this.#waitingAt];
      if (channel === undefined || !this.#channels.has(channel)) continue;
      // It may have got this job in another way meanwhile: with a change of difficulty.
      if (channel.baseJobId !== current?.baseId) this.#desk.give(channel, false);
    }
    if (this.#waitingAt >= this.#waiting.length) this.#stopRefresh();
    else this.#stepTimer = this.#options.clock.setTimeout(() => this.#step(), STEP_MS);
  }

  #stopRefresh(): void {
    this.#stepTimer?.cancel();
    this.#stepTimer = undefined;
    this.#waiting = [];
    this.#waitingAt = 0;
  }

  /** Looks at a part of the channels; all of them are seen in five seconds. */
  #sweep(): void {
    this.#beforeSweep();
    const nowMs = this.#options.clock.monotonic();
    const part = Math.ceil(this.#channels.size / SWEEPS_PER_ROUND);
    for (let i = 0; i < part; i++) {
      this.#sweepCursor ??= this.#channels.values();
      const next = this.#sweepCursor.next();
      if (next.done) {
        this.#sweepCursor = undefined;
        continue;
      }
      this.#look(next.value, nowMs);
    }
  }

  #look(channel: Channel<Account>, nowMs: number): void {
    // Without work the silence is ours.
    const changed = channel.jobCount === 0 ? undefined : channel.vardiff?.tick(nowMs);
    if (changed !== undefined) {
      this.#desk.adopt(channel, changed);
      this.#desk.renew(channel);
    } else if (nowMs - channel.workSentMs >= this.#options.keepAliveMs) this.#keepAlive(channel);
  }
}
