import { setMaxListeners } from 'node:events';
import {
  BoundedMap,
  type Clock,
  errorMessage,
  Histogram,
  type HistogramSnapshot,
  type Logger,
} from '@headframe/primitives';
import { type CoinNode, rpcCodeOf } from './node.js';
import { pause } from './pause.js';
import { RPC_CODE } from './rpc-response.js';
import { readSubmitError, readSubmitResult, type SubmitAnswer } from './submit-result.js';

/** Answers of one node to submitblock with one result. */
export interface SubmissionStats {
  readonly node: string;
  /** `retry`: the node was away, or did not know the parent yet. */
  readonly result: SubmitAnswer['kind'];
  /** Seconds until the answer. */
  readonly seconds: HistogramSnapshot;
}

/** A block on its way to the nodes. */
export interface SendableBlock {
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
  /** The block; set to null when nobody needs it any more, which also ends the retries. */
  hex: string | null;
  readonly workId: string | null;
  /** What each node said last, by name; undefined while it has not answered. */
  readonly answers: Map<string, SubmitAnswer | undefined>;
}

export interface BlockSenderOptions<Block extends SendableBlock> {
  readonly nodes: readonly CoinNode[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly retryForMs: number;
  readonly timeoutMs: number;
  /** A node has the block, or refused it for good. */
  readonly onAnswer: (block: Block, node: CoinNode, answer: SubmitAnswer) => void;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;
const PRECIOUS_TIMEOUT_MS = 5000;
/** Parents remembered with the first of our blocks on them. A sibling comes within seconds, so few are enough. */
const REMEMBERED_PARENTS = 64;

/** Previous block of a block in hex, as it stands in the header. */
function parentOf(hex: string): string {
  return hex.slice(8, 72);
}

/** submitblock to all nodes side by side, each with its own retries. */
export class BlockSender<Block extends SendableBlock> {
  readonly #options: BlockSenderOptions<Block>;
  /** By node, then by result. */
  readonly #seconds = new Map<string, Map<SubmitAnswer['kind'], Histogram>>();
  readonly #withoutPrecious = new Set<string>();
  /** Hash of our first block on each parent: one that comes later must not push it out of the chain. */
  readonly #firstOn = new BoundedMap<string, string>(REMEMBERED_PARENTS);
  readonly #firstAttempts = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: BlockSenderOptions<Block>) {
    this.#options = options;
    // One listener per call under way; blocks may come in bunches on test chains.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Answers so far. */
  stats(): SubmissionStats[] {
    const all: SubmissionStats[] = [];
    for (const [node, results] of this.#seconds) {
      for (const [result, seconds] of results) all.push({ node, result, seconds: seconds.snapshot() });
    }
    return all;
  }

  #measure(node: string, result: SubmitAnswer['kind'], seconds: number): void {
    const results = this.#seconds.get(node) ?? new Map<SubmitAnswer['kind'], Histogram>();
    this.#seconds.set(node, results);
    const histogram = results.get(result) ?? new Histogram();
    results.set(result, histogram);
    histogram.record(seconds);
  }

  /** Begins to send in this tick. */
  send(block: Block): void {
    const parent = block.hex === null ? undefined : parentOf(block.hex);
    if (parent !== undefined && !this.#firstOn.has(parent)) this.#firstOn.set(parent, block.hash);
    for (const node of this.#options.nodes) {
      block.answers.set(node.name, undefined);
      const first = this.#sendFirst(block, node);
      this.#firstAttempts.add(first);
      void first.then(() => this.#firstAttempts.delete(first));
    }
  }

  /** Waits for first attempts under way, at most `graceMs`, then stops everything. */
  async close(graceMs: number): Promise<void> {
    if (graceMs > 0 && this.#firstAttempts.size > 0 && !this.#stop.signal.aborted) {
      const done = new AbortController();
      await Promise.race([Promise.all(this.#firstAttempts), pause(this.#options.clock, graceMs, done.signal)]);
      done.abort();
    }
    this.#stop.abort();
  }

  /** Resolves after the first attempt; retries go on in the background. Never rejects. */
  async #sendFirst(block: Block, node: CoinNode): Promise<void> {
    const startedMs = this.#options.clock.monotonic();
    const answer = await this.#sendOnce(block, node);
    if (answer?.kind === 'retry') void this.#sendAgain(block, node, startedMs);
  }

  async #sendAgain(block: Block, node: CoinNode, startedMs: number): Promise<void> {
    const { clock, log, retryForMs } = this.#options;
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
      await pause(clock, delayMs, this.#stop.signal);
      if (this.#stop.signal.aborted || block.hex === null) return;
      if (clock.monotonic() - startedMs > retryForMs) {
        log.warn({ node: node.name, hash: block.hash }, 'node could not be reached: giving up sending it the block');
        return;
      }
      if ((await this.#sendOnce(block, node))?.kind !== 'retry') return;
    }
  }

  async #sendOnce(block: Block, node: CoinNode): Promise<SubmitAnswer | undefined> {
    const { hash, height, hex, workId } = block;
    if (hex === null) return undefined;
    const { clock, log, timeoutMs } = this.#options;
    const sentMs = clock.monotonic();
    let answer: SubmitAnswer;
    try {
      const params = workId === null ? [hex] : [hex, { workid: workId }];
      // Its own connection: nothing that hangs or queues can be in front of it.
      const result = await node.call('submitblock', params, {
        connection: 'own',
        timeoutMs,
        signal: this.#stop.signal,
      });
      answer = readSubmitResult(result);
    } catch (error) {
      answer = readSubmitError(error);
    }
    this.#measure(node.name, answer.kind, (clock.monotonic() - sentMs) / 1000);
    if (block.answers.get(node.name)?.text !== answer.text) {
      const level = answer.kind === 'rejected' ? 'error' : answer.kind === 'retry' ? 'warn' : 'info';
      log[level]({ node: node.name, hash, height, answer: answer.text }, 'node answered to the block');
    }
    block.answers.set(node.name, answer);
    if (answer.kind === 'retry') return answer;
    this.#options.onAnswer(block, node, answer);
    // Being preferred may change the node's chain: have it looked at once more.
    const isFirst = this.#firstOn.get(parentOf(hex)) === hash;
    if (answer.kind === 'has-block' && isFirst && (await this.#makePrecious(block, node))) {
      this.#options.onAnswer(block, node, answer);
    }
    return answer;
  }

  /**
   * Asks the node to prefer our block to another of the same work that came first. Not every node knows how.
   * True when it was done. Never rejects.
   */
  async #makePrecious({ hash }: Block, node: CoinNode): Promise<boolean> {
    if (this.#withoutPrecious.has(node.name)) return false;
    try {
      await node.call('preciousblock', [hash], { timeoutMs: PRECIOUS_TIMEOUT_MS, signal: this.#stop.signal });
      return true;
    } catch (error) {
      if (rpcCodeOf(error) === RPC_CODE.methodNotFound) this.#withoutPrecious.add(node.name);
      else this.#options.log.debug({ node: node.name, hash, error: errorMessage(error) }, 'preciousblock failed');
      return false;
    }
  }
}
