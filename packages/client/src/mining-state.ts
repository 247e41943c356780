import { BoundedMap, PoolError } from '@headframe/primitives';
import type { Subscription } from '@headframe/stratum-v1';
import type { MinerJob } from './job.js';
import type { MiningNotification, StratumNotification } from './notifications.js';
import type { StratumClient } from './stratum-client.js';

/** Pushes that may come before the subscribe answer was read; a pool sends two or three. */
const MAX_HELD = 64;
/** Jobs remembered; a pool that sends one every second fills it in two minutes, and a block is due every ten. */
const MAX_JOBS = 128;

/** Where extranonces of one connection come from. */
export type Extranonce = Omit<Subscription, 'sessionId'>;

/**
 * `current`: the newest. `live`: older, no clean job came since, so its shares still count. `stale`: a clean job came
 * since. `unknown`: never seen on this connection, or too long ago.
 */
export type JobStatus = 'current' | 'live' | 'stale' | 'unknown';

export interface MiningStateListener {
  job(job: MinerJob): void;
  difficulty(difficulty: number): void;
  extranonce(extranonce: Extranonce): void;
  versionMask(mask: number): void;
}

interface KnownJob {
  readonly job: MinerJob;
  readonly generation: number;
}

/**
 * What a pool told one connection: difficulty, extranonce and mask for the jobs to come, the current job and the ones
 * before. A new difficulty, extranonce or mask counts from the next notify on. Pushes that arrive before {@link open}
 * wait for it.
 */
export class MiningState {
  readonly #client: StratumClient;
  readonly #listener: MiningStateListener;
  readonly #jobs = new BoundedMap<string, KnownJob>(MAX_JOBS);
  #held: StratumNotification[] | undefined = [];
  #extranonce: Extranonce = { extranonce1: new Uint8Array(0), extranonce2Size: 0 };
  #versionMask = 0;
  #difficulty = 1;
  #job: MinerJob | undefined = undefined;
  /** Counts the clean jobs. */
  #generation = 0;

  constructor(client: StratumClient, listener: MiningStateListener) {
    this.#client = client;
    this.#listener = listener;
    const later = (notification: StratumNotification): void => this.#later(notification);
    client.on('mining.set_difficulty', later);
    client.on('mining.set_extranonce', later);
    client.on('mining.set_version_mask', later);
    client.on('mining.notify', later);
  }

  get job(): MinerJob | undefined {
    return this.#job;
  }
  /** For the next job. */
  get difficulty(): number {
    return this.#difficulty;
  }
  /** For the next job. */
  get extranonce(): Extranonce {
    return this.#extranonce;
  }
  /** For the next job. */
  get versionMask(): number {
    return this.#versionMask;
  }

  /** A job by its id, stale ones included. */
  findJob(jobId: string): MinerJob | undefined {
    return this.#jobs.get(jobId)?.job;
  }

  jobStatus(jobId: string): JobStatus {
    if (this.#job?.jobId === jobId) return 'current';
    const known = this.#jobs.get(jobId);
    if (known === undefined) return 'unknown';
    return known.generation === this.#generation ? 'live' : 'stale';
  }

  /** Starts with the answers of configure and subscribe, then applies what waited. */
  open(subscription: Subscription, versionMask: number): void {
    this.#extranonce = subscription;
    this.#versionMask = versionMask;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const notification of held) this.#apply(notification);
  }

  #later(notification: StratumNotification): void {
    if (this.#held === undefined) this.#apply(notification);
    else if (this.#held.length < MAX_HELD) this.#held.push(notification);
    else {
      this.#client.destroy(
        new PoolError('protocol_violation', 'the pool pushes without ever answering mining.subscribe'),
      );
    }
  }

  #apply(notification: StratumNotification): void {
    switch (notification.method) {
      case 'mining.set_difficulty':
        this.#difficulty = notification.difficulty;
        this.#listener.difficulty(this.#difficulty);
        break;
      case 'mining.set_extranonce':
        this.#extranonce = notification;
        this.#listener.extranonce(notification);
        break;
      case 'mining.set_version_mask':
        this.#versionMask = notification.mask;
        this.#listener.versionMask(notification.mask);
        break;
      case 'mining.notify':
        this.#notify(notification);
        break;
    }
  }

  #notify(notify: MiningNotification): void {
    const job: MinerJob = {
      jobId: notify.jobId,
      notify,
      difficulty: this.#difficulty,
      extranonce1: this.#extranonce.extranonce1,
      extranonce2Size: this.#extranonce.extranonce2Size,
      versionMask: this.#versionMask,
      receivedAtMs: this.#client.clock.now(),
    };
    if (notify.clean) this.#generation++;
    this.#jobs.set(job.jobId, { job, generation: this.#generation });
    this.#job = job;
    this.#listener.job(job);
  }
}
