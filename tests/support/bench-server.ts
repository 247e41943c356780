import {
  type BlockCandidate,
  type Bus,
  createDirectBus,
  type JobRecord,
  networkDifficulty,
  networkTargetBytes,
  type ShareBatch,
  type ShareRecord,
} from '@headframe/mining';
import { type Logger, u32ToHex } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import {
  createServer,
  type DefaultAccount,
  type MiningServer,
  type MiningServerModules,
  type MiningServerOptions,
} from '@headframe/server';
import { createMemoryPair, type MemoryConnection, type MemoryPairOptions } from '@headframe/transport/testing';
import { WireMiner } from './wire-miner.js';

/** Mainnet-like: no test share ever meets it. */
export const HARD_BITS = 0x1702c4e4;
/** Regtest: every second hash is a block. */
export const EASY_BITS = 0x207fffff;
/** One hash in about 43 meets it. */
export const EASY_DIFFICULTY = 1e-8;

export interface JobOptions {
  readonly id: number;
  /** Tells previous blocks apart. Default 1. */
  readonly tip?: number;
  readonly clean?: boolean;
  readonly bits?: number;
  readonly ntime?: number;
  readonly minTime?: number;
  readonly version?: number;
  readonly versionMask?: number;
}

function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (seed >> 3)) & 255);
}

/** A job as a core publishes it, on made-up transactions. */
export function makeJob(options: JobOptions): JobRecord {
  const { id, tip = 1, bits = HARD_BITS, ntime = 1_700_000_000, versionMask = 0x1fffe000 } = options;
  const networkTarget = networkTargetBytes(bits) ?? new Uint8Array(32);
  const coinbase1 = bytes(60, 7);
  coinbase1.set(Buffer.from(u32ToHex(id), 'hex'), 50);
  return {
    id,
    baseId: id,
    height: 100 + tip,
    previousHash: bytes(32, tip),
    version: ((options.version ?? 0x20000000) & ~versionMask) >>> 0,
    versionMask,
    nbits: bits,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, 1),
    ntime,
    minTime: options.minTime ?? ntime - 600,
    merkleBranch: bytes(64, 5),
    variants: [{ key: '12/main', extranonceLength: 12, coinbase1, coinbase2: bytes(80, 9), stampOffset: 50 }],
    algorithm: 'sha256d',
    clean: options.clean ?? true,
    createdAtMs: ntime * 1000,
    reward: 5_000_000_000n,
  };
}

/** A mining server with the core played by the test: memory connections, a clock that stands still. */
export interface Bench<Account = DefaultAccount> {
  readonly clock: FakeClock;
  readonly bus: Bus;
  readonly server: MiningServer<Account>;
  readonly candidates: readonly BlockCandidate[];
  readonly batches: readonly ShareBatch[];
  /** Shares in the ledger, a batch that came twice counted once. */
  shares(): ShareRecord[];
  accepted(): ShareRecord[];
  publish(job: JobRecord): void;
  /** What commit does before it counts: throw, wait ... */
  beforeCommit: (batch: ShareBatch) => Promise<void> | void;
  /** What happens between the disk and the answer. */
  afterCommit: (batch: ShareBatch) => Promise<void> | void;
  pair(options?: MemoryPairOptions): { readonly client: MemoryConnection; readonly server: MemoryConnection };
  connect(options?: MemoryPairOptions): WireMiner;
  close(): Promise<void>;
}

export interface BenchOptions<Account> {
  readonly options?: MiningServerOptions<Account>;
  readonly modules?: MiningServerModules<Account>;
  readonly job?: JobRecord | null;
  readonly log?: Logger;
  readonly clock?: FakeClock;
}

/** Makes a {@link Bench}. The default difficulty is {@link EASY_DIFFICULTY}, fixed. */
export async function bench<Account = DefaultAccount>(setup: BenchOptions<Account> = {}): Promise<Bench<Account>> {
  const clock = setup.clock ?? new FakeClock(1_700_000_000_000);
  const bus = createDirectBus();
  const candidates: BlockCandidate[] = [];
  const batches: ShareBatch[] = [];
  const seen = new Set<string>();
  let current: JobRecord | null = setup.job === undefined ? makeJob({ id: 1 }) : setup.job;
  bus.answer('join', () => ({ instance: 7, job: current }));
  bus.answer('commit', async (batch) => {
    await made.beforeCommit(batch);
    const key = `${batch.epoch}/${batch.sequence}`;
    if (!seen.has(key)) batches.push(batch);
    seen.add(key);
    await made.afterCommit(batch);
    return null;
  });
  bus.subscribe('candidate', (candidate) => {
    candidates.push(candidate);
  });
  const options = {
    difficulty: EASY_DIFFICULTY,
    refreshSpreadMs: 0,
    ...setup.options,
    // A clock that stands still would hold back every commit after the first few.
    limits: {
      overloadDelayMs: Number.POSITIVE_INFINITY,
      commitsPerSecond: Number.POSITIVE_INFINITY,
      ...setup.options?.limits,
    },
  } as MiningServerOptions<Account> & { authorize: NonNullable<MiningServerOptions<Account>['authorize']> };
  const log = setup.log === undefined ? {} : { log: setup.log };
  const server = createServer<Account>(options, { clock, bus, ...log, ...setup.modules });
  const made: Bench<Account> = {
    clock,
    bus,
    server,
    candidates,
    batches,
    beforeCommit: () => {},
    afterCommit: () => {},
    shares: () => batches.flatMap((batch) => batch.shares),
    accepted: () => made.shares().filter(({ result }) => result === 'accepted'),
    publish: (job) => {
      current = job;
      bus.publish('job', job);
    },
    pair: (pairOptions) => {
      const pair = createMemoryPair({ clock, clientAddress: '10.0.0.1', ...pairOptions });
      server.attach(pair.server, { index: 0 });
      return pair;
    },
    connect: (pairOptions) => new WireMiner(made.pair(pairOptions).client),
    close: async () => {
      server.destroy();
      await settle();
    },
  };
  await server.join();
  return made;
}
