import type { Coin } from '@headframe/coins';
import type { BlockCandidate, BlockOutcome, BlockSink, BlockStatus, Bus, FoundBlock } from '@headframe/mining';
import {
  BoundedSet,
  bytesToHex,
  type Clock,
  errorMessage,
  type Logger,
  silentLogger,
  systemClock,
  toDisplayHex,
} from '@headframe/primitives';
import { type BlockFate, type BlockSighting, blockFate } from './block-fate.js';
import type { BlockJournal } from './block-journal.js';
import { BlockSender, type SendableBlock, type SubmissionStats } from './block-sender.js';
import { type ChainView, type ChainWatcher, createChainWatcher } from './chain-watcher.js';
import type { JournalBlock, JournalEntry } from './journal-entry.js';
import type { CoinNode } from './node.js';

export interface BlockSubmitterOptions {
  /** Every one of them gets every block. */
  readonly nodes: readonly CoinNode[];
  readonly coin: Pick<Coin, 'coinbaseMaturity'>;
  /** Outcomes are published here. */
  readonly bus: Pick<Bus, 'publish'>;
  /** Without one, blocks found just before a crash may be lost. */
  readonly journal?: BlockJournal;
  /** Blocks on top of a competing block until ours counts as orphaned. Default 6. */
  readonly orphanDepth?: number;
  /** How long a node that is away is tried with one block. Default 3,600,000. */
  readonly retryForMs?: number;
  /** Time for one submitblock. Default 30,000. */
  readonly submitTimeoutMs?: number;
  /** Between two looks at the chain without a new tip. Default 10,000. */
  readonly checkIntervalMs?: number;
  /** Blocks under observation; beyond it the oldest is given up, with an error in the log. Default 1,000. */
  readonly maxOpenBlocks?: number;
}

export interface BlockSubmitterModules {
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Counters for metrics. */
export interface BlockSubmitterStats {
  readonly submitted: number;
  readonly confirmed: number;
  readonly matured: number;
  readonly orphaned: number;
  readonly rejected: number;
  readonly journalFailures: number;
  readonly open: number;
  /** What the nodes said to submitblock, and how fast. */
  readonly submissions: readonly SubmissionStats[];
}

/** Sends blocks to all nodes and follows them until they are mature or lost. */
export interface BlockSubmitter extends BlockSink {
  readonly stats: BlockSubmitterStats;
  /** Takes up what the journal left open: sends it again and observes it. Call once the nodes were started. */
  start(): void;
  /** There is a new tip: look where our blocks stand. */
  tipChanged(): void;
  /** Lets sends under way finish (at most `graceMs`, default 5,000), then stops. The journal stays open. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

interface OpenBlock extends SendableBlock {
  readonly account: string;
  readonly worker: string;
  readonly reward: bigint;
  status: Extract<BlockStatus, 'candidate' | 'confirmed' | 'orphaned'>;
  wasConfirmed: boolean;
  /** By node name. */
  readonly sightings: Map<string, BlockSighting>;
}

/** Hashes remembered against doubles: more than the candidates of a day on the easiest test chain. */
const SEEN_HASHES = 10_000;
/** Under so many blocks it has spread by itself; a node that was away need not get it from us any more. */
const SPREAD_CONFIRMATIONS = 2;

/** Makes a submitter. */
export function createBlockSubmitter(
  options: BlockSubmitterOptions,
  modules: BlockSubmitterModules = {},
): BlockSubmitter {
  return new AllNodesSubmitter(options, modules);
}

class AllNodesSubmitter implements BlockSubmitter {
  readonly #options: BlockSubmitterOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #seen = new BoundedSet<string>(SEEN_HASHES);
  readonly #open = new Map<string, OpenBlock>();
  readonly #watcher: ChainWatcher;
  readonly #sender: BlockSender<OpenBlock>;
  #closed = false;
  readonly #counts = { submitted: 0, confirmed: 0, matured: 0, orphaned: 0, rejected: 0, journalFailures: 0 };

  constructor(options: BlockSubmitterOptions, modules: BlockSubmitterModules) {
    this.#options = options;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    this.#watcher = createChainWatcher(
      {
        nodes: options.nodes,
        watched: () => [...this.#open.values()],
        onView: (node, view) => this.#seenOn(node, view),
        ...(options.checkIntervalMs === undefined ? {} : { intervalMs: options.checkIntervalMs }),
      },
      { clock: this.#clock, log: this.#log },
    );
    this.#sender = new BlockSender({
      nodes: options.nodes,
      clock: this.#clock,
      log: this.#log,
      retryForMs: options.retryForMs ?? 3_600_000,
      timeoutMs: options.submitTimeoutMs ?? 30_000,
      // A refusal may be the last missing piece: ask everybody. Otherwise the node itself knows best.
      onAnswer: (_block, node, answer) => this.#watcher.check(answer.kind === 'rejected' ? undefined : node),
    });
  }

  get stats(): BlockSubmitterStats {
    return { ...this.#counts, open: this.#open.size, submissions: this.#sender.stats() };
  }

  start(): void {
    for (const { block, status } of this.#options.journal?.settled ?? []) {
      this.#publish(
        openBlock(block, 'confirmed'),
        status,
        status === 'matured' ? this.#options.coin.coinbaseMaturity : 0,
      );
    }
    for (const entry of this.#options.journal?.unsettled ?? []) {
      if (!this.#seen.add(entry.hash)) continue;
      const block = openBlock(entry, entry.hex === null ? 'confirmed' : 'candidate');
      this.#follow(block);
      this.#log.info(
        { hash: block.hash, height: block.height, status: block.status },
        'block taken up from the journal',
      );
      if (block.hex === null) continue;
      this.#sender.send(block);
      // Whoever should have heard of it may have been cut off by the same crash.
      this.#publish(block, 'candidate', 0);
    }
    this.#watcher.check();
  }

  submit({ hash, height, hex, workId, candidate }: FoundBlock): void {
    if (this.#closed) {
      this.#log.error({ hash, height, hex }, 'block found after the submitter was closed');
      return;
    }
    if (!this.#seen.add(hash)) return;
    const entry: JournalBlock = {
      type: 'block',
      hash,
      height,
      hex,
      workId: workId ?? null,
      account: candidate.account,
      worker: candidate.worker,
      address: candidate.address,
      difficulty: candidate.difficulty,
      reward: String(candidate.reward),
      timeMs: candidate.timeMs,
    };
    const block = openBlock(entry, 'candidate');
    // Both begin in this tick, and neither waits for the other.
    this.#sender.send(block);
    this.#journal(entry);
    this.#follow(block);
    this.#counts.submitted++;
    this.#log.info({ hash, height, worker: block.worker, bytes: hex.length / 2 }, 'block candidate sent to all nodes');
    this.#publish(block, 'candidate', 0);
  }

  keep(candidate: BlockCandidate, reason: string): void {
    const hash = toDisplayHex(candidate.hash);
    if (!this.#seen.add(hash)) return;
    this.#log.error(
      { hash, height: candidate.height, reason },
      'block candidate cannot be assembled; it is in the journal',
    );
    this.#journal({
      type: 'kept',
      hash,
      height: candidate.height,
      reason,
      header: bytesToHex(candidate.header),
      coinbase: bytesToHex(candidate.coinbase),
      baseJobId: candidate.baseJobId,
      account: candidate.account,
      worker: candidate.worker,
      timeMs: candidate.timeMs,
    });
  }

  tipChanged(): void {
    this.#watcher.check();
  }

  async close(graceMs = 5000): Promise<void> {
    this.#closed = true;
    await this.#sender.close(graceMs);
    this.#watcher.close();
  }

  #follow(block: OpenBlock): void {
    this.#open.set(block.hash, block);
    const limit = this.#options.maxOpenBlocks ?? 1000;
    if (this.#open.size <= limit) return;
    for (const oldest of this.#open.values()) {
      this.#log.error({ hash: oldest.hash, height: oldest.height, limit }, 'too many open blocks: no longer followed');
      oldest.hex = null;
      this.#open.delete(oldest.hash);
      break;
    }
  }

  #seenOn(node: CoinNode, view: ChainView): void {
    for (const block of [...this.#open.values()]) {
      const there = view.hashes.get(block.height);
      // No answer for a height that the node has is no sighting at all.
      if (there === undefined && block.height <= view.tipHeight) continue;
      block.sightings.set(node.name, { inChain: there === block.hash, tipHeight: view.tipHeight });
      this.#decide(block);
    }
  }

  #decide(block: OpenBlock): void {
    const fate = blockFate({
      height: block.height,
      sightings: this.#options.nodes.flatMap((node) => {
        const sighting = block.sightings.get(node.name);
        return sighting === undefined || !hasSay(node) ? [] : [sighting];
      }),
      refusedByAll:
        [...block.answers.values()].every((answer) => answer?.kind === 'rejected') && block.answers.size > 0,
      wasConfirmed: block.wasConfirmed,
      maturity: this.#options.coin.coinbaseMaturity,
      orphanDepth: this.#options.orphanDepth ?? 6,
    });
    this.#apply(block, fate);
  }

  #apply(block: OpenBlock, fate: BlockFate): void {
    switch (fate.kind) {
      case 'open':
        return;
      case 'confirmed':
      case 'matured':
        if (block.status !== 'confirmed') this.#confirm(block, fate.confirmations);
        if (fate.confirmations >= SPREAD_CONFIRMATIONS) block.hex = null;
        if (fate.kind === 'matured') this.#settle(block, 'matured', fate.confirmations);
        return;
      case 'orphaned':
        if (block.status !== 'orphaned') {
          block.status = 'orphaned';
          this.#counts.orphaned++;
          this.#log.warn({ hash: block.hash, height: block.height }, 'block is orphaned');
          this.#publish(block, 'orphaned', 0);
        }
        if (fate.final) this.#settle(block, 'orphaned', 0);
        return;
      case 'rejected':
        this.#settle(block, 'rejected', 0);
    }
  }

  #confirm(block: OpenBlock, confirmations: number): void {
    const again = block.wasConfirmed;
    block.status = 'confirmed';
    block.wasConfirmed = true;
    this.#counts.confirmed++;
    this.#log.info({ hash: block.hash, height: block.height, again }, 'block is in the active chain');
    this.#journal({ type: 'status', hash: block.hash, status: 'confirmed', timeMs: this.#clock.now() });
    this.#publish(block, 'confirmed', confirmations);
  }

  #settle(block: OpenBlock, status: 'matured' | 'orphaned' | 'rejected', confirmations: number): void {
    block.hex = null;
    this.#open.delete(block.hash);
    this.#journal({ type: 'status', hash: block.hash, status, timeMs: this.#clock.now() });
    if (status === 'orphaned') return;
    this.#counts[status]++;
    const level = status === 'matured' ? 'info' : 'error';
    this.#log[level]({ hash: block.hash, height: block.height, nodes: answersOf(block) }, `block is ${status}`);
    this.#publish(block, status, confirmations);
  }

  #journal(entry: JournalEntry): void {
    this.#options.journal?.append(entry).catch((error: unknown) => {
      this.#counts.journalFailures++;
      this.#log.error({ hash: entry.hash, type: entry.type, error: errorMessage(error) }, 'block journal failed');
    });
  }

  #publish(block: OpenBlock, status: BlockStatus, confirmations: number): void {
    const outcome: BlockOutcome = {
      hash: block.hash,
      height: block.height,
      status,
      account: block.account,
      worker: block.worker,
      reward: block.reward,
      confirmations,
      nodes: answersOf(block),
      timeMs: this.#clock.now(),
    };
    try {
      this.#options.bus.publish('block', outcome);
    } catch (error) {
      this.#log.error(
        { hash: block.hash, status, error: errorMessage(error) },
        'cannot publish the outcome of a block',
      );
    }
  }
}

/** A node that is away, or on another chain, says nothing about our block. */
function hasSay({ state }: CoinNode): boolean {
  return state.kind !== 'down' && !(state.kind === 'not-ready' && state.cause === 'wrong-chain');
}

function openBlock(entry: JournalBlock, status: 'candidate' | 'confirmed'): OpenBlock {
  const { hash, height, hex, workId, account, worker } = entry;
  return {
    hash,
    height,
    hex,
    workId,
    answers: new Map(),
    account,
    worker,
    reward: BigInt(entry.reward),
    status,
    wasConfirmed: status === 'confirmed',
    sightings: new Map(),
  };
}

function answersOf(block: OpenBlock): Record<string, string> {
  return Object.fromEntries([...block.answers].map(([name, answer]) => [name, answer?.text ?? 'sent']));
}
