import { join } from 'node:path';
import type { Coin } from '@headframe/coins';
import {
  type BlockJournal,
  type BlockSubmitter,
  checkProposal,
  createBlockSubmitter,
  createNodePool,
  createTemplateFeed,
  type NodePool,
  openBlockJournal,
  type ProposalVerdict,
} from '@headframe/daemon';
import { createJobManager, type JobManager } from '@headframe/jobs';
import type { BlockSink, Bus, ShareSink } from '@headframe/mining';
import type { SplitPlanner } from '@headframe/payouts';
import { asciiToBytes, type Clock, errorMessage, isPoolError, type Logger, type Timer } from '@headframe/primitives';
import { type Books, openBooks } from './books.js';
import type { PoolConfig } from './config/schema.js';
import { type FolderLock, lockFolder } from './folder-lock.js';
import type { CurrentSetup, PoolSetup } from './setup.js';
import { createPoolSplit } from './split.js';
import { openStorage, type PoolStorage } from './storage.js';
import { daemonOptions } from './supervised-nodes.js';

/** Bytes of extranonce1: an instance byte and a 24-bit index. */
export const EXTRANONCE1_BYTES = 4;

/** Time to load the optional package zeromq. */
const ZMQ_LOAD_MS = 1000;

/** Rejects if `promise` does within the time, else resolves. */
async function failsWithin(promise: Promise<void>, ms: number, clock: Clock): Promise<void> {
  let timer: Timer | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, ms);
  });
  await Promise.race([promise, waited]).finally(() => timer?.cancel());
}

export interface CoreModules {
  readonly bus: Bus;
  readonly log: Logger;
  readonly clock: Clock;
  /** Default: what `storage` of the configuration says. */
  readonly shareSink?: ShareSink;
}

/** The half of a pool that knows nodes and no sockets: templates, jobs, blocks, storage, books. */
export interface PoolCore {
  readonly nodes: NodePool;
  readonly jobs: JobManager;
  readonly blocks: BlockSubmitter;
  readonly storage: PoolStorage;
  /** Undefined without a ledger. */
  readonly books: Books | undefined;
  /** Other fees: with the next template. */
  setPayout(setup: PoolSetup): void;
  /**
   * Begins. Resolves without waiting for a node: miners are served while it is away. Jobs follow as soon as there is
   * a template.
   */
  start(): Promise<void>;
  /** Lets blocks under way reach the nodes, then stops. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens journal and storage and makes the core.
 * @throws PoolError `storage_failed` when a file cannot be opened
 */
export async function openCore(config: PoolConfig, setup: PoolSetup, modules: CoreModules): Promise<PoolCore> {
  const { bus, log, clock } = modules;
  const { coin } = setup;
  const lock = await lockFolder(config.dataFolder);
  let journal: BlockJournal | undefined;
  let storage: PoolStorage;
  try {
    journal = await openBlockJournal({ path: join(config.dataFolder, 'blocks.journal') }, { log });
    storage = await openStorage(config, coin, modules);
  } catch (error) {
    await journal?.close();
    await lock.release();
    throw error;
  }
  const nodes = createPoolNodes(config, coin, modules);
  const blocks = createBlockSubmitter({ nodes: nodes.nodes, coin, bus, journal }, { clock, log });
  const current = { current: setup };
  const { ledger } = storage;
  const split = createPoolSplit(config, current, extranonceLengths(config), { ledger, clock, log });
  const jobs = createPoolJobs(config, current, { nodes, sink: blocks, split }, modules);
  const books = ledger === undefined ? undefined : openBooks(config, current, { bus, ledger, nodes, jobs, clock, log });
  const parts = { config, coin, bus, log, clock, lock, journal, storage, split, books, nodes, blocks, jobs };
  return new WiredCore({ ...parts, setup: current });
}

/** The nodes of a configuration. @throws PoolError `invalid_config` when a supervised one cannot be run like that */
export function createPoolNodes(config: PoolConfig, coin: Coin, modules: Pick<CoreModules, 'clock' | 'log'>): NodePool {
  const daemons = config.daemons.map((_, index) => daemonOptions(config, index, coin));
  return createNodePool({ daemons, coin }, modules);
}

interface JobParts {
  readonly nodes: NodePool;
  /** Gets the blocks that are found. */
  readonly sink: BlockSink;
  /** Plans the outputs, in place of those of the setup. */
  readonly split?: SplitPlanner | undefined;
}

/** The job manager of a configuration. */
export function createPoolJobs(
  config: PoolConfig,
  setup: CurrentSetup,
  { nodes, sink, split }: JobParts,
  modules: Pick<CoreModules, 'bus' | 'clock' | 'log'>,
): JobManager {
  const { clock, log, bus } = modules;
  const { coin, versionMask } = setup.current;
  const lengths = extranonceLengths(config);
  const templates = createTemplateFeed({ nodes: nodes.nodes, coin, pollMs: config.jobs.poll * 1000 }, { clock, log });
  return createJobManager(
    {
      coin,
      variants:
        split?.variants ??
        (() => lengths.map((extranonceLength) => ({ extranonceLength, outputs: setup.current.outputs }))),
      poolTag: asciiToBytes(config.poolTag),
      versionMask,
      keepAliveMs: config.jobs.keepAlive * 1000,
      coinbase: { maxBytes: config.jobs.maxCoinbaseBytes },
      instanceOf: () => config.instance,
    },
    { bus, templates, sink, nodes, clock, log },
  );
}

/** One job variant per length of extranonce that a listener uses. */
function extranonceLengths(config: PoolConfig): number[] {
  return [...new Set(config.listeners.map(({ extranonce2Size }) => EXTRANONCE1_BYTES + extranonce2Size))];
}

interface CoreParts {
  readonly config: PoolConfig;
  readonly coin: Coin;
  readonly bus: Bus;
  readonly log: Logger;
  readonly clock: Clock;
  readonly lock: FolderLock;
  readonly journal: BlockJournal;
  readonly storage: PoolStorage;
  readonly books: Books | undefined;
  readonly nodes: NodePool;
  readonly blocks: BlockSubmitter;
  readonly jobs: JobManager;
  readonly setup: CurrentSetup;
  readonly split: SplitPlanner | undefined;
}

class WiredCore implements PoolCore {
  readonly nodes: NodePool;
  readonly jobs: JobManager;
  readonly blocks: BlockSubmitter;
  readonly storage: PoolStorage;
  readonly books: Books | undefined;
  readonly #parts: CoreParts;
  readonly #leave: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(parts: CoreParts) {
    this.#parts = parts;
    this.nodes = parts.nodes;
    this.jobs = parts.jobs;
    this.blocks = parts.blocks;
    this.storage = parts.storage;
    this.books = parts.books;
  }

  async start(): Promise<void> {
    const { bus, storage, split, books, config, jobs, nodes, blocks, log, clock } = this.#parts;
    this.#leave.push(bus.answer('commit', (batch) => storage.sink.commit(batch).then(() => null)));
    this.#leave.push(
      jobs.on('job', (job) => {
        if (job.clean) blocks.tipChanged();
      }),
    );
    blocks.start();
    books?.start();
    await split?.start();
    nodes.start().catch((error: unknown) => log.error({ error: errorMessage(error) }, 'node checks failed'));
    const started = jobs.start();
    started
      .then(() => (config.jobs.checkProposal ? this.#checkFirstJob() : undefined))
      .catch((error: unknown) => {
        if (isPoolError(error, 'aborted') || isPoolError(error, 'closed')) return;
        log.error({ error: errorMessage(error) }, 'no templates');
      });
    // A missing zeromq package shows at once; a node that is away must not hold the start up.
    if (config.daemons.some(({ zmq }) => zmq !== undefined)) await failsWithin(started, ZMQ_LOAD_MS, clock);
  }

  /** Has the node judge the first block, so that a mistake is known before a day of work went into it. */
  async #checkFirstJob(): Promise<void> {
    const verdict = await judgeCurrentJob(this.jobs, this.nodes, this.#parts.coin);
    const { log } = this.#parts;
    if (verdict === undefined) return;
    if (verdict.kind === 'accepted') log.info({}, 'the node accepts blocks built like the first job');
    else if (verdict.kind === 'rejected') {
      log.error({ reason: verdict.reason }, 'THE NODE WOULD REJECT OUR BLOCKS: check payout, coin and node version');
    } else log.debug({ verdict }, 'the first job was not judged');
  }

  setPayout(setup: PoolSetup): void {
    this.#parts.setup.current = setup;
    this.books?.feesChanged();
    this.jobs.refresh();
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const { lock, storage, split, books, journal, nodes, jobs, blocks } = this.#parts;
    await jobs.close();
    await blocks.close(graceMs);
    nodes.close();
    for (const leave of this.#leave.splice(0)) leave();
    await split?.close();
    await books?.close();
    await storage.sink.close();
    await journal.close();
    await lock.release();
  }
}

/** What the best node says of the current job as a block proposal; undefined without a job or node. */
export async function judgeCurrentJob(
  jobs: JobManager,
  nodes: NodePool,
  coin: Coin,
): Promise<ProposalVerdict | undefined> {
  const blockHex = jobs.proposal();
  const [node] = nodes.candidates();
  if (blockHex === undefined || node === undefined) return undefined;
  return checkProposal(node, { rules: coin.gbtRules, blockHex });
}
