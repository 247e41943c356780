import { type Clock, errorMessage, type Logger, silentLogger, systemClock, type Timer } from '@headframe/primitives';
import type { CoinNode } from './node.js';

/** A block to look for. */
export interface WatchedBlock {
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
}

/** What the active chain of one node looks like, as far as we asked. */
export interface ChainView {
  readonly tipHeight: number;
  /** Display hex of the node's block at each height asked; heights above its tip are missing. */
  readonly hashes: ReadonlyMap<number, string>;
}

export interface ChainWatcherOptions {
  readonly nodes: readonly CoinNode[];
  /** Blocks to ask for, at the moment of asking. */
  readonly watched: () => readonly WatchedBlock[];
  readonly onView: (node: CoinNode, view: ChainView) => void;
  /** Between two rounds when no tip change calls for one. Default 10,000. */
  readonly intervalMs?: number;
  /** Time for one call. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface ChainWatcherModules {
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Asks nodes which blocks their active chains have. Nodes are asked side by side; one that hangs holds up none. */
export interface ChainWatcher {
  /** Asks now: all nodes, or one. A node that is being asked is asked once more afterwards. */
  check(node?: CoinNode): void;
  close(): void;
}

/** Calls in one batch. A pool with more open blocks than this asks in several. */
const BATCH_SIZE = 100;

/** Makes a watcher; its timer runs from the start, and costs nothing while nothing is watched. */
export function createChainWatcher(options: ChainWatcherOptions, modules: ChainWatcherModules = {}): ChainWatcher {
  return new NodesChainWatcher(options, modules);
}

class NodesChainWatcher implements ChainWatcher {
  readonly #options: ChainWatcherOptions;
  readonly #log: Logger;
  readonly #timer: Timer;
  readonly #timeoutMs: number;
  readonly #busy = new Map<CoinNode, { again: boolean }>();
  readonly #stop = new AbortController();

  constructor(options: ChainWatcherOptions, modules: ChainWatcherModules) {
    this.#options = options;
    this.#log = modules.log ?? silentLogger;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#timer = (modules.clock ?? systemClock).setInterval(() => this.check(), options.intervalMs ?? 10_000);
  }

  check(node?: CoinNode): void {
    if (this.#stop.signal.aborted) return;
    for (const each of node === undefined ? this.#options.nodes : [node]) {
      const running = this.#busy.get(each);
      if (running !== undefined) running.again = true;
      else void this.#checkNode(each);
    }
  }

  close(): void {
    this.#stop.abort();
    this.#timer.cancel();
  }

  async #checkNode(node: CoinNode): Promise<void> {
    const running = { again: true };
    this.#busy.set(node, running);
    while (running.again && !this.#stop.signal.aborted) {
      running.again = false;
      const heights = [...new Set(this.#options.watched().map(({ height }) => height))];
      if (heights.length === 0) break;
      try {
        const view = await this.#look(node, heights);
        if (view !== undefined && !this.#stop.signal.aborted) this.#options.onView(node, view);
      } catch (error) {
        this.#log.debug({ node: node.name, error: errorMessage(error) }, 'cannot ask for the chain');
      }
    }
    this.#busy.delete(node);
  }

  /**
   * By height and not by getblockheader: some nodes report confirmations for a block beside their active chain.
   */
  async #look(node: CoinNode, heights: readonly number[]): Promise<ChainView | undefined> {
    const options = { timeoutMs: this.#timeoutMs, signal: this.#stop.signal };
    const tipHeight = await node.call('getblockcount', [], options);
    if (typeof tipHeight !== 'number') return undefined;
    const asked = heights.filter((height) => height <= tipHeight);
    const hashes = new Map<number, string>();
    for (let start = 0; start < asked.length; start += BATCH_SIZE) {
      const part = asked.slice(start, start + BATCH_SIZE);
      const calls = part.map((height) => ({ method: 'getblockhash', params: [height] }));
      const outcomes = await node.batch(calls, options);
      outcomes.forEach((outcome, index) => {
        const height = part[index];
        if (height === undefined || !outcome.ok || typeof outcome.result !== 'string') return;
        hashes.set(height, outcome.result.toLowerCase());
      });
    }
    return { tipHeight, hashes };
  }
}
