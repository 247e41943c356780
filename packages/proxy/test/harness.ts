import { type MinerJob, MiningClient, type SubmitOutcome, searchShare } from '@headframe/client';
import { type BlockCandidate, type JobRecord, networkDifficulty, networkTargetBytes } from '@headframe/mining';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { AggregatedProxy, type ProxyModules, type ProxyOptions, parseProxyConfig } from '@headframe/proxy';
import {
  createServer,
  type DefaultAccount,
  type MiningServer,
  type MiningServerOptions,
  type RejectedEvent,
  type ShareEvent,
} from '@headframe/server';
import type { Connection } from '@headframe/transport';
import { createMemoryPair } from '@headframe/transport/testing';

/** Mainnet-like: no test share ever meets it. */
export const HARD_BITS = 0x1702c4e4;
/** Regtest: every second hash is a block. */
export const EASY_BITS = 0x207fffff;
/** One hash in about 43 meets it. */
export const MINER_DIFFICULTY = 1e-8;
/** One in about 340. */
export const POOL_DIFFICULTY = 8e-8;

const START_MS = 1_700_000_000_000;

function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (seed >> 3)) & 255);
}

export interface TestJobOptions {
  readonly id: number;
  readonly tip?: number;
  readonly bits?: number;
  readonly clean?: boolean;
  readonly extranonceLength?: number;
  readonly coinbaseBytes?: number;
  readonly versionMask?: number;
}

/** A job as a core publishes it, on made-up transactions. */
export function makeJob(options: TestJobOptions): JobRecord {
  const { id, tip = 1, bits = HARD_BITS, extranonceLength = 12, versionMask = 0x1fffe000 } = options;
  const networkTarget = networkTargetBytes(bits) ?? new Uint8Array(32);
  const coinbase1 = bytes(60, 7);
  coinbase1.set([id >>> 24, id >>> 16, id >>> 8, id], 50);
  return {
    id,
    baseId: id,
    height: 100 + tip,
    previousHash: bytes(32, tip),
    version: 0x20000000,
    versionMask,
    nbits: bits,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, 1),
    ntime: START_MS / 1000,
    minTime: START_MS / 1000 - 600,
    merkleBranch: bytes(64, 5),
    variants: [
      {
        key: `${extranonceLength}/main`,
        extranonceLength,
        coinbase1,
        coinbase2: bytes(options.coinbaseBytes ?? 80, 9),
        stampOffset: 50,
      },
    ],
    algorithm: 'sha256d',
    clean: options.clean ?? false,
    createdAtMs: START_MS,
    reward: 5_000_000_000n,
  };
}

/** Lets a message go through miner, proxy and pool and back. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await settle();
}

/** A pool above the proxy: our own server, in memory. */
export class TestPool {
  readonly server: MiningServer<DefaultAccount>;
  readonly shares: ShareEvent<DefaultAccount>[] = [];
  readonly rejected: RejectedEvent<DefaultAccount>[] = [];
  readonly candidates: BlockCandidate[] = [];
  readonly connections: Connection[] = [];
  refuse = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock, options: MiningServerOptions<DefaultAccount> = {}) {
    this.#clock = clock;
    this.server = createServer(
      {
        difficulty: POOL_DIFFICULTY,
        refreshSpreadMs: 0,
        ...options,
        limits: { overloadDelayMs: Number.POSITIVE_INFINITY, ...options.limits },
      },
      { clock },
    );
    this.server.on('share', (share) => this.shares.push(share));
    this.server.on('rejected', (share) => this.rejected.push(share));
    this.server.on('blockCandidate', (candidate) => this.candidates.push(candidate));
  }

  connect(): Promise<Connection> {
    if (this.refuse) return Promise.reject(new Error('refused'));
    const pair = createMemoryPair({ clock: this.#clock, clientAddress: '10.1.0.1' });
    this.connections.push(pair.client);
    this.server.attach(pair.server, { index: 0 });
    return Promise.resolve(pair.client);
  }

  /** The line breaks. */
  cut(): void {
    for (const connection of this.connections.splice(0)) connection.destroy(new Error('cut'));
  }

  get usernames(): string[] {
    return [...this.server.sessions].flatMap((session) =>
      [...this.server.channelOf(session).workers].map(({ name }) => name),
    );
  }
}

/** A miner that searches by hand. */
export class TestMiner {
  readonly client: MiningClient;
  readonly notices: string[] = [];
  disconnects = 0;
  #nonce = 0;

  constructor(client: MiningClient) {
    this.client = client;
    client.on('disconnected', () => this.disconnects++);
  }

  get job(): MinerJob {
    const { job } = this.client;
    if (job === undefined) throw new Error('the miner has no job');
    return job;
  }

  /** Looks for a share of at least `difficulty` and hands it in; undefined while the answer has not come. */
  async mine(options: { difficulty?: number; job?: MinerJob; versionBits?: number } = {}): Promise<SubmitOutcome> {
    const share = this.find(options);
    const answer = this.client.submit(share);
    await quiet();
    return answer;
  }

  find({
    difficulty,
    job = this.job,
    versionBits,
  }: {
    difficulty?: number;
    job?: MinerJob;
    versionBits?: number;
  } = {}) {
    const extranonce2 = new Uint8Array(job.extranonce2Size).fill(0x5a);
    const found = searchShare(job, {
      extranonce2,
      startNonce: this.#nonce,
      maxNonces: 2_000_000,
      ...(difficulty === undefined ? {} : { difficulty }),
      ...(versionBits === undefined ? {} : { versionBits }),
    });
    if (found === undefined) throw new Error('no share found');
    this.#nonce = found.nonce + 1;
    return found;
  }
}

export interface BenchOptions {
  readonly config?: Partial<ProxyOptions>;
  readonly pools?: readonly MiningServerOptions<DefaultAccount>[];
  readonly modules?: Partial<ProxyModules>;
  /** False: pools have no job at first. */
  readonly jobs?: boolean;
}

/** Proxy, upstream pools and miners in memory, on a clock that stands still. */
export class ProxyBench {
  readonly clock = new FakeClock(START_MS);
  readonly pools: readonly TestPool[];
  readonly proxy: AggregatedProxy;
  readonly #miners: TestMiner[] = [];
  #address = 0;

  constructor(options: BenchOptions = {}) {
    this.pools = (options.pools ?? [{}]).map((pool) => new TestPool(this.clock, pool));
    const config = parseProxyConfig({
      validation: 'inline',
      listeners: [{ host: '127.0.0.1', port: 0, difficulty: MINER_DIFFICULTY }],
      upstreams: this.pools.map((_, i) => ({ name: `pool${i}`, url: `pool${i}.test:3333`, user: `user${i}` })),
      ...options.config,
      limits: { overloadDelayMs: 1e9, ...options.config?.limits },
    });
    this.proxy = new AggregatedProxy(config, {
      clock: this.clock,
      random: () => 0.5,
      connect: (endpoint) => this.pool(Number(endpoint?.host[4])).connect(),
      ...options.modules,
    });
    if (options.jobs !== false) for (const pool of this.pools) pool.server.publishJob(makeJob({ id: 1 }));
  }

  pool(index = 0): TestPool {
    const pool = this.pools[index];
    if (pool === undefined) throw new Error(`there is no pool ${index}`);
    return pool;
  }

  /** Starts the upstreams; miners are attached in memory. */
  async start(): Promise<this> {
    this.proxy.connect();
    await quiet();
    return this;
  }

  async miner(
    options: { username?: string; password?: string; extranonce?: boolean; rolling?: boolean } = {},
  ): Promise<TestMiner> {
    const { username = `rig${this.#miners.length}`, password, extranonce = true, rolling = true } = options;
    const address = `10.0.${this.#address >> 8}.${(this.#address & 255) + 1}`;
    this.#address++;
    const client = new MiningClient({
      connect: () => {
        const pair = createMemoryPair({ clock: this.clock, clientAddress: address });
        this.proxy.attach(pair.server, { index: 0 });
        return Promise.resolve(pair.client);
      },
      workers: [{ username, ...(password === undefined ? {} : { password }) }],
      clock: this.clock,
      subscribeExtranonce: extranonce,
      random: () => 0,
      idleTimeoutMs: 1e9,
      ...(rolling ? {} : { versionRolling: false as const }),
    });
    const miner = new TestMiner(client);
    this.#miners.push(miner);
    client.start().catch(() => {});
    await quiet();
    return miner;
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(1000, left));
      await quiet();
    }
  }

  /** Lets time pass until there is an answer. */
  async outcome<T>(answer: Promise<T>): Promise<T> {
    let isHere = false;
    answer.then(
      () => {
        isHere = true;
      },
      () => {
        isHere = true;
      },
    );
    await quiet();
    for (let i = 0; i < 60 && !isHere; i++) await this.advance(1000);
    if (!isHere) throw new Error('no answer within a minute');
    return answer;
  }

  async close(): Promise<void> {
    for (const { client } of this.#miners) void client.close();
    this.proxy.destroy();
    for (const { server } of this.pools) server.destroy();
    await quiet();
  }
}
