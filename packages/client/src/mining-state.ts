import type { Subscription } from '@headframe/stratum-v1';
import type { MinerJob } from './job.js';
import type { StratumClient } from './stratum-client.js';

/** Pushes that may come before the subscribe answer was read; a pool sends two or three. */
const MAX_HELD = 64;

export interface MiningStateListener {
  job(job: MinerJob): void;
  difficulty(difficulty: number): void;
}

/**
 * What a pool told one connection: difficulty, extranonce and mask for the jobs to come, and the current job. A new
 * difficulty, extranonce or mask counts from the next notify on. Pushes that arrive before {@link open} wait for it.
 */
export class MiningState {
  readonly #client: StratumClient;
  readonly #listener: MiningStateListener;
  #held: (() => void)[] | undefined = [];
  #extranonce: Omit<Subscription, 'sessionId'> = { extranonce1: new Uint8Array(0), extranonce2Size: 0 };
  #versionMask = 0;
  #difficulty = 1;
  #job: MinerJob | undefined = undefined;

  constructor(client: StratumClient, listener: MiningStateListener) {
    this.#client = client;
    this.#listener = listener;
    client.on('mining.set_difficulty', (difficulty) =>
      this.#later(() => {
        this.#difficulty = difficulty;
        this.#listener.difficulty(difficulty);
      }),
    );
    client.on('mining.set_extranonce', (extranonce) =>
      this.#later(() => {
        this.#extranonce = extranonce;
      }),
    );
    client.on('mining.set_version_mask', (mask) =>
      this.#later(() => {
        this.#versionMask = mask;
      }),
    );
    client.on('mining.notify', (notify) =>
      this.#later(() => {
        this.#job = {
          jobId: notify.jobId,
          notify,
          difficulty: this.#difficulty,
          extranonce1: this.#extranonce.extranonce1,
          extranonce2Size: this.#extranonce.extranonce2Size,
          versionMask: this.#versionMask,
          receivedAtMs: this.#client.clock.now(),
        };
        this.#listener.job(this.#job);
      }),
    );
  }

  get job(): MinerJob | undefined {
    return this.#job;
  }
  /** For the next job. */
  get difficulty(): number {
    return this.#difficulty;
  }

  /** Starts with the answers of configure and subscribe, then applies what waited. */
  open(subscription: Subscription, versionMask: number): void {
    this.#extranonce = subscription;
    this.#versionMask = versionMask;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const apply of held) apply();
  }

  #later(apply: () => void): void {
    if (this.#held === undefined) apply();
    else if (this.#held.length < MAX_HELD) this.#held.push(apply);
    else this.#client.destroy(new Error('the pool pushes without ever answering mining.subscribe'));
  }
}
