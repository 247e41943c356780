import { readFileSync } from 'node:fs';
import { resolveCoin } from '@headframe/coins';
import {
  type BlockCandidate,
  type BlockSink,
  type BlockTemplate,
  type Bus,
  buildHeader,
  createDirectBus,
  type FoundBlock,
  foldBranch,
  type JobRecord,
  parseTemplate,
  sha256d,
  type TemplateSource,
} from '@headframe/mining';
import { concatBytes, fromDisplayHex, isAtMostLe } from '@headframe/primitives';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import { createJobManager, type JobManager, type JobManagerOptions, payoutOutputs } from '../src/index.js';

export const coin = resolveCoin('bitcoin', 'regtest');
/** The P2WPKH of BIP 173's examples, on regtest. */
export const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

const mempool = JSON.parse(readFileSync(new URL('vectors/bcoin-gbt-mempool.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;

/** Display hex of a made-up block. */
export function blockHash(name: string | number): string {
  return Buffer.from(`block ${name}`.padEnd(32, '.')).toString('hex');
}

/** The template of a real node, moved to another height and tip. */
export function template(
  height: number,
  change: Partial<BlockTemplate> = {},
  tip = blockHash(height - 1),
): BlockTemplate {
  return { ...parseTemplate(mempool, coin), height, previousHash: fromDisplayHex(tip), ...change };
}

export class ManualSource implements TemplateSource {
  refreshes = 0;
  closed = false;
  #listener: (template: BlockTemplate) => void = () => {};
  #first: () => void = () => {};

  async start(listener: (template: BlockTemplate) => void, signal: AbortSignal): Promise<void> {
    this.#listener = listener;
    await new Promise<void>((resolve) => {
      this.#first = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
  }
  give(next: BlockTemplate): void {
    this.#listener(next);
    this.#first();
  }
  refresh(): void {
    this.refreshes++;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

export interface Harness {
  readonly manager: JobManager;
  readonly source: ManualSource;
  readonly bus: Bus;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  /** What edges heard. */
  readonly jobs: JobRecord[];
  readonly submitted: FoundBlock[];
  readonly kept: { readonly candidate: BlockCandidate; readonly reason: string }[];
  readonly started: Promise<void>;
}

export function harness(options: Partial<JobManagerOptions> = {}, bus: Bus = createDirectBus()): Harness {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const source = new ManualSource();
  const jobs: JobRecord[] = [];
  const submitted: FoundBlock[] = [];
  const kept: Harness['kept'] = [];
  const sink: BlockSink = {
    submit: (block) => submitted.push(block),
    keep: (candidate, reason) => kept.push({ candidate, reason }),
  };
  bus.subscribe('job', (job) => jobs.push(job));
  const manager = createJobManager(
    {
      coin,
      variants: [{ extranonceLength: 12, outputs: payoutOutputs(coin, [{ address: ADDRESS }]) }],
      poolTag: Buffer.from('/headframe/'),
      ...options,
    },
    { bus, templates: source, sink, clock, log },
  );
  const started = manager.start();
  return { manager, source, bus, clock, log, jobs, submitted, kept, started };
}

/** One of the jobs; negative indices count from the end. */
export function at(jobs: readonly JobRecord[], index: number): JobRecord {
  const job = jobs.at(index);
  if (job === undefined) throw new Error(`no job at ${index}`);
  return job;
}

/** Mines a job of the easy chain until the header meets the network target. */
export function solve(job: JobRecord, change: Partial<BlockCandidate> = {}): BlockCandidate {
  const [variant] = job.variants;
  if (variant === undefined) throw new Error('job without variant');
  const extranonce = new Uint8Array(variant.extranonceLength).fill(0x5a);
  const coinbase = concatBytes(variant.coinbase1, extranonce, variant.coinbase2);
  const merkleRoot = foldBranch(sha256d(coinbase), job.merkleBranch);
  const fields = {
    version: job.version,
    previousHash: job.previousHash,
    merkleRoot,
    ntime: job.ntime,
    nbits: job.nbits,
  };
  for (let nonce = 0; nonce < 1000; nonce++) {
    const header = buildHeader({ ...fields, nonce });
    const hash = sha256d(header);
    if (!isAtMostLe(hash, 0, job.networkTarget)) continue;
    return {
      hash,
      header,
      coinbase,
      baseJobId: job.baseId,
      height: job.height,
      previousHash: job.previousHash,
      account: 'account',
      worker: 'rig',
      address: ADDRESS,
      difficulty: 1,
      achieved: 1,
      timeMs: 1,
      reward: job.reward,
      ...change,
    };
  }
  throw new Error('no nonce found');
}
