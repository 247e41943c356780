import { type FoundShare, jobHeader, type MinerJob, MiningClient, type MiningClientOptions } from '@headframe/client';
import { type PowAlgorithmId, sha256d } from '@headframe/hashing';
import { type Clock, type RejectCode, toDisplayHex } from '@headframe/primitives';
import type { ListenerInfo } from '@headframe/sessions';
import type { StratumError } from '@headframe/stratum-v1';
import type { Connection } from '@headframe/transport';
import { createMemoryPair, type MemoryConnection } from '@headframe/transport/testing';
import { type SolveOptions, solveJob } from './solve.js';
import { until } from './until.js';

/** Whatever takes a connection over: a mining server, a session server, a pool. */
export interface MinerTarget {
  attach(connection: Connection, listener: ListenerInfo): void;
}

export interface MemoryMinerOptions {
  /** Default `rig.1`. */
  readonly username?: string;
  /** Default `x`. */
  readonly password?: string;
  /** Default `sha256d`. */
  readonly algorithm?: PowAlgorithmId;
  readonly clock?: Clock;
  /** Address the server sees. Default 127.0.0.1. */
  readonly remoteAddress?: string;
  /** Bytes per delivery, to cut lines anywhere. Default: whole writes. */
  readonly chunkBytes?: number;
  /** Anything else of the client, e.g. `versionRolling` or `suggestDifficulty`. */
  readonly client?: Partial<Omit<MiningClientOptions, 'workers' | 'connect' | 'url' | 'clock'>>;
}

/** What the pool said to a share. */
export type Verdict =
  | { readonly accepted: true; readonly share: FoundShare }
  | {
      readonly accepted: false;
      readonly share: FoundShare;
      /** Number on the wire: 20 to 25. */
      readonly code: number;
      /** What the number and the text stand for. */
      readonly rejectCode: RejectCode;
      readonly reason: string;
    };

const LISTENER: ListenerInfo = { index: 0, host: 'memory', port: 3333, tls: false };

/** A miner without a network. Made by {@link createMemoryMiner}. */
export class MemoryMiner {
  readonly client: MiningClient;
  /** Every job so far, the current one last. */
  readonly jobs: MinerJob[] = [];
  readonly #algorithm: PowAlgorithmId;
  #connection: MemoryConnection | undefined;
  #extranonce2 = 0;

  constructor(target: MinerTarget, options: MemoryMinerOptions) {
    this.#algorithm = options.algorithm ?? 'sha256d';
    const { username = 'rig.1', password = 'x', clock, remoteAddress, chunkBytes } = options;
    this.client = new MiningClient({
      reconnect: false,
      ...options.client,
      ...(clock !== undefined && { clock }),
      workers: [{ username, password }],
      connect: () => {
        const pair = createMemoryPair({
          ...(clock !== undefined && { clock }),
          ...(remoteAddress !== undefined && { clientAddress: remoteAddress }),
          ...(chunkBytes !== undefined && { chunkBytes }),
        });
        this.#connection = pair.client;
        target.attach(pair.server, LISTENER);
        return Promise.resolve(pair.client);
      },
    });
    this.client.on('job', (job) => this.jobs.push(job));
  }

  /** The miner's end of the connection: `freeze()` it, `destroy()` it. Undefined before the first one. */
  get connection(): MemoryConnection | undefined {
    return this.#connection;
  }

  /** The job of the moment. @throws Error before the first one */
  get job(): MinerJob {
    const job = this.jobs.at(-1);
    if (job === undefined) throw new Error('the miner has no job yet');
    return job;
  }

  /** Connects, subscribes, authorizes and waits for the first job. */
  async start(): Promise<this> {
    await this.client.start();
    await until('the first job', () => this.jobs.length > 0);
    return this;
  }

  /** Waits for a job after the current one (that `matches`). */
  async nextJob(matches: (job: MinerJob) => boolean = () => true): Promise<MinerJob> {
    const seen = this.jobs.length;
    let found: MinerJob | undefined;
    await until('the next job', () => {
      found = this.jobs.slice(seen).find(matches);
      return found !== undefined;
    });
    return found ?? this.job;
  }

  /** A share of a job (default: the current one), on an extranonce2 of its own. @throws PoolError when there is none */
  solve(options: Omit<SolveOptions, 'extranonce2' | 'algorithm'> & { readonly job?: MinerJob } = {}): FoundShare {
    const { job = this.job, ...rest } = options;
    return solveJob(job, { ...rest, extranonce2: this.#extranonce2++, algorithm: this.#algorithm });
  }

  /** Submits and says what came back. Rejects only when no answer came at all. */
  async submit(share: FoundShare): Promise<Verdict> {
    const outcome = await this.client.submit(share);
    if (outcome.accepted) return { accepted: true, share };
    const { stratumCode, rejectCode, reason }: StratumError = outcome.error;
    return { accepted: false, share, code: stratumCode, rejectCode, reason };
  }

  /** Finds `count` shares of the current job and submits them in one go. */
  mine(count = 1): Promise<readonly Verdict[]> {
    return Promise.all(Array.from({ length: count }, () => this.submit(this.solve())));
  }

  /** Finds a block on the current job and submits it. @returns the verdict, and the display hash of the block */
  async mineBlock(): Promise<Verdict & { readonly hash: string }> {
    const { job } = this;
    const share = this.solve({ job, want: 'block' });
    const { extranonce2, ntime, nonce, versionBits = 0 } = share;
    const hash = toDisplayHex(sha256d(jobHeader(job, { extranonce2, ntime, nonce, versionBits })));
    return { ...(await this.submit(share)), hash };
  }

  /** Ends the connection. */
  close(): Promise<void> {
    return this.client.close();
  }
}

/**
 * Connects a miner to a server in memory and waits for its first job. It hashes for real, so use difficulties near the
 * lowest.
 *
 * @example
 * const miner = await createMemoryMiner(server, { username: 'alice.rig' });
 * const [verdict] = await miner.mine();
 * expect(verdict.accepted).toBe(true);
 */
export function createMemoryMiner(target: MinerTarget, options: MemoryMinerOptions = {}): Promise<MemoryMiner> {
  return new MemoryMiner(target, options).start();
}
