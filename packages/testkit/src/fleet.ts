import { defaultDifficultyFactor, shareTarget } from '@headframe/client';
import type { PowAlgorithmId } from '@headframe/hashing';
import { type Timer, uint256FromBytesLe } from '@headframe/primitives';
import type { FakeClock } from '@headframe/primitives/testing';
import { createMemoryMiner, type MemoryMiner, type MemoryMinerOptions, type MinerTarget } from './memory-miner.js';
import { createRandom, type Random } from './random.js';
import { until } from './until.js';

/** One simulated miner. */
export interface FleetMinerOptions extends Omit<MemoryMinerOptions, 'clock' | 'algorithm'> {
  /** Hashes per second of simulated time. */
  readonly hashrate: number;
}

export interface FleetOptions {
  /** The clock of the server under test: the fleet turns it. */
  readonly clock: FakeClock;
  readonly miners: readonly FleetMinerOptions[];
  /** Equal seeds find shares at equal times. Default 1. */
  readonly seed?: number;
  readonly algorithm?: PowAlgorithmId;
  /** Default that of the algorithm. */
  readonly difficultyFactor?: number;
}

/** A miner of a fleet and what it got. */
export interface FleetMember {
  readonly miner: MemoryMiner;
  readonly hashrate: number;
  readonly accepted: number;
  /** Sum of the difficulties of the accepted shares. */
  readonly acceptedDifficulty: number;
  /** Number of rejections by their code on the wire. */
  readonly rejected: ReadonlyMap<number, number>;
}

class SimulatedMiner implements FleetMember {
  readonly miner: MemoryMiner;
  readonly hashrate: number;
  readonly rejected = new Map<number, number>();
  accepted = 0;
  acceptedDifficulty = 0;
  /** Submits without an answer. */
  pending = 0;
  readonly #options: FleetOptions;
  readonly #random: Random;
  #timer: Timer | undefined;
  #difficulty = 0;

  constructor(miner: MemoryMiner, hashrate: number, options: FleetOptions, seed: number) {
    this.miner = miner;
    this.hashrate = hashrate;
    this.#options = options;
    this.#random = createRandom(seed);
    this.#schedule();
    // Finding shares has no memory, so drawing anew at a new difficulty is exact.
    miner.client.on('job', ({ difficulty }) => {
      if (difficulty !== this.#difficulty) this.#schedule();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { algorithm = 'sha256d', difficultyFactor = defaultDifficultyFactor(algorithm) } = this.#options;
    this.#timer?.cancel();
    this.#difficulty = this.miner.job.difficulty;
    const target = uint256FromBytesLe(shareTarget(this.#difficulty, difficultyFactor));
    const hashesPerShare = Number(1n << 256n) / (Number(target) + 1);
    const waitMs = this.#random.exponential((hashesPerShare / this.hashrate) * 1000);
    this.#timer = this.#options.clock.setTimeout(() => this.#found(), waitMs);
  }

  #found(): void {
    this.#schedule();
    const { job } = this.miner;
    const { difficultyFactor } = this.#options;
    const share = this.miner.solve({ job, ...(difficultyFactor !== undefined && { difficultyFactor }) });
    this.pending++;
    this.miner
      .submit(share)
      .then((verdict) => {
        if (verdict.accepted) {
          this.accepted++;
          this.acceptedDifficulty += job.difficulty;
        } else this.rejected.set(verdict.code, (this.rejected.get(verdict.code) ?? 0) + 1);
      })
      .catch(() => this.stop()) // the connection is gone
      .finally(() => {
        this.pending--;
      });
  }
}

/** Simulated miners on one server. Made by {@link createFleet}. */
export interface Fleet {
  readonly members: readonly FleetMember[];
  /** Lets `seconds` of simulated time pass; resolves when every share found in them was answered. */
  run(seconds: number): Promise<void>;
  /** Disconnects all. */
  close(): Promise<void>;
}

/** Longest step of simulated time between two looks at the sockets: an answer is at most this late. */
const STEP_MS = 250;

/**
 * Connects simulated miners that find shares at random times of a fake clock, as often as their hash rates say. The
 * shares are real: each costs as many hashes as its difficulty, so the sum of the hash rates times the simulated
 * seconds is the number of hashes your test computes. Keep it to some millions.
 *
 * @example
 * const fleet = await createFleet(server, { clock, miners: [{ hashrate: 1_000 }, { hashrate: 5_000 }] });
 * await fleet.run(600);
 */
export async function createFleet(target: MinerTarget, options: FleetOptions): Promise<Fleet> {
  const { clock, seed = 1, algorithm = 'sha256d' } = options;
  const members: SimulatedMiner[] = [];
  for (const [i, { hashrate, ...rest }] of options.miners.entries()) {
    const miner = await createMemoryMiner(target, { username: `rig.${i}`, ...rest, clock, algorithm });
    members.push(new SimulatedMiner(miner, hashrate, options, seed * 65_537 + i));
  }
  return {
    members,
    run: async (seconds) => {
      await clock.advanceAsync(seconds * 1000, STEP_MS);
      await until('the last answers', () => members.every(({ pending }) => pending === 0));
    },
    close: async () => {
      for (const member of members) member.stop();
      await Promise.all(members.map(({ miner }) => miner.close()));
    },
  };
}
